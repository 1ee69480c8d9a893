/**
 * One thread's end of a session's channel: it keeps what waits in order, sends it, and settles replies. Each thread that uses a session has one lane; only that thread may touch it.
 */
import { readSync, writeSync } from 'node:fs'
import { REPLY_OFFSET, REPLY_SIZE, SLOTS, Word } from '../codec/layout.js'
import { ZugbrueckeError } from '../errors.js'
import { Arena } from './arena.js'
import type { CallerPump } from './caller-pump.js'
import type { Exchange, Port } from './exchange.js'
import { Frames, type OnCallback } from './frames.js'
import { takeLastReply } from './last-replies.js'
import { Ring } from './ring.js'
import { ring, ringIfThere, type SegmentDescriptors } from './segment.js'
import { EndReason, Life, Shared, type SharedState, SlotState, WorkerState } from './shared.js'
import { assertStack, DEEP } from './stack.js'
import { Frame } from './strand.js'
import { TimeLimit } from './time-limit.js'

/** Longest sleep without a look at who still lives, in milliseconds. */
const SLICE = 1000
/** So many requests are told of even before the program pauses, for the sides to work at the same time. */
const TOGETHER = 256
/**
 * How long a call that blocks waits for its turn while a callback is open that needs this thread, and how long such a callback waits for
 * a call that blocks, in milliseconds; and how often the first looks.
 */
const PATIENCE = 5000
const GLANCE = 5

export interface LaneOptions {
  readonly shared: SharedState
  readonly segment: SegmentDescriptors
  readonly thread: number
  readonly onCallback: OnCallback
  /** The error that everything fails with once the session is dead. */
  readonly deathError: (exchange: Exchange | undefined) => Error
  /** Whether the Windows process is there. */
  readonly hostLives: () => boolean
  /** Called once, when this thread first sees that the session is dead. */
  readonly onDeath: () => void
}

export class Lane {
  readonly shared: SharedState
  readonly segment: SegmentDescriptors
  readonly thread: number
  readonly arena: Arena
  /** ArrayBuffers that calls under way work on. */
  readonly lent = new Set<ArrayBufferLike>()
  /** Callbacks that run now. */
  readonly frames: Frames
  readonly options: LaneOptions
  /** Carries in the worker's place, if this is the thread that started the session. */
  callerPump?: CallerPump
  /** Of what this thread has under way. */
  readonly limits = new Set<TimeLimit>()
  /** Requests sent and not yet settled, in order. */
  readonly #pending: Exchange[] = []
  /** Theirs in the ring. Apart, for what lies in objects of many classes takes the engine long to find. */
  readonly #numbers: number[] = []
  #pendingHead = 0
  readonly #waiting: Exchange[] = []
  readonly #ring: Ring
  /** Published, and nobody asked yet to carry it. */
  #unrung = 0
  #flushing = false
  readonly #flushSoon = () => {
    this.#flushing = false
    if (this.#unrung > 0) this.#flush()
    // all that was published has been handed on while more was expected
    else if (this.callerPump?.carrying) this.callerPump.heard()
  }
  #keepAlive: NodeJS.Timeout | undefined
  #held = false
  #armed = false
  #blocked = 0
  /** The strands that carry out what this thread blocks for, the innermost last. */
  readonly #blockedOn: number[] = []
  /** It blocks, and has not left it to the worker to carry. */
  #carriesBlocked = false
  /** Times in a row that the host was not there. */
  #alone = 0
  /** Until what blocks, or what is held up by that, is given up. */
  #patience: TimeLimit | undefined
  #dead = false
  #pumping = false

  constructor(options: LaneOptions) {
    this.options = options
    this.shared = options.shared
    this.segment = options.segment
    this.thread = options.thread
    this.arena = new Arena(this.shared, this.thread, this.segment.size - 0x80000)
    this.frames = new Frames(this, options.onCallback)
    this.#ring = new Ring(this.shared, this.thread)
  }

  /** Requests sent and not settled, and requests that wait. */
  get load(): number {
    return this.#pending.length - this.#pendingHead + this.#waiting.length
  }

  /** Whether this thread waits in a blocking call. */
  get blocking(): boolean {
    return this.#blocked > 0
  }

  /** Whether it does so for what this strand carries out: a callback there is called inside the blocking call. */
  blocksOn(strand: number): boolean {
    return this.#blockedOn.includes(strand)
  }

  /** The ring, if a request can be sent now without going before another; then tell of it with `sent`. */
  get freeRing(): Port | undefined {
    return this.#waiting.length === 0 && this.frames.count === 0 && !this.#checkDead() ? this.#ring : undefined
  }

  /** Takes note of a request that has just been published in the free ring. */
  sent(exchange: Exchange): void {
    this.#sent(exchange)
    if (!this.#held) this.#hold()
  }

  /** Sends a request as soon as its turn comes. Throws if it is bad and can be sent now; fails it if it turns out bad later. */
  submit(exchange: Exchange, blocking = false): void {
    if (this.#checkDead()) {
      exchange.fail(this, this.options.deathError(undefined))
      return
    }
    const { count } = this.frames
    if (count > DEEP) assertStack(count)
    if (blocking) this.assertMayBlock(exchange.label)
    const frame = this.frames.current
    if (frame) frame.submit(exchange)
    else if (this.#waiting.length > 0 || !exchange.attempt(this, this.#ring)) {
      exchange.keep?.()
      this.#waiting.push(exchange)
    } else this.#sent(exchange)
    // a thread that blocks needs nothing to keep Node alive
    if (!this.#held && !blocking) this.#hold()
  }

  /** Sends a request and blocks this thread until it is settled. */
  submitSync(exchange: Exchange): void {
    this.submit(exchange, true)
    this.waitFor(() => exchange.settled)
  }

  /**
   * Before `what` blocks this thread. It throws ZugbrueckeError where that would wait for ever, which is while the DLL waits in an
   * `async` callback that needs this thread to go on.
   */
  assertMayBlock(what: string): void {
    const { frames } = this
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
    const { i32 } = this.shared
    const tail = Atomics.load(i32, Shared.tail)
    const answered = () => ((tail - Atomics.load(i32, Shared.completed)) | 0) <= 0
    if (this.load === 0 && answered()) return true
    let left = PATIENCE / GLANCE
    const limit = new TimeLimit(this.limits, GLANCE, () => (--left > 0 ? GLANCE : undefined))
    // this call gives up, and not the callback
    this.#patience ??= limit
    this.waitFor(() => left <= 0 || (this.load === 0 && answered()))
    limit.end()
    return left > 0
  }

  /**
   * While this thread blocks, `async` callbacks that other threads of the DLL wait in do not go on. What it blocks for may in turn
   * wait for them, which nobody can see from outside: after a while they fail.
   */
  watchHeldUp(): void {
    const { frames, limits } = this
    if (this.#patience || !frames.unfinished) return
    this.#patience = new TimeLimit(limits, PATIENCE, () => {
      this.#patience = undefined
      frames.failHeldUp(this.#blockedOn)
      return undefined
    })
  }

  #endPatience(): void {
    this.#patience?.end()
    this.#patience = undefined
  }

  /** Sends what a request at the head of its queue needs before it can be sent itself. False: not now. */
  sendFirst(exchange: Exchange, port: Port): boolean {
    if (port instanceof Frame) return port.sendFirst(exchange)
    if (!exchange.attempt(this, this.#ring)) return false
    this.#sent(exchange)
    return true
  }

  /** Takes back a request that still waits for its turn, which fails; false if it is under way (or settled). */
  withdraw(exchange: Exchange, error: Error): boolean {
    const at = this.#waiting.indexOf(exchange)
    if (at < 0) return false
    this.#waiting.splice(at, 1)
    exchange.settled = true
    exchange.fail(this, error)
    this.#hold()
    return true
  }

  /** Blocks until `done`, or until the session is dead, doing what comes meanwhile. */
  waitFor(done: () => boolean): void {
    const { i32 } = this.shared
    const word = Shared.wake + this.thread
    const outer = this.#carriesBlocked
    const pump = this.callerPump
    this.#carriesBlocked = pump !== undefined
    this.#blocked++
    this.#blockedOn.push(this.frames.current?.strand ?? 0)
    if (this.frames.count > 0) this.watchHeldUp()
    try {
      for (;;) {
        const seen = Atomics.load(i32, word)
        this.#work()
        if (done() || this.#checkDead()) return
        if (this.#carriesBlocked) {
          this.#unrung = 0
          if (pump?.carryBlocking()) continue
          this.#carriesBlocked = false
          this.wakeWorker()
        }
        let slice = SLICE
        for (const limit of this.limits) {
          limit.check()
          slice = Math.min(slice, limit.at - performance.now())
        }
        // what has just passed may have ended all
        if (slice > 0 && !done()) this.sleep(word, seen, slice)
      }
    } finally {
      this.#blockedOn.pop()
      if (--this.#blocked === 0) this.#endPatience()
      this.#carriesBlocked = outer
      if (pump?.carrying) pump.goOn()
    }
  }

  /** Blocks until there may be something to do. The worker's lane does the channel's work instead. */
  protected sleep(word: number, seen: number, milliseconds: number): void {
    const woken = Atomics.wait(this.shared.i32, word, seen, milliseconds) !== 'timed-out'
    if (woken) this.#alone = 0
    // the thread that would tell of the process's end may have ended itself; if it lives, it is given time to say more
    else if (milliseconds === SLICE && !this.options.hostLives() && ++this.#alone > 1)
      this.shared.end(EndReason.crashed, -1, new Uint8Array())
  }

  /** Does all that can be done now: replies, callbacks, and what waited for them. May be entered again from what it runs. */
  service(): void {
    this.#work()
    this.#hold()
  }

  #work(): void {
    const { context } = this.frames
    // whatever flow this is run from: what is settled here is not of it
    const before = context.enter(null)
    try {
      this.#serve()
    } finally {
      context.enter(before)
    }
  }

  #serve(): void {
    this.#complete()
    this.frames.service()
    if (!this.#pumping) {
      this.#pumping = true
      try {
        this.#pump()
      } finally {
        this.#pumping = false
      }
    }
    this.#flush()
  }

  /** Writes bytes to the segment's arena at once; no other thread has business there. */
  writeArena(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.segment.file, bytes, done, bytes.length - done, at + done)
  }

  /** Wakes the worker, wherever it sleeps. */
  wakeWorker(): void {
    const { i32 } = this.shared
    Atomics.add(i32, Shared.workerWake, 1)
    const state = Atomics.load(i32, Shared.workerState)
    if (state === WorkerState.blocked) {
      if (this.shared.life() !== Life.dead) ring(this.segment.nodeDoorbell)
    } else if (state !== WorkerState.running) Atomics.notify(i32, Shared.workerWake)
  }

  /** Ends the worker's blocking read, whatever it waits for. */
  ringWorker(): void {
    ringIfThere(this.segment.nodeDoorbell)
  }

  /** From now on this thread looks after its replies whenever its event loop runs. */
  arm(): void {
    if (this.#armed) return
    this.#armed = true
    const { i32 } = this.shared
    const word = Shared.wake + this.thread
    const turn = (): void => {
      for (;;) {
        const seen = Atomics.load(i32, word)
        this.service()
        if (this.#checkDead()) return
        const wait = Atomics.waitAsync(i32, word, seen)
        if (!wait.async) continue
        wait.value.then(turn)
        return
      }
    }
    turn()
  }

  /** The call of this thread that the callback of a frame happened in; undefined if a DLL's own thread, or another of ours, made it. */
  around(frame: Frame): Exchange | undefined {
    const outer = this.frames.outside(frame)
    if (outer) return outer.running
    if (frame.strand !== 0) return undefined
    const word = new Uint32Array(1)
    readSync(this.segment.file, word, 0, 4, Word.running)
    return this.#pending.find((_, i) => i >= this.#pendingHead && this.#numbers[i] === word[0])
  }

  /** One doorbell for all that is asked for in one go: waking costs more than a call. */
  protected announce(): void {
    if (++this.#unrung >= TOGETHER) this.#flush()
    else if (!this.#flushing) {
      this.#flushing = true
      queueMicrotask(this.#flushSoon)
    }
  }

  /** Has carried what has been published since. */
  #flush(): void {
    if (this.#unrung === 0) return
    // who blocks and carries looks for itself in a moment
    if (this.#carriesBlocked) return
    this.#unrung = 0
    if (this.blocking || !this.callerPump?.carry(this.#flushing)) this.wakeWorker()
  }

  #sent(exchange: Exchange): void {
    this.#pending.push(exchange)
    this.#numbers.push(this.#ring.claimed)
    this.announce()
  }

  /** Settles replies in order. */
  #complete(): void {
    const { i32 } = this.shared
    while (this.#pendingHead < this.#pending.length) {
      const exchange = this.#pending[this.#pendingHead]
      const index = (this.#numbers[this.#pendingHead] - 1) & (SLOTS - 1)
      if (Atomics.load(i32, Shared.slotState + index) !== SlotState.replied) break
      this.#pendingHead++
      exchange.settle(this, REPLY_OFFSET + index * REPLY_SIZE + 8, 0)
      Atomics.store(i32, Shared.slotState + index, SlotState.free)
    }
    if (this.#pendingHead === 1 && this.#pending.length === 1) {
      // by far the most frequent, and `splice` makes an array of what it takes
      this.#pending.pop()
      this.#numbers.pop()
      this.#pendingHead = 0
    } else if (this.#pendingHead === this.#pending.length || this.#pendingHead > 4096) {
      this.#pending.splice(0, this.#pendingHead)
      this.#numbers.splice(0, this.#pendingHead)
      this.#pendingHead = 0
    }
  }

  /** Sends what waits, in order, as far as there is room. */
  #pump(): void {
    if (this.#waiting.length === 0) return
    let sent = 0
    while (sent < this.#waiting.length) {
      const exchange = this.#waiting[sent]
      try {
        if (!exchange.attempt(this, this.#ring)) break
        this.#sent(exchange)
      } catch (error) {
        exchange.fail(this, error as Error)
        exchange.settled = true
      }
      sent++
    }
    if (sent > 0) this.#waiting.splice(0, sent)
  }

  /** Keeps Node alive exactly while something of this thread's is under way. */
  #hold(): void {
    const busy = this.load > 0 || this.frames.count > 0
    if (busy === this.#held) return
    this.#held = busy
    if (busy) {
      if (this.#keepAlive) this.#keepAlive.ref()
      else this.#keepAlive = setInterval(() => this.#lookAfter(), SLICE)
    } else this.#keepAlive?.unref()
  }

  /** Now and then, for nobody waits for ever, whatever has gone wrong. */
  #lookAfter(): void {
    if (this.callerPump?.carrying) this.callerPump.heard()
    this.service()
  }

  /** True once the session is dead; the first time, all that waits or is under way fails. */
  #checkDead(): boolean {
    if (this.#dead) return true
    if (this.shared.life() !== Life.dead) return false
    for (const number of this.#numbers.slice(this.#pendingHead))
      if (!takeLastReply(this.shared, this.segment, number)) break
    this.#complete()
    this.#dead = true
    if (this.#keepAlive) clearInterval(this.#keepAlive)
    const under = [...this.frames.take(), ...this.#pending.splice(this.#pendingHead), ...this.#waiting.splice(0)]
    this.#pending.length = 0
    this.#numbers.length = 0
    this.#pendingHead = 0
    this.lent.clear()
    this.callerPump?.close()
    this.options.onDeath()
    let first = true
    for (const exchange of under) {
      const error = this.options.deathError(first ? exchange : undefined)
      first = false
      exchange.fail(this, error)
      exchange.settled = true
    }
    return true
  }
}
