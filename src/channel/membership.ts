/**
 * The threads that use a session, by number: who has one, and what becomes of what a thread leaves behind that ends in the middle
 * of things. The supervisor, which never blocks, sees the end and calls `bury`; the pump, which alone speaks to the host, answers
 * in the dead thread's place, and gives its number back when nothing of it is under way any more.
 */
import { REQUEST_OFFSET, REQUEST_SIZE, SLOTS, STRANDS } from '../codec/layout.js'
import { MAX_PAGES, MAX_THREADS, Shared, type SharedState, SlotState } from './shared.js'

/** The worker's number among a session's threads, and that of the thread that started the session. */
export const WORKER_THREAD = 0
export const CALLER_THREAD = 1
/** Both as bits: what is taken of the numbers from the start. */
export const FIRST_THREADS = (1 << WORKER_THREAD) | (1 << CALLER_THREAD)

/** Callbacks of threads that are gone go to the thread that started the session, which answers zero and tells of it. */
export const HEIR = CALLER_THREAD

/** State of a slot that a thread has taken and not yet published. */
export const claimedBy = (thread: number): number => -1 - thread

/** A number for a thread that joins; -1 if all are taken. */
export function takeNumber({ i32 }: SharedState): number {
  for (;;) {
    const taken = Atomics.load(i32, Shared.threads)
    let thread = 0
    while (thread < MAX_THREADS && (taken >>> thread) & 1) thread++
    if (thread === MAX_THREADS) return -1
    if (Atomics.compareExchange(i32, Shared.threads, taken, taken | (1 << thread)) === taken) return thread
  }
}

/** Is there nobody with this number to answer? */
export function isNobody({ i32 }: SharedState, thread: number): boolean {
  return ((Atomics.load(i32, Shared.gone) | ~Atomics.load(i32, Shared.threads)) >>> thread) % 2 === 1
}

/** A thread has ended. What it has under way is carried out, and nobody is told. Ring the worker afterwards. */
export function bury(shared: SharedState, thread: number): void {
  const { i32, u8 } = shared
  Atomics.or(i32, Shared.gone, 1 << thread)
  const tail = Atomics.load(i32, Shared.tail)
  for (let index = 0; index < SLOTS; index++) {
    const slot = REQUEST_OFFSET + index * REQUEST_SIZE
    const state = Atomics.load(i32, Shared.slotState + index)
    if (state === claimedBy(thread)) {
      // it ended between taking the slot and filling it, and all others wait behind: the host refuses an empty message
      const number = (tail - ((tail - 1 - index) & (SLOTS - 1))) >>> 0
      shared.encoder.header(slot, number, 0, thread << 8, 0)
      Atomics.store(i32, Shared.slotState + index, SlotState.published)
    } else if (state === SlotState.replied && u8[slot + 9] === thread)
      Atomics.compareExchange(i32, Shared.slotState + index, SlotState.replied, SlotState.free)
  }
  Atomics.add(i32, Shared.answers, 1)
  shared.wakeWorker()
}

/** Threads that have ended and still have something under way. Only the pump has one of these. */
export class Departed {
  readonly #leaving = new Map<number, number>()
  #seen = 0

  constructor(private readonly shared: SharedState) {}

  get any(): boolean {
    return this.#seen !== 0
  }

  /** Notes who has ended since the last look: all it has asked for lies before the present end of the ring. */
  look(): void {
    const { i32 } = this.shared
    const gone = Atomics.load(i32, Shared.gone)
    for (let fresh = gone & ~this.#seen, thread = 0; fresh !== 0; thread++, fresh >>>= 1)
      if (fresh & 1) this.#leaving.set(thread, Atomics.load(i32, Shared.tail))
    this.#seen = gone
  }

  /** Gives back the numbers, and the pages, of those whose requests are answered (`completed`) and whose callbacks are closed. */
  release(completed: number, inCallback: (thread: number) => boolean): void {
    const { i32 } = this.shared
    for (const [thread, until] of this.#leaving) {
      if (((completed - until) | 0) < 0 || inCallback(thread)) continue
      this.#leaving.delete(thread)
      for (let page = Shared.pages; page < Shared.pages + MAX_PAGES; page++)
        Atomics.compareExchange(i32, page, thread + 1, 0)
      for (let strand = Shared.strandThread; strand < Shared.strandThread + STRANDS; strand++)
        Atomics.compareExchange(i32, strand, thread + 1, 0)
      Atomics.and(i32, Shared.threads, ~(1 << thread))
      Atomics.and(i32, Shared.gone, ~(1 << thread))
      this.#seen &= ~(1 << thread)
    }
  }
}
