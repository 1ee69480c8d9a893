/** A control message and its outcome: loading, declaring, allocating, and everything else that is not a call. */
import { readSync } from 'node:fs'
import { decodeOutcome, encodeControl, type Outcome } from '../codec/control.js'
import { ARENA_OFFSET, Kind, MAILBOX_ROOM, MESSAGE, Reply, SlotFlag, Status } from '../codec/layout.js'
import { ZugbrueckeError } from '../errors.js'
import { Exchange, type Port } from './exchange.js'
import type { Lane } from './lane.js'
import { Frame } from './strand.js'

/** Room for an outcome; texts longer than that are shortened by the host. */
const ROOM = 4096

export class ControlExchange extends Exchange {
  #at = -1
  #room = -1
  #message: Uint8Array | undefined

  constructor(
    override readonly label: string,
    private readonly op: number,
    private readonly numbers: readonly (number | bigint)[],
    private readonly texts: readonly string[],
    /** Address of the segment in the Windows process; 0 while it is not known (the room is then counted from the segment's start). */
    private readonly base: () => number,
    private readonly resolve: (outcome: Outcome) => void,
    private readonly reject: (error: Error) => void,
  ) {
    super()
  }

  override attempt(lane: Lane, port: Port): boolean {
    const nested = port instanceof Frame
    if (!nested) {
      this.#room = lane.arena.allocate(ROOM)
      if (this.#room < 0) return false
    }
    const message = encodeControl(
      this.op,
      this.numbers,
      this.texts,
      nested ? 0 : this.base() + this.#room,
      nested ? 0 : ROOM,
    )
    this.#message = message
    let extra = 0
    let flags = 0
    if (message.length > port.room) {
      this.#at = lane.arena.allocate(message.length)
      if (this.#at < 0) return this.#undo(lane)
      flags = SlotFlag.messageInArena
      extra = this.#at
    }
    const slot = port.claim()
    if (slot < 0) return this.#undo(lane)
    if (this.#at >= 0) lane.writeArena(message, this.#at)
    else lane.shared.u8.set(message, slot + MESSAGE)
    port.publish(message.length, Kind.control | (flags << 16), extra)
    return true
  }

  override settle(lane: Lane, at: number, outcomeLength: number): void {
    this.settled = true
    try {
      const { view } = lane.shared
      let bytes: Uint8Array
      if (outcomeLength > 0) {
        bytes = lane.shared.u8.slice(at, at + Math.min(outcomeLength, MAILBOX_ROOM))
      } else {
        const status = view.getUint32(at + Reply.status, true)
        const length = view.getUint32(at + Reply.result, true)
        if (status !== Status.done || length > ROOM || this.#room < ARENA_OFFSET) {
          throw new ZugbrueckeError(
            `the Windows side refused ${this.label} (status ${status}): this is a fault of zugbruecke`,
          )
        }
        bytes = new Uint8Array(length)
        readSync(lane.segment.file, bytes, 0, length, this.#room)
      }
      this.#undo(lane)
      if (this.thrown) this.reject(this.thrown)
      else this.resolve(decodeOutcome(bytes))
    } catch (error) {
      this.reject(error as Error)
    }
  }

  override fail(lane: Lane, error: Error): void {
    this.#undo(lane)
    this.reject(error)
  }

  #undo(lane: Lane): false {
    if (this.#room >= 0) lane.arena.free(this.#room, ROOM)
    if (this.#at >= 0) lane.arena.free(this.#at, this.#message?.length ?? 0)
    this.#room = -1
    this.#at = -1
    return false
  }
}
