/** Divides the rows of a batch among chunks, of one session or of several. */

/** Neighbouring rows. */
export interface RowRange {
  readonly first: number
  readonly count: number
}

export class RowCursor {
  /** How many rows are done. */
  done = 0
  #next: number
  #end: number
  /** Rows that were given back, for instance because their session died. */
  readonly #returned: RowRange[] = []

  /** `first`: the row to begin with. */
  constructor(
    readonly total: number,
    first = 0,
  ) {
    this.#next = first
    this.#end = total
  }

  /** How many rows no chunk has yet. */
  get left(): number {
    return this.#returned.reduce((sum, { count }) => sum + count, this.#end - this.#next)
  }

  /** The next rows, at most `most`; none when chunks have all of them. */
  next(most: number): RowRange {
    const returned = this.#returned.pop()
    if (returned) {
      const count = Math.min(most, returned.count)
      if (count < returned.count) this.#returned.push({ first: returned.first + count, count: returned.count - count })
      return { first: returned.first, count }
    }
    const first = this.#next
    const count = Math.min(most, this.#end - first)
    this.#next += count
    return { first, count }
  }

  /** Gives back rows that could not be carried out. */
  giveBack(range: RowRange): void {
    if (range.count === 0 || this.#end === 0) return
    if (range.first + range.count === this.#next) this.#next = range.first
    else this.#returned.push(range)
  }

  /** From now on there are no more rows. */
  close(): void {
    this.#returned.length = 0
    this.#next = 0
    this.#end = 0
  }
}
