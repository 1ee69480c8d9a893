/** A client's jobs: adds them to the queue, and settles them by what BullMQ tells, or by looking where nothing is heard. */
import { randomUUID } from 'node:crypto'
import { Queue, QueueEvents, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { decodeError, type EncodedError, WorkerLostError } from '../errors.js'
import { closedError } from '../pool/face.js'
import { carry, fetch, forget, unpack } from './payload.js'
import {
  type Failure,
  type JobData,
  type JobResult,
  type Keys,
  keepQueue,
  keysOf,
  liveWorkers,
  type NotBegun,
  PROTOCOL,
  type WorkerFacts,
} from './queue.js'

/** Milliseconds between signs of life, and for how long one counts: a cut of a minute is no end. */
const BEAT = 2000
const LIFE = 90_000
/** So often a job that nothing was heard of is looked at, in milliseconds. */
const LOOK = 5000
/** Finished jobs are kept for people to see. */
const KEPT = { age: 3600, count: 500 }
/** What a worker's lock being gone is looked for. */
const STALLED = 3000

/** A job that was not begun: it may be given to another. */
export class NotBegunError extends Error {
  constructor(readonly why: NotBegun) {
    super(`the job was not begun: ${why}`)
  }
}

/** What a job gave, and the milliseconds that its session took. */
export interface Answer {
  readonly packed: Buffer
  readonly took: number
}

/** What ends a job before it is done. */
export interface Stops {
  /** Takes it back, or stops it. */
  readonly signal?: AbortSignal | undefined
  /** Takes it back where it has not begun. */
  readonly withdraw?: AbortSignal | undefined
}

interface Pending {
  readonly name: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  looked: number
}

/** The jobs of one client. */
export class Jobs {
  readonly client = randomUUID()
  readonly keys: Keys
  workers: readonly WorkerFacts[] = []
  readonly #pending = new Map<string, Pending>()
  readonly #queue: Queue<JobData, JobResult>
  readonly #events: QueueEvents
  /** Processes nothing: it gives back what workers that are gone had, also where no other worker is there to do so. */
  readonly #checker: Worker
  readonly #beat: NodeJS.Timeout
  #number = 0
  #closed = false
  /** Files of DLLs that are to stay. */
  readonly held = new Set<string>()

  private constructor(
    private readonly redis: Redis,
    queue: string,
    readonly ttl: number,
  ) {
    this.keys = keysOf(queue)
    const connection = redis as never
    this.#queue = new Queue(queue, { connection })
    this.#events = new QueueEvents(queue, { connection: redis.duplicate() as never, blockingTimeout: BEAT })
    this.#checker = new Worker(queue, undefined, {
      connection,
      autorun: false,
      maxStalledCount: 0,
      stalledInterval: STALLED,
    })
    // a break of the connection is mended by itself
    this.#queue.on('error', () => {})
    this.#events.on('error', () => {})
    this.#checker.on('error', () => {})
    this.#events.on('completed', ({ jobId, returnvalue }) => void this.#completed(jobId, returnvalue as never))
    this.#events.on('failed', ({ jobId }) => void this.#failed(jobId))
    this.#events.on('stalled', ({ jobId }) => this.#lost(jobId))
    this.#beat = setInterval(() => void this.beat().catch(() => {}), BEAT)
    this.#queueName = queue
  }
  readonly #queueName: string

  static async open(redis: Redis, queue: string, ttl: number): Promise<Jobs> {
    const jobs = new Jobs(redis, queue, ttl)
    await Promise.all([jobs.#queue.waitUntilReady(), jobs.#events.waitUntilReady(), jobs.beat()])
    await jobs.#checker.waitUntilReady()
    await jobs.#checker.startStalledCheckTimer()
    return jobs
  }

  get count(): number {
    return this.#pending.size
  }

  /** Says that this client lives, and looks who works. */
  async beat(): Promise<void> {
    if (this.#closed) return
    const { redis, keys } = this
    await redis.set(keys.client(this.client), '', 'PX', LIFE)
    for (const sha256 of this.held) await redis.pexpire(keys.dll(sha256), this.ttl)
    await keepQueue(redis, this.#queueName)
    this.workers = await liveWorkers(redis, keys)
    await this.#look()
  }

  /** Rejects with what the job failed with, NotBegunError, WorkerLostError, or SessionTerminatedError when the pool is closed. */
  async run(
    name: string,
    data: Omit<JobData, 'protocol' | 'client' | 'input' | 'ttl'>,
    packed: Buffer,
    { signal, withdraw }: Stops = {},
  ): Promise<Answer> {
    const { redis, keys, client, ttl } = this
    const id = `${client}-${this.#number++}`
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#pending.set(id, { name, resolve, reject, looked: performance.now() })
    })
    // it may be settled while it is added
    answer.catch(() => {})
    const stop = () => void this.#stop(id)
    const takeBack = () => void this.#takeBack(id)
    try {
      if (this.#closed) throw closedError()
      const input = await carry(redis, keys.input(id), packed, ttl)
      await this.#queue.add(
        name,
        { protocol: PROTOCOL, client, input, ttl, ...data },
        { jobId: id, removeOnComplete: KEPT, removeOnFail: KEPT },
      )
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
      if (withdraw?.aborted) takeBack()
      else withdraw?.addEventListener('abort', takeBack, { once: true })
      return await answer
    } finally {
      signal?.removeEventListener('abort', stop)
      withdraw?.removeEventListener('abort', takeBack)
      this.#pending.delete(id)
    }
  }

  /** One that waits is taken back, one that runs is stopped by who has it. */
  async #stop(id: string): Promise<void> {
    if (!(await this.#takeBack(id))) await this.redis.publish(this.keys.aborts, id).catch(() => {})
  }

  async #takeBack(id: string): Promise<boolean> {
    try {
      if ((await this.#queue.remove(id)) !== 1) return false
      this.#pending.get(id)?.reject(new NotBegunError('client'))
      await this.redis.unlink(this.keys.input(id))
      return true
    } catch {
      // it is locked by who has it
      return false
    }
  }

  async #completed(id: string, result: JobResult | string | null): Promise<void> {
    const pending = this.#pending.get(id)
    if (!pending) return
    try {
      const { output, took } = (typeof result === 'string' ? JSON.parse(result) : result) as JobResult
      const packed = await fetch(this.redis, this.keys.output(id), output)
      void forget(this.redis, this.keys.output(id), output).catch(() => {})
      if (packed) pending.resolve({ packed, took })
      else this.#lost(id)
    } catch (error) {
      pending.reject(error as Error)
    }
  }

  async #failed(id: string): Promise<void> {
    const pending = this.#pending.get(id)
    if (!pending) return
    try {
      const packed = await this.redis.getBuffer(this.keys.output(id))
      if (!packed) return this.#lost(id)
      void this.redis.unlink(this.keys.output(id)).catch(() => {})
      const { error, notBegun } = unpack<Failure>(packed).header
      pending.reject(notBegun ? new NotBegunError(notBegun) : decodeError(error as EncodedError))
    } catch (error) {
      pending.reject(error as Error)
    }
  }

  #lost(id: string): void {
    const pending = this.#pending.get(id)
    pending?.reject(
      new WorkerLostError(
        `${pending.name}: the worker that had it is lost (it died, hung or was cut off): it may have been done or not`,
      ),
    )
  }

  /** What was told while nobody heard it. */
  async #look(): Promise<void> {
    const now = performance.now()
    for (const [id, pending] of this.#pending) {
      if (now - pending.looked < LOOK) continue
      pending.looked = now
      const job = await this.#queue.getJob(id)
      const state = job ? await job.getState() : 'unknown'
      if (state === 'completed') await this.#completed(id, job?.returnvalue as never)
      else if (state === 'failed') await this.#failed(id)
      else if (state === 'unknown' && job === undefined) this.#lost(id)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#beat)
    const ids = [...this.#pending.keys()]
    for (const { reject } of this.#pending.values()) reject(closedError())
    // where Redis is gone there is nobody to tell
    if (this.redis.status === 'ready') {
      await Promise.allSettled(ids.map(id => this.#stop(id)))
      await this.redis.del(this.keys.client(this.client)).catch(() => {})
    }
    await Promise.allSettled([this.#events.close(), this.#checker.close(), this.#queue.close()])
    this.redis.disconnect()
  }
}
