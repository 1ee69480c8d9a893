/**
 * The turn of one pair of cores: one session has it, the others wait in the order in which they came, each asleep on a word of its
 * own. A turn that has lasted its time may be taken by the first in the queue, and a first that does not move is passed over, so
 * nobody depends on anybody.
 */
import { age, now, passed } from './clock.js'

/**
 * How long a turn lasts while others wait, in microseconds: long beside the two wake-ups and the cold caches with
 * which it begins.
 */
const LENGTH = 8000
/** A turn ends early if its owner sends nothing for so long: the routine is slow, or the program computes. */
const IDLE = 500
/** If the queue does not move for so long, its first has ended. */
const PATIENCE = 20_000

/**
 * Indices of words: whose turn it is, since when, and when it was last used; the first ticket that waits, when that
 * last changed, and the next ticket; from CELLS on, who has which ticket.
 */
const OWNER = 0
const SINCE = 1
const USED = 2
const HEAD = 3
const MOVED = 4
const TAIL = 5
const CELLS = 6
/** Who comes while so many wait goes without a turn. A power of two: tickets wrap around. */
const CAPACITY = 256
export const QUEUE_SIZE = CELLS + CAPACITY

export class TurnQueue {
  constructor(
    private readonly i32: Int32Array,
    /** Index of its first word. */
    private readonly at: number,
    /** Number of this session, from 1. */
    private readonly me: number,
  ) {}

  get isMine(): boolean {
    return this.i32[this.at + OWNER] === this.me
  }

  /** To be called when the owner sends a request, with the time; false if its turn is over and others wait. */
  use(time: number): boolean {
    if (this.#get(HEAD) !== this.#get(TAIL) && passed(this.#get(SINCE), time) >= LENGTH) return false
    this.#set(USED, time)
    return true
  }

  /** Takes the turn if it is free and nobody waits for it. */
  tryTake(): boolean {
    if (this.#get(HEAD) !== this.#get(TAIL) || !this.#swap(OWNER, 0, this.me)) return false
    this.#begin()
    return true
  }

  /** Waits for the turn; goes without where too many wait. */
  take(): void {
    if (((this.#get(TAIL) - this.#get(HEAD)) | 0) >= CAPACITY) return
    const ticket = Atomics.add(this.i32, this.at + TAIL, 1)
    const cell = this.#cell(ticket)
    Atomics.store(this.i32, cell, this.me)
    for (;;) {
      const head = this.#get(HEAD)
      if (((head - ticket) | 0) >= 0) break
      const passed = Atomics.wait(this.i32, cell, this.me, PATIENCE / 1000) === 'timed-out'
      if (passed && head === this.#get(HEAD) && age(this.#get(MOVED)) > PATIENCE) this.#advance(head)
    }
    // each look takes time from the owner of the turn, so that they become fewer
    for (let patience = IDLE; ; patience *= 2) {
      const owner = this.#get(OWNER)
      const left = owner === 0 || age(this.#get(USED)) >= IDLE ? 0 : Math.min(LENGTH - age(this.#get(SINCE)), patience)
      if (left > 0) Atomics.wait(this.i32, this.at + OWNER, owner, left / 1000)
      else if (this.#swap(OWNER, owner, this.me)) break
    }
    this.#begin()
    this.#advance(ticket)
  }

  leave(): void {
    if (this.isMine && this.#swap(OWNER, this.me, 0)) Atomics.notify(this.i32, this.at + OWNER)
  }

  /** Makes the next ticket the first of the queue, and wakes its owner. */
  #advance(ticket: number): void {
    if (!this.#swap(HEAD, ticket, (ticket + 1) | 0)) return
    this.#set(MOVED, now())
    const cell = this.#cell(ticket + 1)
    Atomics.store(this.i32, cell, 0)
    Atomics.notify(this.i32, cell)
  }

  #begin(): void {
    const time = now()
    this.#set(SINCE, time)
    this.#set(USED, time)
  }

  #cell(ticket: number): number {
    return this.at + CELLS + (ticket & (CAPACITY - 1))
  }
  #get(word: number): number {
    return Atomics.load(this.i32, this.at + word)
  }
  #set(word: number, value: number): void {
    Atomics.store(this.i32, this.at + word, value)
  }
  #swap(word: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.i32, this.at + word, from, to) === from
  }
}
