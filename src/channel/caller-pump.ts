/**
 * The thread that started a session carries its calls itself: to wake the worker for them, and to be woken by it, takes longer than
 * everything else together. It looks for the reply for a moment. If that is not enough, a thread that awaits goes back to its event
 * loop, where it hears the idle doorbell, which the host rings; one that blocks leaves it to the worker.
 *
 * It does so only while nobody else needs the session carried: no other thread has joined, no job runs, no callback exists.
 * Otherwise, and at any time, the worker takes it up from where it is.
 */
import type { Socket } from 'node:net'
import { Word } from '../codec/layout.js'
import { Carrier, NodeSleeps } from './carrier.js'
import { Chance } from './chance.js'
import { now } from './clock.js'
import { Crowd } from './crowd.js'
import { watchIdleDoorbell } from './idle-doorbell.js'
import type { Lane } from './lane.js'
import { FIRST_THREADS } from './membership.js'
import { Life, Shared, type SharedState } from './shared.js'

/** How long a host may look for the next request where sessions crowd the cores, in microseconds: longer than this thread takes to send one. */
const HOST_LOOKS = 8
/** Looks for a reply (each a read of about half a microsecond) before this thread goes back to its event loop, or leaves it to the worker. */
const LOOKS = 16
const BLOCKING_LOOKS = 40
/** The same where sessions crowd the cores and the host has to be woken: nobody else's host disturbs it while this thread waits. */
const WAKING_LOOKS = 120
/** That pays if so many replies follow that need no waking. */
const ROW = 8
/** Where the routines are slow: looking has been in vain lately. */
const FEW_LOOKS = 2
/** After so many replies the event loop does something else. */
const TURN = 128

/** Is the thread that started the session the only one that has to do with it? */
function callerMayCarry({ i32 }: SharedState): boolean {
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
  /** Replies taken when the event loop last had its turn, and when the host last had to be woken. */
  #turned = 0
  #woken = 0
  readonly #looking = new Chance()
  readonly #waking = new Chance()
  readonly #serviceSoon = () => {
    this.#soon = false
    this.lane.service()
    // what came meanwhile: this thread settles replies while the host makes the next
    if (this.#carrying) this.heard(LOOKS)
  }
  readonly #serviceLater = () => {
    this.#turned = this.#carrier.completed
    this.#serviceSoon()
  }

  constructor(
    private readonly lane: Lane,
    turns: SharedArrayBuffer,
    session: number,
  ) {
    this.#carrier = new Carrier(lane.shared, lane.segment, lane.thread)
    this.#crowd = new Crowd(turns, session, () => lane.shared.pid)
  }

  /** Whether replies will come to this thread and not to the worker. */
  get carrying(): boolean {
    const { i32 } = this.lane.shared
    // the worker may have taken up what this thread left off
    return this.#carrying && Atomics.load(i32, Shared.forwarded) !== Atomics.load(i32, Shared.completed)
  }

  /** Called when requests lie ready, and if `more` will follow at once. False: they are the worker's to carry. */
  carry(more: boolean): boolean {
    if (!this.#may() || !this.#listens()) return false
    const replied = this.#exchange(more ? 0 : LOOKS, !more)
    if (replied) this.goOn()
    return replied !== undefined
  }

  /** For a thread that blocks: false if no reply has come for a while, and the worker has to go on. */
  carryBlocking(): boolean {
    const replied = this.#may() && this.#exchange(BLOCKING_LOOKS, false)
    if (!replied) this.#carrying = false
    return replied === true
  }

  /** Replies are settled, and looked for, once the program has done what it does now. */
  goOn(): void {
    if (this.#soon) return
    this.#soon = true
    // calls whose answers are always there already would leave the event loop no other work
    if ((this.#carrier.completed - this.#turned) >>> 0 < TURN) queueMicrotask(this.#serviceSoon)
    else setImmediate(this.#serviceLater)
  }

  /** The host has rung, or may have. */
  heard(looks = 0): void {
    if (this.lane.shared.life() === Life.dead) return
    const replied = this.#carrying && callerMayCarry(this.lane.shared) ? this.#exchange(looks, true) : undefined
    if (replied === undefined) {
      // the worker has taken it up, or has to
      this.#carrying = false
      this.lane.wakeWorker()
    } else if (replied) {
      this.lane.service()
      if (this.#carrying) this.goOn()
    }
  }

  /** Once the session is dead. */
  close(): void {
    this.#carrying = false
    this.#bell?.destroy()
  }

  #may(): boolean {
    const { shared } = this.lane
    if (this.#crowd.possible) this.#crowd.isCrowded(now())
    return callerMayCarry(shared) && shared.life() === Life.up
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
   * Requests to the host and replies from it: whether replies have come, and then one has to look again. If none have, the host
   * rings the idle doorbell where `rings` says so. Undefined: another thread carries.
   */
  #exchange(looks: number, rings: boolean): boolean | undefined {
    const carrier = this.#carrier
    if (!carrier.tryEnter()) {
      this.#carrying = false
      return undefined
    }
    try {
      const { crowded, apart } = this.#crowd
      carrier.limitHost(crowded ? HOST_LOOKS : 0, crowded && apart)
      for (let ready = carrier.ready; ready > 0; ready = carrier.ready) carrier.forward(ready)
      carrier.readHeads()
      const asleep = carrier.ringHost()
      let any = carrier.takeReplied()
      if (!any && looks > 0 && carrier.outstanding > 0) any = this.#look(looks, asleep)
      if (!any && rings && carrier.outstanding > 0) {
        carrier.put(Word.nodeSleeps, NodeSleeps.idle)
        // a last look, now that the host knows: what comes later rings
        carrier.readHeads()
        carrier.ringHost()
        any = carrier.takeReplied()
      }
      carrier.tell()
      return any
    } finally {
      this.#carrying = carrier.outstanding > 0
      carrier.leave()
    }
  }

  /** True if a reply comes while it looks. */
  #look(most: number, asleep: boolean): boolean {
    const carrier = this.#carrier
    if (asleep) {
      if (!this.#crowd.crowded) return false
      // what does not wake it for long is no better than bells, by which other sessions' hosts work meanwhile
      this.#waking.had((carrier.completed - this.#woken) >>> 0 >= ROW)
      this.#woken = carrier.completed
      if (!this.#waking.good) return false
      most = WAKING_LOOKS
    } else if (!this.#looking.good) most = FEW_LOOKS
    let any = false
    for (let left = most; left > 0 && !any; left--) any = carrier.look()
    if (!asleep) this.#looking.had(any)
    return any
  }
}
