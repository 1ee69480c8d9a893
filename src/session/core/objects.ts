/**
 * Objects of ctypes in memory that both sides see. They move there when they are first passed by reference, and stay
 * for as long as this thread can reach them: nothing of them is copied from then on. What they point to moves with
 * them. What cannot move, such as a Buffer of the user's that is stored in a field, gets a lodging: memory of the
 * Windows side that it is copied to before each call that can reach it, and back from after the call.
 */
import type { Heap } from '../../channel/heap.js'
import type { Address } from '../../channel/libc.js'
import type { Mapping } from '../../channel/mapping.js'
import type { Segment } from '../../channel/segment.js'
import {
  type Home,
  LocalBlock,
  type ObjectMemory,
  POINTERS,
  RemoteBlock,
  type RemoteMemory,
  type Target,
} from '../../ctypes/block.js'
import { checkSession, isCallbackTarget, knownAddress } from '../../ctypes/reference.js'
import { ZugbrueckeError } from '../../errors.js'
import { collectGarbage } from './collector.js'
import { Lodgings } from './lodgings.js'
import { ObjectPiece } from './object-piece.js'
import { isOver, mayMove, reached } from './reach.js'
import type { Reserve } from './reserve.js'
import { hasRoom } from './unreachable.js'

/** Objects lie at a multiple of this. */
const ALIGNED = 16
/** Milliseconds between two times that V8 is asked to collect because an object found no room. */
const PAUSE = 250
/** A block of at least so many bytes gets an ArrayBuffer of its own when it moves, so that V8 knows its size. */
const HEAVY = 4096

export class Objects implements ObjectMemory {
  /** Address of the segment in the Windows process, once that has told it. */
  base = 0
  /** Address of the segment here. */
  readonly start: Address
  readonly #lodgings: Lodgings
  /** How many blocks have a lodging. */
  #lodgers = 0
  /** When V8 was last asked to collect because an object found no room. */
  #lastCollection = Number.NEGATIVE_INFINITY

  constructor(
    readonly memory: RemoteMemory,
    readonly mapping: Mapping,
    private readonly segment: Segment,
    private readonly heap: Heap,
    /** Memory for when the heap is full. It lies outside of the segment, so that a block there has a lodging only. */
    private readonly reserve: Reserve,
    /** Larger objects do not move. */
    private readonly largest: number,
    private readonly pointerSize: number,
  ) {
    this.start = segment.address
    this.#lodgings = new Lodgings(memory, mapping, pointerSize)
  }

  addressOf(block: LocalBlock): number | undefined {
    const { home } = block
    if (home && !isOver(home)) return home.memory.sessionId === this.memory.sessionId ? home.address : undefined
    const lodging = this.#lodgingOf(block)
    if (lodging?.isFar) return lodging.address
    if (!mayMove(block) || !block.isObject || block.size > this.largest) return undefined
    return this.#move(block, false)?.address
  }

  addressFor(given: LocalBlock): number {
    const block = given.sentIn(this.memory.encoding)
    return (this.#placeOf(block) ?? (this.#move(block, true) as Home)).address
  }

  /** A block of `size` zeros that lives here from the start. */
  make(size: number, alignment: number): LocalBlock {
    const at = hasRoom() ? this.heap.allocate(size, alignment) : -1
    if (at < 0) throw this.#noRoom(size)
    const piece = new ObjectPiece(this, at, size, alignment, false)
    const block = LocalBlock.allocate(0)
    block.isObject = true
    block.move(new DataView(this.mapping.buffer, piece.at, size), piece)
    block.bytes.fill(0)
    piece.keepFor(block)
    return block
  }

  /** @internal Called by a piece that is released. */
  giveBack({ at, address, size, isFar }: ObjectPiece, alignment: number, isLodging: boolean): void {
    if (isLodging) this.#lodgers--
    if (isFar) this.reserve.free(address, size)
    else this.heap.free(at, size, alignment)
  }

  /** To be called between calls: asks for more memory if the heap runs short. */
  provide(): void {
    if (this.heap.isShort) this.reserve.provide()
  }

  /** Blocks with a lodging that a call can reach from `blocks`: they are to be copied before it and after it. */
  lodgers(blocks: readonly LocalBlock[]): LocalBlock[] {
    return this.#lodgers === 0 ? NONE : [...reached(blocks, this.memory)].filter(block => this.#lodgingOf(block))
  }

  /** Copies a block to its lodging. */
  fill(block: LocalBlock): void {
    block.refresh()
    this.#lodgings.fill(block, this.#lodgingOf(block) as ObjectPiece)
  }

  /** Copies a block back from its lodging. */
  readBack(block: LocalBlock): void {
    this.#lodgings.readBack(block, this.#lodgingOf(block) as ObjectPiece)
  }

  /**
   * To be called after a call that was given `blocks`. A pointer that the routine has set to a block that can be
   * reached from them keeps that block alive from now on. Returns a function that finds the block, and the offset in
   * it, at an address.
   */
  updatePointers(blocks: readonly LocalBlock[]): (address: bigint) => Target | undefined {
    let all: Set<LocalBlock> | undefined
    let sorted: LocalBlock[] | undefined
    const find = (address: bigint): Target | undefined => {
      const offset = Number(address) - this.base
      if (!(offset >= 0 && offset < this.segment.size)) return undefined
      all ??= reached(blocks, this.memory)
      sorted ??= [...all].filter(block => this.#placeOf(block)).sort((one, other) => this.#at(one) - this.#at(other))
      return this.#findIn(sorted, offset)
    }
    if (blocks.some(block => block.holdsPointers)) {
      all = reached(blocks, this.memory)
      for (const block of all) if (block.home) this.#updatePointersIn(block, find)
    }
    return find
  }

  #updatePointersIn(block: LocalBlock, find: (address: bigint) => Target | undefined): void {
    const at = this.#at(block)
    for (const offset of block.shape?.[POINTERS] ?? []) {
      if (offset + this.pointerSize > block.size) break
      const address = this.#read(at + offset)
      if (address === 0n) continue
      const ref = block.refs?.get(offset)
      if (ref && knownAddress(ref, this.memory) === address) continue
      const target = find(address)
      if (target) (block.refs ??= new Map()).set(offset, target)
    }
  }

  #findIn(sorted: readonly LocalBlock[], offset: number): Target | undefined {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#at(sorted[middle]) <= offset) low = middle + 1
      else high = middle
    }
    const block = sorted[low - 1]
    const within = block && offset - this.#at(block)
    // the byte behind its end may be the first one of an object that the call could not reach
    return block && within < block.size ? { block, offset: within } : undefined
  }

  #at(block: LocalBlock): number {
    return (this.#placeOf(block) as Home).address - this.base
  }

  /**
   * Moves a block and all that it points to, and returns where it lies now. Undefined if a callback among that has no
   * thunk, unless `now` says to make one at once.
   */
  #move(root: LocalBlock, now: boolean): Home | undefined {
    const { memory } = this
    const blocks = new Set([root])
    for (const { refs } of blocks) {
      if (!refs) continue
      for (const ref of refs.values()) {
        if (isCallbackTarget(ref)) {
          if (ref.thunk(memory) !== undefined) continue
          if (!now) return undefined
          memory.thunkFor?.(ref)
        } else if (ref.block instanceof RemoteBlock) checkSession(ref.block.memory, memory)
        else {
          const target = (ref.block as LocalBlock).sentIn(memory.encoding)
          if (!this.#placeOf(target)) blocks.add(target)
        }
      }
    }
    const pieces: ObjectPiece[] = []
    try {
      for (const block of blocks)
        pieces.push(this.#allocate(block.size, Math.max(ALIGNED, block.shape?.alignment ?? 1), !mayMove(block)))
    } catch (error) {
      for (const piece of pieces) piece.release()
      throw error
    }
    let i = 0
    for (const block of blocks) this.#moveTo(block, pieces[i++])
    i = 0
    for (const block of blocks) {
      const piece = pieces[i++]
      if (piece.isFar) this.#lodgings.fill(block, piece)
      else this.#lodgings.writePointers(block, this.mapping.view, piece.at)
    }
    return pieces[0]
  }

  #moveTo(block: LocalBlock, piece: ObjectPiece): void {
    const { at, size } = piece
    const { mapping } = this
    if (!piece.isFar) mapping.u8.set(block.bytes, at)
    piece.keepFor(block)
    if (piece.isFar || !mayMove(block)) block.lodging = piece
    else {
      block.move(new DataView(mapping.buffer, at, size), piece)
      if (size >= HEAVY) block.ownBuffer(piece)
    }
  }

  #read(at: number): bigint {
    const { view } = this.mapping
    return this.pointerSize === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))
  }

  #allocate(size: number, alignment: number, isLodging: boolean): ObjectPiece {
    if (!hasRoom()) throw this.#noRoom(size)
    const at = this.heap.allocate(size, alignment)
    if (at < 0) {
      const far = this.reserve.allocate(size, alignment)
      if (far === undefined) throw this.#noRoom(size)
      this.#lodgers++
      return new ObjectPiece(this, far - this.base, size, alignment, true, true)
    }
    if (isLodging) this.#lodgers++
    return new ObjectPiece(this, at, size, alignment, isLodging)
  }

  #noRoom(size: number): ZugbrueckeError {
    const now = performance.now()
    if (now - this.#lastCollection > PAUSE) {
      this.#lastCollection = now
      collectGarbage()
    }
    const [where, larger] = hasRoom()
      ? [`the memory shared with session ${this.memory.sessionId}`, 'start the session with a larger "memory"']
      : ['the heap of V8, which keeps count of them until the program pauses', 'give it a larger --max-old-space-size']
    return new ZugbrueckeError(
      `${size} bytes for an object that is passed by reference are not left in ${where}: use out(T) for what a routine only gives, free objects with session.memory.free(object), let the program pause (what is not used any more is given back then), or ${larger}`,
    )
  }

  #lodgingOf(block: LocalBlock): ObjectPiece | undefined {
    return block.lodging?.memory.sessionId === this.memory.sessionId ? (block.lodging as ObjectPiece) : undefined
  }

  /** Where a block lies in this session's memory, moved or in a lodging. */
  #placeOf({ home, lodging }: LocalBlock): Home | undefined {
    if (home?.memory.sessionId === this.memory.sessionId) return home
    return lodging?.memory.sessionId === this.memory.sessionId ? lodging : undefined
  }
}

const NONE: LocalBlock[] = []
