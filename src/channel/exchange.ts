/**
 * One request and its reply. An exchange waits for its turn, is under way once its request is sent, and ends settled.
 */
import { MESSAGE_IN_ARENA } from '../codec/layout.js'
import type { Arena } from './arena.js'
import type { Mapping } from './mapping.js'

/** Where a message goes: the ring's next slot, or the mailbox of a strand. */
export interface Port {
  /** Bytes that a message may have, without its header. */
  readonly room: number
  /**
   * Sends the first `length` bytes of `message`, which are copied; false if the message has to wait. `tag` is kind |
   * flags << 16. With the flag MESSAGE_IN_ARENA the bytes lie in the arena, and `message` begins with their offset.
   */
  send(message: Int32Array, length: number, tag: number): boolean
  /**
   * Set for the mailbox of a callback: what is sent there runs inside the callback, and must not wait for memory that
   * the call around the callback holds.
   */
  readonly nested?: boolean
}

/** What an exchange may use of the thread that it belongs to. */
export interface Sender {
  readonly mapping: Mapping
  readonly arena: Arena
  /** None of its requests is under way: what it waits for, none of them gives back. */
  readonly isIdle: boolean
  /** ArrayBuffers of the program's that calls under way use. Their contents may change until those calls return. */
  readonly lent: Set<ArrayBufferLike>
  /**
   * Sends a request that the one at the head of the queue needs before itself, on the same port; false if it has to
   * wait.
   */
  sendFirst(exchange: Exchange, port: Port): boolean
}

/**
 * Sends a message that is too long for the port: copies its bytes to `at` in the arena, where the caller has allocated
 * room.
 */
export function sendFromArena({ mapping }: Sender, port: Port, bytes: Uint8Array, at: number, kind: number): boolean {
  mapping.u8.set(bytes, at)
  return port.send(Int32Array.of(at), bytes.length, kind | (MESSAGE_IN_ARENA << 16))
}

export abstract class Exchange {
  /**
   * True once nothing more is to be done with it. Set by the lane where it fails or is withdrawn, by a frame when it is
   * answered, and otherwise only by exchanges that a thread may block for, when they settle.
   */
  settled = false
  /**
   * The first error that a callback threw during this exchange, which then fails with it. (Only declared, so that the
   * field is not made for each exchange: most need none.)
   */
  declare thrown?: Error
  /** True if it loads a DLL or declares a routine: it is sent only because the exchange behind it needs that. */
  readonly prepares?: boolean
  /** Names in errors what runs. */
  abstract readonly label: string
  /** The row that the host carries out, of a part of a batch: for the error of a crash. */
  runningRow?(): number | undefined
  /**
   * Encodes the request and sends it. False if it has to wait: no slot or no arena is free, memory of its arguments is
   * lent to another call, or a callback has no thunk yet. Throws, with nothing sent, if the request is bad.
   */
  abstract attempt(sender: Sender, port: Port): boolean
  /** Called before a callback runs inside it, which may change the memory of its arguments. */
  interrupted?(): void
  /**
   * Called where it has to wait: copies the arguments that must not change until it is sent. Throws if they cannot be
   * read.
   */
  keep?(): void
  /**
   * Takes the reply. `at` is an offset in the segment: of the `Reply` table or, where `outcomeLength` is not 0, of an
   * Outcome of so many bytes that came in a mailbox. Must not throw.
   */
  abstract settle(sender: Sender, at: number, outcomeLength: number): void
  /** Called instead of `settle`: the session has ended, or the request was bad. Must not throw. */
  abstract fail(sender: Sender, error: Error): void
}
