/**
 * Where what sessions print goes: this program's stdout or stderr, written without ever waiting for who reads there. What is not taken
 * at once is kept, so much for each session; what comes beyond is counted, dropped, and told of. Used by the supervisor thread.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { errno, libc, pollRecord } from '../../channel/libc.js'

/** Kept for a session whose output nobody takes, in bytes. */
const LIMIT = 4 << 20
/** Milliseconds between two tries, at first and at most. */
const SOON = 1
const LATER = 16

const MSG_DONTWAIT_NOSIGNAL = 0x4040
const POLLOUT = 4
const EAGAIN = 11
/** What a pipe with any room takes. */
const PIPE_BUF = 4096

/** Who prints. */
export interface Printer {
  /** Bytes that wait to be taken, and bytes that were dropped and not told of yet. */
  held: number
  dropped: number
}

/** Words of the memory that tells the program's thread how many bytes wait, and how many were dropped, for when it ends. */
export const Waiting = { held: 0, dropped: 1 } as const

/** Gives how many bytes were taken (0: none just now), or undefined if none will ever be. */
export type Write = (chunk: Uint8Array) => number | undefined

/** Other threads of the program may want to wait at the same descriptor, so how it is opened stays as it is. */
export function writerTo(fd: number): Write {
  let own: number
  try {
    const stat = fstatSync(fd)
    // files take what they are given, at a place that all who write there share
    if (stat.isFile()) return chunk => attempt(() => writeSync(fd, chunk))
    if (stat.isSocket()) return chunk => counted(Number(libc().send(fd, chunk, chunk.length, MSG_DONTWAIT_NOSIGNAL)))
    own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    // another user's: it is asked each time, and an error shows when it is written
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
    private readonly waiting: Int32Array,
    /** Tells of what was dropped. */
    private readonly onDropped: (printer: Printer, bytes: number) => void,
  ) {}

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
      // where nobody reads any more nobody misses it
      const done = taken ?? chunk.length
      // before the last of it is counted, which may be what the end of the program waits for
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
