/**
 * Turns of the sessions of a program. Looking for a reply is faster than sleeping while both sides of a session have a
 * core. Where more sessions are at work than there are pairs of cores, threads that look slow down those that compute.
 * So sessions whose threads block take turns: one for each pair of cores exchanges calls at full speed, the others
 * sleep. Turns are only about speed: a session works without one, too.
 */
import { Apart, ControlWord } from '../codec/layout.js'
import { now, passed } from './clock.js'
import type { Mapping } from './mapping.js'
import { CORES } from './patience.js'
import { mayChangeCore } from './process.js'
import { type SharedState, SharedWord } from './shared.js'
import { QUEUE_SIZE, TurnQueue } from './turn-queue.js'

/**
 * Microseconds for which a session counts as at work after it has marked itself: long, for it sends nothing while it
 * waits for its turn.
 */
const LATELY = 100_000
/** Microseconds after which a session that sends requests marks itself again. */
const OFTEN = 5000
/** Microseconds between two questions to the system whether a host may change its core. */
const SELDOM = 2000
/**
 * Microseconds from call to call, about as long as it takes to wake two sides. Where calls follow each other more
 * slowly, because of the routine or of the program, a turn gains nothing and leaves a core unused.
 */
const SLOW = 60
/** After so many slow calls in a row a session goes without turns. */
const SLOW_CALLS = 16
/** A session that goes without turns tries one again every so many calls. */
const PROBE = 8
/**
 * Reading the clock takes a tenth of the time of a quick call. So it is read about every STRIDE_TIME microseconds, and
 * after STRIDE calls at the latest.
 */
const STRIDE = 128
const STRIDE_TIME = 100
/**
 * Microseconds that a host may look for requests where many sessions are at work. For a thread that blocks: longer than
 * the time between two of its calls.
 */
const HOST_LOOKS = 40
/** The same for a thread that awaits its calls. */
const HOST_LOOKS_AWAITED = 8

/** How many sessions can be at work without slowing each other down: each has two sides. */
const PAIRS = Math.max(1, Math.floor(CORES / 2))
/** Words for marks. Where there are more sessions, some share a word. */
const MARKS = 64
/** Indices of words: how many sessions live, when each was last at work, and a queue for each pair of cores. */
const SESSIONS = 0
const MARK = 1
const QUEUES = MARK + MARKS

/** The memory of the turns, which all sessions that a thread starts share. */
export function createTurns(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (QUEUES + PAIRS * QUEUE_SIZE))
}

/** To be called when a session has started (1) or ended (-1). */
export function countSession(turns: SharedArrayBuffer, change: 1 | -1): void {
  Atomics.add(new Int32Array(turns), SESSIONS, change)
}

/** One session's part in the turns, for one of its threads. */
export class Turn {
  readonly #i32: Int32Array
  readonly #mark: number
  readonly #queues: readonly TurnQueue[]
  /** The queue in which this session has a turn, waits for one, or had its last. */
  #queue: TurnQueue
  /** Whether more sessions were at work than there are pairs of cores when this session last marked itself. */
  #crowded = false
  /** When this session last marked itself. */
  #marked = now() - OFTEN
  /** When the system was last asked whether the host may change its core. */
  #looked = now() - SELDOM
  #slowCalls = 0
  /** Calls without a turn since calls became slow. */
  #skipped = 0
  /**
   * When the clock was last read for a request within a turn of this session; 0: the last request was not within one.
   */
  #timed = 0
  /** Calls from one reading of the clock to the next, and how many of them are still to come. */
  #stride = 0
  #untimed = 0

  constructor(
    turns: SharedArrayBuffer,
    /** Number of the session among the program's, from 1. */
    me: number,
    private readonly mapping: Mapping,
    private readonly state: SharedState,
  ) {
    this.#i32 = new Int32Array(turns)
    this.#mark = MARK + (me % MARKS)
    this.#queues = Array.from({ length: PAIRS }, (_, pair) => new TurnQueue(this.#i32, QUEUES + pair * QUEUE_SIZE, me))
    this.#queue = this.#queues[me % PAIRS]
  }

  /**
   * Called before a thread with nothing under way sends a request. Waits for a turn if the thread is going to block and
   * many sessions are at work.
   */
  enter(blocks: boolean): void {
    if (!this.#crowded && this.#i32[SESSIONS] <= PAIRS) return
    if (this.#untimed > 0 && (!blocks || this.#queue.isMine)) {
      this.#untimed--
      return
    }
    const time = now()
    if (!this.#isCrowded(time)) return this.#limitHost(0)
    if (!blocks) {
      this.#untimed = STRIDE
      return this.#limitHost(HOST_LOOKS_AWAITED)
    }
    this.#limitHost(HOST_LOOKS)
    this.#measure(time)
    if (this.#slowCalls < SLOW_CALLS || ++this.#skipped % PROBE === 0)
      this.#timed = (this.#enter(time) ? time : now()) || 1
  }

  /**
   * Called when a reply has not come within a look, or only after this thread yielded its core. If the host has noticed
   * that it shares a core with this thread, it asks to be moved to another one. That is allowed here, unless the host
   * may use no other core: the user may have pinned it since.
   */
  late(): void {
    const { i32 } = this.mapping
    if (Atomics.load(i32, ControlWord.apart / 4) !== Apart.asked) return
    const time = now()
    if (passed(this.#looked, time) < SELDOM) return
    this.#looked = time
    if (mayChangeCore(this.state.pid)) Atomics.compareExchange(i32, ControlWord.apart / 4, Apart.asked, Apart.allowed)
  }

  /** Called when nothing is under way and nothing waits to be sent. */
  leave(): void {
    this.#queue.leave()
  }

  /** Whether more sessions are at work than there are pairs of cores. */
  #isCrowded(time: number): boolean {
    const i32 = this.#i32
    const living = Atomics.load(i32, SESSIONS)
    if (passed(this.#marked, time) < OFTEN) return this.#crowded
    this.#marked = time
    Atomics.store(i32, this.#mark, time || 1)
    let busy = 0
    for (let at = MARK; at < QUEUES; at++) {
      const mark = Atomics.load(i32, at)
      if (mark !== 0 && passed(mark, time) < LATELY) busy++
    }
    this.#crowded = Math.min(busy, living) > PAIRS
    return this.#crowded
  }

  #limitHost(microseconds: number): void {
    if (Atomics.exchange(this.state.i32, SharedWord.lookLimit, microseconds) === microseconds) return
    Atomics.store(this.mapping.i32, ControlWord.lookLimit / 4, microseconds)
  }

  /** Counts slow calls in a row. */
  #measure(time: number): void {
    const timed = this.#timed
    const calls = this.#stride - this.#untimed + 1
    this.#timed = this.#stride = this.#untimed = 0
    if (timed === 0) return
    const each = passed(timed, time) / calls
    this.#slowCalls = each <= SLOW ? 0 : this.#slowCalls + 1
    if (each <= SLOW) this.#stride = this.#untimed = Math.min(STRIDE, Math.trunc(STRIDE_TIME / each))
  }

  /** Begins a turn, or goes on with the one that runs; true if this thread did not have to wait. */
  #enter(time: number): boolean {
    if (this.#queue.isMine) {
      if (this.#queue.use(time)) return true
      this.#queue.leave()
    } else {
      const free = this.#queues.find(queue => queue.tryEnter())
      if (free) {
        this.#queue = free
        return true
      }
    }
    this.#queue.enter()
    return false
  }
}
