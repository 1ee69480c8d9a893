/**
 * The open callbacks of one thread: in the order in which they began, and by the strand of the host that waits in them.
 */
import {
  Callback as CallbackMessage,
  Header,
  Kind,
  MAILBOX_ROOM,
  MESSAGE,
  STRAND_OFFSET,
  STRAND_SIZE,
  STRANDS,
  THREADS,
} from '../codec/layout.js'
import { CallContext } from './call-context.js'
import type { Exchange, Sender } from './exchange.js'
import { Frame, type Mailbox } from './frame.js'
import type { Mapping } from './mapping.js'
import { type SharedState, SharedWord } from './shared.js'
import { postedAt } from './threads.js'
import type { Trace } from './trace.js'

/**
 * Runs one callback, the bits of whose `count` arguments lie at `argumentsAt` in the segment, and calls `frame.finish`
 * in the end. Must not throw.
 */
export type OnCallback = (frame: Frame, callback: number, count: number, argumentsAt: number) => void

export class Frames {
  /** Index of the segment's word that says which strands have posted something for this thread: a bit each. */
  readonly posted: number
  readonly context = new CallContext<Frame>()
  /** The one that began last comes last. */
  readonly #open: Frame[] = []
  readonly #strands: Frame[][] = Array.from({ length: STRANDS }, () => [])
  /** For each strand: number of the message that was handled last. */
  readonly #seen = new Int32Array(STRANDS)

  constructor(
    private readonly sender: Sender,
    private readonly mapping: Mapping,
    private readonly state: SharedState,
    private readonly thread: number,
    private readonly mailbox: Mailbox,
    private readonly onCallback: OnCallback,
    /** Called for a reply that no exchange waits for: a DLL has overwritten the mailbox. */
    private readonly onBroken: () => void,
    private readonly trace?: Trace,
  ) {
    this.posted = postedAt(thread)
  }

  get count(): number {
    return this.#open.length
  }

  /** The callback whose code runs now. Undefined: no callback's code runs, and a call made now goes to the ring. */
  get current(): Frame | undefined {
    return this.context.current
  }

  /**
   * Whether a call that `frame` makes would wait for a callback that only this thread can finish. Without a frame the
   * call is one for the host's main thread.
   */
  isBehindOwn(frame: Frame | undefined): boolean {
    const stack = this.#strands[frame?.strand ?? 0]
    return stack.slice(frame ? stack.indexOf(frame) + 1 : 0).some(inner => !inner.returned)
  }

  /** Whether a callback is open that only this thread can finish. */
  get unfinished(): boolean {
    return this.#open.some(frame => !frame.returned)
  }

  /** The callback inside which another one happens, on the same strand. */
  outside(frame: Frame): Frame | undefined {
    const stack = this.#strands[frame.strand]
    return stack[stack.indexOf(frame) - 1]
  }

  /** Fails the callbacks on all strands but those that this thread blocks for. */
  failHeldUp(strands: readonly number[]): void {
    for (const frame of [...this.#open]) if (!strands.includes(frame.strand)) frame.heldUp?.()
  }

  /** Takes an exchange out that waits for its turn in an open callback; false if none does. */
  withdraw(exchange: Exchange): boolean {
    return this.#open.some(frame => frame.withdraw(exchange))
  }

  /** Removes a frame whose callback has returned. */
  close(frame: Frame): void {
    this.#open.splice(this.#open.indexOf(frame), 1)
    const stack = this.#strands[frame.strand]
    stack.splice(stack.indexOf(frame), 1)
    frame.scope.close()
  }

  /** Closes all frames; gives the exchanges that were under way in them. */
  removeAll(): Exchange[] {
    return this.#open.splice(0).flatMap(frame => {
      frame.scope.close()
      return frame.removeAll()
    })
  }

  /**
   * Serves what the host's strands have posted for this thread, and sends what waits in open callbacks. Gives the
   * number of messages served. `everywhere`: looks into every mailbox, in case a DLL has overwritten the word that
   * tells which ones to look into.
   */
  service(everywhere = false): number {
    const { i32 } = this.mapping
    let heard = 0
    if (everywhere || i32[this.posted] !== 0) {
      const told = Atomics.exchange(i32, this.posted, 0)
      for (let strands = everywhere ? -1 : told, strand = 0; strands !== 0; strands >>>= 1, strand++)
        if (strands & 1 && this.#listen(strand)) heard++
    }
    if (this.#open.length > 0) for (const frame of [...this.#open]) frame.pump()
    return heard
  }

  /** Whether any mailbox has a message number, or a thread's number, that is impossible. */
  get isBroken(): boolean {
    const { i32, u8 } = this.mapping
    for (let strand = 0; strand < STRANDS; strand++) {
      const box = STRAND_OFFSET + strand * STRAND_SIZE
      const ahead = (Atomics.load(i32, box >> 2) - Atomics.load(this.state.i32, SharedWord.answered + strand)) | 0
      if (ahead < 0 || ahead > 1 || (ahead === 1 && u8[box + Header.tag + 1] >= THREADS)) return true
    }
    return false
  }

  /**
   * Serves a strand's mailbox. False where nothing in it is new for this thread: its bit in `posted` proves nothing,
   * for a DLL can set it.
   */
  #listen(strand: number): boolean {
    const { i32, view } = this.mapping
    const box = STRAND_OFFSET + strand * STRAND_SIZE
    const message = box + MESSAGE
    const number = Atomics.load(i32, box >> 2)
    // host and Node post in turns: the next message of the host's has the number after Node's last answer
    if (
      number === this.#seen[strand] ||
      number !== ((Atomics.load(this.state.i32, SharedWord.answered + strand) + 1) | 0)
    )
      return false
    if (view.getUint8(box + Header.tag + 1) !== this.thread) return false
    this.#seen[strand] = number
    const kind = view.getUint8(box + Header.tag)
    this.trace?.came(
      `strand ${strand}`,
      message,
      Math.min(view.getUint32(box + Header.length, true), MAILBOX_ROOM),
      kind,
    )
    const stack = this.#strands[strand]
    if (kind === Kind.callback) {
      const around = stack.at(-1)?.scope
      const frame = new Frame(this.sender, this.mailbox, strand, made => this.context.open(made, around))
      stack.push(frame)
      this.#open.push(frame)
      const count = Math.min(
        view.getUint32(message + CallbackMessage.count, true),
        (MAILBOX_ROOM - CallbackMessage.arguments) / 8,
      )
      this.onCallback(
        frame,
        view.getUint32(message + CallbackMessage.callback, true),
        count,
        message + CallbackMessage.arguments,
      )
    } else {
      const outcome = kind === Kind.outcome ? Math.min(view.getUint32(box + Header.length, true), MAILBOX_ROOM) : 0
      if (!stack.at(-1)?.answered(message, outcome)) this.onBroken()
    }
    return true
  }
}
