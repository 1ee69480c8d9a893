/**
 * Copies blocks to their lodgings before a call that can reach them, and back after it. A lodging is memory of the
 * Windows side for a block that lives here.
 */
import type { Mapping } from '../../channel/mapping.js'
import type { LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import { lost } from '../../ctypes/given.js'
import { readAddress } from '../../ctypes/integers.js'
import { knownAddress } from '../../ctypes/reference.js'
import { ArgumentError } from '../../errors.js'
import type { ObjectPiece } from './object-piece.js'

export class Lodgings {
  constructor(
    private readonly memory: RemoteMemory,
    private readonly mapping: Mapping,
    private readonly pointerSize: number,
  ) {}

  /** Copies a block to its lodging. Throws ArgumentError if the program has taken its memory away. */
  fill(block: LocalBlock, piece: ObjectPiece): void {
    if (!isWhole(block, piece))
      throw new ArgumentError(
        'memory that an object points to has been transferred, or made shorter, since it was stored there',
      )
    if (piece.isFar) return this.#fillFar(block, piece)
    const { at } = piece
    this.mapping.u8.set(block.bytes, at)
    this.writePointers(block, this.mapping.view, at)
  }

  /**
   * The same outside of the segment. What the Windows side has changed since the last call is taken over, in bytes that
   * this side has not changed.
   */
  #fillFar(block: LocalBlock, piece: ObjectPiece): void {
    const { bytes } = block
    const { last } = piece
    const there = BigInt(piece.address)
    if (last) {
      const now = new Uint8Array(bytes.length)
      this.memory.read(there, now)
      for (let i = 0; i < bytes.length; i++) if (bytes[i] === last[i]) bytes[i] = now[i]
    }
    const sent = bytes.slice()
    this.writePointers(block, new DataView(sent.buffer), 0)
    this.memory.write(there, sent)
    piece.last = bytes.slice()
  }

  /**
   * Copies a block back from its lodging. A pointer that the routine has changed is a plain address from now on. Throws
   * ArgumentError if the program has taken the block's memory away meanwhile.
   */
  readBack(block: LocalBlock, piece: ObjectPiece): void {
    if (!block.writable) return
    if (!isWhole(block, piece)) throw lost()
    const { at, address, isFar } = piece
    if (isFar) {
      this.memory.read(BigInt(address), block.bytes)
      piece.last = block.bytes.slice()
    } else block.bytes.set(this.mapping.u8.subarray(at, at + block.size))
    if (block.refs)
      for (const [offset, ref] of block.refs)
        if (readAddress(block, offset, this.pointerSize) !== knownAddress(ref, this.memory)) block.refs.delete(offset)
    block.settled(this.memory)
  }

  /** Writes the addresses of what a block points to into the copy of the block that begins at byte `at` of a view. */
  writePointers(block: LocalBlock, view: DataView, at: number): void {
    if (!block.refs) return
    for (const [offset, ref] of block.refs) {
      const address = knownAddress(ref, this.memory) ?? 0n
      if (this.pointerSize === 8) view.setBigUint64(at + offset, address, true)
      else view.setUint32(at + offset, Number(BigInt.asUintN(32, address)), true)
    }
  }
}

const isWhole = ({ bytes }: LocalBlock, { size }: ObjectPiece) => bytes.length === size
