/** A session without Windows: a real segment, served by a thread that does as it is told, and what Node's side needs to use it. */
import type { Worker } from 'node:worker_threads'
import { Exchange, type Port, type Sender } from '../../dist/src/channel/exchange.js'
import type { Frame } from '../../dist/src/channel/frame.js'
import { HostWatch } from '../../dist/src/channel/host-watch.js'
import { Lane, type LaneOptions } from '../../dist/src/channel/lane.js'
import { endMapping, forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import { closeSegment, createSegment, openBell, writeHead } from '../../dist/src/channel/segment.js'
import { EndReason, SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import { goneAt } from '../../dist/src/channel/threads.js'
import { createTurns, Turn } from '../../dist/src/channel/turns.js'
import { createEncoder } from '../../dist/src/codec/encoder.js'
import {
  ControlWord,
  Kind,
  MESSAGE_IN_ARENA,
  REPLIES_SIZE,
  REPLY_OFFSET,
  REPLY_SIZE,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  Reply,
  SLOTS,
} from '../../dist/src/codec/layout.js'
import type { MemberData } from './member.js'
import { startThread } from './start-thread.js'

/** The first word of a message to the fake host; what follows are its arguments. */
export const Ask = {
  /** a + b. */
  add: 1,
  /** After so many milliseconds. */
  wait: 2,
  /** Calls callback `a` so often, with 0, 1, 2…; gives what it returned last. */
  callBack: 3,
  /** So many threads of its own each call callback `a` with the number of their strand. */
  callBackFromThreads: 4,
  /** Writes at random over the whole segment for so many milliseconds. */
  scribble: 5,
} as const

/** Words of the memory in which the host is told how to behave; 0: as it should. */
export const Order = {
  up: 0,
  stop: 1,
  /** Milliseconds before each reply. */
  delay: 2,
  /** So many replies that are never written, of requests that count as done. */
  loseReplies: 3,
  wrongNumbers: 4,
  neverRing: 5,
  /** A hundred bytes for each message, whether anybody sleeps or not. */
  ringAlways: 6,
  /** Callbacks are in their mailboxes, and nobody is told. */
  losePosts: 7,
  takeNothing: 8,
  deafWindow: 9,
  /** Milliseconds that each piece of the memory window takes. */
  slowWindow: 10,
  /** Counted by the host: replies, and how often it slept. */
  served: 11,
  sleeps: 12,
} as const
export type Orders = Int32Array

/** One request in words, and its reply. */
export class Request extends Exchange {
  override readonly label = 'a request'
  result: number | undefined
  status = -1
  error: Error | undefined
  readonly done: Promise<number>
  #resolve!: (result: number) => void
  #reject!: (error: Error) => void

  constructor(
    readonly words: readonly number[],
    readonly kind: number = Kind.call,
  ) {
    super()
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.done.catch(() => {})
  }
  override attempt(_sender: Sender, port: Port): boolean {
    return port.send(Int32Array.from(this.words), 4 * this.words.length, this.kind)
  }
  override settle({ mapping }: Sender, at: number): void {
    this.settled = true
    this.status = mapping.view.getUint32(at + Reply.status, true)
    this.result = Number(mapping.view.getBigInt64(at + Reply.result, true))
    this.#resolve(this.result)
  }
  override fail(_sender: Sender, error: Error): void {
    this.error = error
    this.#reject(error)
  }
}

/** The same of a message that lies in the arena. */
export class ArenaRequest extends Request {
  #at = -1
  constructor(
    words: readonly number[],
    /** Bytes that it takes there. */
    readonly size: number,
  ) {
    super(words)
  }
  override attempt({ arena, mapping }: Sender, port: Port): boolean {
    this.#at = arena.allocate(this.size)
    if (this.#at < 0) return false
    for (const [i, word] of this.words.entries()) mapping.i32[this.#at / 4 + i] = word
    const sent = port.send(Int32Array.of(this.#at), 4 * this.words.length, Kind.call | (MESSAGE_IN_ARENA << 16))
    if (!sent) arena.free(this.#at, this.size)
    return sent
  }
  override settle(sender: Sender, at: number): void {
    sender.arena.free(this.#at, this.size)
    super.settle(sender, at)
  }
}

export class Ended extends Error {}

/** Shorter than that of sessions, in milliseconds: many tests are about what happens when one is over. */
const SLICE = 100

/** What a lane needs, for a thread with this number. Callbacks return twice their argument, unless `onCallback` does otherwise. */
export function makeLane(
  host: Pick<FakeHost, 'segment' | 'state' | 'turns'>,
  thread: number,
  options: Partial<LaneOptions> = {},
): Lane {
  const { segment, state } = host
  const mapping = options.mapping ?? new Mapping(segment, state, thread)
  return new Lane({
    mapping,
    state,
    segment,
    thread,
    encoder: createEncoder(),
    turn: new Turn(host.turns, 1, mapping, state),
    onCallback: (frame: Frame, _callback: number, _count: number, at: number) =>
      frame.finish(2 * Number(mapping.view.getBigInt64(at, true)), 0),
    deathError: () => new Ended(`reason ${state.i32[SharedWord.endReason]}`),
    watch: new HostWatch(
      mapping,
      state,
      segment,
      () => 0,
      () => Number.POSITIVE_INFINITY,
      SLICE,
    ),
    giveUp: reason => state.end(reason),
    onDeath: () => {},
    ...options,
  })
}

export interface FakeHostOptions {
  readonly memory?: number
  readonly threads?: readonly number[]
  /** Requests and replies begin to count here. */
  readonly first?: number
}

export class FakeHost {
  readonly state = new SharedState()
  readonly turns = createTurns()
  readonly orders: Orders = new Int32Array(new SharedArrayBuffer(4 * 16))
  readonly segment
  readonly #worker: Worker
  readonly #gone: Promise<unknown>
  readonly #first: number

  private constructor({ memory = 1 << 20, threads = [0, 1], first = 0 }: FakeHostOptions) {
    this.segment = createSegment(memory, this.state, threads)
    const { i32 } = this.state
    Atomics.store(
      i32,
      SharedWord.threads,
      threads.reduce((bits, thread) => bits | (1 << thread), 0),
    )
    writeHead(this.segment, this.state, { process: process.pid, descriptor: fd => fd })
    // a process that lives; the fake is a thread of it
    Atomics.store(i32, SharedWord.process, process.pid)
    // thread 31 is nobody's: for what is looked at from outside
    const mapping = new Mapping(this.segment, this.state, 30)
    i32[SharedWord.tail] = first
    mapping.i32[ControlWord.done / 4] = first
    this.mapping = mapping
    this.#first = first
    this.#fill(REQUEST_OFFSET, REQUEST_SIZE)
    for (const thread of threads) this.#count(thread)
    const workerData = { segment: this.segment, state: this.state.memory, orders: this.orders }
    this.#worker = startThread('./fake-host-thread.ts', import.meta.url, workerData)
    this.#gone = new Promise(resolve => this.#worker.once('exit', resolve))
    this.#worker.on('error', error => {
      this.fault = error
    })
  }
  /** A view of the segment, for what a test wants to see or to spoil. */
  readonly mapping: Mapping
  /** What went wrong in the host's own code. */
  fault: Error | undefined

  static async start(options: FakeHostOptions = {}): Promise<FakeHost> {
    const host = new FakeHost(options)
    for (let tries = 0; host.orders[Order.up] === 0; tries++) {
      if (host.fault) throw host.fault
      if (tries > 3000) throw new Error('the fake host did not start')
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return host
  }

  #count(thread: number): void {
    this.state.i32[SharedWord.asked + thread] = this.#first
    this.#fill(REPLY_OFFSET + thread * REPLIES_SIZE, REPLY_SIZE)
  }

  /** What slots hold that have been used before: a number of theirs, which is no more than 0 where nothing was ever. */
  #fill(ring: number, size: number): void {
    if (this.#first === 0) return
    for (let back = 0; back < SLOTS; back++) {
      const number = this.#first - back
      this.mapping.i32[(ring + ((number - 1) & (SLOTS - 1)) * size) / 4] = number
    }
  }

  /** A bell for a thread that joins. */
  join(thread: number): void {
    const known = this.state.i32[SharedWord.bell + thread] > 0
    openBell(this.segment, this.state, thread)
    if (!known) this.#count(thread)
    Atomics.store(this.mapping.i32, goneAt(thread), 0)
    Atomics.or(this.state.i32, SharedWord.threads, 1 << thread)
  }

  order(order: number, value = 1): void {
    Atomics.store(this.orders, order, value)
    // it may sleep
    this.state.ring(this.segment.hostBell)
  }

  /** Ends the host's thread, as the Windows process may end at any time. */
  async kill(): Promise<void> {
    this.order(Order.stop)
    await this.#gone
  }

  /** All that a session does at its end. Views that are left stay what they are. */
  async end(): Promise<void> {
    this.state.end(EndReason.terminated)
    await this.kill()
    closeSegment(this.segment, this.state)
    endMapping(this.segment, this.state)
    forgetView(this.segment, this.state, 30)
    if (this.fault) throw this.fault
  }
}

/** A thread that has joined, and what it says. */
export function startMember(host: FakeHost, data: Pick<MemberData, 'thread' | 'act' | 'count'>): Worker {
  host.join(data.thread)
  const { segment, state, turns } = host
  return startThread('./member.ts', import.meta.url, { ...data, segment, memory: state.memory, turns })
}

/** Waits until `condition` holds. */
export async function until(condition: () => unknown, what: string, seconds = 30): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
export const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
