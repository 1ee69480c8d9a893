/**
 * Writes what sessions print to this program's stdout or stderr, and never waits for the reader. What is not taken at
 * once is kept, up to a limit for each session; what exceeds it is dropped, counted and reported. Used by the
 * supervisor thread.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { errno, libc, pollRecord } from '../../channel/libc.js'

/** The most bytes kept for a session while nothing is taken. */
const LIMIT = 4 << 20
/** Milliseconds between two attempts to write: at first, and at most. */
const SOON = 1
const LATER = 16

const MSG_DONTWAIT_NOSIGNAL = 0x4040
const POLLOUT = 4
const EAGAIN = 11
/** Bytes that a pipe takes as a whole once it is ready for writing. */
const PIPE_BUF = 4096

/** A session that prints. */
export interface Printer {
  /** Bytes that wait, and bytes that were dropped and not reported yet. */
  held: number
  dropped: number
}

/** Indices of the words that the program's thread reads at its end: bytes that wait, and bytes that were dropped. */
export const Waiting = { held: 0, dropped: 1 } as const

/** Writes what can be written now: the number of bytes, 0 if none can be now, or undefined if none ever can. */
export type Write = (chunk: Uint8Array) => number | undefined

/** Writes to a descriptor without waiting. Its flags stay as they are, for other users of it may rely on blocking. */
export function writerTo(fd: number): Write {
  let own: number
  try {
    const stat = fstatSync(fd)
    // a file takes everything at once; opened again it would have a position of its own
    if (stat.isFile()) return chunk => attempt(() => writeSync(fd, chunk))
    if (stat.isSocket()) return chunk => counted(Number(libc().send(fd, chunk, chunk.length, MSG_DONTWAIT_NOSIGNAL)))
    own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    // the file is another user's and cannot be opened again, so that a poll before each write has to say whether it
    // waits
    return chunk =>
      libc().poll(pollRecord(fd, POLLOUT), 1, 0) > 0 ? attempt(() => writeSync(fd, chunk.subarray(0, PIPE_BUF))) : 0
  }
  return chunk => attempt(() => writeSync(own, chunk))
}

function attempt(write: () => number): number | undefined {
  try {
    return write()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : undefined
  }
}

const counted = (count: number) => (count >= 0 ? count : errno() === EAGAIN ? 0 : undefined)

export class Output {
  readonly #queue: { readonly printer: Printer; chunk: Uint8Array }[] = []
  #pause = SOON
  #waits = false

  constructor(
    private readonly write: Write,
    /** The words of `Waiting`. */
    private readonly waiting: Int32Array,
    /** Reports bytes that were dropped, once the bytes before them are written. */
    private readonly onDropped: (printer: Printer, bytes: number) => void,
  ) {}

  /** Writes what a session has printed, now or when it can be written; drops it where too much waits. */
  print(printer: Printer, chunk: Uint8Array): void {
    if (printer.held + chunk.length > LIMIT) {
      this.#drop(printer, chunk.length)
      return
    }
    this.#count(printer, chunk.length)
    this.#queue.push({ printer, chunk })
    if (!this.#waits) this.#drain()
  }

  readonly #drain = (): void => {
    this.#waits = false
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      const { printer, chunk } = first
      const taken = this.write(chunk)
      if (taken === 0) {
        this.#waits = true
        setTimeout(this.#drain, this.#pause)
        this.#pause = Math.min(this.#pause * 2, LATER)
        return
      }
      this.#pause = SOON
      // where nothing can be written any more the bytes are dropped in silence
      const done = taken ?? chunk.length
      // before these bytes, the last that wait, count as written: the program may be waiting for that in order to end
      if (printer.held === done && printer.dropped > 0) this.#tell(printer)
      this.#count(printer, -done)
      if (taken !== undefined && taken < chunk.length) first.chunk = chunk.subarray(taken)
      else this.#queue.shift()
    }
  }

  #count(printer: Printer, bytes: number): void {
    printer.held += bytes
    Atomics.add(this.waiting, Waiting.held, bytes)
    Atomics.notify(this.waiting, Waiting.held)
  }

  #drop(printer: Printer, bytes: number): void {
    printer.dropped += bytes
    Atomics.add(this.waiting, Waiting.dropped, bytes)
  }

  #tell(printer: Printer): void {
    const { dropped } = printer
    printer.dropped = 0
    Atomics.sub(this.waiting, Waiting.dropped, dropped)
    this.onDropped(printer, dropped)
  }
}
