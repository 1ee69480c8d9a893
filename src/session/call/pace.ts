/**
 * How many rows of a batch make a chunk: as many as fit, unless rows take long. Then chunks have fewer rows, so that
 * progress is reported, signals are heard, and sessions that share a batch end at about the same time.
 */

/** Milliseconds that a chunk should take at the most. */
const LONGEST = 20
/** Milliseconds that a chunk should take at least, however many sessions share the batch. */
const SHORTEST = 0.5
/** Rows of a routine's first chunk, which goes alone and shows how long a row takes. */
const TRIAL = 512
/**
 * If the rows of a chunk seem so many times faster than those before, the host had done them already when this thread
 * came to look. Then both chunks are measured together.
 */
const AT_ONCE = 4

export class Pace {
  /** Milliseconds that a row took lately; undefined before a chunk has come back. */
  #row: number | undefined
  /** The rows that are measured together: when the host began with them, and how many they are. */
  #since = 0
  #count = 0
  /** When the latest rows came back. */
  #came = 0

  /** Whether no chunk has come back yet: until one has, chunks go one at a time. */
  get isUnknown(): boolean {
    return this.#row === undefined
  }

  /**
   * How many rows the next chunk should have, at most `most`. Where several sessions share the batch, `part` is the
   * number that is fair; a chunk has more if `part` rows take less than SHORTEST.
   */
  rows(most: number, part = most): number {
    if (this.#row === undefined) return Math.min(most, TRIAL)
    const fair = Math.max(part, Math.floor(SHORTEST / this.#row))
    return Math.max(1, Math.min(most, fair, Math.floor(LONGEST / this.#row)))
  }

  /**
   * To be called when `count` rows come back that were sent at time `sent`. The host has begun with them then, or
   * later, when it was done with the rows before.
   */
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
