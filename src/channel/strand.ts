/**
 * A callback that is open: the host's thread waits in it, and every call that the callback makes is carried out on that very thread,
 * one at a time (docs/wire.md, "Strand mailbox").
 */
import { Kind, MAILBOX_ROOM, MESSAGE, Return, STRAND_OFFSET, STRAND_SIZE, STRAND_TO_HOST } from '../codec/layout.js'
import type { CallbackScope } from './call-context.js'
import type { Exchange, Port } from './exchange.js'
import type { Lane } from './lane.js'
import { Shared } from './shared.js'

export class Frame implements Port {
  readonly room = MAILBOX_ROOM
  /** Which calls are its own. */
  readonly scope: CallbackScope<Frame>
  /** Fails it, where its function has returned a promise. */
  heldUp: (() => void) | undefined
  #outstanding: Exchange | undefined
  readonly #queue: Exchange[] = []
  #result: { low: number; high: number } | undefined
  #closed = false

  constructor(
    private readonly lane: Lane,
    readonly strand: number,
    around: Frame | undefined,
  ) {
    this.scope = lane.frames.context.open(this, around?.scope)
  }

  submit(exchange: Exchange): void {
    if (this.#outstanding || this.#queue.length > 0 || !exchange.attempt(this.lane, this)) {
      exchange.keep?.()
      this.#queue.push(exchange)
    } else this.#outstanding = exchange
  }

  sendFirst(exchange: Exchange): boolean {
    if (this.#outstanding || !exchange.attempt(this.lane, this)) return false
    this.#outstanding = exchange
    return true
  }

  /** What runs on the host's thread inside this callback. */
  get running(): Exchange | undefined {
    return this.#outstanding
  }

  /** Has the callback's own function come to its end? */
  get returned(): boolean {
    return this.#result !== undefined
  }

  answered(at: number, outcomeLength: number): void {
    const exchange = this.#outstanding
    if (!exchange) return
    this.#outstanding = undefined
    this.scope.during(() => exchange.settle(this.lane, at, outcomeLength))
    exchange.settled = true
    this.pump()
  }

  /** The callback has returned: its result goes to the host once the calls it made are done. */
  finish(low: number, high: number): void {
    this.#result = { low, high }
    this.pump()
  }

  pump(): void {
    while (!this.#outstanding && this.#queue.length > 0) {
      const exchange = this.#queue[0]
      try {
        if (!exchange.attempt(this.lane, this)) return
        this.#outstanding = exchange
      } catch (error) {
        exchange.fail(this.lane, error as Error)
        exchange.settled = true
      }
      this.#queue.shift()
    }
    if (this.#closed || this.#outstanding || !this.#result) return
    this.#closed = true
    const at = this.claim()
    this.lane.shared.encoder.answer(at + MESSAGE, this.#result.low, this.#result.high)
    // the mailbox is free for the enclosing callback as soon as this is published
    this.lane.frames.close(this)
    this.publish(Return.size, Kind.return, 0)
  }

  /** A conversation has room for one message at a time, whoever wants to go on, be it a batch with its next rows. */
  claim(): number {
    if (this.#outstanding) return -1
    return STRAND_OFFSET + this.strand * STRAND_SIZE + STRAND_TO_HOST
  }

  publish(length: number, tag: number, extra: number): void {
    const { shared } = this.lane
    const number = (Atomics.load(shared.i32, Shared.strandAnswered + this.strand) + 1) | 0
    shared.encoder.header(this.claim(), number, length, tag | (this.lane.thread << 8), extra)
    Atomics.store(shared.i32, Shared.strandAnswered + this.strand, number)
    Atomics.add(shared.i32, Shared.answers, 1)
    this.lane.wakeWorker()
  }

  send(from: number, length: number, tag: number): boolean {
    const at = this.claim()
    if (at < 0) return false
    this.lane.shared.encoder.copy(at + MESSAGE, from, length)
    this.publish(length, tag, 0)
    return true
  }

  /** Everything that is not settled; nothing of it will be. */
  take(): Exchange[] {
    this.#closed = true
    const all = [...(this.#outstanding ? [this.#outstanding] : []), ...this.#queue.splice(0)]
    this.#outstanding = undefined
    return all
  }
}
