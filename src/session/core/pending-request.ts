import type { SessionCore } from './core.js'

/** A request to load or declare something, until the Windows side has answered it. */
export class PendingRequest {
  #isAnswered = false
  /** The frame of the callback in which it was made; undefined if it was made outside of callbacks. */
  #frame: unknown

  constructor(private readonly core: SessionCore) {
    this.#frame = core.lane.frames.current
  }

  /** To be called when the Windows side has answered. */
  answer(): void {
    this.#isAnswered = true
    this.#frame = undefined
  }

  /**
   * Whether a call that is made now may be carried out before this request, and so not find what it asks for: one of
   * the two is made inside a callback that the other is not made in.
   */
  get isBehind(): boolean {
    return !this.#isAnswered && this.core.lane.frames.current !== this.#frame
  }
}
