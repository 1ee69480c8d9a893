/**
 * One thread's share of the arena. Pages are claimed from a table that all threads see. A small allocation lies in a
 * page with others: allocating moves a mark, freeing counts down, and a page without allocations is empty. A large
 * allocation has whole pages. Only the thread that allocated may free.
 *
 * Memory that a DLL was given rests before it is used again, for the DLL may still write there. An empty page rests
 * until SMALL_RESTING bytes of such pages rest; pages of large allocations, until they are more than a
 * LARGE_RESTING-th of the arena. The pages that have rested longest are used first. Where memory is short, any thread
 * may claim resting pages.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import { back, type Segment, unback } from './segment.js'
import { Life, MAX_PAGES, type SharedState, SharedWord } from './shared.js'

const SMALLEST_PAGE = 16384
/** Memory is asked of the system, and given back to it, in units of this size. */
const UNIT = 1 << 20
/**
 * Pages of at least this size together are given back to the system when they are freed: filling that much memory takes
 * longer than asking for it again.
 */
const LARGE = 16 * UNIT
/**
 * So many bytes of empty pages rest, or a sixteenth of the arena if that is less: few enough to stay in a processor's
 * cache.
 */
const SMALL_RESTING = UNIT / 2
/** At most one part in so many of the arena rests as pages of large allocations. */
const LARGE_RESTING = 8

interface Page {
  readonly index: number
  /** Allocations that are not freed. */
  live: number
  /** Bytes from the start of the page to the mark. */
  used: number
}

/** Neighbouring pages. */
interface PageRange {
  readonly start: number
  readonly pages: number
}

export class Arena {
  readonly size: number
  readonly pageSize: number
  readonly pageCount: number
  readonly #owned = new Map<number, Page>()
  #current: Page | undefined
  /** Numbers of empty pages that rest, in the order in which they became empty. */
  readonly #restingPages: number[] = []
  /** Large allocations that rest, in the order in which they were freed. */
  readonly #restingRanges: PageRange[] = []
  /** Pages of `#restingRanges`. */
  #restingCount = 0
  /** By owner: the large allocation that it freed last. */
  readonly #before = new WeakMap<object, PageRange>()
  readonly #mine: number
  /**
   * The claim that failed last, with the value that `SharedWord.pagesGivenBack` had then. Until that value changes, a
   * claim of as many pages, or more, fails too, and is not tried.
   */
  #failed = { pages: 0, end: 0, givenBack: -1 }
  /**
   * How often the claim that is under way has given pages back that it had claimed in vain: too few lay side by side.
   */
  #tried = 0

  constructor(
    private readonly state: SharedState,
    thread: number,
    private readonly segment: Segment,
  ) {
    this.size = segment.size - ARENA_OFFSET
    this.pageSize = pageSizeOf(this.size)
    this.pageCount = Math.floor(this.size / this.pageSize)
    this.#mine = thread + 1
  }

  /**
   * Offset in the segment of `size` bytes, 64-aligned, or -1 if there is no room now. More than `this.size` bytes never
   * fit. An `owner` gets the large allocation back that it freed last, if its pages still rest: they are in the
   * processor's cache, and a DLL that still writes there disturbs nobody else. Throws SessionStartError where the
   * system has no memory left.
   */
  allocate(size: number, owner?: object): number {
    const rounded = (Math.max(size, 1) + 63) & ~63
    if (rounded > this.pageSize / 2 || size > this.pageSize) {
      const pages = Math.ceil(size / this.pageSize)
      let start = owner ? this.#again(owner, pages) : -1
      if (start < 0) start = this.claim(pages)
      if (start < 0 && this.#current?.live === 0) {
        // the current page is empty, and may be what separates enough free pages
        this.#restPage(this.#current)
        this.#current = undefined
        start = this.claim(pages)
      }
      return start < 0 ? -1 : ARENA_OFFSET + start * this.pageSize
    }
    let page = this.#current
    if (!page || page.used + rounded > this.pageSize) {
      const index = this.#nextPage()
      if (index < 0) return -1
      if (page?.live === 0) this.#restPage(page)
      page = { index, live: 0, used: 0 }
      this.#owned.set(index, page)
      this.#current = page
    }
    const offset = ARENA_OFFSET + page.index * this.pageSize + page.used
    page.used += rounded
    page.live++
    return offset
  }

  /** Frees what `allocate` gave for this size and owner. `rests` is false where no DLL has its address. */
  free(offset: number, size: number, rests = true, owner?: object): void {
    const rounded = (Math.max(size, 1) + 63) & ~63
    const index = Math.floor((offset - ARENA_OFFSET) / this.pageSize)
    if (rounded > this.pageSize / 2 || size > this.pageSize) {
      const pages = Math.ceil(size / this.pageSize)
      if (rests) this.rest(index, pages, owner)
      else this.release(index, pages)
      return
    }
    const page = this.#owned.get(index)
    if (page && --page.live === 0 && page !== this.#current) this.#restPage(page)
  }

  /**
   * Claims so many neighbouring pages that lie before page `end`: number of the first, or -1 if so many are not free.
   * Throws SessionStartError as `allocate` does.
   */
  claim(pages: number, end = this.pageCount): number {
    const failed = this.#failed
    const givenBack = Atomics.load(this.state.i32, SharedWord.pagesGivenBack)
    if (givenBack === failed.givenBack && pages >= failed.pages && end <= failed.end) return -1
    this.#tried = 0
    let start = this.#claim(pages, end, false)
    if (start < 0) start = this.#claim(pages, end, true)
    if (start < 0) this.#failed = { pages, end, givenBack: (givenBack + this.#tried) | 0 }
    return start
  }

  /** Lets claimed pages rest, and gives back those that have rested longest. */
  rest(start: number, pages: number, owner?: object): void {
    this.#giveBack(start, pages, -this.#mine)
    const resting = { start, pages }
    this.#restingRanges.push(resting)
    if (owner) this.#before.set(owner, resting)
    this.#restingCount += pages
    while (this.#restingCount * LARGE_RESTING > this.pageCount) {
      const range = this.#restingRanges.shift() as PageRange
      this.#restingCount -= range.pages
      this.#endRest(range)
    }
  }

  /** Gives claimed pages back at once. */
  release(start: number, pages: number): void {
    const { i32 } = this.state
    // the segment's file is closed by then, and its descriptor's number may be that of another file
    if (this.state.life() === Life.dead) return
    if (pages * this.pageSize >= LARGE) {
      // only units that lie in these pages as a whole, and while the pages are still claimed
      const first = Math.ceil((start * this.pageSize) / UNIT)
      const end = Math.floor(((start + pages) * this.pageSize) / UNIT)
      for (let unit = first; unit < end; unit++) Atomics.store(i32, SharedWord.backed + unit, 0)
      unback(this.segment.file, ARENA_OFFSET + first * UNIT, (end - first) * UNIT)
    }
    this.#giveBack(start, pages)
  }

  /** Marks pages as free, or as resting by the negated number of their thread; claims that failed may then succeed. */
  #giveBack(start: number, pages: number, mark = 0): void {
    const { i32 } = this.state
    for (let page = start; page < start + pages; page++) Atomics.store(i32, SharedWord.pages + page, mark)
    Atomics.add(i32, SharedWord.pagesGivenBack, 1)
  }

  /**
   * First page of the large allocation that `owner` freed last; -1 if it had another size, no longer rests, or another
   * thread has claimed a page of it.
   */
  #again(owner: object, pages: number): number {
    const range = this.#before.get(owner)
    const at = range?.pages === pages ? this.#restingRanges.indexOf(range) : -1
    if (!range || at < 0) return -1
    this.#restingRanges.splice(at, 1)
    this.#restingCount -= pages
    const woken = this.#wakeAll(range)
    if (woken.length === pages) return range.start
    for (const page of woken) this.release(page, 1)
    return -1
  }

  /**
   * Number of an empty page of this thread that has rested long enough, or of a page claimed now; -1 if there is none.
   */
  #nextPage(): number {
    const resting = this.#restingPages
    while (resting.length * this.pageSize >= Math.min(SMALL_RESTING, this.size / 16)) {
      const index = resting.shift() as number
      if (this.#wake(index)) return index
    }
    return this.claim(1)
  }

  #restPage({ index }: Page): void {
    this.#owned.delete(index)
    this.#giveBack(index, 1, -this.#mine)
    this.#restingPages.push(index)
  }

  /** Claims a page again that this thread lets rest; false if another thread has claimed it. */
  #wake(index: number): boolean {
    return Atomics.compareExchange(this.state.i32, SharedWord.pages + index, -this.#mine, this.#mine) === -this.#mine
  }

  #endRest(range: PageRange): void {
    const woken = this.#wakeAll(range)
    if (woken.length === range.pages) this.release(range.start, range.pages)
    else for (const page of woken) this.release(page, 1)
  }

  /** Claims resting pages again; gives the numbers of those that no other thread has claimed. */
  #wakeAll({ start, pages }: PageRange): number[] {
    const woken: number[] = []
    for (let page = start; page < start + pages; page++) if (this.#wake(page)) woken.push(page)
    return woken
  }

  #claim(pages: number, end: number, resting: boolean): number {
    const { i32 } = this.state
    const mine = this.#mine
    for (let start = 0; start + pages <= end; ) {
      let got = 0
      while (got < pages && claimPage(i32, SharedWord.pages + start + got, mine, resting)) got++
      if (got === pages) {
        try {
          this.#back(start * this.pageSize, (start + pages) * this.pageSize)
        } catch (error) {
          this.release(start, pages)
          throw error
        }
        return start
      }
      if (got > 0) {
        this.#giveBack(start, got)
        this.#tried++
      }
      start += got + 1
    }
    return -1
  }

  /**
   * Asks the system for the memory of these bytes before anything touches it: where none is left, asking fails with an
   * error, while touching would end the process.
   */
  #back(from: number, to: number): void {
    const { i32 } = this.state
    // objects outlive the session, in pages of this process's own; the file is closed, and its number may be another file's
    if (this.state.life() === Life.dead) return
    for (let unit = Math.floor(from / UNIT); unit * UNIT < to; unit++) {
      if (Atomics.load(i32, SharedWord.backed + unit) !== 0) continue
      const at = unit * UNIT
      back(this.segment.file, ARENA_OFFSET + at, Math.min(UNIT, this.size - at))
      Atomics.store(i32, SharedWord.backed + unit, 1)
    }
  }
}

/** Claims a page that is free or, if `resting`, one that rests. */
function claimPage(i32: Int32Array, at: number, mine: number, resting: boolean): boolean {
  const owner = resting ? Math.min(Atomics.load(i32, at), 0) : 0
  return Atomics.compareExchange(i32, at, owner, mine) === owner
}

/** Bytes of a page in an arena of `size` bytes. */
export function pageSizeOf(size: number): number {
  let pageSize = SMALLEST_PAGE
  while (pageSize * MAX_PAGES < size) pageSize *= 2
  return pageSize
}
