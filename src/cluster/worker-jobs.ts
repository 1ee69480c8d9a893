/** The jobs of a worker: what was sent for each, what comes of it or why nothing does, and which go back. */
import { type Job, UnrecoverableError, WaitingError } from 'bullmq'
import type { Redis } from 'ioredis'
import { isRecord } from '../ctypes/given.js'
import { ClusterError, encodeError, type ZugbrueckeError } from '../errors.js'
import { CannotBeginHere, type CarryingOut, NotBegunHere } from './carrying-out.js'
import { tell } from './hearing.js'
import type { Intake } from './intake.js'
import { carry, fetch, forget, INLINE, pack, store } from './payload.js'
import {
  type Failure,
  FORGOTTEN,
  type JobData,
  type JobResult,
  type Keys,
  keepJobs,
  keysOf,
  PROTOCOL,
  whyForeign,
} from './queue.js'

/** Milliseconds for which jobs that are over are gathered: their lives are extended by one command. */
const SOON = 100

type OurJob = Job<JobData, JobResult>

/** BullMQ does not try such a job again, and shows the message on the board. The error itself goes to the client under a key. */
class JobFailure extends UnrecoverableError {}
/** The work was done, but its result found no place: no error goes to the client, which then takes the job for lost. */
class ResultLost extends JobFailure {}

export class WorkerJobs {
  completed = 0
  failed = 0
  readonly underway = new Set<string>()
  readonly #keys: Keys
  /** Jobs that were over a moment ago, and that people are to see for a while. */
  readonly #over = new Set<string>()
  #keeping: NodeJS.Timeout | undefined
  /** Clients that lived when they were last asked for. */
  readonly #clients = new Set<string>()

  constructor(
    private readonly redis: Redis,
    private readonly queue: string,
    /** What people know this worker by. */
    private readonly name: string,
    private readonly work: CarryingOut,
    private readonly intake: () => Intake,
  ) {
    this.#keys = keysOf(queue)
  }

  /** To be called now and then: keeps the jobs that are carried out here from expiring with their clients, which are then asked for again. */
  async beat(): Promise<void> {
    this.#clients.clear()
    await this.keep(this.underway)
  }

  /** Extends the lives of the jobs that are over, and of those given. */
  async keep(ids: Iterable<string> = []): Promise<void> {
    clearTimeout(this.#keeping)
    this.#keeping = undefined
    const all = [...ids, ...this.#over]
    this.#over.clear()
    await keepJobs(this.redis, this.queue, all, FORGOTTEN * 1000)
  }

  #keepSoon(id: string): void {
    this.#over.add(id)
    this.#keeping ??= setTimeout(() => void this.keep().catch(() => {}), SOON).unref()
  }

  /** Carries out one job. It is the processor of BullMQ's worker. */
  async process(job: OurJob, token: string, signal: AbortSignal | undefined): Promise<JobResult> {
    const id = job.id as string
    // it waited for longer than its client lived, and only its number was left
    if (!isRecord(job.data) || Object.keys(job.data).length === 0) throw new JobFailure('its client is gone')
    const foreign = whyForeign(job.data)
    // who put it there is told on the board
    if (foreign) throw new JobFailure(foreign)
    const { ttl, client } = job.data
    this.underway.add(id)
    try {
      const result = await this.#carryOut(job, id, signal)
      this.completed++
      tell(this.redis, this.#keys, client, { id, result })
      return result
    } catch (error) {
      if (error instanceof CannotBeginHere) {
        if (error.trouble) this.intake().failed(error.trouble)
        await job.moveToWait(token)
        throw new WaitingError()
      }
      this.failed++
      if (error instanceof ResultLost) throw error
      const failure: Failure =
        error instanceof NotBegunHere ? { notBegun: error.why } : { error: encodeError(this.#mine(error as Error)) }
      // a job that fails carries nothing itself
      await store(this.redis, this.#keys.failure(id), pack('an error', failure), ttl)
      await forget(this.redis, this.#keys.input(id), job.data.input)
      const { message } = error as Error
      tell(this.redis, this.#keys, client, { id, failed: message })
      throw new JobFailure(message)
    } finally {
      this.underway.delete(id)
      this.#keepSoon(id)
    }
  }

  async #carryOut(job: OurJob, id: string, signal: AbortSignal | undefined): Promise<JobResult> {
    const intake = this.intake()
    const { well } = intake
    const place = intake.place()
    try {
      const from = performance.now()
      const input = await this.#input(job, id)
      intake.came(performance.now() - from)
      const expect = (milliseconds: number) => place.expect(milliseconds)
      const { packed, took } = await this.work.carryOut(job.data, input, { signal, well, expect })
      intake.worked()
      // what goes with the job itself is there at once
      if (packed.length > INLINE) place.free()
      const [output] = await Promise.all([
        carry(this.redis, this.#keys.output(id), packed, job.data.ttl),
        forget(this.redis, this.#keys.input(id), job.data.input),
      ]).catch((error: Error) => {
        throw new ResultLost(`what came of it found no place in Redis: ${error.message}`)
      })
      return { output, took }
    } finally {
      place.end()
    }
  }

  #mine(error: Error): Error {
    return Object.assign(error, { worker: this.name } satisfies Partial<ZugbrueckeError>)
  }

  /** The payload of the job. Rejects with NotBegunHere where its client is gone, which nobody would tell what comes of it, or the payload is. */
  async #input({ data }: OurJob, id: string): Promise<Buffer> {
    if (data.protocol !== PROTOCOL)
      throw new ClusterError(
        `the job is of protocol ${data.protocol}, the worker ${this.name} of ${PROTOCOL}: use the same version of zugbruecke on all machines`,
      )
    const [packed, lives] = await Promise.all([
      fetch(this.redis, `what was sent for ${id}`, this.#keys.input(id), data.input),
      this.#lives(data.client),
    ])
    if (!lives) throw new NotBegunHere('client')
    if (!packed) throw new NotBegunHere('input')
    return packed
  }

  async #lives(client: string): Promise<boolean> {
    if (this.#clients.has(client)) return true
    if ((await this.redis.exists(this.#keys.client(client))) === 0) return false
    this.#clients.add(client)
    return true
  }
}
