/** A control message and its outcome: loads, declares, allocates, and does everything else that is not a call. */
import { decodeOutcome, encodeControl, type Outcome } from '../codec/control.js'
import { ARENA_OFFSET, Kind, MAILBOX_ROOM, Reply, Status } from '../codec/layout.js'
import { ZugbrueckeError } from '../errors.js'
import { Exchange, type Port, type Sender, sendFromArena } from './exchange.js'

/** Bytes of arena for an outcome. The host shortens texts for which that is too little. */
const ROOM = 4096

export class ControlExchange extends Exchange {
  override readonly prepares = true
  /** Offset of the message in the arena, where the port has no room for it; -1: none. */
  #at = -1
  #length = 0
  /** Offset of the room for the outcome; -1: none. */
  #room = -1

  constructor(
    override readonly label: string,
    private readonly op: number,
    private readonly numbers: readonly (number | bigint)[],
    private readonly texts: readonly string[],
    private readonly resolve: (outcome: Outcome) => void,
    private readonly reject: (error: Error) => void,
  ) {
    super()
  }

  override attempt(sender: Sender, port: Port): boolean {
    const { arena } = sender
    if (!port.nested) {
      this.#room = arena.allocate(ROOM)
      if (this.#room < 0) return false
    }
    const message = encodeControl(
      this.op,
      this.numbers,
      this.texts,
      port.nested ? 0 : this.#room,
      port.nested ? 0 : ROOM,
    )
    this.#length = message.length
    let sent: boolean
    if (message.length > port.room) {
      this.#at = arena.allocate(message.length)
      if (this.#at < 0) return this.#undo(sender)
      sent = sendFromArena(sender, port, message, this.#at, Kind.control)
    } else {
      const words = new Int32Array((message.length + 3) >> 2)
      new Uint8Array(words.buffer).set(message)
      sent = port.send(words, message.length, Kind.control)
    }
    return sent || this.#undo(sender)
  }

  override settle(sender: Sender, at: number, outcomeLength: number): void {
    this.settled = true
    try {
      const { u8, view } = sender.mapping
      let bytes: Uint8Array
      if (outcomeLength > 0) {
        bytes = u8.slice(at, at + Math.min(outcomeLength, MAILBOX_ROOM))
      } else {
        const status = view.getUint32(at + Reply.status, true)
        const length = view.getUint32(at + Reply.result, true)
        if (status !== Status.done || length > ROOM || this.#room < ARENA_OFFSET) {
          throw new ZugbrueckeError(
            `the Windows side refused ${this.label} (status ${status}): this is a fault of zugbruecke`,
          )
        }
        bytes = u8.slice(this.#room, this.#room + length)
      }
      this.#undo(sender)
      if (this.thrown) this.reject(this.thrown)
      else this.resolve(decodeOutcome(bytes))
    } catch (error) {
      this.reject(error as Error)
    }
  }

  override fail(sender: Sender, error: Error): void {
    this.#undo(sender)
    this.reject(error)
  }

  #undo({ arena }: Sender): false {
    if (this.#room >= 0) arena.free(this.#room, ROOM)
    if (this.#at >= 0) arena.free(this.#at, this.#length)
    this.#room = -1
    this.#at = -1
    return false
  }
}
