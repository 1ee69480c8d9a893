import type { SessionCore } from './core.js'

/** A request to load or declare something, until the Windows side has answered it. */
export class PendingRequest {
  #answered = false
  /** The callback in which it was made; undefined: in none, so that it waits its turn as any call does. */
  #inside: unknown

  constructor(private readonly core: SessionCore) {
    this.#inside = core.lane.frames.current
  }

  answer(): void {
    this.#answered = true
    this.#inside = undefined
  }

  /**
   * Whether a call made now would be carried out before it, and so not find what it asks for: such a call is made
   * inside a callback that this request was not made in.
   */
  get isBehind(): boolean {
    return !this.#answered && this.core.lane.frames.current !== this.#inside
  }
}
