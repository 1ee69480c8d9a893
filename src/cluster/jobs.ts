/** The jobs of a client: adds them to the queue, and settles them when BullMQ reports their end, or when a look into the queue finds it. */
import { randomUUID } from 'node:crypto'
import { Queue, QueueEvents, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { isRecord } from '../ctypes/given.js'
import { ClusterError, decodeError, type EncodedError, NoWorkerError, WorkerLostError } from '../errors.js'
import { closedError } from '../pool/face.js'
import { carry, fetch, forget, type Payload, unpack, unreadable } from './payload.js'
import { LIFE, Presence } from './presence.js'
import {
  type Failure,
  isResult,
  type JobData,
  type JobResult,
  KEPT,
  type Keys,
  keepJobs,
  keepQueue,
  keysOf,
  type NotBegun,
  PROTOCOL,
} from './queue.js'

/** Milliseconds between signs of life of this client. */
const BEAT = 2000
/** Milliseconds between two looks at a job whose end has not been reported. */
const LOOK = 5000
/** What a worker's lock being gone is looked for. */
const STALLED = 3000

/** A job that was not begun: it may be given to another. */
export class NotBegunError extends Error {
  constructor(readonly why: NotBegun) {
    super(`the job was not begun: ${why}`)
  }
}

/** The result of a job, and the milliseconds that its session took. */
export interface Answer {
  readonly packed: Buffer
  readonly took: number
}

/** The signals that end a job early. */
export interface Stops {
  /** Takes the job back, or stops it if it has begun. */
  readonly signal?: AbortSignal | undefined
  /** Takes the job back if it has not begun. */
  readonly withdraw?: AbortSignal | undefined
}

interface Pending {
  readonly name: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly since: number
  looked: number
  /** The job was in none of BullMQ's lists at the last look. */
  astray?: true
}

/** The jobs of one client. */
export class Jobs {
  readonly client = randomUUID()
  readonly keys: Keys
  readonly presence: Presence
  readonly #pending = new Map<string, Pending>()
  readonly #queue: Queue<JobData, JobResult>
  readonly #events: QueueEvents
  readonly #hearing: Redis
  /** Processes nothing: it gives back what workers that are gone had, also where no other worker is there to do so. */
  readonly #checker: Worker
  readonly #beat: NodeJS.Timeout
  #number = 0
  #closed = false

  private constructor(
    private readonly redis: Redis,
    private readonly queue: string,
    /** Milliseconds that payloads are kept. */
    readonly ttl: number,
    /** Milliseconds that work waits where Redis or any worker is missing. */
    private readonly patience: number,
  ) {
    this.keys = keysOf(queue)
    this.presence = new Presence(redis, queue, this.keys, this.client, ttl)
    const connection = redis as never
    this.#queue = new Queue(queue, { connection })
    this.#hearing = redis.duplicate()
    const hearing = { connection: this.#hearing as never, autorun: false, blockingTimeout: BEAT }
    this.#events = new QueueEvents(queue, hearing)
    this.#checker = new Worker(queue, undefined, {
      connection,
      autorun: false,
      maxStalledCount: 0,
      stalledInterval: STALLED,
    })
    // ioredis reconnects by itself
    this.#queue.on('error', () => {})
    this.#events.on('error', () => {})
    this.#checker.on('error', () => {})
    this.#events.on('completed', ({ jobId, returnvalue }) => void this.#completed(jobId, returnvalue as never))
    this.#events.on('failed', ({ jobId, failedReason }) => void this.#failed(jobId, failedReason))
    this.#events.on('stalled', ({ jobId }) => this.#lost(jobId))
    this.#beat = setInterval(() => {
      this.#miss()
      void this.beat().catch(() => {})
    }, BEAT)
  }

  static async open(redis: Redis, queue: string, ttl: number, patience: number): Promise<Jobs> {
    const jobs = new Jobs(redis, queue, ttl, patience)
    try {
      await Promise.all([jobs.#queue.waitUntilReady(), jobs.#events.waitUntilReady(), jobs.beat()])
      void jobs.#hear()
      await jobs.#checker.waitUntilReady()
      await jobs.#checker.startStalledCheckTimer()
    } catch (error) {
      await jobs.close()
      throw error
    }
    return jobs
  }

  get count(): number {
    return this.#pending.size
  }

  /** BullMQ stops listening at an event that it cannot read, and at an error of Redis: this starts it again. Jobs that ended meanwhile are found by looking. */
  async #hear(): Promise<void> {
    while (!this.#closed) {
      await this.#events.run().catch(() => {})
      if (!this.#closed) await new Promise(resolve => setTimeout(resolve, BEAT))
    }
  }

  /** Says that this client and its jobs live, and looks for ends of jobs that were not reported. */
  async beat(): Promise<void> {
    if (this.#closed) return
    await this.presence.beat(
      () => this.#pending.keys(),
      () => this.#look(),
    )
  }

  /** Fails jobs that have waited for Redis, or for any worker, as long as work may. */
  #miss(): void {
    const { queue, patience } = this
    const { silentSince, desertedSince, workers } = this.presence
    const long = performance.now() - patience
    const seconds = Math.round(patience / 1000)
    for (const [id, { name, since, reject }] of this.#pending) {
      if (silentSince !== undefined && Math.max(since, silentSince) < long) {
        void this.#withdraw(id)
        reject(
          new ClusterError(
            `${name}: Redis has not answered for ${seconds} s ("waitTimeout"): what workers had may have been done or not`,
          ),
        )
      } else if (desertedSince !== undefined && Math.max(since, desertedSince) < long) {
        const broken = workers.map(one => `; the worker ${one.name} takes nothing: ${one.trouble}`).join('')
        const none = `${name}: no worker has been there for ${seconds} s ("waitTimeout"): start one by "zugbruecke worker --queue ${queue}", with the same Redis`
        void this.#withdraw(id, new NoWorkerError(none + broken))
      }
    }
  }

  /** Rejects with what the job failed with, NotBegunError, WorkerLostError, or SessionTerminatedError when the pool is closed. */
  async run(
    name: string,
    data: Omit<JobData, 'protocol' | 'client' | 'input' | 'ttl'>,
    packed: Payload,
    { signal, withdraw }: Stops = {},
  ): Promise<Answer> {
    const { redis, keys, client, ttl, queue } = this
    const id = `${client}-${this.#number++}`
    const answer = new Promise<Answer>((resolve, reject) => {
      const now = performance.now()
      this.#pending.set(id, { name, resolve, reject, since: now, looked: now })
    })
    // it may be settled while it is added
    answer.catch(() => {})
    const stop = () => void this.#stop(id)
    const onAbort = () => void this.#withdraw(id)
    const add = async () => {
      const input = await carry(redis, keys.input(id), packed, ttl)
      await this.#queue.add(
        name,
        { protocol: PROTOCOL, client, input, ttl, ...data },
        { jobId: id, removeOnComplete: KEPT, removeOnFail: KEPT },
      )
      const kept = keepJobs(redis, queue, [id], LIFE)
      void (this.#number === 1 ? kept.then(() => keepQueue(redis, queue)) : kept).catch(() => {})
      if (signal?.aborted) stop()
      if (withdraw?.aborted) onAbort()
    }
    try {
      if (this.#closed) throw closedError()
      signal?.addEventListener('abort', stop, { once: true })
      withdraw?.addEventListener('abort', onAbort, { once: true })
      const added = add()
      // where Redis is gone this waits, and what ends the work ends the wait
      await Promise.race([added, answer])
      return await answer
    } finally {
      signal?.removeEventListener('abort', stop)
      withdraw?.removeEventListener('abort', onAbort)
      this.#pending.delete(id)
    }
  }

  /** One that waits is taken back, one that runs is stopped by who has it; where Redis is gone nobody can be told before it comes again. */
  async #stop(id: string): Promise<void> {
    if (this.redis.status !== 'ready') this.#pending.get(id)?.reject(new NotBegunError('client'))
    if (!(await this.#withdraw(id))) await this.redis.publish(this.keys.aborts, id).catch(() => {})
  }

  async #withdraw(id: string, why: Error = new NotBegunError('client')): Promise<boolean> {
    try {
      if ((await this.#queue.remove(id)) !== 1) return false
      this.#pending.get(id)?.reject(why)
      await this.redis.unlink(this.keys.input(id))
      return true
    } catch {
      // it is locked by who has it
      return false
    }
  }

  async #completed(id: string, result: unknown): Promise<void> {
    await this.#settle(id, async ({ name, resolve }) => {
      if (!isResult(result)) throw unreadable(`${name}: what its worker said`)
      const { output, took } = result
      const packed = await fetch(this.redis, `${name}: what came of it`, this.keys.output(id), output)
      void forget(this.redis, this.keys.output(id), output).catch(() => {})
      if (packed) resolve({ packed, took })
      else this.#lost(id)
    })
  }

  async #failed(id: string, reason: string): Promise<void> {
    await this.#settle(id, async ({ name, reject }) => {
      const packed = await this.redis.getBuffer(this.keys.output(id))
      if (!packed) return this.#lost(id, reason)
      void this.redis.unlink(this.keys.output(id)).catch(() => {})
      const { header } = unpack<Failure>(`${name}: why it failed`, packed)
      if (!isRecord(header)) throw unreadable(`${name}: why it failed`)
      const { error, notBegun } = header
      reject(notBegun ? new NotBegunError(notBegun) : decodeError(error as EncodedError))
    })
  }

  async #settle(id: string, settle: (pending: Pending) => Promise<void>): Promise<void> {
    const pending = this.#pending.get(id)
    if (!pending) return
    try {
      await settle(pending)
    } catch (error) {
      pending.reject(error as Error)
    }
  }

  /** `reason` is what BullMQ, or the worker, has said. */
  #lost(id: string, reason = ''): void {
    const pending = this.#pending.get(id)
    pending?.reject(
      new WorkerLostError(
        `${pending.name}: the worker that had it is lost (it died, hung or was cut off), or what came of it is: it may have been done or not`,
        reason ? { cause: new Error(reason) } : {},
      ),
    )
  }

  /** What was told while nobody heard it. */
  async #look(): Promise<void> {
    const now = performance.now()
    for (const [id, pending] of this.#pending) {
      if (now - pending.looked < LOOK) continue
      pending.looked = now
      await this.#settle(id, () => this.#find(id, pending))
    }
  }

  async #find(id: string, pending: Pending): Promise<void> {
    const job = await this.#queue.getJob(id)
    const state = job ? await job.getState() : 'unknown'
    if (state === 'completed') await this.#completed(id, job?.returnvalue)
    else if (state === 'failed') await this.#failed(id, job?.failedReason ?? '')
    else if (job === undefined) this.#lost(id)
    else if (state !== 'unknown') delete pending.astray
    // it may have moved on between the two questions; what is in no list twice no worker will find
    else if (!pending.astray) pending.astray = true
    else if (job.processedOn) this.#lost(id)
    else pending.reject(new NotBegunError('input'))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#beat)
    const ids = [...this.#pending.keys()]
    for (const { reject } of this.#pending.values()) reject(closedError())
    // where Redis is gone there is nobody to tell, and BullMQ would wait for it
    const isThere = this.redis.status === 'ready'
    if (isThere) {
      await Promise.allSettled(ids.map(id => this.#stop(id)))
      await this.presence.end()
    }
    const parts = [this.#events.close(), this.#checker.close(!isThere), this.#queue.close()]
    const closed = Promise.allSettled(parts)
    if (isThere) await closed
    this.#hearing.disconnect()
    this.redis.disconnect()
  }
}
