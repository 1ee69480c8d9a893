/** A queue for something scarce, such as the sessions of a pool: which of the waiting pieces of work is next. */
import { abortedError, queueFullError } from './face.js'

/** A turn: what the work has until it calls `end`. */
export interface Lease<R> {
  readonly value: R
  end(): void
}

interface Waiter<R> {
  begin(turn: Lease<R>): void
  fail(error: Error): void
}

/** Work of one kind in the order in which it came, and for how long that kind has had turns. */
interface Lane<R> {
  readonly waiting: Set<Waiter<R>>
  running: number
  /**
   * Milliseconds of all turns that have ended, minus the times at which the running ones began: `timeOf` adds the
   * present for each of these.
   */
  had: number
}

const timeOf = ({ had, running }: Lane<unknown>, now: number) => had + running * now

/**
 * Fair by time: the next turn goes to the kind of work that has had the least time. So work that comes in thousands
 * holds up only its own kind, and long work does not keep short work waiting for more than its part. A new kind starts
 * with as much time as the others have.
 */
export class FairQueue<R> {
  readonly #lanes = new Map<string, Lane<R>>()
  #length = 0
  /**
   * The time of the kind whose turn began last. A kind that comes back after a pause has at least this much: it cannot
   * save up time.
   */
  #floor = 0
  #closed: Error | undefined

  constructor(
    /** Gives one of the scarce things; undefined if none is free. */
    private readonly obtain: () => R | undefined,
    /** How much work may wait. */
    private readonly most: () => number,
    /** A clock in milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** How much work waits. */
  get length(): number {
    return this.#length
  }

  /**
   * Resolves when the work's turn comes. Rejects with AbortError, with QueueFullError if `bounded`, and with what
   * `fail` and `close` are given.
   */
  async turn(kind: string, signal: AbortSignal | undefined, bounded: boolean): Promise<Lease<R>> {
    if (this.#closed) throw this.#closed
    if (signal?.aborted) throw abortedError(signal)
    this.next()
    const value = this.#length === 0 ? this.obtain() : undefined
    if (value !== undefined) return this.#begin(kind, this.#lane(kind), value)
    if (bounded && this.#length >= this.most()) throw queueFullError(this.most())
    return new Promise((resolve, reject) => {
      const settle = () => signal?.removeEventListener('abort', onAbort)
      const waiting: Waiter<R> = {
        begin(turn) {
          settle()
          resolve(turn)
        },
        fail(error) {
          settle()
          reject(error)
        },
      }
      const onAbort = () => {
        this.#remove(kind, this.#lane(kind), waiting)
        waiting.fail(abortedError(signal as AbortSignal))
      }
      signal?.addEventListener('abort', onAbort)
      const lane = this.#lane(kind)
      if (lane.waiting.size === 0) lane.had += Math.max(0, this.#floor - timeOf(lane, this.now()))
      lane.waiting.add(waiting)
      this.#length++
    })
  }

  /** To be called when one of the scarce things may have become free. */
  next(): void {
    while (this.#length > 0) {
      const value = this.obtain()
      if (value === undefined) return
      const now = this.now()
      let least: [string, Lane<R>] | undefined
      for (const one of this.#lanes) {
        if (one[1].waiting.size === 0) continue
        if (!least || timeOf(one[1], now) < timeOf(least[1], now)) least = one
      }
      const [kind, lane] = least as [string, Lane<R>]
      const [waiting] = lane.waiting
      const turn = this.#begin(kind, lane, value)
      this.#remove(kind, lane, waiting)
      waiting.begin(turn)
    }
  }

  /** Fails all work that waits. */
  fail(error: Error): void {
    for (const [kind, lane] of [...this.#lanes])
      for (const waiting of lane.waiting) {
        this.#remove(kind, lane, waiting)
        waiting.fail(error)
      }
  }

  /** Fails all work that waits, and all that comes later. */
  close(error: Error): void {
    this.#closed = error
    this.fail(error)
  }

  #begin(kind: string, lane: Lane<R>, value: R): Lease<R> {
    const now = this.now()
    this.#floor = Math.max(this.#floor, timeOf(lane, now))
    lane.running++
    lane.had -= now
    const end = () => {
      lane.running--
      lane.had += this.now()
      this.#tidy(kind, lane)
    }
    return { value, end }
  }

  #lane(kind: string): Lane<R> {
    const lane = this.#lanes.get(kind) ?? { waiting: new Set(), running: 0, had: this.#floor }
    this.#lanes.set(kind, lane)
    return lane
  }

  #remove(kind: string, lane: Lane<R>, waiting: Waiter<R>): void {
    if (lane.waiting.delete(waiting)) this.#length--
    this.#tidy(kind, lane)
  }

  #tidy(kind: string, lane: Lane<R>): void {
    if (lane.waiting.size === 0 && lane.running === 0) this.#lanes.delete(kind)
  }
}
