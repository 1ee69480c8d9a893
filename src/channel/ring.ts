/**
 * One thread's way into the ring of requests, which all threads share, and its own ring of replies. A slot of requests
 * is free again when the host has done with it, whoever made it; a slot of replies when this thread has taken it.
 *
 * On x86-64 Atomics.load is an ordinary load, but V8 makes it a call, which takes ten times as long. So words that are
 * read once for each request are read like any array. Loops that wait for a change use Atomics.load: after it V8 does
 * not reuse values that it read before.
 */
import {
  ControlWord,
  Header,
  MESSAGE,
  REPLIES_SIZE,
  REPLY_MESSAGE,
  REPLY_OFFSET,
  REPLY_SIZE,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  SLOTS,
  THREADS,
} from '../codec/layout.js'
import type { Port } from './exchange.js'
import type { Mapping } from './mapping.js'
import type { Segment } from './segment.js'
import { type SharedState, SharedWord } from './shared.js'

const MASK = SLOTS - 1
const HOST_SLEEPS = ControlWord.hostSleeps / 4

export class Ring implements Port {
  readonly room = REQUEST_SIZE - MESSAGE
  /** Requests that this thread has made, and replies that it has taken: 32-bit numbers that wrap around. */
  asked: number
  taken: number
  /** For each request under way its number in the ring, by the number of its reply among this thread's. */
  readonly #numbers = new Int32Array(SLOTS)
  /** How many requests the host had done when this thread last looked. */
  #done = 0
  readonly #replies: number
  readonly #i32: Int32Array
  readonly #claims: Int32Array

  constructor(
    mapping: Mapping,
    private readonly state: SharedState,
    private readonly segment: Segment,
    private readonly thread: number,
  ) {
    this.#i32 = mapping.i32
    this.#claims = state.i32
    this.#replies = REPLY_OFFSET + thread * REPLIES_SIZE
    // counts on from an earlier thread with this number, whose last replies may lie in the ring untaken
    this.asked = this.taken = state.i32[SharedWord.asked + thread]
    this.#done = Atomics.load(mapping.i32, ControlWord.done / 4)
  }

  /** Requests of this thread whose replies have not been taken. */
  get outstanding(): number {
    return (this.asked - this.taken) | 0
  }

  send(message: Int32Array, length: number, tag: number): boolean {
    const i32 = this.#i32
    const claims = this.#claims
    const { thread } = this
    if (this.outstanding === SLOTS) return false
    const mine = (this.asked + 1) | 0
    claims[SharedWord.asked + thread] = mine
    let tail: number
    let number: number
    do {
      tail = claims[SharedWord.tail]
      if (((tail - this.#done) | 0) >= SLOTS && this.#isFull(tail)) {
        claims[SharedWord.intent + thread] = 0
        return false
      }
      number = (tail + 1) | 0
      // if this thread ends before it has published the request, the supervisor fills the slot (threads.ts). 0 means
      // that nothing is being claimed; one request in 2³² has the number 0 and is not protected
      claims[SharedWord.intent + thread] = number
    } while (Atomics.compareExchange(claims, SharedWord.tail, tail, number) !== tail)
    const at = (REQUEST_OFFSET + (tail & MASK) * REQUEST_SIZE) >> 2
    i32[at + Header.length / 4] = length
    i32[at + Header.tag / 4] = tag | (thread << 8)
    i32[at + Header.reply / 4] = mine
    const words = (Math.min(length, this.room) + 3) >> 2
    for (let i = 0; i < words; i++) i32[at + MESSAGE / 4 + i] = message[i]
    Atomics.store(i32, at, number)
    claims[SharedWord.intent + thread] = 0
    this.#numbers[(mine - 1) & MASK] = number
    this.asked = mine
    if (i32[HOST_SLEEPS] !== 0) this.wakeHost()
    return true
  }

  /** Index of the segment's word that becomes `expected` when the next reply is there. */
  get expectedAt(): number {
    return (this.#replies + (this.taken & MASK) * REPLY_SIZE) >> 2
  }
  get expected(): number {
    return (this.taken + 1) | 0
  }

  /**
   * Takes the next reply, which must have come: the offset of its table, which is valid until SLOTS more requests are
   * made.
   */
  take(): number {
    const at = this.#replies + (this.taken & MASK) * REPLY_SIZE + REPLY_MESSAGE
    this.taken = (this.taken + 1) | 0
    return at
  }

  /** Rings for the host's main loop, if it has said that it sleeps. */
  wakeHost(): void {
    if (Atomics.exchange(this.#i32, HOST_SLEEPS, 0) !== 0) this.state.ring(this.segment.hostBell)
  }

  /**
   * Whether the next reply cannot come any more, because something has overwritten the segment: the host counts the
   * request as done and its reply is not there, or the request is not in the ring, or the request that the host is to
   * take next is not.
   */
  get isBroken(): boolean {
    const i32 = this.#i32
    if (this.outstanding === 0 || Atomics.load(i32, this.expectedAt) === this.expected) return false
    const done = Atomics.load(i32, ControlWord.done / 4)
    const mine = this.#numbers[this.taken & MASK]
    const next = (done + 1) | 0
    const ahead = (Atomics.load(this.#claims, SharedWord.tail) - done) | 0
    if (((done - mine) | 0) >= 0 || ahead > SLOTS || !this.#isThere(mine)) return true
    return !this.#isThere(next) && !this.#claims.subarray(SharedWord.intent, SharedWord.intent + THREADS).includes(next)
  }

  #isThere(number: number): boolean {
    return Atomics.load(this.#i32, (REQUEST_OFFSET + ((number - 1) & MASK) * REQUEST_SIZE) >> 2) === number
  }

  #isFull(tail: number): boolean {
    this.#done = Atomics.load(this.#i32, ControlWord.done / 4)
    return ((tail - this.#done) | 0) >= SLOTS
  }
}
