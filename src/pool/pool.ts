/** Several sessions that share work. A session that dies is replaced; what it had is rejected, or done again where that is allowed. */

import { check, checkOptions, FUNCTION, SIGNAL } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { AbortError, ArgumentError, SessionCrashedError, SessionTerminatedError, ZugbrueckeError } from '../errors.js'
import type { Config } from '../runtime/config.js'
import { type BatchDetail, type BatchOf, type RowsOf, SHARED } from '../session/batch/batch.js'
import { BATCH_OPTIONS, type BatchPlan } from '../session/batch/plan.js'
import { checkJob } from '../session/life/job-runner.js'
import { CtypesSession, type OpenParameters, parametersFor } from '../session/life/session.js'
import {
  type ArgsOf,
  type ArgType,
  CALL_OPTIONS,
  type CallOptions,
  type ResType,
  type ResultOf,
  type Routine,
  takenArguments,
} from '../session/surface/routine.js'
import { closedError, type DllSource, dllName, type Pool, type PoolStats, queueFullError } from './face.js'
import { type PoolOptions, poolOptions } from './pool-options.js'
import { type Declaring, type MapOptions, oncePerSession, type PoolRoutine, poolRoutine } from './pool-routine.js'

/** Milliseconds for which a map keeps a session that others wait for. */
const TURN = 20

type Work = (session: CtypesSession) => Promise<unknown>
interface Waiting {
  readonly work: Work
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  retries: number
  /** It has a session now, and its signal is its own business. */
  begun(): void
}

/** Options of a pool whose architecture is that of a DLL, unless it is given. */
export type PoolOpenOptions = Omit<PoolOptions, 'arch'> & Pick<OpenParameters, 'arch'>

/**
 * Several sessions, each a Windows process of its own, that share work. One that dies is replaced; what it had under
 * way fails with its error, or is done again where `retries` allows. Belongs to the thread that made it.
 */
export class SessionPool implements Pool {
  readonly #options: PoolOptions
  readonly #config: Partial<Config>
  readonly #size: number
  readonly #idle: CtypesSession[] = []
  readonly #mapped = new Map<string, PoolRoutine>()
  readonly #all = new Set<CtypesSession>()
  readonly #queue: Waiting[] = []
  /** Starts under way. */
  readonly #starts = new Set<Promise<void>>()
  #busy = 0
  #completed = 0
  #failed = 0
  #replaced = 0
  #closed = false

  private constructor(options: PoolOptions) {
    this.#options = options
    ;[this.#size, this.#config] = poolOptions(options)
  }

  /** Starts all sessions of a pool and waits until they are up. */
  static async start(options: PoolOptions = {}): Promise<SessionPool> {
    const pool = new SessionPool(options)
    try {
      await Promise.all(Array.from({ length: pool.#size }, () => pool.#start()))
    } catch (error) {
      await pool.close()
      throw error
    }
    return pool
  }

  /**
   * Starts a pool of sessions of the architecture that a DLL needs, which its header tells. Throws (rejects with) WrongArchitectureError
   * for one that no session can load, and DllNotFoundError.
   */
  static async open(
    dllPath: string,
    { size, maxQueue, retries, setup, ...parameters }: PoolOpenOptions = {},
  ): Promise<SessionPool> {
    const own = { size, maxQueue, retries, setup }
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
    return SessionPool.start({ ...given, ...parametersFor(dllPath, parameters) })
  }

  /** Borrows a session for as long as `work` takes. */
  async use<T>(
    work: (session: CtypesSession) => Promise<T> | T,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    check('what uses a session', work, FUNCTION)
    checkOptions('use', options, { signal: SIGNAL })
    return this.#enqueue(async session => work(session), options.signal) as Promise<T>
  }

  /** Runs a job module (`export default (session, input) => …`) in a session's own thread. Aborting it ends that session. */
  async run<T = unknown>(
    module: URL | string,
    input?: unknown,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    checkJob(module, options)
    return this.#enqueue(session => session.runJob(module, input, options), options.signal) as Promise<T>
  }

  /**
   * A routine that runs in whichever session is free, declared once in each. The DLL is found as `CDLL` finds it. Throws
   * ArgumentError.
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
    // what is wrong with it is said now, also where no session is there that could say it
    for (const session of this.#all) declare(session)
    const call = async (args: readonly unknown[], options: CallOptions = {}) => {
      checkOptions(`${String(name)} of a pool`, options, CALL_OPTIONS)
      // as they are now: its turn may come later
      const [one] = this.#all
      const taken = one ? takenArguments(declare(one), args) : args
      return this.#enqueue(session => declare(session).with(options)(...taken), options.signal)
    }
    const batch = (columns: readonly unknown[], options?: MapOptions) => this.#share(declare, columns, options)
    return poolRoutine(`${dll}.${name}`, call, batch)
  }

  /**
   * A batch whose rows all sessions share: each takes some whenever it is done with those it had, so a fast one does more. Results
   * and errors are those of one batch. Rejects with BatchError, ArgumentError, AbortError, SessionCrashedError; rows of a session
   * that died are done by another if `retries` allows.
   */
  async map(
    dll: DllSource,
    prototype: string,
    columns: readonly unknown[],
    options: MapOptions & { readonly detail: true },
  ): Promise<BatchDetail<unknown>>
  async map(dll: DllSource, prototype: string, columns: readonly unknown[], options?: MapOptions): Promise<unknown>
  async map(
    source: DllSource,
    prototype: string,
    columns: readonly unknown[],
    options: MapOptions = {},
  ): Promise<unknown> {
    const dll = dllName(source)
    if (typeof prototype !== 'string') throw new ArgumentError(`map takes a prototype in C, not ${describe(prototype)}`)
    const key = `${dll}\0${prototype}`
    const routine = this.#mapped.get(key) ?? this.func(dll, prototype)
    this.#mapped.set(key, routine)
    return routine.batch(columns, options as { detail: true })
  }

  async #share(declare: Declaring, columns: readonly unknown[], options: MapOptions = {}): Promise<unknown> {
    checkOptions('map', options, BATCH_OPTIONS)
    const { signal } = options
    const [one] = this.#all
    const given = one ? declare(one).batch[SHARED].take(columns) : columns
    const batchOf = (session: CtypesSession) => declare(session).batch[SHARED]
    const plan = (await this.#enqueue(async session => batchOf(session).plan(given, options), signal)) as BatchPlan
    const take = (session: CtypesSession) => {
      const until = performance.now() + TURN
      const yields = () => this.#queue.length > 0 && performance.now() > until
      return batchOf(session).share(plan, this.#size, yields)
    }
    // one share is enough, more are only faster, and one under way goes on: the bound on waiting work is for the first
    const share = async (_: unknown, number: number): Promise<void> => {
      for (let turn = 0; plan.rows.left > 0; turn++) await this.#enqueue(take, signal, number + turn === 0)
    }
    const shares = Array.from({ length: Math.min(this.#size, plan.rows.total) }, share)
    try {
      await Promise.all(shares)
    } catch (error) {
      plan.rows.close()
      // nobody works on the caller's memory any more when this returns
      await Promise.allSettled(shares)
      throw error
    }
    return plan.outcome()
  }

  /** How many sessions there are and what they do, now. */
  stats(): PoolStats {
    return {
      size: this.#size,
      idle: this.#idle.length,
      busy: this.#busy,
      starting: this.#starts.size,
      queued: this.#queue.length,
      completed: this.#completed,
      failed: this.#failed,
      replaced: this.#replaced,
    }
  }

  /** Ends all sessions; work that waits or runs fails. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#queue.splice(0)) reject(closedError())
    await Promise.all([...this.#all].map(session => session.terminate()))
    // those that were just being started end themselves, seeing that the pool is closed
    await Promise.allSettled(this.#starts)
    this.#idle.length = 0
  }

  /** Closes the pool: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #enqueue(work: Work, signal: AbortSignal | undefined, bounded = true): Promise<unknown> {
    if (this.#closed) return Promise.reject(closedError())
    const { maxQueue = 10_000, retries = 0 } = this.#options
    if (bounded && this.#idle.length === 0 && this.#queue.length >= maxQueue)
      return Promise.reject(queueFullError(this.#queue.length))
    if (signal?.aborted) return Promise.reject(abortError(signal))
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const at = this.#queue.indexOf(waiting)
        if (at >= 0) this.#queue.splice(at, 1)
        this.#failed++
        reject(abortError(signal))
      }
      const begun = () => signal?.removeEventListener('abort', onAbort)
      const waiting: Waiting = { work, resolve, reject, retries, begun }
      signal?.addEventListener('abort', onAbort)
      this.#queue.push(waiting)
      this.#next()
      // a session that died could not be replaced then: perhaps it can be now
      if (this.#all.size + this.#starts.size < this.#size) this.#replace()
    })
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const session = this.#idle.pop() as CtypesSession
      if (!session.up) continue
      void this.#work(session, this.#queue.shift() as Waiting)
    }
  }

  async #work(session: CtypesSession, waiting: Waiting): Promise<void> {
    this.#busy++
    waiting.begun()
    try {
      const value = await waiting.work(session)
      this.#completed++
      waiting.resolve(value)
    } catch (error) {
      const died = error instanceof SessionCrashedError || error instanceof SessionTerminatedError
      if (died && waiting.retries > 0 && !this.#closed) {
        waiting.retries--
        this.#queue.unshift(waiting)
      } else {
        this.#failed++
        waiting.reject(error as Error)
      }
    } finally {
      this.#busy--
      if (session.up) this.#idle.push(session)
      this.#next()
    }
  }

  #start(): Promise<void> {
    const start = this.#add().finally(() => this.#starts.delete(start))
    this.#starts.add(start)
    return start
  }

  #replace(): void {
    this.#start().catch((error: unknown) => this.#cannotReplace(error))
  }

  /** Starts a session and puts another in its place when it dies. */
  async #add(): Promise<void> {
    const session = await CtypesSession.start(this.#config)
    try {
      await this.#options.setup?.(session)
      session.coreNow()?.assertAlive()
    } catch (error) {
      await session.terminate()
      throw error
    }
    this.#all.add(session)
    session.on('end', () => {
      this.#all.delete(session)
      const at = this.#idle.indexOf(session)
      if (at >= 0) this.#idle.splice(at, 1)
      if (this.#closed) return
      this.#replaced++
      this.#replace()
    })
    if (this.#closed) {
      await session.terminate()
      return
    }
    this.#idle.push(session)
    this.#next()
  }

  /** With no session left and none to be had, waiting work would wait for ever. */
  #cannotReplace(error: unknown): void {
    if (this.#all.size + this.#starts.size > 0) return
    const failure = error instanceof Error ? error : new ZugbrueckeError(String(error))
    for (const { reject } of this.#queue.splice(0)) reject(failure)
  }
}

const abortError = (signal: AbortSignal | undefined) =>
  new AbortError('the work was aborted while it waited for a session', { cause: signal?.reason })
