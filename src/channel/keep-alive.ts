/**
 * Keeps Node alive while a thread waits for the host, and has the thread check at intervals that it does not wait in
 * vain.
 */
export class KeepAlive {
  /** Whether Node is kept alive now. */
  held = false
  #timer: NodeJS.Timeout | undefined
  #before = 0
  #ended = false

  constructor(
    /** A number that changes whenever something comes. */
    private readonly progress: () => number,
    /** Called once in a slice, also while Node is not kept alive. `idle`: nothing has come since the last time. */
    private readonly onSlice: (idle: boolean) => void,
    /** A slice in milliseconds. */
    private readonly slice: number,
  ) {}

  /** Keeps Node alive, unless the checks have ended. */
  hold(): void {
    if (this.#ended) return
    this.held = true
    this.#before = this.progress()
    if (this.#timer) this.#timer.ref()
    else this.#timer = setInterval(this.#check, this.slice)
  }

  /** Keeps Node alive no longer; the checks go on while it runs. */
  release(): void {
    this.held = false
    this.#timer?.unref()
  }

  /** Ends the checks; Node is not kept alive any more. */
  end(): void {
    this.#ended = true
    this.held = false
    clearInterval(this.#timer)
  }

  readonly #check = (): void => {
    const now = this.progress()
    const idle = now === this.#before
    this.#before = now
    this.onSlice(idle)
  }
}
