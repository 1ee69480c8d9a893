/** One request and its reply, from the moment it is asked for until it is settled: waiting, under way, settled. */
import type { Lane } from './lane.js'

/** Where a message goes: the ring's next slot, or the mailbox of a strand. */
export interface Port {
  /** Bytes for message and image, behind the header. */
  readonly room: number
  /**
   * Takes the place: the offset of the slot or mailbox, the same in shared memory and in the segment; -1 if it has to wait.
   * Until `publish` nobody looks at it. What has been taken must be published.
   */
  claim(): number
  /** Hands the message over. `tag` is kind | flags << 16. */
  publish(length: number, tag: number, extra: number): void
  /** Claims, copies a whole message that lies in shared memory, and publishes it; false if it has to wait. */
  send(from: number, length: number, tag: number): boolean
}

export abstract class Exchange {
  /** Nothing more will be done with it. Set by whoever fails it or takes it back, and by those for whose reply a thread blocks. */
  settled = false
  /** What a callback threw inside it: it fails with the first of these. (Declared only: most have no need of the room.) */
  declare thrown?: Error
  /** What runs, for errors. */
  abstract readonly label: string
  /**
   * Encodes the request and publishes it. False: it has to wait (no slot, no arena, its memory is lent, a thunk is wanted).
   * Throws when the request is bad: nothing has been sent then.
   */
  abstract attempt(lane: Lane, port: Port): boolean
  /** It has to wait: takes what must not change meanwhile. Throws for what cannot be read. */
  keep?(): void
  /**
   * Takes the reply: `at` is the offset in shared memory of the `Reply` table or, if `outcomeLength` is not 0, of the so many bytes
   * of an Outcome that came in a mailbox. An image inside the request's slot has been read back there. Must not throw.
   */
  abstract settle(lane: Lane, at: number, outcomeLength: number): void
  /** The session is gone, or the request was bad. Must not throw. */
  abstract fail(lane: Lane, error: Error): void
}
