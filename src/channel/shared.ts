/**
 * What only Node's threads need to know of a session, in memory that no DLL can reach: which thread has claimed what,
 * which threads use the session, whether it lives. Only `silence` waits.
 */
import { THREADS } from '../codec/layout.js'
import { ringBell } from './bell.js'

/** The arena has at most this many pages. */
export const MAX_PAGES = 8192
/**
 * Bytes that are kept of the last output to stderr of the Windows side, for the error that reports the session's end.
 */
const STDERR_TAIL_SIZE = 8192

/** Indices of the 32-bit words of a SharedState. */
export const SharedWord = {
  /** Requests claimed so far, by all threads. */
  tail: 0,
  /** See Life. */
  life: 16,
  /** Reason of the end: see EndReason. */
  endReason: 17,
  /** Exit code of the Windows process once it has ended, and the row of a batch that ran when it ended. */
  exitCode: 18,
  runningRow: 19,
  /** Bytes of stderr that are kept. */
  stderrLength: 20,
  /**
   * Which numbers of threads are in use, and which of those belong to threads that have ended, a bit each: see
   * threads.ts.
   */
  threads: 21,
  gone: 22,
  /** The numbers that were given last to callbacks, routines and DLLs. */
  callbackNumber: 23,
  routineNumber: 24,
  dllNumber: 25,
  /**
   * The thread that uses the memory window, its number + 1 (0: none), and the number of the last request there: see
   * memory-window.ts.
   */
  windowOwner: 26,
  windowNumber: 27,
  /** The Windows process, as Linux numbers it; 0 before it is started. */
  process: 28,
  /** How many threads ring a bell just now: no bell may be closed meanwhile. */
  ringing: 29,
  /** Threads that have a view of the segment, a bit each: see mapping.ts. */
  views: 30,
  /** How many microseconds the host may look for requests, as it was told last: see turns.ts. */
  lookLimit: 31,
  /** How many signs of life the host has been asked for: see host-watch.ts. */
  pulses: 32,
  /** Threads whose view is being given up just now, a bit each: see mapping.ts. */
  forgetting: 33,
  /** How often pages of the arena have been given back, by all threads: see arena.ts. */
  pagesGivenBack: 34,
  /**
   * For each thread: the descriptor of its bell (0: none), the requests that it has made, and the one that it is about
   * to claim (0: none).
   */
  bell: 64,
  asked: 64 + THREADS,
  intent: 64 + 2 * THREADS,
  /** For each strand: the number of the last message that a thread has put into its mailbox. */
  answered: 64 + 3 * THREADS,
  /**
   * For each page of the arena: 0 where it is free, the number of its thread + 1 where it is in use, and that negated
   * where it rests (arena.ts).
   */
  pages: 256,
  /** For each MiB of the arena: 1 where the system has given memory for it. */
  backed: 256 + MAX_PAGES,
} as const
const MAX_BACKED = 4096
/** Added to `SharedWord.ringing` when the bells are to be closed. */
const CLOSED = -0x40000000
const STDERR_TAIL = 4 * (SharedWord.backed + MAX_BACKED)

export const Life = { starting: 0, up: 1, dead: 2 } as const
export const EndReason = {
  none: 0,
  terminated: 1,
  crashed: 2,
  timeout: 3,
  aborted: 4,
  workerDied: 5,
  ownerEnded: 6,
  corrupted: 7,
  /** Wine's services have ended, and the Windows process would wait for them for ever. */
  servicesGone: 8,
  /** No sign of life has come for as long as a session may take to end. */
  unresponsive: 9,
} as const

export class SharedState {
  readonly i32: Int32Array

  constructor(readonly memory = new SharedArrayBuffer(STDERR_TAIL + STDERR_TAIL_SIZE)) {
    this.i32 = new Int32Array(memory)
  }

  /** The next number of a counter, from 1. */
  next(word: number): number {
    return Atomics.add(this.i32, word, 1) + 1
  }

  life(): number {
    return this.i32[SharedWord.life]
  }

  /** Linux's process id of the Windows process; 0 before it is started. */
  get pid(): number {
    return Atomics.load(this.i32, SharedWord.process)
  }

  /** Rings a bell, unless the session's bells are being closed. */
  ring(fd: number): void {
    const { i32 } = this
    Atomics.add(i32, SharedWord.ringing, 1)
    if (fd > 0 && Atomics.load(i32, SharedWord.ringing) > 0) ringBell(fd)
    Atomics.sub(i32, SharedWord.ringing, 1)
  }

  /** Wakes a thread, wherever it sleeps. */
  wake(thread: number): void {
    this.ring(Atomics.load(this.i32, SharedWord.bell + thread))
  }

  /** Nobody rings from now on; waits for threads that ring just now. */
  silence(): void {
    const { i32 } = this
    Atomics.add(i32, SharedWord.ringing, CLOSED)
    // ringing takes a microsecond and never blocks, but a thread may lose its core meanwhile, and one that was ended
    // meanwhile stays counted: so this waits for a limited time
    for (let patience = 1000; Atomics.load(i32, SharedWord.ringing) !== CLOSED && patience > 0; patience--)
      Atomics.wait(i32, SharedWord.ringing, Atomics.load(i32, SharedWord.ringing), 1)
  }

  /** Marks the session dead and wakes everyone. The first reason stays. */
  end(reason: number, exitCode = -1, stderr: Uint8Array = new Uint8Array()): void {
    const { i32 } = this
    Atomics.compareExchange(i32, SharedWord.endReason, EndReason.none, reason)
    if (Atomics.load(i32, SharedWord.life) !== Life.dead) {
      const tail = stderr.subarray(Math.max(0, stderr.length - STDERR_TAIL_SIZE))
      new Uint8Array(this.memory).set(tail, STDERR_TAIL)
      Atomics.store(i32, SharedWord.stderrLength, tail.length)
      Atomics.store(i32, SharedWord.exitCode, exitCode)
      Atomics.store(i32, SharedWord.life, Life.dead)
    }
    for (let thread = 0; thread < THREADS; thread++) this.wake(thread)
  }

  stderrTail(): string {
    const length = Atomics.load(this.i32, SharedWord.stderrLength)
    return new TextDecoder().decode(new Uint8Array(this.memory).slice(STDERR_TAIL, STDERR_TAIL + length))
  }
}
