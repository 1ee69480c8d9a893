/**
 * Turns of the sessions of a program. To look for a reply pays while both sides of a session have a core; where more sessions are
 * at work than there are pairs of cores, all that look take time from those who have something to do. So those that block take
 * turns: one exchanges calls at full speed, the others sleep. It is about speed alone: nobody depends on having a turn.
 */
import { Apart, ControlWord } from '../codec/layout.js'
import { now, passed } from './clock.js'
import type { Mapping } from './mapping.js'
import { CORES } from './patience.js'
import { mayMove } from './process.js'
import { type SharedState, SharedWord } from './shared.js'
import { QUEUE_SIZE, TurnQueue } from './turn-queue.js'

/**
 * In microseconds. A session counts as at work for LATELY after its last mark: it may send nothing while it waits for
 * its turn. It marks itself every OFTEN.
 */
const LATELY = 100_000
const OFTEN = 5000
/** How often at most to ask the system whether a host may change its core, in microseconds. */
const SELDOM = 2000
/**
 * Calls that follow each other less closely than it takes to wake two sides (microseconds) gain nothing by a turn, and leave a core
 * unused meanwhile, whether the routine is slow or what the program does between: after so many in a row a session does without.
 */
const SLOW = 60
const SLOW_CALLS = 16
/** A session that does without turns tries one again every so many calls. */
const PROBE = 8
/**
 * Reading the clock takes a tenth of the time of a quick call: it is read every STRIDE calls at least, and about every
 * STRIDE_TIME microseconds.
 */
const STRIDE = 128
const STRIDE_TIME = 100
/**
 * How long a host may look for requests where many sessions are at work, in microseconds: for a thread that blocks,
 * longer than the time between two of its calls; for one that awaits, less.
 */
const HOST_LOOKS = 40
const HOST_LOOKS_AWAITED = 8

/** Sessions that can be at work without taking time from each other: each has two sides. */
const PAIRS = Math.max(1, Math.floor(CORES / 2))
/** Sessions that are told apart: numbers beyond that share a word. */
const MARKS = 64
/** Words: sessions that live, when each was last at work, and a queue for each pair of cores. */
const SESSIONS = 0
const MARK = 1
const QUEUES = MARK + MARKS

/** The memory that the sessions of a thread share. */
export function createTurns(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (QUEUES + PAIRS * QUEUE_SIZE))
}

/** A session has started (1) or ended (-1). */
export function countSession(turns: SharedArrayBuffer, change: 1 | -1): void {
  Atomics.add(new Int32Array(turns), SESSIONS, change)
}

/** The part of one session in the turns, for one thread. */
export class Turn {
  readonly #i32: Int32Array
  readonly #mark: number
  readonly #queues: readonly TurnQueue[]
  /** The queue of which this session has, had last, or awaits a turn. */
  #queue: TurnQueue
  #crowded = false
  #marked = now() - OFTEN
  #looked = now() - SELDOM
  #slowCalls = 0
  #skipped = 0
  /** When the clock was last read for a request in a turn of this session; 0: the last request was in none. */
  #timed = 0
  /** Calls from one reading of the clock to the next, and how many of them are left. */
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
   * Called before a thread with nothing under way sends a request. One that is going to block waits for its turn, if
   * other sessions are at work.
   */
  take(blocks: boolean): void {
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
      this.#timed = (this.#take(time) ? time : now()) || 1
  }

  /**
   * Called when a reply has not come within a look, or not before this thread yielded its core. If the host has noticed that it shares this thread's core, and
   * asks to leave it, that is allowed here; but not if it may use no other core, for it may have been pinned just now.
   */
  late(): void {
    const { i32 } = this.mapping
    if (Atomics.load(i32, ControlWord.apart / 4) !== Apart.asked) return
    const time = now()
    if (passed(this.#looked, time) < SELDOM) return
    this.#looked = time
    if (mayMove(this.state.pid)) Atomics.compareExchange(i32, ControlWord.apart / 4, Apart.asked, Apart.allowed)
  }

  /** Called when nothing is under way, and nothing to be sent. */
  leave(): void {
    this.#queue.leave()
  }

  /** Are more sessions at work than there are pairs of cores? */
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

  /** Counts calls in a row that do not follow each other closely. */
  #measure(time: number): void {
    const timed = this.#timed
    const calls = this.#stride - this.#untimed + 1
    this.#timed = this.#stride = this.#untimed = 0
    if (timed === 0) return
    const each = passed(timed, time) / calls
    this.#slowCalls = each <= SLOW ? 0 : this.#slowCalls + 1
    if (each <= SLOW) this.#stride = this.#untimed = Math.min(STRIDE, Math.trunc(STRIDE_TIME / each))
  }

  /** Takes a turn; true if it did not have to wait. */
  #take(time: number): boolean {
    if (this.#queue.isMine) {
      if (this.#queue.use(time)) return true
      this.#queue.leave()
    } else {
      const free = this.#queues.find(queue => queue.tryTake())
      if (free) {
        this.#queue = free
        return true
      }
    }
    this.#queue.take()
    return false
  }
}
