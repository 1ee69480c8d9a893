/**
 * What a thread looks at that waits for the host and hears nothing: whether the Windows process is there, Wine's services, without which
 * it gets nowhere, and a sign of life, which the host's bell thread gives whatever a routine does. Costs nothing while replies come.
 */
import { ControlWord } from '../codec/layout.js'
import type { Mapping } from './mapping.js'
import { SLICE } from './patience.js'
import { isTraced, processLives } from './process.js'
import type { Segment } from './segment.js'
import { EndReason, Shared, type SharedState } from './shared.js'

/** `hostState` where requests are carried out. */
const SERVING = 1

export class HostWatch {
  /** Slices in a row in which the process was not there, or what it wrote was broken, and in which no sign of life came. */
  #suspicions = 0
  #silent = 0
  /** Of the sign of life that was asked for last; 0: none is waited for. */
  #asked = 0

  constructor(
    private readonly mapping: Mapping,
    private readonly state: SharedState,
    private readonly segment: Segment,
    /** Of Wine's server, as Linux numbers processes; 0 where it is not known. */
    private readonly server: () => number,
    /** Milliseconds without a sign of life after which the session is given up. */
    private readonly patience: () => number,
  ) {}

  /** Something has come. */
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
      // whoever would tell of the end may have ended itself; if it lives, it is given time to say more
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
    // who looks at it with a debugger takes the time
    this.#silent = heard || isTraced(pid) ? 0 : this.#silent + SLICE
    if (this.#silent >= Math.max(SLICE, this.patience())) return EndReason.unresponsive
    if (heard) {
      this.#asked = this.state.next(Shared.pulses)
      Atomics.store(i32, ControlWord.pulseAsked / 4, this.#asked)
    }
    this.state.ring(this.segment.strandsBell)
    return EndReason.none
  }
}
