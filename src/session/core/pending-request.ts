import type { SessionCore } from './core.js'

/** Something that the Windows side has been asked for, until it has answered. */
export class PendingRequest {
  #answered = false
  /** The callback that asked for it; undefined: none, it waits its turn like any call. */
  #inside: unknown

  constructor(private readonly core: SessionCore) {
    this.#inside = core.lane.frames.current
  }

  answer(): void {
    this.#answered = true
    this.#inside = undefined
  }

  /** A call made now, inside a callback, goes ahead of it, and would not find it. */
  get isBehind(): boolean {
    return !this.#answered && this.core.lane.frames.current !== this.#inside
  }
}
