/**
 * The state that a session's threads share: the mirror of the segment's head and, in the part that is Node's own, who sleeps
 * where, which slots are taken, and whether the session lives. Nothing here waits.
 */
import { readSync } from 'node:fs'
import { createEncoder, type Encoder } from '../codec/encoder.js'
import { ARENA_OFFSET, NODE_OFFSET, SLOTS, Word } from '../codec/layout.js'
import type { SharedMemory } from '../codec/webassembly.js'

/** Threads that may use one session at the same time (the first is the worker, the second the caller). */
export const MAX_THREADS = 30
/** Each thread puts a message together here before it claims a slot, so that a bad argument claims nothing. */
const SCRATCH_SIZE = 0x1000
const SCRATCH_OFFSET = ARENA_OFFSET

/** Indices of 32-bit words in Node's own part. */
export const Shared = {
  /** Requests claimed so far. */
  tail: NODE_OFFSET / 4,
  /** What the worker does: see WorkerState. */
  workerState: NODE_OFFSET / 4 + 1,
  /** Changes whenever there is something for the worker. */
  workerWake: NODE_OFFSET / 4 + 2,
  /** See Life. */
  life: NODE_OFFSET / 4 + 3,
  /** Exit code of the Windows process, once it is dead. */
  exitCode: NODE_OFFSET / 4 + 4,
  /** Bytes of stderr's tail kept in `stderrTail`. */
  stderrLength: NODE_OFFSET / 4 + 5,
  /** Numbers of threads that are taken, a bit each: see membership.ts. */
  threads: NODE_OFFSET / 4 + 6,
  /** Callback numbers handed out. */
  callbackNumber: NODE_OFFSET / 4 + 7,
  /** Routine and DLL numbers handed out. */
  routineNumber: NODE_OFFSET / 4 + 8,
  dllNumber: NODE_OFFSET / 4 + 9,
  /** Nonzero once a thunk exists: from then on the host may speak unasked. */
  mayCallBack: NODE_OFFSET / 4 + 10,
  /** Reason of the end: see EndReason. */
  endReason: NODE_OFFSET / 4 + 11,
  /** Changes whenever a thread has written a message for a strand, or one of a strand's has been relayed: spares looking at each. */
  answers: NODE_OFFSET / 4 + 13,
  relays: NODE_OFFSET / 4 + 14,
  /** Jobs asked for and not done: the worker goes to its event loop for them. */
  jobs: NODE_OFFSET / 4 + 15,
  /** Of the numbers taken, those whose threads have ended, a bit each. */
  gone: NODE_OFFSET / 4 + 17,
  /** When a job that blocks wants to be woken, in milliseconds (`Date.now()`, 32 bits of it); 0: it does not. */
  jobWake: NODE_OFFSET / 4 + 16,
  /** Who uses the memory window, its thread's number + 1 (0: nobody), and what has been asked there so far: see memory-window.ts. */
  windowOwner: NODE_OFFSET / 4 + 18,
  windowNumber: NODE_OFFSET / 4 + 19,
  /** Who carries between shared memory and segment now, its thread's number + 1 (0: nobody), and how far that has come: see carrier.ts. */
  carrier: NODE_OFFSET / 4 + 20,
  forwarded: NODE_OFFSET / 4 + 21,
  completed: NODE_OFFSET / 4 + 22,
  /** What the host has been told of how to wait: see `Carrier.limitHost`. */
  lookLimit: NODE_OFFSET / 4 + 23,
  /** The Windows process, as Linux numbers it; 0 before it is started. */
  process: NODE_OFFSET / 4 + 24,
  /** Row of the batch that ran when the Windows process ended. */
  runningRow: NODE_OFFSET / 4 + 12,
  /** One word for each thread: changes whenever there is something for it. */
  wake: NODE_OFFSET / 4 + 64,
  /** For each strand: the thread that its open callback belongs to, plus one; 0 for none. */
  strandThread: NODE_OFFSET / 4 + 128,
  /** For each strand: number of the message last relayed to a thread. */
  strandRelayed: NODE_OFFSET / 4 + 160,
  /** For each strand: number of the message last written by a thread. */
  strandAnswered: NODE_OFFSET / 4 + 192,
  /** For each slot: SlotState. */
  slotState: NODE_OFFSET / 4 + 1024,
  /** For each page of the arena: 0 free, else its thread's number + 1. */
  pages: NODE_OFFSET / 4 + 1024 + SLOTS,
} as const

/** At most this many pages can the arena have. */
export const MAX_PAGES = 8192
/** The last of what the Windows side wrote to stderr, for the error that tells of its end. */
const STDERR_TAIL = NODE_OFFSET + 4 * (1024 + SLOTS + MAX_PAGES)
const STDERR_TAIL_SIZE = 8192

export const WorkerState = { idle: 0, blocked: 1, running: 2, lingering: 3 } as const
/** Below zero: taken by a thread and not yet published (see membership.ts). */
export const SlotState = { free: 0, published: 1, replied: 2 } as const
export const Life = { starting: 0, up: 1, dead: 2 } as const
export const EndReason = {
  none: 0,
  terminated: 1,
  crashed: 2,
  timeout: 3,
  aborted: 4,
  workerDied: 5,
  ownerEnded: 6,
} as const

export class SharedState {
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly u8: Uint8Array
  readonly view: DataView
  readonly encoder: Encoder

  constructor(readonly memory: SharedMemory) {
    const { buffer } = memory
    this.i32 = new Int32Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.u8 = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.encoder = createEncoder(memory)
  }

  scratch(thread: number): number {
    return SCRATCH_OFFSET + thread * SCRATCH_SIZE
  }

  /** A new number of a kind, from 1. */
  next(word: number): number {
    return Atomics.add(this.i32, word, 1) + 1
  }

  life(): number {
    return Atomics.load(this.i32, Shared.life)
  }

  /** Of the Windows process, as Linux numbers it; 0 before it is started. */
  get pid(): number {
    return Atomics.load(this.i32, Shared.process)
  }

  /** Tells thread `thread` that there is something for it. */
  wake(thread: number): void {
    Atomics.add(this.i32, Shared.wake + thread, 1)
    Atomics.notify(this.i32, Shared.wake + thread)
  }

  /** Tells the worker, wherever it listens to shared memory; a blocking read ends when its doorbell is rung. */
  wakeWorker(): void {
    Atomics.add(this.i32, Shared.workerWake, 1)
    Atomics.notify(this.i32, Shared.workerWake)
  }

  /**
   * Marks the session dead and wakes everyone. The first reason stays.
   * Whoever blocks on the worker's doorbell is not woken by this: ring it too.
   */
  end(reason: number, exitCode: number, stderr: Uint8Array): void {
    const { i32 } = this
    Atomics.compareExchange(i32, Shared.endReason, EndReason.none, reason)
    if (Atomics.load(i32, Shared.life) !== Life.dead) {
      const tail = stderr.subarray(Math.max(0, stderr.length - STDERR_TAIL_SIZE))
      this.u8.set(tail, STDERR_TAIL)
      Atomics.store(i32, Shared.stderrLength, tail.length)
      Atomics.store(i32, Shared.exitCode, exitCode)
      Atomics.store(i32, Shared.life, Life.dead)
    }
    this.wakeWorker()
    for (let t = 0; t < MAX_THREADS; t++) this.wake(t)
  }

  /** Before the end is told: which row of a batch ran, as the segment has it. */
  keepRow(segment: number): void {
    try {
      const word = new Int32Array(1)
      readSync(segment, word, 0, 4, Word.runningRow)
      Atomics.store(this.i32, Shared.runningRow, word[0])
    } catch {
      // the segment is closed: the session had ended before
    }
  }

  stderrTail(): string {
    const length = Atomics.load(this.i32, Shared.stderrLength)
    return new TextDecoder().decode(this.u8.slice(STDERR_TAIL, STDERR_TAIL + length))
  }
}
