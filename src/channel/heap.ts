/**
 * Memory of one thread's objects in the segment: pieces that stay where they are, for as long as they are wanted. What is given back
 * rests before it is given out again, for a DLL may still write where an object was. Only the thread that has it may use it.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import type { Arena } from './arena.js'

/** Sizes of pieces are powers of two from this one on, and one and a half times each. */
const SMALLEST = 32
/**
 * While more than half of the heap is taken, V8 is asked to collect each time this part of the arena has been given
 * out.
 */
const PARTS = 8
/** At least so many pieces of a size rest, and at least so many bytes of them. */
const RESTING = 16
const RESTING_BYTES = 65536

interface Size {
  readonly size: number
  /** Offsets of pieces given back, the oldest first. The first `taken` of them are in use again. */
  waiting: number[]
  taken: number
  /** From here to `end`: the rest of a page that has never been given out. */
  next: number
  end: number
}

export class Heap {
  readonly #sizes = new Map<number, Size>()

  /** Pages from this one on are for calls alone, which must not fail because objects take all memory. */
  readonly #end: number
  /** Set once more than half of the pages has been needed: the caller may want to provide more memory elsewhere. */
  isShort = false
  /** Pages that are taken. */
  #held = 0
  /** Bytes of pieces given back since pages were last looked for that are empty. */
  #returned = 0
  /** Bytes given out since the last time that V8 was asked to collect. */
  #given = 0

  constructor(
    private readonly arena: Arena,
    /** Asks V8 to collect garbage: V8 does not know how much of this memory unreachable objects hold. */
    private readonly collect: () => void = () => {},
  ) {
    this.#end = arena.pageCount - Math.ceil(arena.pageCount / 8)
  }

  /**
   * Offset in the segment of `size` bytes, at a multiple of `alignment` (a power of two); -1 if there is no room. The
   * bytes are not cleared. Throws SessionStartError where the system has no memory for it.
   */
  allocate(size: number, alignment: number): number {
    const { pageSize } = this.arena
    const rounded = Math.max(roundUp(size), alignment)
    this.#given += rounded
    if (rounded > pageSize / 2) return alignment > pageSize ? -1 : this.#takeRun(Math.ceil(size / pageSize))
    // a size between two powers of two is a multiple of half the lower one
    if (rounded % alignment !== 0) return this.#takePiece(2 ** Math.ceil(Math.log2(rounded)))
    return this.#takePiece(rounded)
  }

  /** Gives back what `allocate` gave for the same size and alignment. */
  free(at: number, size: number, alignment: number): void {
    const { pageSize } = this.arena
    const rounded = Math.max(roundUp(size), alignment)
    if (rounded > pageSize / 2) {
      const pages = Math.ceil(size / pageSize)
      this.#held -= pages
      this.arena.rest((at - ARENA_OFFSET) / pageSize, pages)
    } else {
      this.#returned += rounded
      this.#sizeOf(rounded % alignment === 0 ? rounded : 2 ** Math.ceil(Math.log2(rounded))).waiting.push(at)
    }
  }

  #takeRun(pages: number): number {
    let page = this.arena.claim(pages, this.#end)
    if (page < 0 && this.#emptyPages()) page = this.arena.claim(pages, this.#end)
    if (page < 0 || page > this.#end / 2) this.isShort = true
    if (page >= 0) this.#held += pages
    if (page < 0 || this.#held > this.#end / 2) this.#relieve()
    return page < 0 ? -1 : ARENA_OFFSET + page * this.arena.pageSize
  }

  #relieve(): void {
    if (this.#given < this.arena.size / PARTS) return
    this.#given = 0
    this.collect()
  }

  /** Gives back pages all of whose pieces rest, so that other sizes can have them; false if there were none. */
  #emptyPages(): boolean {
    const { pageSize } = this.arena
    if (this.#returned < pageSize) return false
    this.#returned = 0
    const pageOf = (at: number) => Math.floor((at - ARENA_OFFSET) / pageSize)
    let any = false
    for (const size of this.#sizes.values()) {
      const counts = new Map<number, number>()
      for (let i = size.taken; i < size.waiting.length; i++) {
        const page = pageOf(size.waiting[i])
        counts.set(page, (counts.get(page) ?? 0) + 1)
      }
      const empty = new Set<number>()
      for (const [page, count] of counts) if (count === Math.floor(pageSize / size.size)) empty.add(page)
      if (empty.size === 0) continue
      any = true
      size.waiting = size.waiting.slice(size.taken).filter(at => !empty.has(pageOf(at)))
      size.taken = 0
      this.#held -= empty.size
      for (const page of empty) this.arena.release(page, 1)
    }
    return any
  }

  #takePiece(rounded: number): number {
    const size = this.#sizeOf(rounded)
    if (size.waiting.length - size.taken > Math.max(RESTING, RESTING_BYTES / rounded)) return again(size)
    if (size.next + rounded > size.end) {
      const at = this.#takeRun(1)
      if (at < 0) return size.waiting.length > size.taken ? again(size) : -1
      size.next = at
      size.end = at + this.arena.pageSize
    }
    const at = size.next
    size.next += rounded
    return at
  }

  #sizeOf(rounded: number): Size {
    let known = this.#sizes.get(rounded)
    if (!known) this.#sizes.set(rounded, (known = { size: rounded, waiting: [], taken: 0, next: 0, end: 0 }))
    return known
  }
}

/** The piece that has rested longest. */
function again(size: Size): number {
  const at = size.waiting[size.taken++]
  if (size.taken >= 1024) {
    size.waiting.splice(0, size.taken)
    size.taken = 0
  }
  return at
}

function roundUp(size: number): number {
  if (size <= SMALLEST) return SMALLEST
  const power = 2 ** (31 - Math.clz32(size - 1))
  return size <= power * 1.5 ? power * 1.5 : power * 2
}
