/**
 * One thread's share of the arena. Pages are claimed from a table that all threads see; inside a page a thread allocates by
 * moving a mark and frees by counting, so a call that ends before the next begins always finds the same, warm memory.
 * Only the thread that allocated may free.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import { MAX_PAGES, Shared, type SharedState } from './shared.js'

const SMALLEST_PAGE = 16384

interface Page {
  readonly index: number
  live: number
  used: number
}

export class Arena {
  readonly pageSize: number
  readonly pageCount: number
  readonly #owned = new Map<number, Page>()
  #current: Page | undefined

  constructor(
    private readonly shared: SharedState,
    private readonly thread: number,
    readonly size: number,
  ) {
    let pageSize = SMALLEST_PAGE
    while (pageSize * MAX_PAGES < size) pageSize *= 2
    this.pageSize = pageSize
    this.pageCount = Math.floor(size / pageSize)
  }

  /** Offset in the segment of `size` bytes, 64-aligned, or -1 if there is no room now. Sizes over `size` never fit. */
  allocate(size: number): number {
    const rounded = Math.ceil(Math.max(size, 1) / 64) * 64
    if (rounded > this.pageSize / 2) return this.#allocateRun(Math.ceil(rounded / this.pageSize))
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
    const rounded = Math.ceil(Math.max(size, 1) / 64) * 64
    const index = Math.floor((offset - ARENA_OFFSET) / this.pageSize)
    if (rounded > this.pageSize / 2) {
      this.#release(index, Math.ceil(rounded / this.pageSize))
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
    const { i32 } = this.shared
    const mine = this.thread + 1
    for (let start = 0; start + pages <= this.pageCount; ) {
      let got = 0
      while (got < pages && Atomics.compareExchange(i32, Shared.pages + start + got, 0, mine) === 0) got++
      if (got === pages) return start
      this.#release(start, got)
      start += got + 1
    }
    return -1
  }

  #release(start: number, pages: number): void {
    for (let i = 0; i < pages; i++) Atomics.store(this.shared.i32, Shared.pages + start + i, 0)
  }
}
