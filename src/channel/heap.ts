/**
 * Memory of one thread's objects in the segment: pieces that stay where they are until they are freed. A freed piece
 * rests before it is allocated again, for a DLL may still write where an object was. Only the thread that made the heap
 * may use it.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import type { Arena } from './arena.js'

/** Sizes of pieces: this power of two and the greater ones, and one and a half times each of them. */
const SMALLEST = 32
/**
 * While more than half of the heap is in use, V8 is asked to collect each time a PARTS-th of the arena was allocated.
 */
const PARTS = 8
/** Of each size more than so many pieces rest, and more than so many bytes, before one is allocated again. */
const RESTING = 16
const RESTING_BYTES = 65536

/** The pieces of one size. */
interface Size {
  readonly size: number
  /**
   * Offsets of freed pieces, the one that was freed first at the front. The first `reused` of them are in use again.
   */
  waiting: number[]
  reused: number
  /** From here to `end`: the part of a page from which no piece has been allocated yet. */
  next: number
  end: number
}

export class Heap {
  readonly #sizes = new Map<number, Size>()
  /** Pages from this one on are for calls alone, which must not fail because objects take all memory. */
  readonly #end: number
  /**
   * Set once a page of the upper half was needed, or none was free: the caller may want to provide memory elsewhere.
   */
  isShort = false
  /** Pages that this heap has claimed. */
  #held = 0
  /** Bytes of pieces that were freed since this heap last looked for empty pages. */
  #returned = 0
  /** Bytes allocated since V8 was last asked to collect. */
  #given = 0

  constructor(
    private readonly arena: Arena,
    /** Asks V8 to collect garbage, since it does not know how much of this memory unreachable objects hold. */
    private readonly collect: () => void = () => {},
  ) {
    this.#end = arena.pageCount - Math.ceil(arena.pageCount / 8)
  }

  /**
   * Offset in the segment of `size` bytes, at a multiple of `alignment` (a power of two); -1 if there is no room. The
   * bytes are not cleared. Throws SessionStartError where the system has no memory left.
   */
  allocate(size: number, alignment: number): number {
    const { pageSize } = this.arena
    if (size > this.arena.size) return -1
    const rounded = roundTo(size, alignment)
    this.#given += rounded
    if (rounded > pageSize / 2) return alignment > pageSize ? -1 : this.#claimPages(Math.ceil(size / pageSize))
    return this.#allocatePiece(rounded)
  }

  /** Frees what `allocate` gave for the same size and alignment. */
  free(at: number, size: number, alignment: number): void {
    const { pageSize } = this.arena
    const rounded = roundTo(size, alignment)
    if (rounded > pageSize / 2) {
      const pages = Math.ceil(size / pageSize)
      this.#held -= pages
      this.arena.rest((at - ARENA_OFFSET) / pageSize, pages)
    } else {
      this.#returned += rounded
      this.#sizeOf(rounded).waiting.push(at)
    }
  }

  #claimPages(pages: number): number {
    let page = this.arena.claim(pages, this.#end)
    if (page < 0 && this.#emptyPages()) page = this.arena.claim(pages, this.#end)
    if (page < 0 || page > this.#end / 2) this.isShort = true
    if (page >= 0) this.#held += pages
    if (page < 0 || this.#held > this.#end / 2) this.#relieve()
    return page < 0 ? -1 : ARENA_OFFSET + page * this.arena.pageSize
  }

  /** Asks V8 to collect, unless little has been allocated since it was last asked. */
  #relieve(): void {
    if (this.#given < this.arena.size / PARTS) return
    this.#given = 0
    this.collect()
  }

  /** Releases pages all of whose pieces rest, so that other sizes can have them; false if there were none. */
  #emptyPages(): boolean {
    const { pageSize } = this.arena
    if (this.#returned < pageSize) return false
    this.#returned = 0
    const pageOf = (at: number) => Math.floor((at - ARENA_OFFSET) / pageSize)
    let any = false
    for (const size of this.#sizes.values()) {
      const counts = new Map<number, number>()
      for (let i = size.reused; i < size.waiting.length; i++) {
        const page = pageOf(size.waiting[i])
        counts.set(page, (counts.get(page) ?? 0) + 1)
      }
      const empty = new Set<number>()
      for (const [page, count] of counts) if (count === Math.floor(pageSize / size.size)) empty.add(page)
      if (empty.size === 0) continue
      any = true
      size.waiting = size.waiting.slice(size.reused).filter(at => !empty.has(pageOf(at)))
      size.reused = 0
      this.#held -= empty.size
      for (const page of empty) this.arena.release(page, 1)
    }
    return any
  }

  #allocatePiece(rounded: number): number {
    const size = this.#sizeOf(rounded)
    if (size.waiting.length - size.reused > Math.max(RESTING, RESTING_BYTES / rounded)) return again(size)
    if (size.next + rounded > size.end) {
      const at = this.#claimPages(1)
      if (at < 0) return size.waiting.length > size.reused ? again(size) : -1
      size.next = at
      size.end = at + this.arena.pageSize
    }
    const at = size.next
    size.next += rounded
    return at
  }

  #sizeOf(rounded: number): Size {
    let known = this.#sizes.get(rounded)
    if (!known) this.#sizes.set(rounded, (known = { size: rounded, waiting: [], reused: 0, next: 0, end: 0 }))
    return known
  }
}

/** The piece that has rested longest. */
function again(size: Size): number {
  const at = size.waiting[size.reused++]
  if (size.reused >= 1024) {
    size.waiting.splice(0, size.reused)
    size.reused = 0
  }
  return at
}

/** Bytes of the piece for an object of `size` bytes with this alignment. */
function roundTo(size: number, alignment: number): number {
  const rounded = Math.max(roundUp(size), alignment)
  // a size between two powers of two is a multiple of half the lower one, and may not be one of the alignment
  return rounded % alignment === 0 ? rounded : 2 ** Math.ceil(Math.log2(rounded))
}

function roundUp(size: number): number {
  if (size <= SMALLEST) return SMALLEST
  const power = 2 ** (31 - Math.clz32(size - 1))
  return size <= power * 1.5 ? power * 1.5 : power * 2
}
