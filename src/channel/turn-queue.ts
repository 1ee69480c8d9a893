/**
 * The turn of one pair of cores. One session has it; the others wait in the order in which they came, each asleep on a
 * word of its own. The first in the queue may claim a turn that has lasted its time, and a first that has ended is
 * passed over. So no session depends on another one to act.
 */
import { age, now, passed } from './clock.js'

/**
 * Microseconds that a turn lasts while others wait: long in comparison with the two wake-ups and the cold caches with
 * which it begins.
 */
const LENGTH = 8000
/** Microseconds without a request after which a turn ends early: the routine is slow, or the program computes. */
const IDLE = 500
/** Microseconds without a change of the queue after which its first counts as ended. */
const PATIENCE = 20_000

/** Indices of words: the session that has the turn, when its turn began, and when it last sent a request. */
const OWNER = 0
const SINCE = 1
const USED = 2
/** The first ticket that waits, when that last changed, and the next ticket that is given. */
const HEAD = 3
const MOVED = 4
const TAIL = 5
/** From here on: for each ticket the session that holds it. */
const CELLS = 6
/** A session that comes while so many wait goes without a turn. A power of two, since tickets wrap around. */
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

  /** To be called with the time before the owner sends a request; false if its turn is over and others wait. */
  use(time: number): boolean {
    if (this.#get(HEAD) !== this.#get(TAIL) && passed(this.#get(SINCE), time) >= LENGTH) return false
    this.#set(USED, time)
    return true
  }

  /** Begins a turn if none runs and nobody waits for one. */
  tryEnter(): boolean {
    if (this.#get(HEAD) !== this.#get(TAIL) || !this.#swap(OWNER, 0, this.me)) return false
    this.#begin()
    return true
  }

  /** Waits for the turn and begins it; returns without a turn where too many wait. */
  enter(): void {
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
    // each look at the turn takes time from its owner: so the looks become rarer
    for (let patience = IDLE; ; patience *= 2) {
      const owner = this.#get(OWNER)
      const left = owner === 0 || age(this.#get(USED)) >= IDLE ? 0 : Math.min(LENGTH - age(this.#get(SINCE)), patience)
      if (left > 0) Atomics.wait(this.i32, this.at + OWNER, owner, left / 1000)
      else if (this.#swap(OWNER, owner, this.me)) break
    }
    this.#begin()
    this.#advance(ticket)
  }

  /** Ends this session's turn, if it has one. */
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
