/** One machine of a cluster: a session pool, and a BullMQ worker that hands it the jobs of the queue. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { ClusterError } from '../errors.js'
import type { PoolStats } from '../pool/face.js'
import { SessionPool } from '../pool/pool.js'
import { resolveConfig } from '../runtime/config.js'
import { packageVersion } from '../runtime/package.js'
import { CarryingOut } from './carrying-out.js'
import { asClusterError, connect } from './connection.js'
import { makeUploadsFolder } from './dlls.js'
import { Intake } from './intake.js'
import {
  claimQueue,
  type JobData,
  type JobResult,
  KEPT,
  type Keys,
  keepQueue,
  keysOf,
  type WorkerFacts,
} from './queue.js'
import { WorkerJobs } from './worker-jobs.js'
import { checkWorkerOptions, type WorkerOptions } from './worker-options.js'

/** The state of a worker at this moment. */
export interface WorkerStats {
  readonly name: string
  /** Sessions that may work at the same time. */
  readonly size: number
  readonly uploads: boolean
  readonly version: string
  readonly connected: boolean
  /** Of its sessions, as a SessionPool says it. */
  readonly health: PoolStats['health']
  /** Why the worker takes no jobs: its sessions cannot start, or the machine is broken in another way. It tries again from time to time. */
  readonly trouble: string | undefined
  readonly closing: boolean
  /** Jobs that it is working on. */
  readonly busy: number
  readonly completed: number
  readonly failed: number
}

/** Milliseconds between two signs of life, and for which one counts. */
const BEAT = 3000
const LIFE = 10_000
/** Milliseconds between two checks, at the end, whether the last job is done. */
const BRIEF = 100

/**
 * BullMQ's own worker waits at its close for a connection that is being re-established, however long that takes, and then does not react to a
 * second, forced close. The timer that renews its locks would keep the program running; no public method stops it, but the member is
 * protected, so a subclass may.
 */
class QueueWorker extends Worker<JobData, JobResult> {
  /** Closes without waiting for anything, and lets the program end. */
  async leave(): Promise<void> {
    await this.lockManager.close()
    await this.disconnect()
  }
}

/** The sessions of one machine, which carry out the jobs of a queue. To be used on the thread that created it. */
export class ClusterWorker {
  readonly #id = randomUUID()
  readonly #keys: Keys
  readonly #name = `${hostname()}:${process.pid}`
  readonly #jobs: WorkerJobs
  readonly #worker: QueueWorker
  readonly #intake: Intake
  readonly #aborts: Redis
  #beat: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  private constructor(
    private readonly options: WorkerOptions,
    private readonly redis: Redis,
    private readonly pool: SessionPool,
  ) {
    const { queue, lock = 10, jobs = '.', allowUpload = false } = options
    this.#keys = keysOf(queue)
    const work = new CarryingOut(redis, this.#keys, pool, this.#name, allowUpload, jobs)
    this.#jobs = new WorkerJobs(redis, queue, this.#name, work, () => this.#intake)
    this.#worker = new QueueWorker(queue, (job, token, signal) => this.#jobs.process(job, token as string, signal), {
      connection: redis as never,
      autorun: false,
      concurrency: pool.stats().size,
      lockDuration: lock * 1000,
      stalledInterval: Math.max(500, lock * 500),
      // a lost job may have been done already: its client decides whether to repeat it
      maxStalledCount: 0,
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    })
    this.#worker.on('error', () => {})
    this.#intake = new Intake(
      this.#worker,
      () => pool.stats(),
      () => void this.#tell().catch(() => {}),
    )
    this.#aborts = redis.duplicate()
    this.#aborts.on('error', () => {})
    this.#aborts.on('message', (_channel, id) => this.#worker.cancelJob(id))
  }

  /** Starts its sessions, and then takes jobs. Rejects with ClusterError, and as `SessionPool.start` does. */
  static async start(given: WorkerOptions): Promise<ClusterWorker> {
    const rest = checkWorkerOptions(given)
    const { connection, queue, allowUpload } = given
    const { sandbox = allowUpload === true } = rest
    // of the configuration, as its sessions find it
    const { arch } = resolveConfig(rest.arch ? { arch: rest.arch } : {})
    const dll_directories = [...(rest.dll_directories ?? []), ...(allowUpload ? [makeUploadsFolder()] : [])]
    const redis = await connect(connection)
    let pool: SessionPool | undefined
    let worker: ClusterWorker | undefined
    try {
      await claimQueue(redis, queue, arch)
      pool = await SessionPool.start({ ...rest, arch, sandbox, dll_directories })
      worker = new ClusterWorker(given, redis, pool)
      await worker.#begin()
      return worker
    } catch (error) {
      await worker?.close(true)
      await pool?.close()
      redis.disconnect()
      throw asClusterError(`the queue "${queue}"`, error as Error)
    }
  }

  async #begin(): Promise<void> {
    await this.#aborts.subscribe(this.#keys.aborts)
    await this.#worker.waitUntilReady()
    void this.#worker.run().catch(() => {})
    this.#intake.begin()
    await this.#tell()
    this.#beat = setInterval(() => void this.#tell().catch(() => {}), BEAT)
  }

  get name(): string {
    return this.#name
  }

  async #tell(): Promise<void> {
    const { redis } = this
    const { name, size, uploads, version, trouble } = this.stats()
    const facts: WorkerFacts = { name, uploads, version, ...(trouble ? { size: 0, trouble } : { size }) }
    await redis.set(this.#keys.worker(this.#id), JSON.stringify(facts), 'PX', LIFE)
    await redis.sadd(this.#keys.workers, this.#id)
    await this.#jobs.beat()
    await keepQueue(redis, this.options.queue)
  }

  stats(): WorkerStats {
    const { size, health } = this.pool.stats()
    const { underway, completed, failed } = this.#jobs
    return {
      name: this.#name,
      size,
      health,
      trouble: this.#intake.trouble,
      uploads: this.options.allowUpload === true,
      version: packageVersion(),
      connected: this.redis.status === 'ready',
      closing: this.#closing !== undefined,
      busy: underway.size,
      completed,
      failed,
    }
  }

  /**
   * Finishes what it has, and takes no more. Where Redis stays away for `lock` seconds that is missed anyway: it ends, and rejects with
   * ClusterError if it had any. With `force` what it has is left, and goes elsewhere when it is missed.
   */
  close(force = false): Promise<void> {
    if (force) return this.#end(true)
    this.#closing ??= this.#end(false)
    return this.#closing
  }

  async #end(force: boolean): Promise<void> {
    clearInterval(this.#beat)
    this.#intake.end()
    if (this.redis.status === 'ready') await this.redis.unlink(this.#keys.worker(this.#id)).catch(() => {})
    const over = new AbortController()
    const finished = this.#worker.close(force).finally(() => over.abort())
    await Promise.race([finished, this.#deserted(over.signal)])
    const left = over.signal.aborted || force ? 0 : this.#jobs.underway.size
    if (this.redis.status === 'ready') await this.#jobs.keep().catch(() => {})
    await this.pool.close()
    this.#aborts.disconnect()
    this.redis.disconnect()
    if (!over.signal.aborted) void this.#worker.leave().catch(() => {})
    if (left > 0)
      throw new ClusterError(
        `the worker ${this.#name} has ended without Redis, which has been away for "lock", ${this.options.lock ?? 10} s: it had ${left} ${left === 1 ? 'job' : 'jobs'}, whose clients are told that a worker is lost`,
      )
  }

  /** Resolves when Redis has been unreachable for so long that this worker's jobs have been given to others. */
  async #deserted(over: AbortSignal): Promise<void> {
    const { lock = 10 } = this.options
    let last = performance.now()
    while (!over.aborted && performance.now() - last < lock * 1000) {
      if (this.redis.status === 'ready') last = performance.now()
      await new Promise(resolve => setTimeout(resolve, BRIEF))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
