/**
 * The worker's side of the channel: carries requests from shared memory into the segment and replies back, waits for the host,
 * and relays callbacks to the threads they belong to. Only the worker's thread runs it.
 *
 * Waiting: a few dozen looks at the segment (each a read of about 1 µs), then the worker says that it sleeps, looks once more,
 * and blocks on its doorbell, which the host rings, and any thread of the program that has something for the worker.
 */
import { readSync, writeSync } from 'node:fs'
import { Kind, MESSAGE, Return, STRAND_OFFSET, STRAND_SIZE, STRAND_TO_HOST, STRANDS, Word } from '../codec/layout.js'
import { Carrier, NodeSleeps } from './carrier.js'
import { Departed, HEIR, isNobody, WORKER_THREAD } from './membership.js'
import { ring, type SegmentDescriptors } from './segment.js'
import { Life, Shared, type SharedState, WorkerState } from './shared.js'
import { Turn } from './turns.js'

/** Looks before the worker blocks, at the most: more would starve the host on two cores. Fewer where they have not paid lately. */
const LOOKS = 40
const FEWEST_LOOKS = 8
/** With several replies under way every look reads the heads; with one it reads its reply slot, and the heads only now and then. */
const HEADS_EVERY = 4
/** So many replies are told of even if more follow at once. */
const TOGETHER = 256
/** How long a worker without work waits for more before it goes back to its event loop, in milliseconds: that and back takes long. */
const LINGER = 5
/** The same where a DLL's own threads may call back: while the worker waits it does not hear them. */
const LINGER_HEARING = 1
/** `Word.hostState` of a host that will not answer any more, and how long it is left alone then, in milliseconds. */
const HOST_LEAVES = 2
const HOST_LEAVES_FOR = 20

export class Pump {
  readonly #carrier: Carrier
  readonly #posts = new Uint32Array(STRANDS)
  readonly #answers = new Int32Array(STRANDS)
  /** For each strand, the threads whose callbacks are open there, the latest last. */
  readonly #open: number[][] = Array.from({ length: STRANDS }, () => [])
  readonly #departed: Departed
  readonly #bells = new Uint8Array(64)
  #looks = 0
  #budget = LOOKS
  #answersSeen = 0
  /** `Shared.workerWake` when it was last known that there is nothing to do. */
  #seen = 0
  /** It has just blocked: what it finds now was not found by looking. */
  #woken = false
  /** The worker itself waits for a reply: a job runs. */
  carriesJob = false
  readonly #turn: Turn

  constructor(
    private readonly shared: SharedState,
    private readonly segment: SegmentDescriptors,
    turns: SharedArrayBuffer,
    number: number,
  ) {
    this.#carrier = new Carrier(shared, segment, WORKER_THREAD)
    this.#turn = new Turn(
      turns,
      number,
      () => shared.pid,
      (microseconds, apart) => this.#carrier.limitHost(microseconds, apart),
    )
    this.#departed = new Departed(shared)
  }

  /** Requests that the host has and has not answered. */
  get outstanding(): number {
    return this.#carrier.outstanding
  }

  /** Works until there is nothing under way, then a little longer; `service` runs after each step (the worker's own lane). */
  run(service: () => void): void {
    do {
      if (!this.enter()) break
      try {
        this.#work(service)
      } finally {
        this.leave()
      }
    } while (this.#linger(service))
    Atomics.store(this.shared.i32, Shared.workerState, WorkerState.idle)
  }

  /** Before anything else is asked of it the worker has to enter: another thread may carry now. False if the session is dead. */
  enter(): boolean {
    return this.#carrier.enter()
  }
  leave(): void {
    this.#carrier.leave()
  }

  #work(service: () => void): void {
    const { i32 } = this.shared
    do {
      Atomics.store(i32, Shared.workerState, WorkerState.running)
      this.#carrier.tellSleep(NodeSleeps.no)
      do {
        this.step()
        service()
      } while (this.outstanding > 0 && this.shared.life() !== Life.dead)
      this.#turn.leave()
      this.#seen = Atomics.load(i32, Shared.workerWake)
      Atomics.store(i32, Shared.workerState, WorkerState.lingering)
    } while (this.hasWork())
  }

  /** Waits a little for more, while the caller may carry; true if there is something to do. */
  #linger(service: () => void): boolean {
    const { i32 } = this.shared
    if (this.shared.life() === Life.dead) return false
    const mayCallBack = Atomics.load(i32, Shared.mayCallBack) !== 0
    const patience = mayCallBack ? LINGER_HEARING : LINGER
    const free = () => Atomics.load(i32, Shared.jobs) === 0
    const woken = free() && Atomics.wait(i32, Shared.workerWake, this.#seen, patience) !== 'timed-out'
    const goesOn = woken && free()
    if (goesOn || !mayCallBack) return goesOn
    // a thread of a DLL may speak unasked: from now on it rings, and what it said before is seen here
    if (!this.enter()) return false
    try {
      this.#carrier.tellSleep(NodeSleeps.idle)
      if (!this.#take(true)) return false
      service()
      return true
    } finally {
      this.leave()
    }
  }

  /** One look in all directions; blocks when a while of looking has brought nothing. */
  step(): void {
    const { i32 } = this.shared
    if (this.#move()) {
      if (this.#woken) this.#woken = false
      else this.#budget = Math.min(LOOKS, this.#budget + 2)
      this.#looks = 0
      return
    }
    if (this.#carrier.untold > 0) this.#carrier.tell()
    if (this.outstanding === 0 || ++this.#looks < this.#budget) return
    this.#looks = 0
    // looking did not pay: a slow routine, or more sessions than cores, where looking keeps the host from its work
    this.#budget = Math.max(FEWEST_LOOKS, this.#budget >> 1)
    this.#carrier.readHeads()
    this.#carrier.ringHost()
    this.#carrier.tellSleep(NodeSleeps.blocked)
    Atomics.store(i32, Shared.workerState, WorkerState.blocked)
    // a last look, now that everyone knows: whoever comes later rings
    if (!this.hasWork() && !this.#take(true) && this.shared.life() !== Life.dead) this.#block()
    this.#woken = true
    Atomics.store(i32, Shared.workerState, WorkerState.running)
    this.#carrier.tellSleep(NodeSleeps.no)
  }

  /** Nothing interrupts the read but a bell, not even the end of this thread: the supervisor rings now and then (PATROL). */
  #block(): void {
    const { i32 } = this.shared
    if (this.#carrier.head(Word.hostState) !== HOST_LEAVES) readSync(this.segment.nodeDoorbell, this.#bells)
    else Atomics.wait(i32, Shared.workerWake, Atomics.load(i32, Shared.workerWake), HOST_LEAVES_FOR)
  }

  /** Is there anything in shared memory that the host has not got? */
  hasWork(): boolean {
    const { i32 } = this.shared
    return this.#carrier.hasRequests || Atomics.load(i32, Shared.answers) !== this.#answersSeen
  }

  #move(): boolean {
    const forwarded = this.#forward()
    const answered = this.#answer()
    const taken = this.#take((this.#looks & (HEADS_EVERY - 1)) === HEADS_EVERY - 1)
    return forwarded || answered || taken
  }

  #forward(): boolean {
    const { ready } = this.#carrier
    if (ready === 0) return false
    if (this.outstanding === 0) this.#turn.take(this.carriesJob)
    this.#carrier.forward(ready)
    return true
  }

  /** What threads answered to callbacks, and what has to be answered for threads that have ended. */
  #answer(): boolean {
    const { i32 } = this.shared
    const answers = Atomics.load(i32, Shared.answers)
    if (answers === this.#answersSeen) return false
    this.#answersSeen = answers
    let any = false
    for (let s = 0; s < STRANDS; s++) {
      const number = Atomics.load(i32, Shared.strandAnswered + s)
      if (number === this.#answers[s]) continue
      this.#post(s, number)
      any = true
    }
    this.#departed.look()
    if (this.#departed.any) {
      for (let s = 0; s < STRANDS; s++) if (this.#answerForNobody(s)) any = true
      this.#release()
    }
    return any
  }

  /** A strand's message to the host, which lies in shared memory, then its number. */
  #post(s: number, number: number): void {
    const { u8, u32 } = this.shared
    this.#answers[s] = number
    const at = STRAND_OFFSET + s * STRAND_SIZE + STRAND_TO_HOST
    if (u8[at + 8] === Kind.return) this.#open[s].pop()
    const size = u8[at + 10] === 0 ? MESSAGE + u32[at / 4 + 1] : STRAND_SIZE - STRAND_TO_HOST
    writeSync(this.segment.file, u8, at, size, at)
    this.#carrier.put(Word.nodePosts + 4 * s, number)
    this.#carrier.readHeads()
    if (this.#carrier.head(Word.strandSleeps + 4 * s) !== 0) ring(this.segment.hostDoorbells[s])
  }

  /** The host waits on a strand for a thread that has ended: a callback goes to the heir, and one that had begun returns zero. */
  #answerForNobody(s: number): boolean {
    const { shared } = this
    const open = this.#open[s]
    const thread = open.at(-1)
    // host and Node post in turns: as many answers as questions, and it does not wait
    if (thread === undefined || this.#posts[s] === this.#answers[s] >>> 0 || !isNobody(shared, thread)) return false
    const mailbox = STRAND_OFFSET + s * STRAND_SIZE
    if (shared.u8[mailbox + 8] === Kind.callback) {
      open[open.length - 1] = HEIR
      this.#relay(s, HEIR)
      return true
    }
    const at = mailbox + STRAND_TO_HOST
    const number = (this.#answers[s] + 1) | 0
    shared.encoder.answer(at + MESSAGE, 0, 0)
    shared.encoder.header(at, number, Return.size, Kind.return | (thread << 8), 0)
    Atomics.store(shared.i32, Shared.strandAnswered + s, number)
    this.#post(s, number)
    return true
  }

  #release(): void {
    this.#departed.release(this.#carrier.completed, thread => this.#open.some(threads => threads.includes(thread)))
  }

  /** Replies and callbacks from the segment. */
  #take(heads: boolean): boolean {
    const carrier = this.#carrier
    const { outstanding } = carrier
    if (outstanding === 1 && !heads) return carrier.takeNext() && this.#taken()
    if (outstanding === 0 && Atomics.load(this.shared.i32, Shared.mayCallBack) === 0) return false
    carrier.readHeads()
    const replied = carrier.takeReplied() && this.#taken()
    const posted = this.#takePosts()
    if (!replied && !posted && outstanding > 0) carrier.ringHost()
    return replied || posted
  }

  /** Replies have been handed to their threads. */
  #taken(): true {
    const { outstanding, untold } = this.#carrier
    if (this.#departed.any) this.#release()
    if (outstanding === 0 || untold >= TOGETHER) this.#carrier.tell()
    return true
  }

  #takePosts(): boolean {
    const { u8, u32, view } = this.shared
    let any = false
    for (let s = 0; s < STRANDS; s++) {
      const number = this.#carrier.head(Word.strandPosts + 4 * s)
      if (number === this.#posts[s]) continue
      const at = STRAND_OFFSET + s * STRAND_SIZE
      readSync(this.segment.file, u8, at, STRAND_TO_HOST, at)
      if (u32[at / 4] !== number) continue
      this.#posts[s] = number
      any = true
      const open = this.#open[s]
      // the number of a callback tells whose it is; anything else is for the latest that is open
      if (u8[at + 8] === Kind.callback) open.push(view.getUint32(at + MESSAGE + 20, true) >>> 24)
      const thread = open.at(-1)
      if (thread === undefined || this.#answerForNobody(s)) continue
      this.#relay(s, thread)
    }
    return any
  }

  /** Tells a thread what the host has posted on a strand. */
  #relay(s: number, thread: number): void {
    const { i32 } = this.shared
    Atomics.store(i32, Shared.strandThread + s, thread + 1)
    Atomics.store(i32, Shared.strandRelayed + s, this.#posts[s] | 0)
    Atomics.add(i32, Shared.relays, 1)
    this.shared.wake(thread)
  }
}
