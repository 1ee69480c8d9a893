/** One request and its reply, from the moment it is asked for until it is settled: waiting, under way, settled. */
import { MESSAGE_IN_ARENA } from '../codec/layout.js'
import type { Arena } from './arena.js'
import type { Mapping } from './mapping.js'

/** Where a message goes: the ring's next slot, or the mailbox of a strand. */
export interface Port {
  /** Bytes for the message, behind the header. */
  readonly room: number
  /**
   * Hands over the `length` bytes that `message` begins with, which are copied; false if it has to wait. `tag` is kind | flags << 16.
   * With the flag MESSAGE_IN_ARENA they lie in the arena, and `message` begins with their offset.
   */
  send(message: Int32Array, length: number, tag: number): boolean
  /** Set for a callback's mailbox: what is sent there runs inside the callback, and must not wait for what the call around it holds. */
  readonly nested?: boolean
}

/** What an exchange may use of the thread that it belongs to. */
export interface Sender {
  readonly mapping: Mapping
  readonly arena: Arena
  /** ArrayBuffers that calls under way work on. */
  readonly lent: Set<ArrayBufferLike>
  /** Sends what the request at the head of its queue needs to have sent before itself; false if that has to wait. */
  sendFirst(exchange: Exchange, port: Port): boolean
}

/** Sends a message for which the port has no room: its bytes go to the arena, at an offset where there is room for them. */
export function sendFromArena({ mapping }: Sender, port: Port, bytes: Uint8Array, at: number, kind: number): boolean {
  mapping.u8.set(bytes, at)
  return port.send(Int32Array.of(at), bytes.length, kind | (MESSAGE_IN_ARENA << 16))
}

export abstract class Exchange {
  /**
   * True once nothing more is to be done with it. Set where it fails or is withdrawn, and by exchanges that a thread
   * blocks for.
   */
  settled = false
  /**
   * The first error that a callback threw during it; it fails with that. (`declare` makes no field: most exchanges
   * need none.)
   */
  declare thrown?: Error
  /** True if it is sent only for the exchange behind it: to load a DLL or declare a routine. */
  readonly prepares?: boolean
  /** What runs, for errors. */
  abstract readonly label: string
  /**
   * Encodes the request and sends it. False: it has to wait (no slot, no arena, its memory is lent, a thunk is wanted).
   * Throws when the request is bad: nothing has been sent then.
   */
  abstract attempt(sender: Sender, port: Port): boolean
  /** A callback is about to run inside it, which may change what it was given. */
  interrupted?(): void
  /** Called where it has to wait: copies what must not change until it is sent. Throws if that cannot be read. */
  keep?(): void
  /**
   * Takes the reply: `at` is the offset in the segment of the `Reply` table or, if `outcomeLength` is not 0, of the so many bytes
   * of an Outcome that came in a mailbox. Must not throw.
   */
  abstract settle(sender: Sender, at: number, outcomeLength: number): void
  /** The session is gone, or the request was bad. Must not throw. */
  abstract fail(sender: Sender, error: Error): void
}
