/**
 * Arranges the blocks of an image in pieces. A block is a piece of its own, but blocks that are overlapping views of
 * one ArrayBuffer form one piece, so that the routine sees them overlap, too.
 */
import type { LocalBlock } from '../ctypes/block.js'

/** Bytes that pieces are aligned to: enough for every type of C, __m128 included. A type that needs more gets more. */
const ALIGNMENT = 16

/** A range of the image, with the memory here that it is a copy of. */
export interface ImagePiece {
  bytes: Uint8Array
  /** Bytes that are sent; `bytes` has fewer once the program has taken the memory away. */
  size: number
  readonly writable: boolean
  /** The bytes as they were sent; set before a callback runs that may change them here. */
  before?: Uint8Array
  /** Numbers of the blocks in the piece, in the order in which they were found. */
  readonly blocks: number[]
  alignment: number
  offset: number
}

/** What `arrange` makes of blocks. */
interface Arrangement {
  /** In the order of their offsets in the image. */
  readonly pieces: readonly ImagePiece[]
  /** The offset of each block in the image, by its number. */
  readonly offsets: readonly number[]
  readonly size: number
  readonly alignment: number
}

/** Gives each block its place in the image. */
export function arrange(blocks: readonly LocalBlock[]): Arrangement {
  const pieces = blocks.map(
    ({ bytes, writable, shape }, number): ImagePiece => ({
      bytes,
      size: bytes.length,
      writable,
      blocks: [number],
      alignment: Math.max(ALIGNMENT, shape?.alignment ?? 1),
      offset: 0,
    }),
  )
  const kept = blocks.length > 1 ? merge(pieces) : pieces
  // the routine may set a pointer to the end of a block, which must not be the start of the next one, or it could not
  // be told which of them is meant
  const gap = blocks.some(({ writable, holdsPointers }) => writable && holdsPointers) ? 1 : 0
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

/** The last piece that begins at or before an offset; undefined if the offset is before the first piece. */
export function pieceAt(pieces: readonly ImagePiece[], offset: number): ImagePiece | undefined {
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
/**
 * Bytes for the gap between pieces. What is read `back` into a gap is garbage, so that it must not go into the shared
 * zeros.
 */
export const padding = (size: number, back: boolean): Uint8Array =>
  back || size > ALIGNMENT ? new Uint8Array(size) : ZEROS.subarray(0, size)

/** Joins pieces that overlap. Constants stay pieces of their own, since they are not read back. */
function merge(pieces: readonly ImagePiece[]): readonly ImagePiece[] {
  const shared = new Map<ArrayBufferLike, ImagePiece[]>()
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
  const gone = new Set<ImagePiece>()
  for (const group of shared.values()) if (group.length > 1) mergeGroup(group, gone)
  return gone.size === 0 ? pieces : pieces.filter(piece => !gone.has(piece))
}

function mergeGroup(group: ImagePiece[], gone: Set<ImagePiece>): void {
  const sorted = [...group].sort((a, b) => a.bytes.byteOffset - b.bytes.byteOffset || b.bytes.length - a.bytes.length)
  let cluster = [sorted[0]]
  let end = endOf(sorted[0])
  const close = () => {
    if (cluster.length < 2) return
    // the joined piece takes the place of the block that was found first
    const numbers = cluster.flatMap(({ blocks }) => blocks).sort((a, b) => a - b)
    const first = cluster.find(({ blocks }) => blocks[0] === numbers[0]) as ImagePiece
    const start = cluster[0].bytes.byteOffset
    for (const piece of cluster) if (piece !== first) gone.add(piece)
    first.alignment = Math.max(...cluster.map(({ alignment }) => alignment))
    first.bytes = new Uint8Array(first.bytes.buffer, start, end - start)
    first.size = end - start
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
const endOf = ({ bytes }: ImagePiece) => bytes.byteOffset + bytes.byteLength
