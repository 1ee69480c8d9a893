/** The ring of requests, as one thread writes to it: takes the next slot, and hands over what has been written there. */
import { MESSAGE, REQUEST_OFFSET, REQUEST_SIZE, SLOTS } from '../codec/layout.js'
import type { Port } from './exchange.js'
import { claimedBy } from './membership.js'
import { Shared, type SharedState, SlotState } from './shared.js'

export class Ring implements Port {
  readonly room = REQUEST_SIZE - MESSAGE
  /** Number of the request claimed last. */
  claimed = 0
  #slot = 0

  constructor(
    private readonly shared: SharedState,
    private readonly thread: number,
  ) {}

  claim(): number {
    const { i32 } = this.shared
    for (;;) {
      const tail = Atomics.load(i32, Shared.tail)
      const index = tail & (SLOTS - 1)
      if (Atomics.load(i32, Shared.slotState + index) !== SlotState.free) return -1
      if (Atomics.compareExchange(i32, Shared.tail, tail, (tail + 1) | 0) !== tail) continue
      // if this thread ends before it publishes, someone else has to
      Atomics.store(i32, Shared.slotState + index, claimedBy(this.thread))
      this.#slot = index
      this.claimed = (tail + 1) >>> 0
      return REQUEST_OFFSET + index * REQUEST_SIZE
    }
  }

  send(from: number, length: number, tag: number): boolean {
    const claimed = this.shared.encoder.send(from, length, tag | (this.thread << 8))
    if (claimed < 0) return false
    this.claimed = claimed
    return true
  }

  publish(length: number, tag: number, extra: number): void {
    const { shared } = this
    const slot = REQUEST_OFFSET + this.#slot * REQUEST_SIZE
    shared.encoder.header(slot, this.claimed, length, tag | (this.thread << 8), extra)
    Atomics.store(shared.i32, Shared.slotState + this.#slot, SlotState.published)
  }
}
