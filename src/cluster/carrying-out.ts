/** Carries out jobs in the sessions of a worker's pool. */
import { realpathSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { ArgumentError, ClusterError } from '../errors.js'
import type { SessionPool } from '../pool/pool.js'
import { type Declare, oncePerSession } from '../pool/pool-routine.js'
import { SPLIT } from '../session/batch/batch.js'
import type { CtypesSession } from '../session/life/session.js'
import type { Routine } from '../session/surface/routine.js'
import { install, UploadGone } from './dlls.js'
import { LoadedNames } from './loaded-names.js'
import { type Payload, pack, unpack } from './payload.js'
import type { JobData, Keys, NotBegun } from './queue.js'
import { WorkerRows } from './worker-rows.js'

/** The number of routines that are kept declared; beyond it all of them are dropped. */
const DECLARED = 256

/** A job that could not begin, and of which nothing was done. The client is told so. */
export class NotBegunHere extends Error {
  constructor(readonly why: NotBegun) {
    super(`not begun: ${why}`)
  }
}

/** A job that could not begin because of this machine. It goes back to the queue. */
export class CannotBeginHere extends Error {
  constructor(readonly trouble?: Error) {
    super('not begun: the worker cannot')
  }
}

/** The signals that end a job, and the listener for its progress. */
export interface Watch {
  readonly signal: AbortSignal | undefined
  /** When this is aborted, a job that is still waiting for a session goes back to the queue. */
  readonly well: AbortSignal
  /** Called when the session will be free in about so many milliseconds. */
  expect(milliseconds: number): void
}

/** The result of a job, and the milliseconds that the session took. */
export interface Done {
  readonly packed: Payload
  readonly took: number
}

export class CarryingOut {
  readonly #jobs: string
  readonly #routines = new Map<string, Declare>()
  readonly #loaded = new LoadedNames()

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly pool: SessionPool,
    /** The name of this worker for people. */
    private readonly name: string,
    private readonly allowUpload: boolean,
    /** The folder of job modules. */
    jobs: string,
  ) {
    this.#jobs = realpathSync(resolve(jobs))
  }

  /** Rejects with NotBegunHere, CannotBeginHere, AbortError, and with whatever the work fails with. */
  async carryOut(data: JobData, packed: Buffer, watch: Watch): Promise<Done> {
    const given = watch.signal ? { signal: watch.signal } : {}
    if (data.kind === 'run') {
      const module = this.#module(data.module as string)
      const { header } = unpack(`the input of ${module}`, packed)
      const { value, took } = await this.#use(data, watch, session => session.runJob(module, header, given))
      return { packed: pack(`what the job ${module} returned`, value), took }
    }
    const path = await this.#dll(data)
    const declare = this.#routine(path, data.prototype as string)
    if (data.kind === 'rows') {
      const rows = new WorkerRows(packed, watch.signal)
      const { took } = await this.#use(data, watch, session => {
        rows.begin(milliseconds => watch.expect(milliseconds))
        return declare(session).batch[SPLIT].share(rows, 1, () => false)
      })
      return { packed: rows.pack(), took }
    }
    const { args, timeout } = unpack<{ args: unknown[]; timeout?: number }>(
      `an argument of ${data.prototype}`,
      packed,
    ).header
    const limit = { ...given, ...(timeout === undefined ? {} : { timeout }) }
    const { value, took } = await this.#use(data, watch, session => declare(session).with(limit)(...args))
    const changed = args.flatMap((arg, i) => (ArrayBuffer.isView(arg) ? [[i, arg]] : []))
    return { packed: pack(`what ${data.prototype} returned`, { value, changed }), took }
  }

  /** Runs in a session that has loaded no other files of these names; a session that has is replaced by a new one. */
  async #use<T>({ dll }: JobData, { signal, well }: Watch, work: (session: CtypesSession) => Promise<T>) {
    // AbortSignal.any would leave something of each job with `well`, which lives as long as the worker
    const waiting = new AbortController()
    const stop = () => waiting.abort(signal?.reason)
    const stops = signal ? [signal, well] : [well]
    for (const one of stops) one.addEventListener('abort', stop, { once: true })
    if (stops.some(({ aborted }) => aborted)) stop()
    let begun = false
    const once = async (session: CtypesSession) => {
      if (!this.#loaded.admit(session, dll)) {
        await session.terminate()
        return undefined
      }
      begun = true
      const from = performance.now()
      const value = await work(session)
      return { value, took: performance.now() - from }
    }
    try {
      for (;;) {
        const done = await this.pool.use(once, { signal: waiting.signal })
        if (done) return done
      }
    } catch (error) {
      // no session could be had, for whatever reason
      throw begun || signal?.aborted ? error : new CannotBeginHere()
    } finally {
      for (const one of stops) one.removeEventListener('abort', stop)
    }
  }

  #routine(path: string, prototype: string): Declare {
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
    if (!this.allowUpload)
      throw new ClusterError(
        `the worker ${this.name} takes no DLLs that are uploaded, such as ${dll.name}: start it with --allow-upload, or put the file there and name it by { path }`,
      )
    try {
      return await install(this.redis, this.keys, dll.name, dll.files)
    } catch (error) {
      if (error instanceof UploadGone) throw new NotBegunHere('dll')
      // the disk is full or read-only
      if ((error as NodeJS.ErrnoException).syscall) throw new CannotBeginHere(error as Error)
      throw error
    }
  }

  /** Throws ArgumentError: whoever can write into the queue must not choose from all files of this machine what runs. */
  #module(module: string): string {
    const wrong = (why: string, cause?: unknown) =>
      new ArgumentError(`the job module ${module} ${why} (worker ${this.name})`, cause ? { cause } : {})
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
}
