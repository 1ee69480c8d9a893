/**
 * A callback that is open: the host's thread waits in it, and every call that the callback makes is carried out on that very thread,
 * one at a time (docs/wire.md, "Strand mailbox").
 */
import { Kind, MAILBOX_ROOM, Return } from '../codec/layout.js'
import type { CallbackScope } from './call-context.js'
import type { Exchange, Port, Sender } from './exchange.js'

/** How a frame speaks to the strand that waits in it. */
export interface Mailbox {
  /** Puts a message there and wakes the strand. */
  send(strand: number, message: Int32Array, length: number, tag: number): void
  /** The frame's last answer is about to be sent: the mailbox belongs to the callback around it from then on. */
  close(frame: Frame): void
  /** The message of a Return with these bits. */
  returning(low: number, high: number): Int32Array
}

export class Frame implements Port {
  readonly room = MAILBOX_ROOM
  readonly nested = true
  /** Fails the callback. Set once its function has returned a promise. */
  heldUp: (() => void) | undefined
  readonly scope: CallbackScope<Frame>
  #outstanding: Exchange | undefined
  readonly #queue: Exchange[] = []
  #result: { low: number; high: number } | undefined
  #closed = false

  constructor(
    private readonly sender: Sender,
    private readonly mailbox: Mailbox,
    readonly strand: number,
    /** Opens the scope that tells which calls are the callback's own. */
    open: (frame: Frame) => CallbackScope<Frame>,
  ) {
    this.scope = open(this)
  }

  submit(exchange: Exchange): void {
    if (!this.#outstanding && this.#queue.length === 0 && this.sendFirst(exchange)) return
    exchange.keep?.()
    this.#queue.push(exchange)
  }

  sendFirst(exchange: Exchange): boolean {
    if (this.#outstanding || !exchange.attempt(this.sender, this)) return false
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

  /**
   * A reply has come: its table lies at `at`, or `outcomeLength` bytes of an Outcome do. False if none was expected.
   */
  answered(at: number, outcomeLength: number): boolean {
    const exchange = this.#outstanding
    if (!exchange) return false
    this.#outstanding = undefined
    this.scope.during(() => exchange.settle(this.sender, at, outcomeLength))
    exchange.settled = true
    this.pump()
    return true
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
        if (!this.sendFirst(exchange)) return
      } catch (error) {
        exchange.fail(this.sender, error as Error)
        exchange.settled = true
      }
      this.#queue.shift()
    }
    if (this.#closed || this.#outstanding || !this.#result) return
    this.#closed = true
    const { low, high } = this.#result
    this.mailbox.close(this)
    this.mailbox.send(this.strand, this.mailbox.returning(low, high), Return.size, Kind.return)
  }

  /** One message at a time: false while a reply is outstanding, also for the next rows of a batch. */
  send(message: Int32Array, length: number, tag: number): boolean {
    if (this.#outstanding) return false
    this.mailbox.send(this.strand, message, length, tag)
    return true
  }

  /** Empties the frame; gives all exchanges that were not settled. */
  removeAll(): Exchange[] {
    this.#closed = true
    const all = [...(this.#outstanding ? [this.#outstanding] : []), ...this.#queue.splice(0)]
    this.#outstanding = undefined
    return all
  }
}
