/**
 * The threads that use a session, by number: which numbers are in use, and how a session recovers from a thread that
 * ends in the middle of its work. The supervisor, which never blocks, notices the end. It fills the slot that the
 * thread may have claimed in the ring and not published, answers callbacks in the thread's place, and gives the number
 * back when nothing of the thread's is under way any more.
 */
import {
  CALLER_THREAD,
  ControlWord,
  Header,
  Kind,
  MESSAGE,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  RETURN_HEAD,
  Return,
  SLOTS,
  STRAND_OFFSET,
  STRAND_SIZE,
  STRAND_TO_HOST,
  STRANDS,
  THREAD_OFFSET,
  THREAD_SIZE,
  THREADS,
  ThreadWord,
  WORKER_THREAD,
} from '../codec/layout.js'
import { viewOf } from './libc.js'
import type { Segment } from './segment.js'
import { MAX_PAGES, type SharedState, SharedWord } from './shared.js'

/** The worker's number among a session's threads, and that of the thread that started the session. */
export { CALLER_THREAD, WORKER_THREAD }
/** Both as bits: these numbers are in use from the start. */
export const FIRST_THREADS = (1 << WORKER_THREAD) | (1 << CALLER_THREAD)
/** Callbacks of threads that have ended go to the thread that started the session, which answers zero and logs them. */
const HEIR = CALLER_THREAD

/** A number for a thread that joins; -1 if all are in use. */
export function claimNumber({ i32 }: SharedState): number {
  for (;;) {
    const taken = Atomics.load(i32, SharedWord.threads)
    let thread = 0
    while (thread < THREADS && (taken >>> thread) & 1) thread++
    if (thread === THREADS) return -1
    if (Atomics.compareExchange(i32, SharedWord.threads, taken, taken | (1 << thread)) === taken) return thread
  }
}

export function giveNumberBack({ i32 }: SharedState, thread: number): void {
  Atomics.and(i32, SharedWord.threads, ~(1 << thread))
}

/** Whether no thread that lives has this number. */
export function isNobody({ i32 }: SharedState, thread: number): boolean {
  return ((Atomics.load(i32, SharedWord.gone) | ~Atomics.load(i32, SharedWord.threads)) >>> thread) % 2 === 1
}

const wordAt = (thread: number, word: number) => (THREAD_OFFSET + thread * THREAD_SIZE + word) >> 2
/** Index of the segment's word where the host says which strands have posted for a thread. */
export const postedAt = (thread: number) => wordAt(thread, ThreadWord.posted)
/** Index of the word that says whether a thread has ended; cleared when another thread gets its number. */
export const goneAt = (thread: number) => wordAt(thread, ThreadWord.gone)
/** Index of the word where a thread says that it sleeps. */
export const sleepsAt = (thread: number) => wordAt(thread, ThreadWord.sleeps)

/** The message of a Return of zero, as the encoder writes it. */
const ZERO = new Int32Array(Return.size / 4)
ZERO.set(RETURN_HEAD)

/** Puts a message into a strand's mailbox, and wakes the host's thread that waits there. */
export function answerStrand(
  i32: Int32Array,
  state: SharedState,
  segment: Segment,
  strand: number,
  message: Int32Array,
  length: number,
  tag: number,
  room: number,
): void {
  const at = (STRAND_OFFSET + strand * STRAND_SIZE + STRAND_TO_HOST) >> 2
  const number = (Atomics.load(state.i32, SharedWord.answered + strand) + 1) | 0
  i32[at + Header.length / 4] = length
  i32[at + Header.tag / 4] = tag
  const words = (Math.min(length, room) + 3) >> 2
  for (let i = 0; i < words; i++) i32[at + MESSAGE / 4 + i] = message[i]
  Atomics.store(state.i32, SharedWord.answered + strand, number)
  Atomics.store(i32, at, number)
  if (Atomics.exchange(i32, ControlWord.strandSleeps / 4 + strand, 0) !== 0)
    state.ring(strand === 0 ? segment.hostBell : segment.strandsBell)
}

/** A thread that has ended, and what of its work is still open. Only the supervisor uses it. */
export class DepartedThread {
  /** How many requests had been claimed when the end was noticed: the thread's own are among them. */
  readonly #until: number
  /** Whether the slot that the thread had claimed when it ended, if it had, is published. */
  #filled = false
  /** A view of the segment, which stays mapped while this object is used. */
  readonly #i32: Int32Array
  readonly #u8: Uint8Array

  constructor(
    private readonly segment: Segment,
    private readonly state: SharedState,
    readonly thread: number,
  ) {
    const buffer = viewOf(segment.address, segment.size)
    this.#i32 = new Int32Array(buffer)
    this.#u8 = new Uint8Array(buffer)
    Atomics.or(state.i32, SharedWord.gone, 1 << thread)
    // from now on the host posts callbacks of this thread for another; those that it has posted already are settled
    // here
    Atomics.store(this.#i32, goneAt(thread), 1)
    this.#until = Atomics.load(state.i32, SharedWord.tail)
  }

  /**
   * Does what can be done now. True once nothing is left to do and the number is given back; to be called again until
   * then.
   */
  settle(): boolean {
    const { state, thread } = this
    const { i32 } = state
    const shared = this.#i32
    if (!this.#filled) this.#filled = this.#fillHole()
    const fresh = Atomics.exchange(shared, postedAt(thread), 0)
    for (let strand = 0; strand < STRANDS; strand++) this.#answer(strand, (fresh >>> strand) % 2 === 1)
    const open = Atomics.load(shared, wordAt(thread, ThreadWord.open))
    const done = Atomics.load(shared, ControlWord.done / 4)
    if (!this.#filled || open > 0 || ((done - this.#until) | 0) < 0) return false
    for (let page = SharedWord.pages; page < SharedWord.pages + MAX_PAGES; page++)
      Atomics.compareExchange(i32, page, thread + 1, 0)
    Atomics.add(i32, SharedWord.pagesGivenBack, 1)
    // in this order: a thread that gets the number next must not count as ended
    Atomics.and(i32, SharedWord.gone, ~(1 << thread))
    giveNumberBack(state, thread)
    return true
  }

  /**
   * Publishes a request in the slot that the thread had claimed when it ended: the requests behind would wait for it
   * for ever. Its message is empty, and the host refuses it. False while a thread that lives may be the one that has
   * claimed the slot.
   */
  #fillHole(): boolean {
    const { state, thread } = this
    const { i32 } = state
    const shared = this.#i32
    const number = Atomics.load(i32, SharedWord.intent + thread)
    if (number === 0) return true
    const at = (REQUEST_OFFSET + ((number - 1) & (SLOTS - 1)) * REQUEST_SIZE) >> 2
    const claimed = ((Atomics.load(i32, SharedWord.tail) - number) | 0) >= 0
    if (claimed && Atomics.load(shared, at) !== number) {
      for (let other = 0; other < THREADS; other++)
        if (other !== thread && !isNobody(state, other) && Atomics.load(i32, SharedWord.intent + other) === number)
          return false
      // another thread that had claimed the slot has published by now, and the slot may hold a later request already
      if (Atomics.load(shared, at) !== number && ((Atomics.load(shared, ControlWord.done / 4) - number) | 0) < 0) {
        shared[at + Header.length / 4] = 0
        shared[at + Header.tag / 4] = thread << 8
        shared[at + Header.reply / 4] = Atomics.load(i32, SharedWord.asked + thread)
        Atomics.store(shared, at, number)
        if (Atomics.exchange(shared, ControlWord.hostSleeps / 4, 0) !== 0) state.ring(this.segment.hostBell)
      }
    }
    Atomics.store(i32, SharedWord.intent + thread, 0)
    return true
  }

  /**
   * Answers in a strand's mailbox if the host waits there for the thread. A callback that the thread had not seen goes
   * to HEIR, and one that had begun returns zero.
   */
  #answer(strand: number, fresh: boolean): void {
    const { state, segment, thread } = this
    const i32 = this.#i32
    const u8 = this.#u8
    const mailbox = STRAND_OFFSET + strand * STRAND_SIZE
    const posted = Atomics.load(i32, mailbox >> 2)
    // host and Node post in turns. `SharedWord.answered` may be ahead of the mailbox, for the thread may have ended
    // while it answered: so the mailbox itself decides
    if (u8[mailbox + Header.tag + 1] !== thread || posted === Atomics.load(i32, (mailbox + STRAND_TO_HOST) >> 2)) return
    Atomics.store(state.i32, SharedWord.answered + strand, posted - 1)
    if (fresh && u8[mailbox + Header.tag] === Kind.callback) {
      u8[mailbox + Header.tag + 1] = HEIR
      Atomics.or(i32, postedAt(HEIR), 1 << strand)
      state.wake(HEIR)
    } else answerStrand(i32, state, segment, strand, ZERO, Return.size, Kind.return, Return.size)
  }
}
