/**
 * One thread's end of a session's channel. It keeps requests in order, sends them, waits for replies and settles them.
 * Each thread that uses a session has one lane, and only that thread may use it.
 *
 * Towards the host a thread is awake, and looks for replies itself; or it sleeps, in its event loop or blocked, until
 * its bell is rung. The host rings only for a thread that has said that it sleeps. So a thread says so before it
 * sleeps, and then looks once more for what has come meanwhile.
 */

import type { Encoder } from '../codec/encoder.js'
import { ControlWord, MAILBOX_ROOM, SLOTS } from '../codec/layout.js'
import { ZugbrueckeError } from '../errors.js'
import { Arena } from './arena.js'
import { Bell } from './bell.js'
import { Blocking, type BlockingLane } from './blocking.js'
import type { Exchange, Port, Sender } from './exchange.js'
import { Frame } from './frame.js'
import { Frames, type OnCallback } from './frames.js'
import type { HostWatch } from './host-watch.js'
import { KeepAlive } from './keep-alive.js'
import type { Mapping } from './mapping.js'
import { Patience, TURN } from './patience.js'
import { Ring } from './ring.js'
import type { Segment } from './segment.js'
import { EndReason, Life, type SharedState, SharedWord } from './shared.js'
import { assertStack, DEEP } from './stack.js'
import { answerStrand, sleepsAt } from './threads.js'
import type { TimeLimit } from './time-limit.js'
import { type Trace, TracedRing, traceOf } from './trace.js'
import type { Turn } from './turns.js'

const MASK = SLOTS - 1
/**
 * What is to run when the program's own code pauses is chained to this promise: `queueMicrotask` makes an AsyncResource
 * each time, which takes longer than a look for a reply.
 */
const pause = Promise.resolve()
/**
 * Milliseconds until a thread looks again for room in a ring that others' requests fill: no bell tells of such room.
 */
const CROWDED = 1

export interface LaneOptions {
  readonly mapping: Mapping
  readonly state: SharedState
  readonly segment: Segment
  /** This thread's number in the session. */
  readonly thread: number
  readonly encoder: Encoder
  readonly turn: Turn
  readonly onCallback: OnCallback
  /**
   * The error with which an exchange fails once the session is dead; `exchange` is what ran when it died, if anything
   * did.
   */
  readonly deathError: (exchange: Exchange | undefined) => Error
  readonly watch: HostWatch
  /** Ends the session for a reason of `EndReason`, and the Windows process if it still runs. */
  readonly giveUp: (reason: number) => void
  /** Called once, when this thread first sees that the session is dead. */
  readonly onDeath: () => void
}

/** The error of a call that would wait for a call that waits for it. */
const inTheWay = (label: string) =>
  new ZugbrueckeError(
    `${label} would block this thread for ever: it was called while the arguments of a waiting call were read (by a getter among them, for instance), and itself has to wait. Give that call plain values`,
  )

export class Lane implements Sender, BlockingLane {
  readonly mapping: Mapping
  readonly arena: Arena
  readonly lent = new Set<ArrayBufferLike>()
  /** The open callbacks of this thread. */
  readonly frames: Frames
  readonly blocking: Blocking
  /** Time limits of what this thread has under way. */
  readonly limits = new Set<TimeLimit>()
  readonly #options: LaneOptions
  readonly #state: SharedState
  readonly #ring: Ring
  readonly #trace: Trace | undefined
  readonly #bell: Bell
  readonly #turn: Turn
  readonly #sleeps: number
  readonly #patience = new Patience()
  /** Exchanges that are under way, by the numbers of their replies. */
  readonly #pending: (Exchange | undefined)[] = new Array(SLOTS)
  /** Exchanges that wait for their turn, in order. */
  readonly #waiting: Exchange[] = []
  /** While some of them are sent: how many have been sent, or have failed, and are only still in that list. */
  #passed = 0
  /** Whether this thread looks for replies; otherwise it has said that it sleeps. */
  #awake = false
  /** Whether it will look when the program's code pauses. */
  #soon = false
  /** Whether it will look after the event loop's next turn. */
  #later = false
  /** Whether it will sleep after the event loop's next turn, unless something is under way by then. */
  #resting = false
  /** Replies settled, and messages of callbacks served, since the event loop's last turn. */
  #settled = 0
  readonly #keepAlive: KeepAlive
  /** Whether this thread has seen that the session is dead. */
  #dead = false
  /** Whether requests that wait are just being sent, which may run code of the program's. */
  #sending = false

  constructor(options: LaneOptions) {
    const { mapping, state, segment, thread } = options
    this.#options = options
    this.mapping = mapping
    this.#state = state
    this.#turn = options.turn
    this.arena = new Arena(state, thread, segment)
    this.#trace = traceOf(mapping, state, thread)
    const corrupted = () => state.end(EndReason.corrupted)
    this.frames = new Frames(this, mapping, state, thread, this.#mailbox, options.onCallback, corrupted, this.#trace)
    this.blocking = new Blocking(this)
    this.#ring = this.#trace
      ? new TracedRing(this.#trace, mapping, state, segment, thread)
      : new Ring(mapping, state, segment, thread)
    this.#keepAlive = new KeepAlive(() => this.#ring.taken, this.#checkHost, options.watch.slice)
    this.#sleeps = sleepsAt(thread)
    this.#bell = new Bell(Atomics.load(state.i32, SharedWord.bell + thread), () => this.#lookNow())
    this.#rest()
  }

  readonly #mailbox = {
    send: (strand: number, message: Int32Array, length: number, tag: number) => {
      const { mapping, state, segment, thread } = this.#options
      this.#trace?.sent(`strand ${strand}`, message, length, tag)
      answerStrand(mapping.i32, state, segment, strand, message, length, tag | (thread << 8), MAILBOX_ROOM)
    },
    close: (frame: Frame) => this.frames.close(frame),
    returning: (low: number, high: number) => {
      // also while a call is put together there, one of whose getters has caused this callback: a Return is shorter
      // than the head of a Call, which is written last
      const { encoder } = this.#options
      encoder.answer(low, high)
      return encoder.message
    },
  }

  /** Requests sent and not settled, and requests that wait. */
  get load(): number {
    return this.#ring.outstanding + this.#waiting.length
  }

  get isIdle(): boolean {
    return this.#ring.outstanding === 0
  }

  /**
   * The ring, if a request can be sent now without overtaking another one. Whoever has sent one through it calls
   * `sent`; or, where this thread is to block, `answered`.
   */
  freeRing(blocking: boolean): Port | undefined {
    if (this.#hasTurnBefore(blocking) || this.frames.count > 0 || this.#isDead()) return undefined
    if (this.#ring.outstanding === 0) this.#turn.enter(blocking)
    return this.#ring
  }

  /** To be called when a request has just been sent through the free ring. */
  sent(exchange: Exchange): void {
    this.#sent(exchange)
    this.#expect()
  }

  /**
   * Looks for the reply to a request that has just been sent through the free ring, and takes it. Gives the reply's
   * offset, or -1 if it has not come within that look: then `awaitSync` is to be called. Most blocking calls are
   * answered within it, and need no exchange.
   */
  answered(): number {
    const ring = this.#ring
    if (!this.#awake) this.#wakeUp()
    if (ring.outstanding !== 1 || !this.#look(true)) return -1
    const { i32 } = this.mapping
    if (i32[this.frames.posted] !== 0 || i32[ring.expectedAt] !== ring.expected) return -1
    this.#restLater()
    return ring.take()
  }

  /** Blocks this thread until the exchange is settled whose request has just been sent through the free ring. */
  awaitSync(exchange: Exchange): void {
    this.#sent(exchange)
    this.waitFor(() => exchange.settled)
  }

  /**
   * Sends a request as soon as its turn comes. A bad request throws if that is now, and fails the exchange if it is
   * later.
   */
  submit(exchange: Exchange, blocking = false): void {
    if (this.#isDead()) {
      exchange.fail(this, this.#options.deathError(undefined))
      return
    }
    const { count } = this.frames
    if (count > DEEP) assertStack(count)
    if (blocking) this.blocking.assertMayBlock(exchange.label)
    const frame = this.frames.current
    if (frame) frame.submit(exchange, blocking)
    else {
      if (this.#ring.outstanding === 0) this.#turn.enter(blocking)
      if (this.#hasTurnBefore(blocking) || !exchange.attempt(this, this.#ring)) {
        if (blocking && this.#sending) throw inTheWay(exchange.label)
        exchange.keep?.()
        this.#waiting.push(exchange)
      } else this.#sent(exchange)
    }
    // a thread that blocks keeps Node alive by that, and `waitFor` looks for the reply
    if (!blocking) this.#expect()
  }

  /** Sends a request and blocks this thread until it is settled. Throws as `submit` does. */
  submitSync(exchange: Exchange): void {
    const ring = this.freeRing(true)
    if (ring && exchange.attempt(this, ring)) {
      const at = this.answered()
      if (at >= 0) exchange.settle(this, at, 0)
      else this.awaitSync(exchange)
    } else {
      this.submit(exchange, true)
      this.waitFor(() => exchange.settled)
    }
  }

  /**
   * Whether requests that wait go before one that is made now. They do not if this one blocks and is made while the
   * first of them is put together, by a getter among its arguments for instance: that one waits for this one.
   */
  #hasTurnBefore(blocking: boolean): boolean {
    return this.#waiting.length > 0 && !(blocking && this.#sending)
  }

  sendFirst(exchange: Exchange, port: Port): boolean {
    if (port instanceof Frame) return port.sendFirst(exchange)
    if (!exchange.attempt(this, this.#ring)) return false
    this.#sent(exchange)
    return true
  }

  /** Fails an exchange that still waits for its turn; false if it is just being sent, under way or settled. */
  withdraw(exchange: Exchange, error: Error): boolean {
    if (!this.#takeOut(exchange)) return false
    exchange.settled = true
    exchange.fail(this, error)
    return true
  }

  #takeOut(exchange: Exchange): boolean {
    const at = this.#waiting.indexOf(exchange, this.#passed)
    if (at < 0) return this.frames.withdraw(exchange)
    if (this.#sending && at === this.#passed) return false
    this.#waiting.splice(at, 1)
    return true
  }

  /** Blocks this thread until `done()`, or until the session is dead; serves replies and callbacks meanwhile. */
  waitFor(done: () => boolean): void {
    this.blocking.begin()
    this.#wakeUp()
    try {
      for (;;) {
        this.service()
        if (done() || this.#isDead()) return
        if (this.#ring.outstanding > 0 || this.frames.count > 0) if (this.#look(true)) continue
        this.#sleep(done)
      }
    } finally {
      this.blocking.end()
      this.#restLater()
    }
  }

  /**
   * Does what can be done now: settles replies, serves callbacks, and sends requests that waited for them. The code
   * that this runs may call it again.
   */
  service(everywhere = false): void {
    const { context } = this.frames
    // code that runs because a request is settled belongs to no callback, even if a callback's code has called this
    const before = context.enter(null)
    try {
      this.#serve(everywhere)
    } finally {
      context.enter(before)
    }
  }

  /** See `BlockingLane`. */
  allAnswered(): () => boolean {
    const { state, mapping } = this.#options
    const tail = Atomics.load(state.i32, SharedWord.tail)
    return () => this.load === 0 && ((tail - Atomics.load(mapping.i32, ControlWord.done / 4)) | 0) <= 0
  }

  #serve(everywhere: boolean): void {
    this.#complete()
    this.#settled += this.frames.service(everywhere)
    if (this.#waiting.length > 0 && !this.#sending) {
      this.#sending = true
      try {
        this.#sendWaiting()
      } finally {
        this.#sending = false
      }
    }
  }

  /** Makes this thread look at once, for instance because the session has ended. */
  heard(): void {
    this.#lookNow()
  }

  /**
   * The exchange of this thread inside which the callback of `frame` happens; undefined if a thread of the DLL's own
   * calls back, or a call of another JS thread does.
   */
  around(frame: Frame): Exchange | undefined {
    const outer = this.frames.outside(frame)
    if (outer) return outer.running
    const { i32 } = this.mapping
    if (frame.strand !== 0 || Atomics.load(i32, ControlWord.runningThread / 4) !== this.#options.thread)
      return undefined
    const number = Atomics.load(i32, ControlWord.running / 4)
    return ((number - this.#ring.taken) | 0) > 0 ? this.#pending[(number - 1) & MASK] : undefined
  }

  /** Notes whose request has just been sent through the ring. */
  #sent(exchange: Exchange): void {
    this.#pending[(this.#ring.asked - 1) & MASK] = exchange
  }

  /**
   * A request is under way: looks for replies when the program's code pauses, and keeps Node alive until all are
   * settled.
   */
  #expect(): void {
    if (!this.#awake) this.#wakeUp()
    if (!this.#keepAlive.held) this.#keepAlive.hold()
    if (this.#soon || this.#later) return
    this.#soon = true
    pause.then(this.#lookSoon)
  }

  readonly #lookSoon = (): void => {
    this.#soon = false
    this.#lookNow()
  }
  readonly #lookLater = (): void => {
    this.#later = false
    this.#settled = 0
    this.#lookNow()
  }

  /** Settles replies while they come quickly, lets the event loop run in between, and sleeps there when none come. */
  #lookNow(): void {
    if (this.#dead) return
    this.#wakeUp()
    const before = this.#settled
    this.service()
    // code that awaited what was settled runs before this thread looks for more
    let found = this.#settled !== before
    if (!found && this.#ring.outstanding > 0 && this.#settled < TURN && this.#look(false)) {
      found = true
      this.service()
    }
    if (this.#isDead() || this.#soon || this.#later) return
    if (this.#settled >= TURN) {
      this.#later = true
      setImmediate(this.#lookLater)
    } else if (found && this.#ring.outstanding > 0) {
      this.#soon = true
      pause.then(this.#lookSoon)
    } else if (this.load > 0 || this.frames.count > 0) this.#rest()
    else this.#restLater()
  }

  /**
   * Nothing is under way: sleeps after the event loop's next turn, unless something is under way by then.
   */
  #restLater(): void {
    if (this.#resting || this.#dead) return
    this.#resting = true
    setImmediate(this.#restNow)
  }
  readonly #restNow = (): void => {
    this.#resting = false
    this.#settled = 0
    if (this.#dead) return
    this.service()
    if (this.#soon || this.#later) return
    if (this.load === 0 && this.frames.count === 0) this.#keepAlive.release()
    this.#turn.leave()
    this.#rest()
  }

  #wakeUp(): void {
    if (this.#awake) return
    this.#awake = true
    Atomics.store(this.mapping.i32, this.#sleeps, 0)
  }

  /**
   * Says that this thread sleeps, so that the host rings from now on. Looks again soon if something came before that.
   */
  #rest(): void {
    this.#awake = false
    Atomics.store(this.mapping.i32, this.#sleeps, 1)
    const crowded = this.#waiting.length > 0 && this.#ring.outstanding === 0
    if (!crowded && !this.#hasNews) return
    this.#later = true
    if (crowded) setTimeout(this.#lookLater, CROWDED)
    else setImmediate(this.#lookLater)
  }

  /** Whether the next reply, or a message of a callback, has come. */
  get #hasNews(): boolean {
    const { i32 } = this.mapping
    const replied = this.#ring.outstanding > 0 && Atomics.load(i32, this.#ring.expectedAt) === this.#ring.expected
    return replied || Atomics.load(i32, this.frames.posted) !== 0
  }

  /**
   * Looks for the next reply, or a message of a callback, for as long as that is better than sleeping; false if none
   * came. `blocked`: this thread would block otherwise, and not go back to its event loop.
   */
  #look(blocked: boolean): boolean {
    const { expectedAt, expected } = this.#ring
    const found = this.#patience.look(this.mapping.i32, expectedAt, expected, this.frames.posted, blocked)
    // to have yielded counts, too: two sides that share a core find every reply, since they hand the core to each other
    if (!found || this.#patience.yielded) this.#turn.late()
    return found
  }

  /** Blocks until something may have come, but no longer than a slice. */
  #sleep(done: () => boolean): void {
    const longest = this.#options.watch.slice
    let slice = longest
    for (const limit of this.limits) {
      limit.check()
      slice = Math.min(slice, limit.at - performance.now())
    }
    if (this.#waiting.length > 0 && this.#ring.outstanding === 0) slice = Math.min(slice, CROWDED)
    // the code of a limit that has just passed may have settled the exchange
    if (slice <= 0 || done()) return
    const { i32 } = this.mapping
    Atomics.store(i32, this.#sleeps, 1)
    const woken = this.#hasNews || this.#state.life() === Life.dead || this.#bell.wait(slice)
    Atomics.store(i32, this.#sleeps, 0)
    this.#awake = true
    if (woken) this.#options.watch.reset()
    else if (slice === longest) this.#suspect()
  }

  /**
   * Nothing has come for a slice: the host may have missed a bell, or have ended, or a DLL may have overwritten
   * messages.
   */
  #suspect(): void {
    const { segment } = this.#options
    // rings both bells, and looks into every mailbox: a DLL may have overwritten the words that say which of that is
    // needed
    this.#state.ring(segment.hostBell)
    if (this.frames.count > 0) this.#state.ring(segment.strandsBell)
    this.service(true)
    const broken = this.#ring.isBroken || this.frames.isBroken
    const reason = this.#options.watch.look(broken)
    if (reason !== EndReason.none) this.#options.giveUp(reason)
  }

  /** Settles the replies that have come, in order. */
  #complete(): void {
    const ring = this.#ring
    const { i32 } = this.mapping
    while (ring.outstanding > 0 && i32[ring.expectedAt] === ring.expected) {
      const index = ring.taken & MASK
      const exchange = this.#pending[index] as Exchange
      this.#pending[index] = undefined
      this.#settled++
      exchange.settle(this, ring.take(), 0)
    }
  }

  /** Sends requests that wait, in order, as far as there is room. */
  #sendWaiting(): void {
    while (this.#passed < this.#waiting.length) {
      const exchange = this.#waiting[this.#passed]
      try {
        if (!exchange.attempt(this, this.#ring)) break
        this.#sent(exchange)
      } catch (error) {
        exchange.fail(this, error as Error)
        exchange.settled = true
      }
      this.#passed++
    }
    if (this.#passed > 0) this.#waiting.splice(0, this.#passed)
    this.#passed = 0
  }

  readonly #checkHost = (idle: boolean): void => {
    if (idle && (this.#ring.outstanding > 0 || this.frames.count > 0)) this.#suspect()
    else this.#options.watch.reset()
    this.#lookNow()
  }

  /** Whether the session is dead. When this first sees that it is, everything that waits or is under way fails. */
  #isDead(): boolean {
    if (this.#dead) return true
    if (this.#state.life() !== Life.dead) return false
    // a process that has crashed may have sent replies before; where the session was ended on purpose they count no
    // more
    if (Atomics.load(this.#state.i32, SharedWord.endReason) === EndReason.crashed) this.#complete()
    // code that ran because a reply was settled may have come here, too
    if (!this.#dead) this.#die()
    return true
  }

  #die(): void {
    this.#dead = true
    this.#keepAlive.end()
    const unsettled = [...this.frames.removeAll()]
    for (let number = this.#ring.taken; number !== this.#ring.asked; number = (number + 1) | 0)
      unsettled.push(this.#pending[number & MASK] as Exchange)
    unsettled.push(...this.#waiting.splice(0).slice(this.#passed))
    this.#ring.taken = this.#ring.asked
    this.#pending.fill(undefined)
    this.lent.clear()
    this.#bell.close()
    // the first error says what ran. If that loads a DLL or declares a routine, the call behind it, which needs it,
    // fails with the same error
    let error = this.#options.deathError(unsettled[0])
    this.#options.onDeath()
    for (const exchange of unsettled) {
      exchange.fail(this, error)
      exchange.settled = true
      if (!exchange.prepares) error = this.#options.deathError(undefined)
    }
  }
}
