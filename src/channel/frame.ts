/**
 * A callback that is open. A thread of the host waits in it, and carries out every call that the callback makes, one at
 * a time (docs/wire.md, "Strand mailbox").
 */
import { Kind, MAILBOX_ROOM, Return } from '../codec/layout.js'
import type { CallbackScope } from './call-context.js'
import type { Exchange, Port, Sender } from './exchange.js'

/** How a frame speaks to the strand that waits in it. */
export interface Mailbox {
  /** Puts a message there and wakes the strand. */
  send(strand: number, message: Int32Array, length: number, tag: number): void
  /** Called before the frame's last answer is sent. From then on the mailbox belongs to the callback around it. */
  close(frame: Frame): void
  /** The message of a Return with these bits. */
  returning(low: number, high: number): Int32Array
}

export class Frame implements Port {
  readonly room = MAILBOX_ROOM
  readonly nested = true
  /** Fails the callback, where a blocked thread holds it up. Set once its function has returned a promise. */
  heldUp: (() => void) | undefined
  readonly scope: CallbackScope<Frame>
  #outstanding: Exchange | undefined
  readonly #queue: Exchange[] = []
  /** Requests that are being put together, one inside the other. */
  #attempts = 0
  #result: { low: number; high: number } | undefined
  #closed = false

  constructor(
    private readonly sender: Sender,
    private readonly mailbox: Mailbox,
    readonly strand: number,
    /** Opens the scope that tells which calls this callback makes. */
    open: (frame: Frame) => CallbackScope<Frame>,
  ) {
    this.scope = open(this)
  }

  /**
   * A request that is made while another is put together (by a getter among its arguments, for instance) goes ahead of that
   * if it blocks, and else behind.
   */
  submit(exchange: Exchange, blocking = false): void {
    const isNext = this.#attempts > 0 ? blocking : this.#queue.length === 0
    if (!this.#outstanding && isNext && this.sendFirst(exchange)) return
    exchange.keep?.()
    this.#queue.push(exchange)
  }

  sendFirst(exchange: Exchange): boolean {
    if (this.#outstanding || !this.#attempt(exchange)) return false
    this.#outstanding = exchange
    return true
  }

  #attempt(exchange: Exchange): boolean {
    this.#attempts++
    try {
      return exchange.attempt(this.sender, this)
    } finally {
      this.#attempts--
    }
  }

  /** Takes an exchange out that waits for its turn; false if it does not, or is just being put together. */
  withdraw(exchange: Exchange): boolean {
    const at = this.#queue.indexOf(exchange)
    if (at < 0 || (at === 0 && this.#attempts > 0)) return false
    this.#queue.splice(at, 1)
    this.pump()
    return true
  }

  /** The exchange of this callback's that the host's thread carries out now. */
  get running(): Exchange | undefined {
    return this.#outstanding
  }

  /** Whether the callback's function has come to its end. */
  get returned(): boolean {
    return this.#result !== undefined
  }

  /**
   * Settles the outstanding exchange with the reply that has come: see `Exchange.settle`. False if none was expected.
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

  /** The callback's function has returned. Its result goes to the host once the calls that it made are done. */
  finish(low: number, high: number): void {
    this.#result = { low, high }
    this.pump()
  }

  /** Sends what can be sent now: queued exchanges, and the result behind the last of them. */
  pump(): void {
    if (this.#attempts > 0) return
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

  /** False while a reply is outstanding: the mailbox holds one message. */
  send(message: Int32Array, length: number, tag: number): boolean {
    if (this.#outstanding) return false
    this.mailbox.send(this.strand, message, length, tag)
    return true
  }

  /** Closes the frame without an answer; gives all exchanges that were not settled. */
  removeAll(): Exchange[] {
    this.#closed = true
    const all = [...(this.#outstanding ? [this.#outstanding] : []), ...this.#queue.splice(0)]
    this.#outstanding = undefined
    return all
  }
}
