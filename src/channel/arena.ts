/**
 * One thread's share of the arena. Pages are claimed from a table that all threads see; inside a page a thread
 * allocates by moving a mark and frees by counting. Only the thread that allocated may free.
 *
 * Memory that a DLL was given rests before it is used again, for the DLL may still write there: an emptied page rests
 * until SMALL_RESTING bytes of pages do, a large piece until a LARGE_RESTING-th of the arena does. Where memory is
 * short, any thread may take resting pages.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import { back, type Segment, unback } from './segment.js'
import { Life, MAX_PAGES, type SharedState, SharedWord } from './shared.js'

const SMALLEST_PAGE = 16384
/** Memory of the system is asked for, and given back, in pieces of this size. */
const PIECE = 1 << 20
/**
 * A freed piece of at least this size is given back to the system: asking for it again costs less than using it does.
 */
const LARGE = 16 * PIECE
/**
 * Bytes of emptied pages that rest, or a sixteenth of the arena if that is less: few enough to stay in a processor's
 * cache.
 */
const SMALL_RESTING = PIECE / 2
/** Divides the size of the arena: so much of it large pieces may take while they rest. */
const LARGE_RESTING = 8

interface Page {
  readonly index: number
  live: number
  used: number
}

/** Pages in a row. */
interface Run {
  readonly start: number
  readonly pages: number
}

export class Arena {
  readonly size: number
  readonly pageSize: number
  readonly pageCount: number
  readonly #owned = new Map<number, Page>()
  #current: Page | undefined
  /** Numbers of pages that rest, in the order in which they became empty. */
  readonly #restingPages: number[] = []
  readonly #restingRuns: Run[] = []
  /** Pages of `#restingRuns`. */
  #restingCount = 0
  /** By owner: the large piece that it freed last. */
  readonly #before = new WeakMap<object, Run>()
  readonly #mine: number
  /** The claim that failed last, and `SharedWord.pagesGivenBack` then: until that changes, no larger one can succeed. */
  #failed = { pages: 0, end: 0, givenBack: -1 }
  /** How often the claim that is under way has given pages back itself, for the rows they were part of were too short. */
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
   * Offset in the segment of `size` bytes, 64-aligned, or -1 if there is no room now. More than `this.size` bytes
   * never fit. An `owner` gets the large piece back that it freed last, if that still rests: it is in the cache, and
   * what a DLL may still write there reaches nobody else. Throws SessionStartError where the system has no memory for
   * it.
   */
  allocate(size: number, owner?: object): number {
    const rounded = (Math.max(size, 1) + 63) & ~63
    if (rounded > this.pageSize / 2 || size > this.pageSize) {
      const pages = Math.ceil(size / this.pageSize)
      let start = owner ? this.#again(owner, pages) : -1
      if (start < 0) start = this.claim(pages)
      if (start < 0 && this.#current?.live === 0) {
        // the current page, though empty, may be what interrupts a long enough row
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

  /** Frees what `allocate` gave for this size and owner. `rests` is false where no DLL was told of it. */
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
   * Claims `pages` pages in a row that lie before page `end`: number of the first, or -1 if there is no such row.
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

  /** Gives claimed pages back after they have rested. */
  rest(start: number, pages: number, owner?: object): void {
    const { i32 } = this.state
    for (let page = start; page < start + pages; page++) Atomics.store(i32, SharedWord.pages + page, -this.#mine)
    Atomics.add(i32, SharedWord.pagesGivenBack, 1)
    const resting = { start, pages }
    this.#restingRuns.push(resting)
    if (owner) this.#before.set(owner, resting)
    this.#restingCount += pages
    while (this.#restingCount * LARGE_RESTING > this.pageCount) {
      const run = this.#restingRuns.shift() as Run
      this.#restingCount -= run.pages
      this.#endRest(run)
    }
  }

  /** Gives claimed pages back at once. */
  release(start: number, pages: number): void {
    const { i32 } = this.state
    // the segment's file is closed, and its number may be another file's
    if (this.state.life() === Life.dead) return
    if (pages * this.pageSize >= LARGE) {
      // only pieces that lie in these pages as a whole, and while the pages are still claimed
      const first = Math.ceil((start * this.pageSize) / PIECE)
      const end = Math.floor(((start + pages) * this.pageSize) / PIECE)
      for (let piece = first; piece < end; piece++) Atomics.store(i32, SharedWord.backed + piece, 0)
      unback(this.segment.file, ARENA_OFFSET + first * PIECE, (end - first) * PIECE)
    }
    this.#giveBack(start, pages)
  }

  #giveBack(start: number, pages: number): void {
    const { i32 } = this.state
    for (let i = 0; i < pages; i++) Atomics.store(i32, SharedWord.pages + start + i, 0)
    Atomics.add(i32, SharedWord.pagesGivenBack, 1)
  }

  /** First page of the large piece that `owner` freed last; -1 if another thread has taken a page of it. */
  #again(owner: object, pages: number): number {
    const run = this.#before.get(owner)
    const at = run?.pages === pages ? this.#restingRuns.indexOf(run) : -1
    if (!run || at < 0) return -1
    this.#restingRuns.splice(at, 1)
    this.#restingCount -= pages
    const woken = this.#wakeRun(run)
    if (woken.length === pages) return run.start
    for (const page of woken) this.release(page, 1)
    return -1
  }

  /** A page that has rested long enough, or one that nobody has. */
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
    Atomics.store(this.state.i32, SharedWord.pages + index, -this.#mine)
    Atomics.add(this.state.i32, SharedWord.pagesGivenBack, 1)
    this.#restingPages.push(index)
  }

  /** Makes a resting page of this thread its own again; false if another thread has taken it. */
  #wake(index: number): boolean {
    return Atomics.compareExchange(this.state.i32, SharedWord.pages + index, -this.#mine, this.#mine) === -this.#mine
  }

  #endRest(run: Run): void {
    const woken = this.#wakeRun(run)
    if (woken.length === run.pages) this.release(run.start, run.pages)
    else for (const page of woken) this.release(page, 1)
  }

  /** Wakes the pages of a run; gives those that no other thread has taken. */
  #wakeRun({ start, pages }: Run): number[] {
    const woken: number[] = []
    for (let page = start; page < start + pages; page++) if (this.#wake(page)) woken.push(page)
    return woken
  }

  #claim(pages: number, end: number, resting: boolean): number {
    const { i32 } = this.state
    const mine = this.#mine
    for (let start = 0; start + pages <= end; ) {
      let got = 0
      while (got < pages && takePage(i32, SharedWord.pages + start + got, mine, resting)) got++
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
   * Asks the system for memory before it is touched: where there is none, that is an error, while the touch would end
   * the process.
   */
  #back(from: number, to: number): void {
    const { i32 } = this.state
    for (let piece = Math.floor(from / PIECE); piece * PIECE < to; piece++) {
      if (Atomics.load(i32, SharedWord.backed + piece) !== 0) continue
      const at = piece * PIECE
      back(this.segment.file, ARENA_OFFSET + at, Math.min(PIECE, this.size - at))
      Atomics.store(i32, SharedWord.backed + piece, 1)
    }
  }
}

/** Claims a page that is free or, if `resting`, one that rests. */
function takePage(i32: Int32Array, at: number, mine: number, resting: boolean): boolean {
  const owner = resting ? Math.min(Atomics.load(i32, at), 0) : 0
  return Atomics.compareExchange(i32, at, owner, mine) === owner
}

/** Bytes of a page in an arena of `size` bytes. */
export function pageSizeOf(size: number): number {
  let pageSize = SMALLEST_PAGE
  while (pageSize * MAX_PAGES < size) pageSize *= 2
  return pageSize
}
