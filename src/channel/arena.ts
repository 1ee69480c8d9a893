/**
 * One thread's share of the arena. Pages are claimed from a table that all threads see; inside a page a thread allocates by
 * moving a mark and frees by counting, so a call that ends before the next begins always finds the same, warm memory.
 * Only the thread that allocated may free.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import { back, type Segment, unback } from './segment.js'
import { MAX_PAGES, Shared, type SharedState } from './shared.js'

const SMALLEST_PAGE = 16384
/** Memory of the system is asked for, and given back, in pieces of this size. */
const PIECE = 1 << 20
/** What is freed and at least so large is given back to the system: to be asked for it again costs less than the use of it. */
const LARGE = 16 * PIECE

interface Page {
  readonly index: number
  live: number
  used: number
}

export class Arena {
  readonly size: number
  readonly pageSize: number
  readonly pageCount: number
  readonly #owned = new Map<number, Page>()
  #current: Page | undefined

  constructor(
    private readonly state: SharedState,
    private readonly thread: number,
    private readonly segment: Segment,
  ) {
    this.size = segment.size - ARENA_OFFSET
    let pageSize = SMALLEST_PAGE
    while (pageSize * MAX_PAGES < this.size) pageSize *= 2
    this.pageSize = pageSize
    this.pageCount = Math.floor(this.size / pageSize)
  }

  /**
   * Offset in the segment of `size` bytes, 64-aligned, or -1 if there is no room now. Sizes over `size` never fit.
   * Throws SessionStartError where the system has no memory for it.
   */
  allocate(size: number): number {
    const rounded = (Math.max(size, 1) + 63) & ~63
    if (rounded > this.pageSize / 2 || size > this.pageSize) return this.#allocateRun(Math.ceil(size / this.pageSize))
    const current = this.#current
    if (current && current.used + rounded <= this.pageSize) return this.#take(current, rounded)
    for (const page of this.#owned.values()) {
      if (page.used + rounded <= this.pageSize) {
        this.#current = page
        return this.#take(page, rounded)
      }
    }
    const index = this.#claim(1)
    if (index < 0) return -1
    const page = { index, live: 0, used: 0 }
    this.#owned.set(index, page)
    this.#current = page
    return this.#take(page, rounded)
  }

  free(offset: number, size: number): void {
    const rounded = (Math.max(size, 1) + 63) & ~63
    const index = Math.floor((offset - ARENA_OFFSET) / this.pageSize)
    if (rounded > this.pageSize / 2 || size > this.pageSize) {
      this.#release(index, Math.ceil(size / this.pageSize))
      return
    }
    const page = this.#owned.get(index)
    if (!page || --page.live > 0) return
    page.used = 0
    // one empty page is kept: the next call wants it
    if (page === this.#current) return
    this.#owned.delete(index)
    this.#release(index, 1)
  }

  #take(page: Page, size: number): number {
    const offset = ARENA_OFFSET + page.index * this.pageSize + page.used
    page.used += size
    page.live++
    return offset
  }

  #allocateRun(pages: number): number {
    let index = this.#claim(pages)
    if (index < 0 && this.#current?.live === 0) {
      // the page kept warm may be what is in the way
      this.#owned.delete(this.#current.index)
      this.#release(this.#current.index, 1)
      this.#current = undefined
      index = this.#claim(pages)
    }
    return index < 0 ? -1 : ARENA_OFFSET + index * this.pageSize
  }

  #claim(pages: number): number {
    const { i32 } = this.state
    const mine = this.thread + 1
    for (let start = 0; start + pages <= this.pageCount; ) {
      let got = 0
      while (got < pages && Atomics.compareExchange(i32, Shared.pages + start + got, 0, mine) === 0) got++
      if (got === pages) {
        try {
          this.#back(start * this.pageSize, (start + pages) * this.pageSize)
        } catch (error) {
          this.#release(start, pages)
          throw error
        }
        return start
      }
      this.#release(start, got)
      start += got + 1
    }
    return -1
  }

  /** Sees to it that what is touched has memory: to find none at the touch would end the process. */
  #back(from: number, to: number): void {
    const { i32 } = this.state
    for (let piece = Math.floor(from / PIECE); piece * PIECE < to; piece++) {
      if (Atomics.load(i32, Shared.backed + piece) !== 0) continue
      const at = piece * PIECE
      back(this.segment.file, ARENA_OFFSET + at, Math.min(PIECE, this.size - at))
      Atomics.store(i32, Shared.backed + piece, 1)
    }
  }

  #release(start: number, pages: number): void {
    const { i32 } = this.state
    if (pages * this.pageSize >= LARGE) {
      // while the pages are this thread's: pieces that lie in them whole
      const first = Math.ceil((start * this.pageSize) / PIECE)
      const end = Math.floor(((start + pages) * this.pageSize) / PIECE)
      for (let piece = first; piece < end; piece++) Atomics.store(i32, Shared.backed + piece, 0)
      unback(this.segment.file, ARENA_OFFSET + first * PIECE, (end - first) * PIECE)
    }
    for (let i = 0; i < pages; i++) Atomics.store(i32, Shared.pages + start + i, 0)
  }
}
