/**
 * How many jobs BullMQ's worker has at a time: one for each session that is up, and another where a session is about to be free, so that
 * what it works on next is here by then. None while the machine is broken: others do them.
 */
import type { Worker } from 'bullmq'
import type { PoolStats } from '../pool/face.js'

/** Milliseconds between two looks at the sessions. */
const LOOK = 250
/** Milliseconds until what failed here is tried again: twice as long each time, up to the last. */
const PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** Jobs for each session, at the most: one that runs, one that comes, and one whose results go. */
const MOST = 3
/** Milliseconds by which the next job is taken earlier than the time that taking took of late demands: timers are no more exact. */
const EARLY = 3

/** Of a worker of BullMQ's: what of it is needed here. */
type JobWorker = Pick<Worker, 'concurrency' | 'pause' | 'resume' | 'isPaused'>

/** Decides how many jobs a worker takes, and when none. */
export class Intake {
  #timer: NodeJS.Timeout | undefined
  /** Jobs whose sessions are, or are about to be, free for others. */
  #beyond = 0
  /** Milliseconds from the taking of a job until it can begin, of late. */
  #coming = 0
  /** What failed here, how often in a row, and until when nothing is taken. */
  #failures = 0
  #until = 0
  #why: string | undefined
  #trouble: string | undefined
  #well = new AbortController()

  constructor(
    private readonly worker: JobWorker,
    private readonly sessions: () => Pick<PoolStats, 'idle' | 'busy' | 'failedStarts' | 'lastError'>,
    /** There is trouble, or none any more. */
    private readonly onChange: () => void,
  ) {}

  begin(): void {
    this.#timer = setInterval(() => this.look(), LOOK)
    this.look()
  }

  /** What it has it finishes. */
  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Why nothing is taken. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Aborted when there is trouble: what waits for a session then goes back. */
  get well(): AbortSignal {
    return this.#well.signal
  }

  /** Something that every job needs has failed on this machine. */
  failed(why: Error): void {
    this.#why = why.message
    this.#until = performance.now() + Math.min(PAUSE * 2 ** this.#failures++, LONGEST_PAUSE)
    this.look()
  }

  worked(): void {
    this.#failures = 0
  }

  /** A job was taken so many milliseconds before it could begin. */
  came(milliseconds: number): void {
    this.#coming += 0.3 * (milliseconds - this.#coming)
  }

  place(): JobPlace {
    const early = this.#coming + EARLY
    return new JobPlace(early, more => {
      this.#beyond += more
      if (more > 0) this.look()
    })
  }

  /** To be called when there may be more, or fewer, sessions. */
  look(): void {
    if (!this.#timer) return
    const { worker } = this
    const { idle, busy, failedStarts, lastError } = this.sessions()
    const up = idle + busy
    if (performance.now() >= this.#until) this.#why = undefined
    // a session that has just died is replaced by and by; it is trouble when that fails
    const down = up === 0 && failedStarts > 0 ? (lastError?.message ?? 'no session is up') : undefined
    this.#say(down ?? this.#why)
    if (up === 0 || this.#trouble !== undefined) {
      if (!worker.isPaused()) void worker.pause(true)
      return
    }
    const before = worker.concurrency
    worker.concurrency = Math.min(up + this.#beyond, MOST * up)
    // one that waits for its jobs' ends looks for others when it is resumed
    if (!worker.isPaused() && worker.concurrency > before) void worker.pause(true)
    if (worker.isPaused()) void worker.resume()
  }

  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return
    const changed = (trouble === undefined) !== (this.#trouble === undefined)
    this.#trouble = trouble
    if (!changed) return
    if (trouble === undefined) this.#well = new AbortController()
    else this.#well.abort()
    this.onChange()
  }
}

/** A job's place among those that a worker has. */
export class JobPlace {
  #timer: NodeJS.Timeout | undefined
  #free = false
  constructor(
    private readonly early: number,
    private readonly more: (jobs: 1 | -1) => void,
  ) {}

  /** Its session will be free in so many milliseconds. */
  expect(milliseconds: number): void {
    clearTimeout(this.#timer)
    if (!this.#free) this.#timer = setTimeout(() => this.free(), Math.max(0, milliseconds - this.early))
  }

  /** Another may come. */
  free(): void {
    clearTimeout(this.#timer)
    if (this.#free) return
    this.#free = true
    this.more(1)
  }

  /** The job is over. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#free) this.more(-1)
    this.#free = true
  }
}
