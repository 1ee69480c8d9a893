/** What all pools have in common, whether their sessions are in this program or on other machines. */
import { describe } from '../ctypes/data.js'
import { hasMember, reading } from '../ctypes/given.js'
import { AbortError, ArgumentError, QueueFullError, SessionTerminatedError } from '../errors.js'
import type { BatchDetail } from '../session/batch/batch.js'
import { checkDllName } from '../session/core/paths.js'
import type { MapOptions, PoolRoutine } from './pool-routine.js'

/** The sessions of a pool now, and the work that it has done. */
export interface PoolStats {
  /** `open` takes work, `draining` does what it has taken, `closed` does nothing any more. */
  readonly state: 'open' | 'draining' | 'closed'
  /** `healthy` with all of its sessions up, `degraded` with some of them, `down` with none. */
  readonly health: 'healthy' | 'degraded' | 'down'
  /** Sessions that may work at the same time. */
  readonly size: number
  /** Sessions that are up and wait for work, without the spare ones. */
  readonly idle: number
  /** Sessions that work. */
  readonly busy: number
  /** Sessions that are not up yet. */
  readonly starting: number
  /** Sessions beyond `size` that are up, and take the places of those that die. */
  readonly spare: number
  /** How much work waits. */
  readonly queued: number
  /** How much work has been done, and how much has failed: a call, a map, a job and a `use` each count as one. */
  readonly completed: number
  readonly failed: number
  /** Sessions that died or were recycled, and were replaced. */
  readonly replaced: number
  /** Tries in a row to start a session that failed; 0 as soon as one is up. */
  readonly failedStarts: number
  /** Why a session died, or could not be started, the last time. */
  readonly lastError: Error | undefined
}

/**
 * A DLL: its name as `CDLL` takes it, or its path on the machine of the sessions. In a pool of this program both mean
 * the same.
 */
export type DllSource = string | { readonly path: string }

/** The name or path of a DLL. Throws ArgumentError. */
export function dllName(source: DllSource): string {
  const name = hasMember(source, 'path') ? reading('a DLL', () => source.path) : source
  checkDllName(name)
  return name
}

/**
 * What a pool does, wherever its sessions are. Work that finds no room in the queue rejects with QueueFullError; after
 * `drain` or `close` all work rejects with SessionTerminatedError.
 */
export interface Pool {
  /** A batch whose rows all sessions share; results and errors are those of one batch. */
  map(
    dll: DllSource,
    prototype: string,
    columns: readonly unknown[],
    options: MapOptions & { readonly detail: true },
  ): Promise<BatchDetail<unknown>>
  /** The same, with the results alone. */
  map(dll: DllSource, prototype: string, columns: readonly unknown[], options?: MapOptions): Promise<unknown>
  /** Runs a job module (`export default (session, input) => …`) in a session's own thread. */
  run<T = unknown>(module: URL | string, input?: unknown, options?: { readonly signal?: AbortSignal }): Promise<T>
  /** A routine that runs in whichever session is free. */
  func<A extends readonly unknown[] = readonly unknown[], R = unknown>(
    dll: DllSource,
    prototype: string,
  ): PoolRoutine<A, R>
  /** Its sessions and its work now. */
  stats(): PoolStats
  /** Takes no more work, does what it has taken, and closes. Settles when it is closed. */
  drain(): Promise<void>
  /** Closes it now: work that waits or runs fails. */
  close(): Promise<void>
}

/**
 * The part of a pool that does not depend on where the sessions are: which work is taken, what is counted, how it ends.
 */
export abstract class PoolFace implements Pool {
  /** The routines of `map`, by DLL and prototype. */
  readonly #routines = new Map<string, PoolRoutine>()
  #state: PoolStats['state'] = 'open'
  /** How much work has been taken and has not ended. */
  #underway = 0
  #completed = 0
  #failed = 0
  /** Called when no work is under way any more. */
  #onIdle: (() => void) | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  abstract run<T = unknown>(
    module: URL | string,
    input?: unknown,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>
  abstract func<A extends readonly unknown[] = readonly unknown[], R = unknown>(
    dll: DllSource,
    prototype: string,
  ): PoolRoutine<A, R>
  abstract stats(): PoolStats
  /** @internal Whether the DLL of a routine of this pool is still the file that its name means. */
  protected isCurrent(_routine: PoolRoutine): boolean {
    return true
  }
  /** @internal Ends the sessions, and fails work that waits or runs. Called once. */
  protected abstract end(): Promise<void>

  /**
   * A batch whose rows all sessions share: each takes some whenever it is done with those it had, so that a fast one
   * does more. Results and errors are those of one batch. Rejects with BatchError, ArgumentError, AbortError,
   * SessionCrashedError; rows of a session that died are done by another if `retries` allows. A ClusterPool also
   * rejects with WorkerLostError, which names the rows that are in doubt, and with NoWorkerError.
   */
  map(
    dll: DllSource,
    prototype: string,
    columns: readonly unknown[],
    options: MapOptions & { readonly detail: true },
  ): Promise<BatchDetail<unknown>>
  map(dll: DllSource, prototype: string, columns: readonly unknown[], options?: MapOptions): Promise<unknown>
  async map(
    dll: DllSource,
    prototype: string,
    columns: readonly unknown[],
    options: MapOptions = {},
  ): Promise<unknown> {
    const name = dllName(dll)
    if (typeof prototype !== 'string') throw new ArgumentError(`map takes a prototype in C, not ${describe(prototype)}`)
    const key = `${typeof dll}\0${name}\0${prototype}`
    let routine = this.#routines.get(key)
    if (!routine || !this.isCurrent(routine)) {
      routine = this.func(dll, prototype)
      this.#routines.set(key, routine)
    }
    return routine.batch(columns, options as { detail: true })
  }

  /**
   * Takes no more work, which rejects with SessionTerminatedError from now on, and closes the pool when all work that
   * it has taken has ended. Sets of a stream that have not been asked for yet are new work.
   */
  drain(): Promise<void> {
    this.#draining ??= this.#drain()
    return this.#draining
  }

  async #drain(): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining'
    if (this.#underway > 0)
      await new Promise<void>(resolve => {
        this.#onIdle = resolve
      })
    await this.close()
  }

  /** Closes the pool now: work that waits or runs fails. Settles when its sessions have ended. */
  close(): Promise<void> {
    this.#state = 'closed'
    this.#closing ??= this.end()
    return this.#closing
  }

  /** Closes the pool: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal Does a piece of work, unless the pool takes none any more, and counts it. */
  protected async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state === 'closed') throw closedError()
    if (this.#state === 'draining')
      throw new SessionTerminatedError('the pool is being drained, and takes no more work')
    this.#underway++
    try {
      const value = await work()
      this.#completed++
      return value
    } catch (error) {
      this.#failed++
      throw error
    } finally {
      this.#underway--
      if (this.#underway === 0) this.#onIdle?.()
    }
  }

  /** @internal Whether `close` has been called. */
  protected get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** @internal What this class knows of the pool's numbers. */
  protected get counted(): Pick<PoolStats, 'state' | 'completed' | 'failed'> {
    return { state: this.#state, completed: this.#completed, failed: this.#failed }
  }
}

/** The error of all work of a closed pool. */
export const closedError = () => new SessionTerminatedError('the pool has been closed')

/** The error of work that finds the queue full: `most` pieces wait already. */
export const queueFullError = (most: number) =>
  new QueueFullError(`no more than ${most} pieces of work may wait: await some of them, or raise "maxQueue"`)

/** The error of work that its signal has withdrawn before it has begun. */
export const abortedError = (signal: AbortSignal) =>
  new AbortError('the work was aborted while it waited for a session', { cause: signal.reason })
