/** How many rows of a routine go to a worker together: as many as it does in a while, by what it said of those before. */

/** What a chunk should take, in milliseconds, and what it takes at the least where workers are to end together. */
const LONG = 200
const SHORT = 20
/** Rows of the first chunks, until it is known what a row takes, and by how much later ones may be larger than those. */
const TRIAL = 64
const GROWTH = 64
/** Of what is left a session takes its part in so many chunks: the last ones are short. */
const PARTS = 2

/** One routine's pace. */
export class RowPace {
  #row: number | undefined
  #largest = TRIAL

  rows(most: number, left: number, sessions: number): number {
    if (this.#row === undefined) return Math.min(most, TRIAL)
    const part = Math.ceil(left / Math.max(1, sessions) / PARTS)
    const fair = Math.max(part, Math.floor(SHORT / this.#row))
    return Math.max(1, Math.min(most, fair, Math.floor(LONG / this.#row), this.#largest * GROWTH))
  }

  /** So many rows took a session so many milliseconds. */
  came(count: number, took: number): void {
    const row = Math.max(took, 0.01) / count
    this.#row = this.#row === undefined || count > this.#largest ? row : 0.7 * this.#row + 0.3 * row
    this.#largest = Math.max(this.#largest, count)
  }
}
