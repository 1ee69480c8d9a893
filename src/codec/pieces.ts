/** Where the blocks of an image lie: each by itself, but views of one ArrayBuffer that overlap as the one memory that they are. */
import { type LocalBlock, POINTERS } from '../ctypes/block.js'

/** Enough for every C type, SSE ones included; a type that says more gets more. */
const ALIGNMENT = 16

/** A stretch of the image. */
export interface Piece {
  bytes: Uint8Array
  readonly writable: boolean
  /** The bytes as they were sent, once a callback has run that may have changed them here. */
  before?: Uint8Array
  /** Numbers of the blocks in it, in the order in which they were found. */
  readonly blocks: number[]
  alignment: number
  offset: number
}
export interface Arrangement {
  /** In the order of their offsets. */
  readonly pieces: readonly Piece[]
  /** Of each block. */
  readonly offsets: readonly number[]
  readonly size: number
  readonly alignment: number
}

export function arrange(blocks: readonly LocalBlock[]): Arrangement {
  const pieces = blocks.map(
    ({ bytes, writable, shape }, number): Piece => ({
      bytes,
      writable,
      blocks: [number],
      alignment: Math.max(ALIGNMENT, shape?.alignment ?? 1),
      offset: 0,
    }),
  )
  const kept = blocks.length > 1 ? merge(pieces) : pieces
  const gap = blocks.some(holdsPointers) ? 1 : 0
  const offsets: number[] = []
  let size = 0
  let alignment = ALIGNMENT
  for (const piece of kept) {
    piece.offset = roundUp(size, piece.alignment)
    let end = piece.offset
    for (const number of piece.blocks) {
      const within = piece.blocks.length > 1 ? blocks[number].bytes.byteOffset - piece.bytes.byteOffset : 0
      offsets[number] = piece.offset + within
      end = Math.max(end, piece.offset + within + blocks[number].size)
    }
    size = roundUp(end + gap, ALIGNMENT)
    alignment = Math.max(alignment, piece.alignment)
  }
  return { pieces: kept, offsets, size, alignment }
}

/** A routine may let such a pointer lead to the end of a block, which must not be where the next one begins. */
const holdsPointers = ({ writable, refs, shape }: LocalBlock) =>
  writable && ((refs !== undefined && refs.size > 0) || (shape !== undefined && shape[POINTERS].length > 0))

/** The piece that holds what lies at an offset, or ends there; undefined before the first. */
export function pieceAt(pieces: readonly Piece[], offset: number): Piece | undefined {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (pieces[middle].offset <= offset) low = middle + 1
    else high = middle
  }
  return pieces[low - 1]
}

const roundUp = (value: number, to: number) => Math.ceil(value / to) * to
const ZEROS = new Uint8Array(ALIGNMENT)
/** Between pieces. What is read back into it is nobody's: never the zeros that are written. */
export const padding = (size: number, back: boolean): Uint8Array =>
  back || size > ALIGNMENT ? new Uint8Array(size) : ZEROS.subarray(0, size)

/** Constants stay apart: they are not read back. */
function merge(pieces: readonly Piece[]): readonly Piece[] {
  const shared = new Map<ArrayBufferLike, Piece[]>()
  let several = false
  for (const piece of pieces) {
    if (!piece.writable) continue
    const group = shared.get(piece.bytes.buffer)
    if (group) {
      group.push(piece)
      several = true
    } else shared.set(piece.bytes.buffer, [piece])
  }
  if (!several) return pieces
  const gone = new Set<Piece>()
  for (const group of shared.values()) if (group.length > 1) mergeGroup(group, gone)
  return gone.size === 0 ? pieces : pieces.filter(piece => !gone.has(piece))
}

function mergeGroup(group: Piece[], gone: Set<Piece>): void {
  const sorted = [...group].sort((a, b) => a.bytes.byteOffset - b.bytes.byteOffset || b.bytes.length - a.bytes.length)
  let cluster = [sorted[0]]
  let end = endOf(sorted[0])
  const close = () => {
    if (cluster.length < 2) return
    // the piece keeps the place of the block that was found first
    const numbers = cluster.flatMap(({ blocks }) => blocks).sort((a, b) => a - b)
    const first = cluster.find(({ blocks }) => blocks[0] === numbers[0]) as Piece
    const start = cluster[0].bytes.byteOffset
    for (const piece of cluster) if (piece !== first) gone.add(piece)
    first.alignment = Math.max(...cluster.map(({ alignment }) => alignment))
    first.bytes = new Uint8Array(first.bytes.buffer, start, end - start)
    first.blocks.splice(0, 1, ...numbers)
  }
  for (const piece of sorted.slice(1)) {
    const start = piece.bytes.byteOffset
    if (start < end || (piece.bytes.length === 0 && start === end)) {
      cluster.push(piece)
      end = Math.max(end, endOf(piece))
    } else {
      close()
      cluster = [piece]
      end = endOf(piece)
    }
  }
  close()
}
const endOf = ({ bytes }: Piece) => bytes.byteOffset + bytes.byteLength
