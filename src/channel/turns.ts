/**
 * Turns of the sessions of a program. To look for a reply pays while both sides of a session have a core; where more sessions
 * are at work than there are pairs of cores, all that look take time from those who have something to do. So they take turns:
 * one exchanges calls at full speed, the others sleep. It is about speed alone: nobody depends on having a turn.
 */
import { age, now } from './clock.js'
import { Crowd, PAIRS, TURNS } from './crowd.js'
import { QUEUE_SIZE, TurnQueue } from './turn-queue.js'

/**
 * In microseconds. A routine that takes longer than it takes to wake two sides gains nothing by a turn, and leaves a core unused
 * meanwhile: after so many calls in a row the session does without.
 */
const SLOW = 60
const SLOW_CALLS = 16
/** Every so many calls a session without turns tries again. */
const PROBE = 8
/** How long hosts may look where many are at work: longer than there is between two calls of a job, or about as long as between awaited ones. */
const JOB_LOOKS = 15
const OTHER_LOOKS = 40

/** One session's part in it; used by its worker alone. */
export class Turn {
  readonly #crowd: Crowd
  readonly #queues: readonly TurnQueue[]
  /** The one whose turn it has, had last, or waits for. */
  #queue: TurnQueue
  /** When its request under way was sent; 0 for none. */
  #sent = 0
  #slowCalls = 0
  #skipped = 0
  /** Whether the host may be asked to keep off the worker's core, and when that was found out. */
  #apart = false
  #evaluation = 0

  constructor(
    turns: SharedArrayBuffer,
    /** Number of the session among the program's, from 1. */
    me: number,
    /** Tells the host how long it may look (0: as long as it pays), and whether it has to keep off the worker's core. */
    private readonly limitHost: (microseconds: number, apart: boolean) => void,
    /** Whether the host may change its core. */
    private readonly mayMove: () => boolean,
  ) {
    const i32 = new Int32Array(turns)
    this.#crowd = new Crowd(turns, me)
    this.#queues = Array.from({ length: PAIRS }, (_, pair) => new TurnQueue(i32, TURNS + pair * QUEUE_SIZE, me))
    this.#queue = this.#queues[me % PAIRS]
  }

  /**
   * Called before a session whose host has nothing to do sends a request: waits for its turn, if others are at work and the
   * request is a job's. One that came from another thread has been waited for already, and what follows it is not at hand.
   */
  take(ofJob: boolean): void {
    this.#sent = 0
    const crowd = this.#crowd
    if (!crowd.possible) return this.limitHost(0, false)
    const time = now()
    if (!crowd.isCrowded(time)) return this.limitHost(0, false)
    if (crowd.evaluations !== this.#evaluation) {
      this.#evaluation = crowd.evaluations
      this.#apart = this.mayMove()
    }
    this.limitHost(ofJob ? JOB_LOOKS : OTHER_LOOKS, ofJob && this.#apart)
    if (!ofJob) return
    if (this.#slowCalls >= SLOW_CALLS && ++this.#skipped % PROBE !== 0) return
    this.#sent = (this.#take(time) ? time : now()) || 1
  }

  /** Are so many at work that looking for a reply takes time from others? As of the last request. */
  get crowded(): boolean {
    return this.#crowd.crowded
  }

  /** Called when the last reply has come. */
  answered(): void {
    if (this.#sent === 0) return
    if (age(this.#sent) <= SLOW) this.#slowCalls = 0
    else this.#slowCalls++
  }

  /** Called when nothing is under way, and nothing to be sent. */
  leave(): void {
    this.#queue.leave()
  }

  /** True if that took no time. */
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
