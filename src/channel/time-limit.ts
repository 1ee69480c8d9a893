/**
 * A time limit. The thread that waits has a timer for it, and checks it also while it blocks (`Lane.waitFor`), since
 * the timers of a blocked thread do not fire.
 */

/** The longest that a timer of Node's can be, in milliseconds. */
const MAX_TIMER = 0x7fffffff

export class TimeLimit {
  /** When the limit passes, by `performance.now()`. */
  at: number
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly owner: Set<TimeLimit>,
    milliseconds: number,
    /** Called when the limit has passed. A number that it returns extends the limit by so many milliseconds. */
    private readonly passed: () => number | undefined,
  ) {
    this.at = performance.now() + milliseconds
    owner.add(this)
    this.#arm()
  }

  /** Ends the limit, or extends it, if it has passed. */
  check(): void {
    if (!this.owner.has(this)) return
    if (performance.now() >= this.at) {
      const more = this.passed()
      if (more === undefined) {
        this.end()
        return
      }
      this.at = performance.now() + more
    }
    this.#arm()
  }

  /** Withdraws the limit. */
  end(): void {
    this.owner.delete(this)
    clearTimeout(this.#timer)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const left = Math.ceil(this.at - performance.now())
    this.#timer = setTimeout(() => this.check(), Math.max(1, Math.min(left, MAX_TIMER)))
  }
}
