/**
 * What a thread checks while it waits for the host and nothing comes: that the Windows process lives, that Wine's
 * server lives, without which the process makes no progress, and that the host's bell thread gives a sign of life, as
 * it does however long a routine runs. Nothing is checked while replies come.
 */
import { ControlWord } from '../codec/layout.js'
import type { Mapping } from './mapping.js'
import { SLICE } from './patience.js'
import { isTraced, processLives } from './process.js'
import type { Segment } from './segment.js'
import { EndReason, type SharedState, SharedWord } from './shared.js'

/** Value of `hostState` while the host carries out requests. */
const SERVING = 1

export class HostWatch {
  /** Slices in a row in which the process was gone, or what it had written was broken. */
  #suspicions = 0
  /** Milliseconds without a sign of life. */
  #silent = 0
  /** Number of the sign of life that was asked for last; 0: none has been asked for. */
  #asked = 0

  constructor(
    private readonly mapping: Mapping,
    private readonly state: SharedState,
    private readonly segment: Segment,
    /** Linux's process id of Wine's server; 0 where it is not known. */
    private readonly server: () => number,
    /** Milliseconds without a sign of life after which the session is given up. */
    private readonly patience: () => number,
    /** Longest sleep without a look at who still lives, in milliseconds. */
    readonly slice = SLICE,
  ) {}

  /** To be called when something has come from the host. */
  reset(): void {
    this.#suspicions = 0
    this.#silent = 0
    this.#asked = 0
  }

  /** After a slice in which nothing came: why the session is to end, or `EndReason.none`. */
  look(broken: boolean): number {
    const { pid } = this.state
    const lives = processLives(pid)
    if (broken || !lives) {
      // the supervisor says that the process has ended, and how. Only if it has not within one more slice, this thread
      // does
      if (++this.#suspicions < 2) return EndReason.none
      return broken ? EndReason.corrupted : EndReason.crashed
    }
    this.#suspicions = 0
    const server = this.server()
    if (server > 0 && !processLives(server)) return EndReason.servicesGone
    if (Atomics.load(this.mapping.i32, ControlWord.hostState / 4) !== SERVING) return EndReason.none
    return this.#listen(pid)
  }

  #listen(pid: number): number {
    const { i32 } = this.mapping
    const heard = this.#asked === 0 || ((Atomics.load(i32, ControlWord.pulse / 4) - this.#asked) | 0) >= 0
    // a process that a debugger holds gives no sign of life
    this.#silent = heard || isTraced(pid) ? 0 : this.#silent + this.slice
    if (this.#silent >= Math.max(this.slice, this.patience())) return EndReason.unresponsive
    if (heard) {
      this.#asked = this.state.next(SharedWord.pulses)
      Atomics.store(i32, ControlWord.pulseAsked / 4, this.#asked)
    }
    this.state.ring(this.segment.strandsBell)
    return EndReason.none
  }
}
