/** Hands out the rows of a batch, some at a time, to one session or to several that share them. */
export interface RowRange {
  readonly first: number
  readonly count: number
}

export class RowCursor {
  /** Rows carried out. */
  done = 0
  #next: number
  #end: number
  /** Of sessions that died before they had done them. */
  readonly #returned: RowRange[] = []

  /** `first` is the row that it begins with. */
  constructor(
    readonly total: number,
    first = 0,
  ) {
    this.#next = first
    this.#end = total
  }

  /** Rows that nobody has. */
  get left(): number {
    return this.#returned.reduce((sum, { count }) => sum + count, this.#end - this.#next)
  }

  /** At most `most` rows in a row; none when all are taken. */
  take(most: number): RowRange {
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

  /** Rows that were taken and could not be carried out. */
  giveBack(range: RowRange): void {
    if (range.count === 0 || this.#end === 0) return
    if (range.first + range.count === this.#next) this.#next = range.first
    else this.#returned.push(range)
  }

  /** Hands out no more. */
  close(): void {
    this.#returned.length = 0
    this.#next = 0
    this.#end = 0
  }
}
