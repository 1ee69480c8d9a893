/**
 * How many rows of a batch go together: as many as fit, unless they take long. Then chunks are shorter, so that progress is told,
 * signals are heard and sessions that share a batch come to their end at the same time.
 */

/** What a chunk should take at the most, in milliseconds. */
const LONGEST = 20
/** A chunk that is shorter because sessions share the batch should take so long at least. */
const SHORTEST = 0.5
/** Rows of the first chunk of all, which shows what a row takes; it goes alone. */
const TRIAL = 512

/** Rows that came so many times faster than those before came together with them: both waited for this thread. */
const AT_ONCE = 4

export class Pace {
  /** Milliseconds that a row took. */
  #row: number | undefined
  /** The last rows that came together: since when they were under way, how many, and when they came. */
  #since = 0
  #count = 0
  #came = 0

  /** No chunk has come back yet: one at a time, until it is known what a row takes. */
  get isUnknown(): boolean {
    return this.#row === undefined
  }

  /** Rows of the next chunk; `part`: no more of a batch that sessions share, unless that is very little. */
  rows(most: number, part = most): number {
    if (this.#row === undefined) return Math.min(most, TRIAL)
    const fair = Math.max(part, Math.floor(SHORTEST / this.#row))
    return Math.max(1, Math.min(most, fair, Math.floor(LONGEST / this.#row)))
  }

  /** So many rows that were sent at a time have come back. The host may have begun with them when it was done with those before. */
  came(count: number, sent: number): void {
    if (count === 0) return
    const now = performance.now()
    const since = Math.max(sent, this.#came)
    if (this.#row === undefined || (now - since) * AT_ONCE > count * this.#row) {
      this.#since = since
      this.#count = 0
    }
    this.#count += count
    this.#came = now
    this.#row = Math.max(now - this.#since, 0.001) / this.#count
  }
}
