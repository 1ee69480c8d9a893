/**
 * Carries requests from shared memory into the segment and replies back: slots, heads and doorbells, and nothing of callbacks. One
 * thread at a time does so, which has entered. The worker does (`Pump`), or the thread that started the session (`CallerPump`);
 * each has a carrier of its own, and what one leaves off the other takes up.
 */
import { readSync, writeSync } from 'node:fs'
import {
  MESSAGE,
  REPLY_OFFSET,
  REPLY_SIZE,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  SLOTS,
  SlotFlag,
  Word,
} from '../codec/layout.js'
import { isNobody } from './membership.js'
import { ring, type SegmentDescriptors } from './segment.js'
import { Life, Shared, type SharedState, SlotState } from './shared.js'

/** What the host says of itself lies together, and is read at once. */
const HEADS = Word.replyHead
const HEADS_SIZE = Word.nodePosts - Word.replyHead
/** How long one who wants to enter sleeps before it looks again whether the session lives, in milliseconds: nobody stays in for longer. */
const PATIENCE = 20
/** Set in `Shared.carrier` by who waits to enter: who leaves notifies only then, for a job's every call enters and leaves. */
const AWAITED = 0x100

/** `Word.nodeSleeps`: which doorbell the host rings, and the one time that it rings takes the word away. */
export const NodeSleeps = { no: 0, blocked: 1, idle: 2 } as const

export class Carrier {
  /** Requests written to the segment, and replies taken from it. */
  #forwarded = 0
  #completed = 0
  /** Threads (as bits) that have replies and were not told of so many. */
  #toWake = 0
  #untold = 0
  readonly #heads = new Uint32Array(HEADS_SIZE / 4)
  readonly #word = new Uint32Array(1)
  #sleeps: number = NodeSleeps.no
  readonly #me: number
  #depth = 0

  constructor(
    private readonly shared: SharedState,
    private readonly segment: SegmentDescriptors,
    thread: number,
  ) {
    this.#me = thread + 1
  }

  /** Requests that the host has and has not answered. */
  get outstanding(): number {
    return (this.#forwarded - this.#completed) >>> 0
  }

  /** Replies taken, since the session's start. */
  get completed(): number {
    return this.#completed
  }

  /** Replies handed to threads that do not know of them. */
  get untold(): number {
    return this.#untold
  }

  /** Enters unless another thread has: true, and as many `leave`s have to follow as there were `enter`s. */
  tryEnter(): boolean {
    const { i32 } = this.shared
    if (this.#depth === 0) {
      if (Atomics.compareExchange(i32, Shared.carrier, 0, this.#me) !== 0) return false
      this.#forwarded = Atomics.load(i32, Shared.forwarded) >>> 0
      this.#completed = Atomics.load(i32, Shared.completed) >>> 0
      this.#sleeps = -1
    }
    this.#depth++
    return true
  }

  /** Waits until it can enter; false if the session is dead. */
  enter(): boolean {
    while (!this.tryEnter()) {
      if (this.shared.life() === Life.dead) return false
      const { i32 } = this.shared
      const other = Atomics.load(i32, Shared.carrier)
      const awaited = other | AWAITED
      if (other === awaited || (other !== 0 && Atomics.compareExchange(i32, Shared.carrier, other, awaited) === other))
        Atomics.wait(i32, Shared.carrier, awaited, PATIENCE)
    }
    return true
  }

  leave(): void {
    if (--this.#depth > 0) return
    const { i32 } = this.shared
    Atomics.store(i32, Shared.forwarded, this.#forwarded | 0)
    Atomics.store(i32, Shared.completed, this.#completed | 0)
    if (Atomics.exchange(i32, Shared.carrier, 0) & AWAITED) Atomics.notify(i32, Shared.carrier)
  }

  /** Are there requests that the host has not got? */
  get hasRequests(): boolean {
    return (
      Atomics.load(this.shared.i32, Shared.slotState + (this.#forwarded & (SLOTS - 1))) === SlotState.published &&
      this.outstanding < SLOTS
    )
  }

  /** How many requests can go to the host with one write. */
  get ready(): number {
    const { i32, u32 } = this.shared
    const first = this.#forwarded & (SLOTS - 1)
    let count = 0
    while (first + count < SLOTS && this.outstanding + count < SLOTS) {
      if (Atomics.load(i32, Shared.slotState + first + count) !== SlotState.published) break
      // a slot whose reply has not been taken is published, too: its number tells old from new
      const at = (REQUEST_OFFSET + (first + count) * REQUEST_SIZE) / 4
      if (u32[at] !== (this.#forwarded + count + 1) >>> 0) break
      count++
    }
    return count
  }

  /** Writes so many requests into the segment: the slots first, then the head. */
  forward(count: number): void {
    const { u8, u32 } = this.shared
    const at = REQUEST_OFFSET + (this.#forwarded & (SLOTS - 1)) * REQUEST_SIZE
    // in-slot images lie behind the message: the whole slot is written then
    const flags = u8[at + 10]
    const size = count === 1 && flags === 0 ? MESSAGE + u32[at / 4 + 1] : count * REQUEST_SIZE
    writeSync(this.segment.file, u8, at, size, at)
    this.#forwarded = (this.#forwarded + count) >>> 0
    this.put(Word.requestHead, this.#forwarded)
  }

  /** Takes the next reply if it is there, without a look at the heads. */
  takeNext(): boolean {
    const { u8, u32 } = this.shared
    const at = REPLY_OFFSET + (this.#completed & (SLOTS - 1)) * REPLY_SIZE
    readSync(this.segment.file, u8, at, REPLY_SIZE, at)
    if (u32[at / 4] !== (this.#completed + 1) >>> 0) return false
    this.#hand(1)
    return true
  }

  /** Takes all replies of which the heads, just read, tell. */
  takeReplied(): boolean {
    const head = this.#heads[0]
    let any = false
    for (;;) {
      const first = this.#completed & (SLOTS - 1)
      const count = Math.min((head - this.#completed) >>> 0, this.outstanding, SLOTS - first)
      if (count === 0) return any
      const { u8, u32 } = this.shared
      const at = REPLY_OFFSET + first * REPLY_SIZE
      readSync(this.segment.file, u8, at, count * REPLY_SIZE, at)
      let good = 0
      while (good < count && u32[(at + good * REPLY_SIZE) / 4] === (this.#completed + good + 1) >>> 0) good++
      if (good === 0) return any
      this.#hand(good)
      any = true
    }
  }

  /** One look for replies: where a single one is expected at its slot, which is less to read, else at the heads. */
  look(): boolean {
    if (this.outstanding === 1) return this.takeNext()
    this.readHeads()
    return this.takeReplied()
  }

  readHeads(): void {
    readSync(this.segment.file, this.#heads, 0, HEADS_SIZE, HEADS)
  }

  /** One of the host's words, as the heads were when they were last read. */
  head(word: number): number {
    return this.#heads[(word - HEADS) / 4]
  }

  /** Wakes the host's main loop if, by the heads, it sleeps; true then. */
  ringHost(): boolean {
    if (this.head(Word.hostSleeps) === 0) return false
    ring(this.segment.hostDoorbells[0])
    return true
  }

  /** Wakes the threads whose replies lie ready, but for this one. It costs as much as many replies, so it waits for a pause in them. */
  tell(): void {
    let woken = this.#toWake & ~(1 << (this.#me - 1))
    this.#toWake = 0
    this.#untold = 0
    for (let thread = 0; woken !== 0; thread++, woken >>>= 1) if (woken & 1) this.shared.wake(thread)
  }

  /** Says which doorbell to ring. The host takes it away when it rings: whoever is about to sleep says it again. */
  tellSleep(value: number): void {
    if (this.#sleeps === value) return
    this.#sleeps = value
    this.put(Word.nodeSleeps, value)
  }

  /**
   * Says how long the host may look for the next request before it sleeps, in microseconds (0: as long as it finds that to pay),
   * and whether it is to leave a core that it shares with who hands it requests.
   */
  limitHost(microseconds: number, apart: boolean): void {
    const both = (microseconds << 1) | Number(apart)
    if (Atomics.exchange(this.shared.i32, Shared.lookLimit, both) === both) return
    this.put(Word.lookLimit, microseconds)
    this.put(Word.keepApart, Number(apart))
  }

  put(word: number, value: number): void {
    this.#word[0] = value
    writeSync(this.segment.file, this.#word, 0, 4, word)
  }

  /** Hands `count` replies, which are in shared memory now, to the threads that asked. */
  #hand(count: number): void {
    const { i32, u8 } = this.shared
    let woken = 0
    for (let i = 0; i < count; i++) {
      const index = (this.#completed + i) & (SLOTS - 1)
      const slot = REQUEST_OFFSET + index * REQUEST_SIZE
      if (u8[slot + 10] & SlotFlag.imageInSlot) this.#readImage(slot)
      woken |= 1 << u8[slot + 9]
      Atomics.store(i32, Shared.slotState + index, SlotState.replied)
    }
    if (Atomics.load(i32, Shared.gone) !== 0) this.#discard(count)
    this.#completed = (this.#completed + count) >>> 0
    this.#toWake |= woken
    this.#untold += count
  }

  /** Of `count` replies, those that nobody is there to take. */
  #discard(count: number): void {
    const { i32, u8 } = this.shared
    for (let i = 0; i < count; i++) {
      const index = (this.#completed + i) & (SLOTS - 1)
      if (isNobody(this.shared, u8[REQUEST_OFFSET + index * REQUEST_SIZE + 9]))
        Atomics.compareExchange(i32, Shared.slotState + index, SlotState.replied, SlotState.free)
    }
  }

  #readImage(slot: number): void {
    const { u8, view } = this.shared
    const from = slot + view.getUint16(slot + 12, true)
    const size = view.getUint16(slot + 14, true)
    readSync(this.segment.file, u8, from, size, from)
  }
}
