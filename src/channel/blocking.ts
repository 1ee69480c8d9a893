/**
 * Guards a thread that blocks while `async` callbacks are open that only this thread can finish. They make no progress
 * while it blocks, and the call that it blocks for may itself wait for them.
 */
import { ZugbrueckeError } from '../errors.js'
import type { Frames } from './frames.js'
import { TimeLimit } from './time-limit.js'

/**
 * In milliseconds: how long a blocking call waits until the host is free while a callback needs this thread, and how
 * long it may hold such a callback up.
 */
const PATIENCE = 5000
/** In milliseconds: how often such a call looks whether the host is free. */
const GLANCE = 5

/** What `Blocking` needs of the thread's lane. */
export interface BlockingLane {
  readonly frames: Frames
  readonly limits: Set<TimeLimit>
  waitFor(done: () => boolean): void
  /** Gives a function that says whether all requests made before this moment, by any thread, have been answered. */
  allAnswered(): () => boolean
}

export class Blocking {
  /** The strands that carry out what this thread blocks for, the innermost last. */
  readonly #on: number[] = []
  /** When this limit passes, the blocking call is given up, or the callbacks that it holds up fail. */
  #patience: TimeLimit | undefined

  constructor(private readonly lane: BlockingLane) {}

  /** Whether this thread waits in a blocking call. */
  get any(): boolean {
    return this.#on.length > 0
  }

  /**
   * Whether this thread blocks for a call that `strand` carries out. A callback on that strand then runs inside the
   * blocking call.
   */
  isFor(strand: number): boolean {
    return this.#on.includes(strand)
  }

  begin(): void {
    const { frames } = this.lane
    this.#on.push(frames.current?.strand ?? 0)
    if (frames.count > 0) this.watchHeldUp()
  }

  end(): void {
    this.#on.pop()
    if (this.#on.length > 0) return
    this.#patience?.end()
    this.#patience = undefined
  }

  /**
   * To be called before `what` blocks this thread. Throws ZugbrueckeError where it would block for ever: while the DLL
   * waits in an `async` callback that needs this thread.
   */
  assertMayBlock(what: string): void {
    const { frames } = this.lane
    if (!frames.unfinished) return
    const { current } = frames
    if (frames.isBehindOwn(current) || (!current && !this.#hostBecomesFree()))
      throw new ZugbrueckeError(
        `${what} would block this thread for ever: the DLL waits in a callback of this thread that has not returned, and before it does no other call is carried out. Await the call instead of using .sync`,
      )
  }

  /**
   * Waits until the host has answered all earlier requests; false if it has not within PATIENCE. The routine that the
   * host carries out may wait for another thread of the DLL, and that thread for a callback of this JS thread. Neither
   * can be seen from here.
   */
  #hostBecomesFree(): boolean {
    const { lane } = this
    const answered = lane.allAnswered()
    if (answered()) return true
    let left = PATIENCE / GLANCE
    const limit = new TimeLimit(lane.limits, GLANCE, () => (--left > 0 ? GLANCE : undefined))
    // keeps `watchHeldUp` from setting a limit of its own: this call is to fail, and not the callback
    this.#patience ??= limit
    lane.waitFor(() => left <= 0 || answered())
    limit.end()
    return left > 0
  }

  /**
   * Other threads of the DLL may wait in `async` callbacks, which make no progress while this thread blocks. Whether
   * the call that it blocks for needs those threads cannot be seen from here: after PATIENCE the callbacks fail.
   */
  watchHeldUp(): void {
    const { frames, limits } = this.lane
    if (this.#patience || !frames.unfinished) return
    this.#patience = new TimeLimit(limits, PATIENCE, () => {
      this.#patience = undefined
      frames.failHeldUp(this.#on)
      return undefined
    })
  }
}
