/**
 * Threads that joined a session and are gone: nobody takes the replies to what they asked for, and nobody runs their callbacks.
 * The worker does what they would have done, or the slots and the arena that they held would be missing to the others for good.
 */
import { REQUEST_OFFSET, REQUEST_SIZE, SLOTS, STRANDS } from '../codec/layout.js'
import { MAX_PAGES, MAX_THREADS, Shared, type SharedState, SlotState } from './shared.js'

/** Callbacks of threads that are gone go to the thread that started the session, which answers zero and tells of it. */
const HEIR = 1

export class Departed {
  #gone = 0
  /** Threads (as bits) whose requests may still be under way. */
  #owing = 0

  constructor(private readonly shared: SharedState) {}

  /** Frees what threads hold that are gone, as far as it is theirs no more. */
  look(): void {
    const gone = Atomics.load(this.shared.i32, Shared.departed)
    if (gone !== this.#gone) {
      this.#owing |= gone & ~this.#gone
      this.#gone = gone
      this.#inherit()
    }
    if (this.#owing !== 0) this.#reclaim()
  }

  /** Who runs the callbacks of `thread`, which the Windows side has said. */
  heir(thread: number): number {
    return thread >= MAX_THREADS || (this.#gone >>> thread) & 1 ? HEIR : thread
  }

  /** A callback that was told to a thread after its last look. (One that had begun has ended the session.) */
  #inherit(): void {
    const { shared } = this
    const { i32 } = shared
    for (let strand = 0; strand < STRANDS; strand++) {
      const thread = Atomics.load(i32, Shared.strandThread + strand) - 1
      if (thread < 0 || this.heir(thread) === thread) continue
      // each side speaks in turn: as many answers as posts, and nobody waits
      if (Atomics.load(i32, Shared.strandRelayed + strand) === Atomics.load(i32, Shared.strandAnswered + strand))
        continue
      Atomics.store(i32, Shared.strandThread + strand, HEIR + 1)
      Atomics.add(i32, Shared.relays, 1)
      shared.wake(HEIR)
    }
  }

  #reclaim(): void {
    const { i32, u8 } = this.shared
    let owing = 0
    for (let index = 0; index < SLOTS; index++) {
      const thread = u8[REQUEST_OFFSET + index * REQUEST_SIZE + 9]
      if (((this.#owing >>> thread) & 1) === 0) continue
      if (Atomics.load(i32, Shared.slotState + index) === SlotState.published) owing |= 1 << thread
      else Atomics.compareExchange(i32, Shared.slotState + index, SlotState.replied, SlotState.free)
    }
    // a routine that still runs may write into its arena
    const done = this.#owing & ~owing
    if (done !== 0)
      for (let page = 0; page < MAX_PAGES; page++) {
        const owner = Atomics.load(i32, Shared.pages + page)
        if (owner > 0 && (done >>> (owner - 1)) & 1) Atomics.store(i32, Shared.pages + page, 0)
      }
    this.#owing = owing
  }
}
