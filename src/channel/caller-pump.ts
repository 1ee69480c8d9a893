/**
 * Where more sessions are at work than there are pairs of cores, or many calls come at once, the thread that started a session carries
 * its calls itself: to wake the worker for them, and to be woken by it, takes longer than everything else together. It never
 * waits: the host rings the idle doorbell, which this thread's event loop hears beside all else.
 *
 * It does so only while nobody else needs the session carried: no other thread has joined, no job runs, no callback exists, and
 * this thread does not block. Otherwise, and at any time, the worker takes it up from where it is.
 */
import type { Socket } from 'node:net'
import { Word } from '../codec/layout.js'
import { Carrier, NodeSleeps } from './carrier.js'
import { now } from './clock.js'
import { Crowd, PAIRS } from './crowd.js'
import { watchIdleDoorbell } from './idle-doorbell.js'
import type { Lane } from './lane.js'
import { FIRST_THREADS } from './membership.js'
import { Life, Shared, type SharedState } from './shared.js'

/**
 * How long the hosts may look for the next request, in microseconds: while each has a core, until this thread has been round all
 * sessions; where there are more of them, looking takes the core from one that has something to do.
 */
const FEW_LOOKS = 60
const MANY_LOOKS = 2

/** So many requests at a time are carried faster than the worker is told of them. */
export const BURST = 128

/** Is the thread that started the session the only one that has to do with it? */
export function callerMayCarry({ i32 }: SharedState): boolean {
  return (
    Atomics.load(i32, Shared.mayCallBack) === 0 &&
    Atomics.load(i32, Shared.jobs) === 0 &&
    Atomics.load(i32, Shared.threads) === FIRST_THREADS &&
    Atomics.load(i32, Shared.gone) === 0
  )
}

export class CallerPump {
  readonly #carrier: Carrier
  readonly #crowd: Crowd
  #bell: Socket | undefined
  /** The host has requests that this thread gave it. */
  #carrying = false
  #soon = false
  readonly #serviceSoon = () => {
    this.#soon = false
    this.lane.service()
    // what came meanwhile: this thread settles replies while the host makes the next
    if (this.#carrying) this.heard()
  }

  constructor(
    private readonly lane: Lane,
    turns: SharedArrayBuffer,
    session: number,
  ) {
    this.#carrier = new Carrier(lane.shared, lane.segment, lane.thread)
    this.#crowd = new Crowd(turns, session)
  }

  /** Whether replies will come to this thread and not to the worker. */
  get carrying(): boolean {
    return this.#carrying
  }

  /** Called when `count` more requests lie ready, and if `more` will follow at once. False: they are the worker's to carry. */
  carry(count: number, more: boolean): boolean {
    const { shared } = this.lane
    const crowd = this.#crowd
    const crowded = crowd.possible && crowd.isCrowded(now())
    if (!crowded && count < BURST && !this.#carrying) return false
    if (!callerMayCarry(shared) || shared.life() !== Life.up || !this.#listens()) return false
    const replied = this.#exchange(more)
    if (replied) this.#serviceNext()
    return replied !== undefined
  }

  /** Once the session is dead. */
  close(): void {
    this.#carrying = false
    this.#bell?.destroy()
  }

  /** The host has rung, or may have. */
  heard(): void {
    if (this.lane.shared.life() === Life.dead) return
    const replied = this.#carrying && callerMayCarry(this.lane.shared) ? this.#exchange(false) : undefined
    if (replied) this.lane.service()
    if (replied && this.#carrying) this.#serviceNext()
    if (replied !== undefined) return
    // the worker has taken it up, or has to
    this.#carrying = false
    this.lane.wakeWorker()
  }

  /** In a turn of the event loop's own: calls whose answers are always there already would leave it no other work. */
  #serviceNext(): void {
    if (this.#soon) return
    this.#soon = true
    setImmediate(this.#serviceSoon)
  }

  /** False if no descriptor is to be had for it. */
  #listens(): boolean {
    try {
      this.#bell ??= watchIdleDoorbell(this.lane.segment, () => this.heard())
      return true
    } catch {
      return false
    }
  }

  /**
   * Requests to the host and replies from it, as far as they are there: whether replies have come, and then one has to look again,
   * for the host rings only if none have. Undefined: another thread carries.
   */
  #exchange(more: boolean): boolean | undefined {
    const carrier = this.#carrier
    if (!carrier.tryEnter()) return undefined
    try {
      const { crowded, busy } = this.#crowd
      carrier.limitHost(crowded ? (busy > 2 * PAIRS ? MANY_LOOKS : FEW_LOOKS) : 0, false)
      for (let ready = carrier.ready; ready > 0; ready = carrier.ready) carrier.forward(ready)
      carrier.readHeads()
      let any = !more && carrier.takeReplied()
      if (!any && !more && carrier.outstanding > 0) {
        carrier.put(Word.nodeSleeps, NodeSleeps.idle)
        // a last look, now that the host knows: what comes later rings
        carrier.readHeads()
        any = carrier.takeReplied()
      }
      carrier.ringHost()
      carrier.tell()
      return any
    } finally {
      this.#carrying = carrier.outstanding > 0
      carrier.leave()
    }
  }
}
