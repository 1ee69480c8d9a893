/** A pool of sessions in this program. */

import { check, checkOptions, FUNCTION, SIGNAL } from '../ctypes/checks.js'
import { SessionCrashedError, SessionTerminatedError } from '../errors.js'
import { type BatchOf, type RowsOf, SPLIT } from '../session/batch/batch.js'
import { BATCH_OPTIONS, type BatchPlan } from '../session/batch/plan.js'
import { jobUrl } from '../session/life/job-url.js'
import { Listeners } from '../session/life/listeners.js'
import { type CtypesSession, parametersFor } from '../session/life/session.js'
import {
  type ArgsOf,
  type ArgType,
  CALL_OPTIONS,
  type CallOptions,
  type ResType,
  type ResultOf,
  type Routine,
  snapshotArguments,
} from '../session/surface/routine.js'
import { closedError, type DllSource, dllName, PoolFace, type PoolStats } from './face.js'
import { FairQueue } from './fair-queue.js'
import { type PoolOpenOptions, type PoolOptions, poolOptions, type ResolvedPoolOptions } from './pool-options.js'
import { type Declare, type MapOptions, oncePerSession, type PoolRoutine, poolRoutine } from './pool-routine.js'
import { type PoolEvents, PoolSessions } from './pool-sessions.js'

/** Milliseconds after which a map gives its session back if other work waits. */
const STRETCH = 20

type Work = (session: CtypesSession) => Promise<unknown>

/**
 * Several sessions, each a Windows process of its own, that share work. One that dies is replaced; its work fails with
 * the error of its end, or is done again where `retries` allows. A pool belongs to the thread that made it.
 */
export class SessionPool extends PoolFace {
  readonly #options: ResolvedPoolOptions
  readonly #sessions: PoolSessions
  readonly #queue: FairQueue<CtypesSession>
  readonly #listeners = new Listeners<PoolEvents>('a pool', ['sessionStart', 'sessionDeath', 'replaced'])

  private constructor(options: ResolvedPoolOptions) {
    super()
    this.#options = options
    this.#queue = new FairQueue(
      () => this.#sessions.lend(),
      () => options.maxQueue,
    )
    this.#sessions = new PoolSessions(
      options,
      () => this.#queue.next(),
      why => this.#queue.fail(why),
      this.#listeners,
    )
  }

  /**
   * Starts all sessions of a pool, the spare ones too, and waits until they are up. Rejects with ArgumentError,
   * ConfigError, and with the error of a session that could not start.
   */
  static async start(options: PoolOptions = {}): Promise<SessionPool> {
    return SessionPool.#start(poolOptions(options))
  }

  static async #start(options: ResolvedPoolOptions): Promise<SessionPool> {
    const pool = new SessionPool(options)
    try {
      await pool.#sessions.start()
    } catch (error) {
      await pool.close()
      throw error
    }
    return pool
  }

  /**
   * Starts a pool whose sessions have the architecture that a DLL needs, which the header of its file tells. Rejects as
   * `start` does, with DllNotFoundError, and with WrongArchitectureError for a DLL that no session can load.
   */
  static async open(dllPath: string, options: PoolOpenOptions = {}): Promise<SessionPool> {
    const resolved = poolOptions(options as PoolOptions)
    return SessionPool.#start({ ...resolved, config: parametersFor(dllPath, resolved.config) })
  }

  /**
   * Has `work` use a session, for as long as it takes. Resolves and rejects as `work` does; rejects with AbortError
   * where the signal is aborted before.
   */
  async use<T>(
    work: (session: CtypesSession) => Promise<T> | T,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    check('what uses a session', work, FUNCTION)
    checkOptions('use', options, { signal: SIGNAL })
    return this.#work('use', async session => work(session), options.signal) as Promise<T>
  }

  /**
   * Runs a job module (`export default (session, input) => …`) in a session's own thread. `./job.mjs` lies beside the
   * file that calls this. Resolves with what the function gives. Aborting a job that runs ends its session.
   */
  async run<T = unknown>(
    module: URL | string,
    input?: unknown,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const url = jobUrl(module, options)
    return this.#work(`job ${url}`, session => session.runJob(url, input, options), options.signal) as Promise<T>
  }

  /**
   * A routine that runs in whichever session is free, declared once in each. The DLL is found as `CDLL` finds it.
   * Throws ArgumentError.
   */
  func<const A extends readonly ArgType[], R extends ResType>(
    dll: string,
    name: string | number,
    argtypes: A,
    restype: R,
  ): PoolRoutine<ArgsOf<A>, ResultOf<R, A>, BatchOf<R, A>, RowsOf<R>>
  func<A extends readonly unknown[] = readonly unknown[], R = unknown>(
    dll: DllSource,
    prototype: string,
  ): PoolRoutine<A, R>
  func(source: DllSource, name: string | number, argtypes?: readonly ArgType[], restype: ResType = null): unknown {
    const dll = dllName(source)
    const declare = oncePerSession(session => {
      const library = session.CDLL(dll)
      const routine: unknown = argtypes !== undefined ? library.func(name, argtypes, restype) : library.func(name)
      return routine as Routine
    })
    // now, so that errors of the declaration are thrown here, if a session is up
    for (const session of this.#sessions.all) declare(session)
    const label = `${dll}.${name}`
    const call = async (args: readonly unknown[], options: CallOptions = {}) => {
      checkOptions(`${String(name)} of a pool`, options, CALL_OPTIONS)
      // the program may change its arguments before the call has a session
      const { any } = this.#sessions
      const copy = any ? snapshotArguments(declare(any), args) : args
      return this.#work(`calls ${label}`, session => declare(session).with(options)(...copy), options.signal)
    }
    const batch = (columns: readonly unknown[], options?: MapOptions) =>
      this.#share(`batches ${label}`, declare, columns, options)
    return poolRoutine(label, call, batch)
  }

  /** A batch that all sessions share. */
  async #share(
    kind: string,
    declare: Declare,
    columns: readonly unknown[],
    options: MapOptions = {},
  ): Promise<unknown> {
    checkOptions('map', options, BATCH_OPTIONS)
    const { signal } = options
    const { any } = this.#sessions
    const given = any ? declare(any).batch[SPLIT].snapshot(columns) : columns
    return this.admit(async () => {
      const { size } = this.#options
      const batchOf = (session: CtypesSession) => declare(session).batch[SPLIT]
      const planned = async (session: CtypesSession) => batchOf(session).plan(given, options)
      const plan = (await this.#lend(kind, planned, signal)) as BatchPlan
      const carryOut = (session: CtypesSession) => {
        const until = performance.now() + STRETCH
        const yields = () => this.#queue.length > 0 && performance.now() > until
        return batchOf(session).share(plan, size, yields)
      }
      // one share does all rows, more only do them sooner: so only the first part of the first share counts as work
      // that may find the queue full
      const share = async (_: unknown, number: number): Promise<void> => {
        for (let part = 0; plan.rows.left > 0; part++) await this.#lend(kind, carryOut, signal, number + part === 0)
      }
      const shares = Array.from({ length: Math.min(size, plan.rows.total) }, share)
      try {
        await Promise.all(shares)
      } catch (error) {
        plan.rows.close()
        // waits until no session works on the caller's memory any more
        await Promise.allSettled(shares)
        throw error
      }
      return plan.outcome()
    })
  }

  /** Adds a listener. Throws ArgumentError for an event that there is not, and for what is no function. */
  on<E extends keyof PoolEvents>(event: E, listener: (...args: PoolEvents[E]) => void): this {
    this.#listeners.add(event, listener)
    return this
  }
  /** Takes a listener away that `on` added. */
  off<E extends keyof PoolEvents>(event: E, listener: (...args: PoolEvents[E]) => void): this {
    this.#listeners.remove(event, listener)
    return this
  }

  /** How many sessions there are and what they do, now. */
  stats(): PoolStats {
    return { ...this.#sessions.stats(), ...this.counted, queued: this.#queue.length }
  }

  /** @internal */
  protected async end(): Promise<void> {
    this.#queue.close(closedError())
    await this.#sessions.close()
  }

  #work(kind: string, work: Work, signal: AbortSignal | undefined): Promise<unknown> {
    return this.admit(() => this.#lend(kind, work, signal))
  }

  /** Waits for a session and has `work` use it; again, up to `retries` times, if the session dies. */
  async #lend(kind: string, work: Work, signal: AbortSignal | undefined, bounded = true): Promise<unknown> {
    for (let again = 0; ; again++) {
      const { value: session, end } = await this.#queue.lease(kind, signal, bounded && again === 0)
      try {
        return await work(session)
      } catch (error) {
        const died = error instanceof SessionCrashedError || error instanceof SessionTerminatedError
        if (!died || again >= this.#options.retries || this.isClosed) throw error
      } finally {
        end()
        this.#sessions.giveBack(session)
      }
    }
  }
}
