/**
 * The time limit of something that runs. It is kept by the thread that asked, which has a timer for it, and looks at it while it
 * blocks, too (`Lane.waitFor`): a blocked thread's timers do not fire.
 */

/** Timers cannot be longer, in milliseconds. */
const MAX_TIMER = 0x7fffffff

export class TimeLimit {
  /** When it passes, as `performance.now()` counts. */
  at: number
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly owner: Set<TimeLimit>,
    milliseconds: number,
    /** Called when it has passed. A number extends it by so many milliseconds. */
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
