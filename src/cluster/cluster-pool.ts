/** A pool whose sessions belong to workers on other machines, reached over a queue of BullMQ. */
import type { Redis } from 'ioredis'
import { type Checks, checkOptions, wholeNumber } from '../ctypes/checks.js'
import { describe, isType } from '../ctypes/data.js'
import { parsePrototype } from '../ctypes/header/index.js'
import { types } from '../ctypes/types.js'
import { AbortError, ArgumentError, ConfigError } from '../errors.js'
import { abortedError, closedError, type DllSource, dllName, PoolFace, type PoolStats } from '../pool/face.js'
import { FairQueue, type Lease } from '../pool/fair-queue.js'
import { COUNT } from '../pool/pool-options.js'
import { type MapOptions, type PoolRoutine, poolRoutine } from '../pool/pool-routine.js'
import { type Arch, resolveConfig } from '../runtime/config.js'
import { BATCH_OPTIONS, type BatchRoutine } from '../session/batch/plan.js'
import { encodingFor } from '../session/core/text-encoding.js'
import { jobUrl } from '../session/life/job-url.js'
import { CALL_OPTIONS, type CallOptions } from '../session/surface/routine.js'
import { Attempts, type Work } from './attempts.js'
import { type BatchPool, carryOutBatch } from './client-batch.js'
import { ClientRows, contextFor } from './client-rows.js'
import { asClusterError, type Connection, connect } from './connection.js'
import { type LocalDll, resolveDll } from './dlls.js'
import { type Answer, Jobs, NotBegunError } from './jobs.js'
import { type Payload, pack, unpack } from './payload.js'
import { checkQueueName, claimQueue } from './queue.js'
import { RowPace } from './row-pace.js'

/** The options of a client: where the queue is, and how it is used. */
export interface ClusterOptions {
  /** A URL of Redis, or options of ioredis. */
  readonly connection: Connection
  readonly queue: string
  /** Of the workers' sessions; unless given what the configuration says, which is `win64` otherwise. */
  readonly arch?: Arch
  /** The encoding of `char *`, the same as the workers'; `utf-8` by default. */
  readonly encoding?: string
  /** Jobs of this client that Redis has at a time, at the most; 1000 unless given. Chunks of a batch wait, one more call or run is a QueueFullError. */
  readonly maxQueue?: number
  /** How often work is done again when its session or worker was lost; 0 unless given. */
  readonly retries?: number
  /** Seconds that columns, results and uploaded DLLs are kept in Redis, where nobody fetches them; 600 unless given. */
  readonly ttl?: number
  /** Seconds that work waits while no worker is there, or Redis is gone; 120 unless given. Then it rejects with NoWorkerError, or ClusterError. */
  readonly waitTimeout?: number
}

/** The sessions of all workers together, and the work of this client. */
export interface ClusterStats extends PoolStats {
  readonly workers: number
}

const SECONDS = ['a number of seconds above 0', (value: unknown) => typeof value === 'number' && value > 0] as const
const OPTIONS: Checks = {
  maxQueue: wholeNumber(1, 1_000_000),
  retries: COUNT,
  ttl: wholeNumber(1, 86_400),
  waitTimeout: SECONDS,
}
/** Chunks under way for each session: one that is carried out, one that waits for it, and one on its way. */
const AHEAD = 3

/**
 * A pool whose sessions are those of workers on other machines. What it takes waits in this program until Redis may have it, and
 * then for a worker. Belongs to the thread that made it.
 */
export class ClusterPool extends PoolFace {
  readonly #maxQueue: number
  /** Waits until one more job may be put into Redis. */
  readonly #queue: FairQueue<true>
  /** The DLL and the declaration of each routine. */
  readonly #dlls = new WeakMap<object, LocalDll>()
  readonly #attempts: Attempts
  #underway = 0

  private constructor(
    private readonly options: ClusterOptions,
    private readonly redis: Redis,
    private readonly jobs: Jobs,
    private readonly arch: Arch,
  ) {
    super()
    this.#maxQueue = options.maxQueue ?? 1000
    this.#attempts = new Attempts(redis, jobs, options.retries ?? 0, () => this.isClosed)
    this.#queue = new FairQueue(
      () => this.#slot(),
      () => this.#maxQueue - this.#underway,
    )
  }

  /** Rejects with ClusterError where Redis cannot be used, or the queue is another version's; ArgumentError, ConfigError. */
  static async connect(options: ClusterOptions): Promise<ClusterPool> {
    if (typeof options !== 'object' || options === null)
      throw new ArgumentError(`options of a cluster are an object, not ${describe(options)}`)
    const { connection, queue, arch: given, encoding = 'utf-8', ...rest } = options
    checkOptions('a cluster', rest, OPTIONS)
    checkQueueName(queue)
    if (given !== undefined && given !== 'win64' && given !== 'win32')
      throw new ConfigError(`"arch" of a cluster is win64 or win32, not ${describe(given)}`)
    // as workers do: the environment takes precedence
    const { arch } = resolveConfig(given ? { arch: given } : {})
    encodingFor(encoding)
    const redis = await connect(connection)
    try {
      await claimQueue(redis, queue, arch)
      const { ttl = 600, waitTimeout = 120 } = options
      return new ClusterPool(options, redis, await Jobs.open(redis, queue, ttl * 1000, waitTimeout * 1000), arch)
    } catch (error) {
      redis.disconnect()
      throw asClusterError(`the queue "${queue}"`, error as Error)
    }
  }

  /** Runs a job module by its URL on whichever worker is free: it must be there, in a folder that the worker allows. */
  async run<T = unknown>(
    module: URL | string,
    input?: unknown,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const name = jobUrl(module, options)
    const packed = pack(`the input of the job ${name}`, input)
    const work: Work = { kind: 'run', module: name }
    const { packed: output } = await this.admit(() => this.#single(name, work, packed, options.signal))
    return unpack<T>(`what the job ${name} returned`, output).header
  }

  /** A routine that runs on whichever worker is free. Throws ArgumentError, DllNotFoundError for a file of this machine's. */
  func<A extends readonly unknown[] = readonly unknown[], R = unknown>(
    source: DllSource,
    prototype: string,
  ): PoolRoutine<A, R> {
    if (typeof prototype !== 'string')
      throw new ArgumentError(`a cluster takes a prototype in C, not ${describe(prototype)}`)
    const dll = resolveDll(checkedSource(source))
    const { argtypes, restype, name } = parsePrototype(prototype, this.arch, types(this.arch) as never)
    const label = `${dllName(source)}.${name}`
    const routine: BatchRoutine = { label, argtypes, restype, keepsLastError: false }
    const reference = { dll: dll.reference, prototype }
    const pace = new RowPace()
    const call = async (args: readonly unknown[], options: CallOptions = {}) => {
      checkOptions(`${label} of a pool`, options, CALL_OPTIONS)
      const expected = argtypes.filter(isType).length
      if (args.length < expected)
        throw new ArgumentError(`${label} takes ${expected} arguments, ${args.length} were given`, { routine: label })
      const { timeout, signal } = options
      const packed = pack(`an argument of ${label}`, { args, ...(timeout === undefined ? {} : { timeout }) })
      const work: Work = { kind: 'call', ...reference }
      const answer = await this.admit(() => this.#single(label, work, packed, signal, dll))
      const { header } = unpack<{ value: unknown; changed: [number, ArrayBufferView][] }>(
        `what ${label} returned`,
        answer.packed,
      )
      const { value, changed } = header
      for (const [i, bytes] of changed) bytesOf(args[i] as ArrayBufferView).set(bytesOf(bytes))
      return value
    }
    const batch = async (columns: readonly unknown[], options: MapOptions = {}) => {
      checkOptions('map', options, BATCH_OPTIONS)
      return this.admit(async () => {
        const rows = new ClientRows(routine, columns, options, contextFor(this.arch, this.#encoding()))
        return carryOutBatch(this.#batchPool(), { label, reference, dll, pace }, rows, options)
      })
    }
    const made = poolRoutine(label, call, batch) as PoolRoutine<A, R>
    this.#dlls.set(made, dll)
    return made
  }

  /** A file that has changed is uploaded anew. @internal */
  protected override isCurrent(routine: PoolRoutine): boolean {
    return this.#dlls.get(routine)?.isCurrent() === true
  }

  /** The parts of the pool that a batch uses. */
  #batchPool(): BatchPool {
    const pool = this
    return {
      attempts: this.#attempts,
      queue: this.#queue,
      end: lease => this.#end(lease),
      get isClosed() {
        return pool.isClosed
      },
      get sessions() {
        return pool.#sessions
      },
    }
  }

  async #single(
    name: string,
    work: Work,
    packed: Payload,
    signal: AbortSignal | undefined,
    dll?: LocalDll,
  ): Promise<Answer> {
    const lease = await this.#queue.lease(`${work.kind} ${name}`, signal, true)
    try {
      if (signal?.aborted) throw abortedError(signal)
      return await this.#attempts.run(name, work, () => packed, { signal }, dll)
    } catch (error) {
      if (error instanceof NotBegunError && signal) throw abortedError(signal)
      if (error instanceof AbortError && signal) throw Object.assign(error, { cause: signal.reason })
      throw error
    } finally {
      this.#end(lease)
    }
  }

  get #sessions(): number {
    return this.jobs.presence.workers.reduce((sum, { size }) => sum + size, 0)
  }
  #encoding() {
    return encodingFor(this.options.encoding ?? 'utf-8')
  }

  /** Lets the next one put a job into Redis, if there is room. */
  #slot(): true | undefined {
    if (this.#underway >= Math.min(this.#maxQueue, AHEAD * Math.max(1, this.#sessions))) return undefined
    this.#underway++
    return true
  }

  #end(lease: Lease<true>): void {
    this.#underway--
    lease.end()
    this.#queue.next()
  }

  /** `size` is the number of sessions of all workers; `replaced` counts sessions and workers that were lost with work of this client's. */
  stats(): ClusterStats {
    const size = this.redis.status === 'ready' ? this.#sessions : 0
    const busy = Math.min(size, this.#underway)
    return {
      ...this.counted,
      health: size > 0 ? 'healthy' : 'down',
      workers: this.jobs.presence.workers.length,
      size,
      busy,
      idle: size - busy,
      starting: 0,
      spare: 0,
      queued: this.#queue.length + this.#underway - busy,
      replaced: this.#attempts.replaced,
      failedStarts: 0,
      lastError: this.#attempts.lastError,
    }
  }

  /** Takes back the jobs that are waiting; the workers go on. @internal */
  protected async end(): Promise<void> {
    this.#queue.close(closedError())
    await this.jobs.close()
  }
}

const checkedSource = (source: DllSource): DllSource =>
  source === dllName(source) ? source : { path: dllName(source) }

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength)
