/** The jobs of a client: adds them to the queue, and settles them when it hears of their end, or when a look into the queue finds it. */
import { randomUUID } from 'node:crypto'
import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { isRecord } from '../ctypes/given.js'
import { ClusterError, decodeError, type EncodedError, NoWorkerError, WorkerLostError } from '../errors.js'
import { closedError } from '../pool/face.js'
import { Adding } from './adding.js'
import { Hearing } from './hearing.js'
import { carry, fetch, forget, type Payload, unpack, unreadable } from './payload.js'
import { Presence } from './presence.js'
import {
  type Failure,
  isResult,
  type JobData,
  type JobResult,
  type Keys,
  keysOf,
  type NotBegun,
  PROTOCOL,
} from './queue.js'

/** Milliseconds between signs of life of this client. */
const BEAT = 2000
/** Milliseconds between two looks at a job whose end has not been reported. */
const LOOK = 5000
/** Milliseconds between two looks for jobs whose worker has let its lock expire. */
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
  readonly #adding: Adding
  readonly #hearing: Hearing
  /** Processes nothing. It looks for the jobs of workers that are gone, since there may be no other worker that does. */
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
    this.#adding = new Adding(redis, this.#queue, patience)
    this.#hearing = new Hearing(redis, queue, this.client, {
      completed: (id, result) => void this.#completed(id, result),
      failed: (id, reason) => void this.#failed(id, reason),
      lost: id => this.#lost(id),
    })
    this.#checker = new Worker(queue, undefined, {
      connection,
      autorun: false,
      maxStalledCount: 0,
      stalledInterval: STALLED,
    })
    // ioredis reconnects by itself
    this.#queue.on('error', () => {})
    this.#checker.on('error', () => {})
    this.#beat = setInterval(() => {
      this.#miss()
      void this.beat().catch(() => {})
    }, BEAT)
  }

  static async open(redis: Redis, queue: string, ttl: number, patience: number): Promise<Jobs> {
    const jobs = new Jobs(redis, queue, ttl, patience)
    try {
      await Promise.all([jobs.#queue.waitUntilReady(), jobs.#hearing.begin(jobs.keys)])
      // what BullMQ has written by now gets its time to live
      await jobs.beat()
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

  /** Says that this client and its jobs live, looks for ends of jobs that were not reported, and forgets how they were added. */
  async beat(): Promise<void> {
    if (this.#closed) return
    await this.presence.beat(
      () => this.#pending.keys(),
      () => this.#look(),
    )
    await this.#adding.forget()
  }

  /** Fails jobs that have waited for Redis, or for any worker, as long as `waitTimeout` allows. */
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
    const { redis, keys, client, ttl } = this
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
      await this.#adding.add(id, name, { protocol: PROTOCOL, client, input, ttl, ...data })
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

  /** Takes back a job that waits, or asks the worker that has it to stop it. Where Redis is gone nobody can be told before it comes again. */
  async #stop(id: string): Promise<void> {
    if (this.redis.status !== 'ready') this.#pending.get(id)?.reject(new NotBegunError('client'))
    if (!(await this.#withdraw(id))) await this.redis.publish(this.keys.aborts, id).catch(() => {})
  }

  /** Takes back a job that waits, which then rejects with `why`. Resolves false if it does not wait any more. */
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
      const key = this.keys.failure(id)
      const packed = await this.redis.getBuffer(key)
      if (!packed) return this.#lost(id, reason)
      void this.redis.unlink(key).catch(() => {})
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

  /** Finds the ends of jobs that were reported while nobody heard it. */
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
    this.#hearing.end()
    const ids = [...this.#pending.keys()]
    for (const { reject } of this.#pending.values()) reject(closedError())
    // where Redis is gone there is nobody to tell, and BullMQ would wait for it
    const isThere = this.redis.status === 'ready'
    if (isThere) {
      await Promise.allSettled(ids.map(id => this.#stop(id)))
      await this.presence.end()
    }
    const parts = [this.#checker.close(!isThere), this.#queue.close()]
    const closed = Promise.allSettled(parts)
    if (isThere) await closed
    this.redis.disconnect()
  }
}
