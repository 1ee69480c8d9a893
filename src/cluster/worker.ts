/** A machine's part of a cluster: sessions, and a worker of BullMQ's that gives them what is in the queue. */
import { randomUUID } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Job, UnrecoverableError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { BOOLEAN, type Check, type Checks, checkOptions, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { ArgumentError, ClusterError, encodeError, type ZugbrueckeError } from '../errors.js'
import type { PoolStats } from '../pool/face.js'
import { SessionPool } from '../pool/pool.js'
import type { PoolOptions } from '../pool/pool-options.js'
import { type Declaring, oncePerSession } from '../pool/pool-routine.js'
import { resolveConfig } from '../runtime/config.js'
import { packageVersion } from '../runtime/package.js'
import { SHARED } from '../session/batch/batch.js'
import type { CtypesSession } from '../session/life/session.js'
import type { Routine } from '../session/surface/routine.js'
import { install, makeUploadsFolder, UploadGone } from './dlls.js'
import { LoadedNames } from './loaded-names.js'
import { carry, fetch, forget, pack, unpack } from './payload.js'
import {
  type Connection,
  checkQueueName,
  claimQueue,
  connect,
  type Failure,
  FORGOTTEN,
  type JobData,
  type JobResult,
  KEPT,
  type Keys,
  keepJobs,
  keepQueue,
  keysOf,
  type NotBegun,
  PROTOCOL,
  type WorkerFacts,
} from './queue.js'
import { WorkerRows } from './worker-rows.js'

/** What a worker is made of: its place in a cluster, and the options of the pool that it has. */
export interface WorkerOptions extends Omit<PoolOptions, 'maxQueue' | 'retries'> {
  readonly connection: Connection
  readonly queue: string
  /** Takes DLLs that clients upload, and runs all of its sessions in a sandbox unless `sandbox` says otherwise. */
  readonly allowUpload?: boolean
  /** Job modules are taken from this folder alone; the working folder unless given. */
  readonly jobs?: string
  /** Seconds without a sign of life after which what it had goes elsewhere; 10 unless given. */
  readonly lock?: number
}

/** What a worker is and does, now. */
export interface WorkerStats extends WorkerFacts {
  readonly connected: boolean
  /** Of its sessions. */
  readonly health: PoolStats['health']
  readonly closing: boolean
  readonly busy: number
  readonly completed: number
  readonly failed: number
}

const FOLDER: Check = ['a folder that is there', isFolder]
const OPTIONS: Checks = { allowUpload: BOOLEAN, lock: wholeNumber(1, 3600), jobs: FOLDER }
const BEAT = 3000
const LIFE = 10_000
/** Milliseconds between two looks at what an end waits for. */
const BRIEF = 100
/** Routines that are kept declared; all are forgotten when there are more. */
const DECLARED = 256

/** Where and what failed stays with the job; people see its message on the board. */
class JobFailure extends UnrecoverableError {}

function isFolder(path: unknown): boolean {
  return typeof path === 'string' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Nothing of it was done. */
class NotBegunHere extends Error {
  constructor(readonly why: NotBegun) {
    super(`not begun: ${why}`)
  }
}

/** One machine's sessions, which do what clients put into the queue. Belongs to the thread that made it. */
export class ClusterWorker {
  readonly #id = randomUUID()
  readonly #keys: Keys
  readonly #name = `${hostname()}:${process.pid}`
  readonly #jobs: string
  readonly #routines = new Map<string, Declaring>()
  #worker: Worker<JobData, JobResult> | undefined
  #aborts: Redis | undefined
  #beat: NodeJS.Timeout | undefined
  readonly #underway = new Set<string>()
  readonly #loaded = new LoadedNames()
  readonly #clients = new Set<string>()
  #completed = 0
  #failed = 0
  #closing: Promise<void> | undefined

  private constructor(
    private readonly options: WorkerOptions,
    private readonly redis: Redis,
    private readonly pool: SessionPool,
  ) {
    this.#keys = keysOf(options.queue)
    this.#jobs = realpathSync(resolve(options.jobs ?? '.'))
  }

  /** Starts its sessions, and then takes jobs. Rejects with ClusterError, and as `SessionPool.start` does. */
  static async start(given: WorkerOptions): Promise<ClusterWorker> {
    if (typeof given !== 'object' || given === null)
      throw new ArgumentError(`options of a worker are an object, not ${describe(given)}`)
    const { connection, queue, allowUpload, jobs, lock, ...rest } = given
    checkOptions('a worker', { allowUpload, lock, jobs }, OPTIONS)
    checkQueueName(queue)
    const { sandbox = allowUpload === true } = rest
    // of the configuration, as its sessions find it
    const { arch } = resolveConfig(rest.arch ? { arch: rest.arch } : {})
    const dll_directories = [...(rest.dll_directories ?? []), ...(allowUpload ? [makeUploadsFolder()] : [])]
    const redis = await connect(connection)
    let pool: SessionPool | undefined
    try {
      await claimQueue(redis, queue, arch)
      pool = await SessionPool.start({ ...rest, arch, sandbox, dll_directories })
      const worker = new ClusterWorker(given, redis, pool)
      await worker.#begin()
      return worker
    } catch (error) {
      await pool?.close()
      redis.disconnect()
      throw error
    }
  }

  async #begin(): Promise<void> {
    const { redis, options } = this
    const { queue, lock = 10 } = options
    this.#aborts = redis.duplicate()
    this.#aborts.on('error', () => {})
    this.#aborts.on('message', (_channel, id) => this.#worker?.cancelJob(id))
    await this.#aborts.subscribe(this.#keys.aborts)
    this.#worker = new Worker<JobData, JobResult>(queue, (job, _token, signal) => this.#process(job, signal), {
      connection: redis as never,
      concurrency: this.pool.stats().size,
      lockDuration: lock * 1000,
      stalledInterval: Math.max(500, lock * 500),
      // what a worker had may have been done: its client decides
      maxStalledCount: 0,
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    })
    this.#worker.on('error', () => {})
    await this.#worker.waitUntilReady()
    await this.#tell()
    this.#beat = setInterval(() => void this.#tell().catch(() => {}), BEAT)
  }

  get name(): string {
    return this.#name
  }

  async #tell(): Promise<void> {
    const { redis } = this
    const { name, size, uploads, version } = this.stats()
    const facts: WorkerFacts = { name, size, uploads, version }
    await redis.set(this.#keys.worker(this.#id), JSON.stringify(facts), 'PX', LIFE)
    await redis.sadd(this.#keys.workers, this.#id)
    this.#clients.clear()
    await this.#keep(this.#underway)
    await keepQueue(redis, this.options.queue)
  }

  /** What is carried out here does not go with its client, and neither does what was. */
  #keep(ids: Iterable<string>): Promise<void> {
    return keepJobs(this.redis, this.options.queue, ids, FORGOTTEN * 1000)
  }

  stats(): WorkerStats {
    const { size, health } = this.pool.stats()
    return {
      name: this.#name,
      size,
      health,
      uploads: this.options.allowUpload === true,
      version: packageVersion(),
      connected: this.redis.status === 'ready',
      closing: this.#closing !== undefined,
      busy: this.#underway.size,
      completed: this.#completed,
      failed: this.#failed,
    }
  }

  async #process(job: Job<JobData, JobResult>, signal: AbortSignal | undefined): Promise<JobResult> {
    const { redis } = this
    const { ttl } = job.data
    // it waited for longer than its client lived, and only its number was left
    if (ttl === undefined) throw new JobFailure('its client is gone')
    const id = job.id as string
    const input = this.#keys.input(id)
    const output = this.#keys.output(id)
    this.#underway.add(id)
    try {
      const from = performance.now()
      const packed = await this.#carryOut(job.data, await this.#input(job), signal)
      const took = performance.now() - from
      const carried = await carry(redis, output, packed, ttl)
      await forget(redis, input, job.data.input)
      this.#completed++
      return { output: carried, took }
    } catch (error) {
      this.#failed++
      const failure: Failure =
        error instanceof NotBegunHere ? { notBegun: error.why } : { error: encodeError(this.#mine(error as Error)) }
      await redis.set(output, pack('an error', failure), 'PX', ttl)
      await forget(redis, input, job.data.input)
      throw new JobFailure((error as Error).message)
    } finally {
      this.#underway.delete(id)
      void this.#keep([id]).catch(() => {})
    }
  }

  #mine(error: Error): Error {
    return Object.assign(error, { worker: this.#name } satisfies Partial<ZugbrueckeError>)
  }

  /** What was sent, if whoever sent it is still there to hear what comes of it. */
  async #input({ id, data }: Job<JobData, JobResult>): Promise<Buffer> {
    if (data.protocol !== PROTOCOL)
      throw new ClusterError(
        `the job is of protocol ${data.protocol}, the worker ${this.#name} of ${PROTOCOL}: use the same version of zugbruecke on all machines`,
      )
    const [packed, lives] = await Promise.all([
      fetch(this.redis, this.#keys.input(id as string), data.input),
      this.#lives(data.client),
    ])
    if (!lives) throw new NotBegunHere('client')
    if (!packed) throw new NotBegunHere('input')
    return packed
  }

  /** A client that lived a moment ago is not asked for again. */
  async #lives(client: string): Promise<boolean> {
    if (this.#clients.has(client)) return true
    if ((await this.redis.exists(this.#keys.client(client))) === 0) return false
    this.#clients.add(client)
    return true
  }

  async #carryOut(data: JobData, packed: Buffer, signal: AbortSignal | undefined): Promise<Buffer> {
    const { pool } = this
    const given = signal ? { signal } : {}
    if (data.kind === 'run') {
      const module = this.#module(data.module as string)
      return pack(`what the job ${module} returned`, await pool.run(module, unpack(packed).header, given))
    }
    const path = await this.#dll(data)
    const declare = this.#routine(path, data.prototype as string)
    if (data.kind === 'rows') {
      const rows = new WorkerRows(packed, signal)
      await this.#use(data, session => declare(session).batch[SHARED].share(rows, 1, () => false))
      return rows.pack()
    }
    const { args, timeout } = unpack<{ args: unknown[]; timeout?: number }>(packed).header
    const limit = { ...given, ...(timeout === undefined ? {} : { timeout }) }
    const value = await this.#use(data, session => declare(session).with(limit)(...args))
    const changed = args.flatMap((arg, i) => (ArrayBuffer.isView(arg) ? [[i, arg]] : []))
    return pack(`what ${data.prototype} returned`, { value, changed })
  }

  /** In a session that has no other files of these names: one that has makes way for a new one. */
  async #use<T>({ dll }: JobData, work: (session: CtypesSession) => Promise<T>): Promise<T> {
    let answer: { readonly value: T } | undefined
    while (!answer)
      answer = await this.pool.use(async session => {
        if (this.#loaded.take(session, dll)) return { value: await work(session) }
        await session.terminate()
        return undefined
      })
    return answer.value
  }

  #routine(path: string, prototype: string): Declaring {
    const key = `${path}\0${prototype}`
    if (this.#routines.size > DECLARED) this.#routines.clear()
    const declare =
      this.#routines.get(key) ?? oncePerSession(session => session.CDLL(path).func(prototype) as unknown as Routine)
    this.#routines.set(key, declare)
    return declare
  }

  async #dll({ dll }: JobData): Promise<string> {
    if (!dll) throw new ClusterError('the job names no DLL')
    if ('path' in dll) return dll.path
    if (!this.options.allowUpload)
      throw new ClusterError(
        `the worker ${this.#name} takes no DLLs that are uploaded, such as ${dll.name}: start it with --allow-upload, or put the file there and name it by { path }`,
      )
    try {
      return await install(this.redis, this.#keys, dll.name, dll.files)
    } catch (error) {
      throw error instanceof UploadGone ? new NotBegunHere('dll') : error
    }
  }

  /** Throws ArgumentError: whoever can write into the queue must not choose from all files of this machine what runs. */
  #module(module: string): string {
    const wrong = (why: string, cause?: unknown) =>
      new ArgumentError(`the job module ${module} ${why} (worker ${this.#name})`, cause ? { cause } : {})
    if (!module.startsWith('file:'))
      throw wrong('is no file: name it by its URL, as new URL("./job.js", import.meta.url) does')
    let path: string
    try {
      path = realpathSync(fileURLToPath(module))
    } catch (error) {
      throw wrong('is not on this machine: put it there, at the same path', error)
    }
    if (/^\.\.(\/|$)/.test(relative(this.#jobs, path)))
      throw wrong(`lies outside of ${this.#jobs}, which is where jobs may be taken from: start the worker with --jobs`)
    return module
  }

  /** Finishes what it has, and takes no more; where Redis stays away for `lock` seconds that is missed anyway, and it ends. With `force` what it has is left, and goes elsewhere when it is missed. */
  close(force = false): Promise<void> {
    if (force) return this.#end(true)
    this.#closing ??= this.#end(false)
    return this.#closing
  }

  async #end(force: boolean): Promise<void> {
    clearInterval(this.#beat)
    if (this.redis.status === 'ready') await this.redis.unlink(this.#keys.worker(this.#id)).catch(() => {})
    const over = new AbortController()
    const finished = this.#worker?.close(force).finally(() => over.abort())
    await Promise.race([finished, this.#deserted(over.signal)])
    await this.pool.close()
    this.#aborts?.disconnect()
    this.redis.disconnect()
    // its connection that blocks may be none yet
    if (!over.signal.aborted) void this.#worker?.disconnect().catch(() => {})
  }

  /** Resolves when Redis has been away for as long as what this has is its own. */
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
