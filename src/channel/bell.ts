/**
 * A bell: one side sleeps on it, the other rings. It is a pipe with one descriptor, open for reading and writing.
 * Ringing writes a byte and never blocks, even if a DLL fills the pipe. A byte is a hint to look, so that a stale one
 * does no harm.
 */
import { constants } from 'node:fs'
import { Socket } from 'node:net'
import { SessionStartError } from '../errors.js'
import { libc, pollRecord } from './libc.js'

const O_CLOEXEC = 0o2000000
const POLLIN = 1
const BYTE = new Uint8Array([1])
const MODE = constants.O_RDWR | constants.O_NONBLOCK | O_CLOEXEC
const NONE_LEFT = 'no descriptor is left for the bell of a session: raise the limit (ulimit -n)'

/**
 * Makes a bell; its descriptor belongs to the process, so that any thread may ring it. Throws SessionStartError where
 * no descriptor is left.
 */
export function makeBell(): number {
  const pair = new Int32Array(2)
  if (libc().pipe2(pair, O_CLOEXEC) !== 0) throw new SessionStartError(NONE_LEFT)
  try {
    // with one end only for reading, it would give end-of-file when the other side dies
    return reopen(pair[0])
  } finally {
    for (const fd of pair) libc().close(fd)
  }
}

/**
 * Rings without checking that the session lives. Where it may have ended use `SharedState.ring`: by then the number
 * `fd` may be that of another file.
 */
export function ringBell(fd: number): void {
  libc().write(fd, BYTE, 1)
}

function reopen(fd: number): number {
  const own = libc().open(`/proc/self/fd/${fd}`, MODE)
  if (own < 0) throw new SessionStartError(NONE_LEFT)
  return own
}

/** A thread's end of its own bell. Only that thread may use it. */
export class Bell {
  readonly #fd: number
  readonly #socket: Socket
  readonly #poll: Uint8Array
  readonly #bytes = new Uint8Array(64)

  /**
   * `heard` is called in the event loop when the bell has been rung; the bell does not keep the loop alive. Throws
   * SessionStartError where no descriptor is left.
   */
  constructor(fd: number, heard: () => void) {
    this.#fd = reopen(fd)
    this.#poll = pollRecord(this.#fd, POLLIN)
    this.#socket = new Socket({
      fd: this.#fd,
      readable: true,
      writable: false,
      onread: {
        buffer: this.#bytes,
        callback: () => {
          heard()
          return true
        },
      },
    } as ConstructorParameters<typeof Socket>[0])
    this.#socket.on('error', () => {})
    this.#socket.unref()
  }

  /**
   * Blocks this thread until the bell is rung or `milliseconds` have passed; false if it was not rung. A signal does
   * not end the wait: a profiler sends a thousand in a second, and the caller would count each as a slice of waiting in
   * which nothing came.
   */
  wait(milliseconds: number): boolean {
    const end = performance.now() + milliseconds
    for (let left = milliseconds; ; left = end - performance.now()) {
      const ready = libc().poll(this.#poll, 1, Math.max(1, Math.ceil(left)))
      if (ready > 0) break
      if (ready === 0 || performance.now() >= end) return false
    }
    libc().read(this.#fd, this.#bytes, this.#bytes.length)
    return true
  }

  close(): void {
    this.#socket.destroy()
  }
}
