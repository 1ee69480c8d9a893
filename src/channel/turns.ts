/**
 * Turns of the sessions of a program. To look for a reply pays while both sides of a session have a core; where more sessions
 * are at work than there are pairs of cores, all that look take time from those who have something to do. So they take turns:
 * one exchanges calls at full speed, the others sleep. It is about speed alone: nobody depends on having a turn.
 */
import { now, passed } from './clock.js'
import { Crowd, PAIRS, TURNS } from './crowd.js'
import { QUEUE_SIZE, TurnQueue } from './turn-queue.js'

/**
 * In microseconds. Calls that follow each other less closely than it takes to wake two sides gain nothing by a turn, and leave a
 * core unused meanwhile, whether the routine is slow or what the job does between: after so many in a row it does without.
 */
const SLOW = 60
const SLOW_CALLS = 16
/** Every so many calls a session without turns tries again. */
const PROBE = 8
/** The clock takes a tenth of the time of a quick call: it is looked at every so many calls at most, and about so often, in microseconds. */
const STRIDE = 32
const STRIDE_TIME = 100
/** How long hosts may look where many are at work: longer than there is between two calls. */
const HOST_LOOKS = 40

/** One session's part in it; used by its worker alone. */
export class Turn {
  readonly #crowd: Crowd
  readonly #queues: readonly TurnQueue[]
  /** The one whose turn it has, had last, or waits for. */
  #queue: TurnQueue
  #slowCalls = 0
  #skipped = 0
  /** When it last sent a request in a turn of its own and looked at the clock (0: the last one was not in a turn). */
  #timed = 0
  /** Calls until it looks again, and those of them to go. */
  #stride = 0
  #untimed = 0

  constructor(
    turns: SharedArrayBuffer,
    /** Number of the session among the program's, from 1. */
    me: number,
    pid: () => number,
    /** Tells the host how long it may look (0: as long as it pays), and whether it has to keep off the worker's core. */
    private readonly limitHost: (microseconds: number, apart: boolean) => void,
  ) {
    const i32 = new Int32Array(turns)
    this.#crowd = new Crowd(turns, me, pid)
    this.#queues = Array.from({ length: PAIRS }, (_, pair) => new TurnQueue(i32, TURNS + pair * QUEUE_SIZE, me))
    this.#queue = this.#queues[me % PAIRS]
  }

  /**
   * Called before a session whose host has nothing to do sends a request: waits for its turn, if others are at work and the
   * request is a job's. One that came from another thread has been waited for already, and what follows it is not at hand.
   */
  take(ofJob: boolean): void {
    if (this.#untimed > 0 && ofJob && this.#queue.isMine) {
      this.#untimed--
      return
    }
    const crowd = this.#crowd
    if (!crowd.possible) return this.limitHost(0, false)
    const time = now()
    if (!crowd.isCrowded(time)) return this.limitHost(0, false)
    this.limitHost(HOST_LOOKS, ofJob && crowd.apart)
    if (!ofJob) return
    this.#measure(time)
    if (this.#slowCalls < SLOW_CALLS || ++this.#skipped % PROBE === 0)
      this.#timed = (this.#take(time) ? time : now()) || 1
  }

  /** Called when nothing is under way, and nothing to be sent. */
  leave(): void {
    this.#queue.leave()
  }

  /** How closely calls follow each other. */
  #measure(time: number): void {
    const timed = this.#timed
    const calls = this.#stride - this.#untimed + 1
    this.#timed = this.#stride = this.#untimed = 0
    if (timed === 0) return
    const each = passed(timed, time) / calls
    this.#slowCalls = each <= SLOW ? 0 : this.#slowCalls + 1
    if (each <= SLOW) this.#stride = this.#untimed = Math.min(STRIDE, Math.trunc(STRIDE_TIME / each))
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
