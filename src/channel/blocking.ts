/**
 * What a thread may block for while `async` callbacks are open that only it can bring to their end: whoever blocks keeps them from
 * going on, and what it blocks for may wait for them.
 */
import { ZugbrueckeError } from '../errors.js'
import type { Frames } from './frames.js'
import { TimeLimit } from './time-limit.js'

/**
 * How long a call that blocks waits for its turn while a callback is open that needs this thread, and how long such a callback waits for
 * a call that blocks, in milliseconds; and how often the first looks.
 */
const PATIENCE = 5000
const GLANCE = 5

/** What it needs of the thread's lane. */
export interface BlockingLane {
  readonly frames: Frames
  readonly limits: Set<TimeLimit>
  waitFor(done: () => boolean): void
  /** Tells, now and later, whether all that has been asked for by now is answered, whoever asked. */
  allAnswered(): () => boolean
}

export class Blocking {
  /** The strands that carry out what this thread blocks for, the innermost last. */
  readonly #on: number[] = []
  /** Until what blocks, or what is held up by that, is given up. */
  #patience: TimeLimit | undefined

  constructor(private readonly lane: BlockingLane) {}

  /** Whether this thread waits in a blocking call. */
  get any(): boolean {
    return this.#on.length > 0
  }

  /** Whether it does so for what this strand carries out: a callback there is called inside the blocking call. */
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
   * Before `what` blocks this thread. It throws ZugbrueckeError where that would wait for ever, which is while the DLL waits in an
   * `async` callback that needs this thread to go on.
   */
  assertMayBlock(what: string): void {
    const { frames } = this.lane
    if (!frames.unfinished) return
    const { current } = frames
    if (frames.isBehindOwn(current) || (!current && !this.#comesToTheHead()))
      throw new ZugbrueckeError(
        `${what} would block this thread for ever: the DLL waits in a callback of this thread that has not returned, and before it does no other call is carried out. Await the call instead of using .sync`,
      )
  }

  /**
   * Waits until the host has answered what was asked for before; false if it does not. What it carries out may wait for another
   * thread of the DLL's, and that one for a callback of this thread's: nobody can see that from outside.
   */
  #comesToTheHead(): boolean {
    const { lane } = this
    const answered = lane.allAnswered()
    if (answered()) return true
    let left = PATIENCE / GLANCE
    const limit = new TimeLimit(lane.limits, GLANCE, () => (--left > 0 ? GLANCE : undefined))
    // this call gives up, and not the callback
    this.#patience ??= limit
    lane.waitFor(() => left <= 0 || answered())
    limit.end()
    return left > 0
  }

  /**
   * While this thread blocks, `async` callbacks that other threads of the DLL wait in do not go on. What it blocks for may in turn
   * wait for them, which nobody can see from outside: after a while they fail.
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
