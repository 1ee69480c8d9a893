/**
 * Turns of the sessions of a program. To look for a reply pays while both sides of a session have a core; where more sessions
 * are at work than there are pairs of cores, all that look take time from those who have something to do. So they take turns of
 * half a millisecond: one exchanges calls at full speed, the others sleep.
 *
 * It is about speed alone. A turn that has lasted its time may be taken by anyone, so nobody depends on its owner, and who
 * has waited long enough goes without.
 */
import { age, Crowd, LANE_SIZE, now, PAIRS, TURNS } from './crowd.js'

/** Times are in microseconds. How long a turn lasts while others wait: a hundred calls, so that waking two sides for it is little. */
const LENGTH = 500
/** How much longer it lasts once its owner sleeps: more than one call across sleeping sides takes, for such a call begins each turn. */
const GRACE = 120
/** A routine that takes longer gains nothing by a turn, and holds up others: after so many calls in a row the session does without. */
const SLOW = 200
const SLOW_CALLS = 4
/** Every so many calls a session without turns tries again. */
const PROBE = 8
/** Nobody waits longer than that. */
const PATIENCE = 20_000
/** How long hosts may look where many are at work: longer than there is between two calls of a job, or about as long as between awaited ones. */
const JOB_LOOKS = 15
const OTHER_LOOKS = 40

/** Words of a lane, which one session has at a time: the owner, since when, and who is next. */
const OWNER = 0
const SINCE = 1
const NEXT = 2

/** One session's part in it; used by its worker alone. */
export class Turn {
  readonly #i32: Int32Array
  readonly #crowd: Crowd
  /** The lane that it has, had last, or waits for. */
  #lane: number
  /** When its turn began, and when its request under way was sent; 0 for none. */
  #began = 0
  #sent = 0
  #slowCalls = 0
  #skipped = 0

  constructor(
    turns: SharedArrayBuffer,
    /** Number of the session among the program's, from 1. */
    private readonly me: number,
    /** Tells the host how long it may look; 0: as long as it pays. */
    private readonly limitHost: (microseconds: number) => void,
  ) {
    this.#i32 = new Int32Array(turns)
    this.#crowd = new Crowd(turns, me)
    this.#lane = TURNS + (me % PAIRS) * LANE_SIZE
  }

  /**
   * Called before a session whose host has nothing to do sends a request: waits for its turn, if others are at work and the
   * request is a job's. One that came from another thread has been waited for already, and what follows it is not at hand.
   */
  take(ofJob: boolean): void {
    this.#sent = 0
    const crowded = this.#crowd.isCrowded()
    const looks = crowded ? (ofJob ? JOB_LOOKS : OTHER_LOOKS) : 0
    this.limitHost(looks)
    if (!crowded || !ofJob) return
    if (this.#slowCalls >= SLOW_CALLS && ++this.#skipped % PROBE !== 0) return
    if (this.#mustQueue()) this.#queue()
    this.#sent = now() || 1
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

  /** Called before the worker sleeps in a read: its turn need not last its time. */
  pause(): void {
    if (this.#sent === 0 || this.#get(OWNER) !== this.me) return
    this.#set(SINCE, now() - LENGTH + GRACE)
    if (this.#get(NEXT) !== 0) Atomics.notify(this.#i32, this.#lane + OWNER)
  }

  /** Called after it has slept. */
  resume(): void {
    if (this.#sent !== 0 && this.#get(OWNER) === this.me) this.#set(SINCE, this.#began)
  }

  /** Called when nothing is under way, and nothing to be sent. */
  leave(): void {
    if (this.#get(OWNER) === this.me && this.#swap(OWNER, this.me, 0)) Atomics.notify(this.#i32, this.#lane + OWNER)
  }

  /** False if the turn is its own, or becomes it at once. */
  #mustQueue(): boolean {
    if (this.#get(OWNER) === this.me) {
      if (this.#get(NEXT) === 0 || this.#left() > 0) return false
      this.leave()
      return true
    }
    const own = this.#lane
    for (let lane = TURNS; lane < TURNS + PAIRS * LANE_SIZE; lane += LANE_SIZE) {
      this.#lane = lane
      if (this.#get(NEXT) === 0 && this.#swap(OWNER, 0, this.me)) {
        this.#begin()
        return false
      }
    }
    this.#lane = own
    return true
  }

  /** One waits for the turn; the others wait, in the order in which they came, to be the next. */
  #queue(): void {
    const start = now()
    for (;;) {
      const next = Atomics.compareExchange(this.#i32, this.#lane + NEXT, 0, this.me)
      if (next === 0) break
      if (Atomics.wait(this.#i32, this.#lane + NEXT, next, PATIENCE / 1000) !== 'timed-out') continue
      // nobody is next for so long: its thread has ended
      if (this.#swap(NEXT, next, this.me)) break
      if (age(start) > PATIENCE) return
    }
    while (age(start) < PATIENCE) {
      const owner = this.#get(OWNER)
      const left = owner === 0 ? 0 : this.#left()
      if (left > 0) Atomics.wait(this.#i32, this.#lane + OWNER, owner, left / 1000)
      else if (this.#swap(OWNER, owner, this.me)) {
        this.#begin()
        break
      }
    }
    this.#swap(NEXT, this.me, 0)
    Atomics.notify(this.#i32, this.#lane + NEXT, 1)
  }

  #begin(): void {
    this.#began = now()
    this.#set(SINCE, this.#began)
  }

  /** What is left of the turn. */
  #left(): number {
    return LENGTH - age(this.#get(SINCE))
  }

  #get(word: number): number {
    return Atomics.load(this.#i32, this.#lane + word)
  }
  #set(word: number, value: number): void {
    Atomics.store(this.#i32, this.#lane + word, value)
  }
  #swap(word: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#i32, this.#lane + word, from, to) === from
  }
}
