/** How many sessions of a program are at work, as each of them tells the others in memory that they share. */
import { availableParallelism } from 'node:os'
import { now, passed } from './clock.js'
import { mayMove } from './process.js'
import { QUEUE_SIZE } from './turn-queue.js'

/** A session is at work if it has sent something lately, which it may not while it waits for its turn; how often it says so. In microseconds. */
const LATELY = 100_000
const OFTEN = 5000
/** How often to ask the system whether a host may change its core, in microseconds. */
const SELDOM = 1_000_000

/** Sessions that can be at work without taking time from each other: each has two sides. */
export const PAIRS = Math.max(1, availableParallelism() >> 1)
/** Sessions that are told apart. */
const MARKS = 64

/** Words of the shared memory: sessions that live, when each was last at work, and what turns.ts keeps for each pair of cores. */
const SESSIONS = 0
const MARK = 1
export const TURNS = MARK + MARKS

/** The memory that the sessions of a thread share. */
export function createTurns(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (TURNS + PAIRS * QUEUE_SIZE))
}

/** A session has started (1) or ended (-1). */
export function countSession(turns: SharedArrayBuffer, change: 1 | -1): void {
  Atomics.add(new Int32Array(turns), SESSIONS, change)
}

/** One session's view of it, for one thread. */
export class Crowd {
  readonly #i32: Int32Array
  readonly #mark: number
  #marked = now() - OFTEN
  #asked = now() - SELDOM
  #mayMove = false
  /** What `isCrowded` said last. */
  crowded = false

  constructor(
    turns: SharedArrayBuffer,
    /** Number of the session among the program's, from 1. */
    session: number,
    /** The number of its Windows process, as Linux has it. */
    private readonly pid: () => number,
  ) {
    this.#i32 = new Int32Array(turns)
    this.#mark = MARK + (session % MARKS)
  }

  /** May it be crowded? If not, that is cheaper to find than the time. */
  get possible(): boolean {
    return this.crowded || Atomics.load(this.#i32, SESSIONS) > PAIRS
  }

  /** Called when a request is sent, now: are more sessions at work than there are pairs of cores? */
  isCrowded(time: number): boolean {
    const i32 = this.#i32
    const living = Atomics.load(i32, SESSIONS)
    if (passed(this.#marked, time) < OFTEN) return this.crowded
    this.#marked = time
    Atomics.store(i32, this.#mark, time || 1)
    let busy = 0
    for (let at = MARK; at < TURNS; at++) {
      const mark = Atomics.load(i32, at)
      if (mark !== 0 && passed(mark, time) < LATELY) busy++
    }
    this.crowded = Math.min(busy, living) > PAIRS
    return this.crowded
  }

  /** Is the host to keep off the core of whoever hands it requests? */
  get apart(): boolean {
    if (!this.crowded) return false
    if (passed(this.#asked, this.#marked) >= SELDOM) {
      this.#asked = this.#marked
      this.#mayMove = mayMove(this.pid())
    }
    return this.#mayMove
  }
}
