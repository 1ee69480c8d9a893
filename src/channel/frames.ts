/** The callbacks that run in one thread now, by the order in which they began and by the strands of the host that wait in them. */
import { Kind, MAILBOX_ROOM, MESSAGE, STRAND_OFFSET, STRAND_SIZE, STRANDS } from '../codec/layout.js'
import { CallContext } from './call-context.js'
import type { Exchange } from './exchange.js'
import type { Lane } from './lane.js'
import { Shared } from './shared.js'
import { Frame } from './strand.js'

/** Carries out one callback; gives the bits of its result, or a promise of them. Must not throw. */
export type OnCallback = (frame: Frame, callback: number, count: number, argumentsAt: number) => void

export class Frames {
  readonly context = new CallContext<Frame>()
  /** The latest last. */
  readonly #open: Frame[] = []
  readonly #strands: Frame[][] = Array.from({ length: STRANDS }, () => [])
  /** For each strand: number of the message last seen. */
  readonly #seen = new Int32Array(STRANDS)
  #relaysSeen = 0

  constructor(
    private readonly lane: Lane,
    private readonly onCallback: OnCallback,
  ) {}

  get count(): number {
    return this.#open.length
  }

  /** The callback that makes the call made now; undefined: the call is of none, and goes to the ring. */
  get current(): Frame | undefined {
    return this.context.current
  }

  /**
   * Would a call that belongs to `frame` (to none: the host's main thread carries it out) wait for a callback that only this thread
   * can bring to its end?
   */
  isBehindOwn(frame: Frame | undefined): boolean {
    const stack = this.#strands[frame?.strand ?? 0]
    return stack.slice(frame ? stack.indexOf(frame) + 1 : 0).some(inner => !inner.returned)
  }

  /** Is there a callback that only this thread can bring to its end? */
  get unfinished(): boolean {
    return this.#open.some(frame => !frame.returned)
  }

  /** The callback around another, on the same strand. */
  outside(frame: Frame): Frame | undefined {
    const stack = this.#strands[frame.strand]
    return stack[stack.indexOf(frame) - 1]
  }

  /** Fails callbacks that wait for this thread, which blocks for what these strands carry out. */
  failHeldUp(strands: readonly number[]): void {
    for (const frame of [...this.#open]) if (!strands.includes(frame.strand)) frame.heldUp?.()
  }

  /** A frame is closed: what it answered has been written, and the calls made meanwhile may go on. */
  close(frame: Frame): void {
    this.#open.splice(this.#open.indexOf(frame), 1)
    const stack = this.#strands[frame.strand]
    stack.splice(stack.indexOf(frame), 1)
    frame.scope.close()
  }

  /** What was under way in all of them; they are none any more. */
  take(): Exchange[] {
    return this.#open.splice(0).flatMap(frame => {
      frame.scope.close()
      return frame.take()
    })
  }

  /** Does what the host's strands have asked of this thread, and what can go on in callbacks that have begun. */
  service(): void {
    const { i32 } = this.lane.shared
    const relays = Atomics.load(i32, Shared.relays)
    if (relays !== this.#relaysSeen) {
      this.#relaysSeen = relays
      for (let strand = 0; strand < STRANDS; strand++) this.#listen(strand)
    }
    if (this.#open.length > 0) for (const frame of [...this.#open]) frame.pump()
  }

  #listen(strand: number): void {
    const { i32, view } = this.lane.shared
    if (Atomics.load(i32, Shared.strandThread + strand) !== this.lane.thread + 1) return
    const number = Atomics.load(i32, Shared.strandRelayed + strand)
    if (number === this.#seen[strand]) return
    this.#seen[strand] = number
    const mailbox = STRAND_OFFSET + strand * STRAND_SIZE
    const message = mailbox + MESSAGE
    const kind = view.getUint8(mailbox + 8)
    const stack = this.#strands[strand]
    if (kind === Kind.callback) {
      const frame = new Frame(this.lane, strand, stack.at(-1))
      stack.push(frame)
      this.#open.push(frame)
      this.onCallback(frame, view.getUint32(message + 20, true), view.getUint32(message + 36, true), message + 40)
    } else {
      const outcome = kind === Kind.outcome ? Math.min(view.getUint32(mailbox + 4, true), MAILBOX_ROOM) : 0
      stack.at(-1)?.answered(message, outcome)
    }
  }
}
