/** A queue for something scarce, such as the sessions of a pool: which of the waiting pieces of work is next. */
import { abortedError, queueFullError } from './face.js'

/** One of the scarce things, for as long as a piece of work has it. */
export interface Lease<R> {
  readonly value: R
  /** To be called when the work is done. The queue does not give the thing back: see `next`. */
  end(): void
}

interface Waiter<R> {
  begin(lease: Lease<R>): void
  fail(error: Error): void
}

/**
 * The work of one kind that waits, in the order in which it came, and for how long work of that kind has had leases.
 */
interface Kind<R> {
  readonly name: string
  readonly waiting: Set<Waiter<R>>
  /** How many leases it has now. */
  running: number
  /**
   * Milliseconds of all its leases that have ended, minus the times at which those that it has now began: `timeOf` adds
   * the present time for each of these.
   */
  had: number
}

const timeOf = ({ had, running }: Kind<unknown>, now: number) => had + running * now

/**
 * Fair by time: the next lease goes to the kind of work that has had the least time. So work that comes in thousands
 * holds up only its own kind, and long work does not keep short work waiting for more than its part. A new kind begins
 * as if it had had as much time as the others.
 */
export class FairQueue<R> {
  readonly #kinds = new Map<string, Kind<R>>()
  /** How much work waits, of all kinds. */
  #length = 0
  /**
   * The most time that a kind had had when one of its leases began. A kind that comes back after a pause counts as
   * having had at least this much: it cannot save up time.
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
   * Waits for a lease. Rejects with AbortError; with QueueFullError if `bounded` and as much work waits as may wait;
   * and with what `fail` and `close` are given.
   */
  async lease(name: string, signal: AbortSignal | undefined, bounded: boolean): Promise<Lease<R>> {
    if (this.#closed) throw this.#closed
    if (signal?.aborted) throw abortedError(signal)
    this.next()
    const value = this.#length === 0 ? this.obtain() : undefined
    if (value !== undefined) return this.#begin(this.#kind(name), value)
    if (bounded && this.#length >= this.most()) throw queueFullError(this.most())
    return new Promise((resolve, reject) => {
      const settle = () => signal?.removeEventListener('abort', onAbort)
      const waiter: Waiter<R> = {
        begin(lease) {
          settle()
          resolve(lease)
        },
        fail(error) {
          settle()
          reject(error)
        },
      }
      const kind = this.#kind(name)
      const onAbort = () => {
        this.#remove(kind, waiter)
        waiter.fail(abortedError(signal as AbortSignal))
      }
      signal?.addEventListener('abort', onAbort)
      if (kind.waiting.size === 0) kind.had += Math.max(0, this.#floor - timeOf(kind, this.now()))
      kind.waiting.add(waiter)
      this.#length++
    })
  }

  /** To be called when one of the scarce things may have become free. */
  next(): void {
    while (this.#length > 0) {
      const value = this.obtain()
      if (value === undefined) return
      const now = this.now()
      let least: Kind<R> | undefined
      for (const kind of this.#kinds.values()) {
        if (kind.waiting.size === 0) continue
        if (!least || timeOf(kind, now) < timeOf(least, now)) least = kind
      }
      const kind = least as Kind<R>
      const [waiter] = kind.waiting
      const lease = this.#begin(kind, value)
      this.#remove(kind, waiter)
      waiter.begin(lease)
    }
  }

  /** Fails all work that waits. */
  fail(error: Error): void {
    for (const kind of [...this.#kinds.values()])
      for (const waiter of kind.waiting) {
        this.#remove(kind, waiter)
        waiter.fail(error)
      }
  }

  /** Fails all work that waits, and all that comes later. */
  close(error: Error): void {
    this.#closed = error
    this.fail(error)
  }

  #begin(kind: Kind<R>, value: R): Lease<R> {
    const now = this.now()
    this.#floor = Math.max(this.#floor, timeOf(kind, now))
    kind.running++
    kind.had -= now
    const end = () => {
      kind.running--
      kind.had += this.now()
      this.#tidy(kind)
    }
    return { value, end }
  }

  #kind(name: string): Kind<R> {
    const kind = this.#kinds.get(name) ?? { name, waiting: new Set(), running: 0, had: this.#floor }
    this.#kinds.set(name, kind)
    return kind
  }

  #remove(kind: Kind<R>, waiter: Waiter<R>): void {
    if (kind.waiting.delete(waiter)) this.#length--
    this.#tidy(kind)
  }

  /** Forgets a kind that has no work. */
  #tidy(kind: Kind<R>): void {
    if (kind.waiting.size === 0 && kind.running === 0) this.#kinds.delete(kind.name)
  }
}
