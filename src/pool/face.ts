/** What all pools have in common, whether their sessions are in this program or on other machines. */

import { QueueFullError, SessionTerminatedError } from '../errors.js'
import type { BatchDetail } from '../session/batch/batch.js'
import { checkDllName } from '../session/core/paths.js'
import type { MapOptions, PoolRoutine } from './pool-routine.js'

/** The sessions of a pool now, and the pieces of work that it has done. */
export interface PoolStats {
  readonly size: number
  readonly idle: number
  readonly busy: number
  readonly starting: number
  /** Work that waits. */
  readonly queued: number
  readonly completed: number
  readonly failed: number
  /** Sessions that died and were replaced. */
  readonly replaced: number
}

/** A DLL as `CDLL` finds it, or by its path where the sessions are: of a pool in this program both are the same. */
export type DllSource = string | { readonly path: string }

/** Throws ArgumentError. */
export function dllName(source: DllSource): string {
  const name = typeof source === 'object' && source !== null ? source.path : source
  checkDllName(name)
  return name
}

/** What a pool does, wherever its sessions are. Work that finds no room in the queue rejects with QueueFullError, after `close` with SessionTerminatedError. */
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
  /** Read at once. */
  stats(): PoolStats
  /** Work that waits or runs fails. */
  close(): Promise<void>
}

export const closedError = () => new SessionTerminatedError('the pool has been closed')

export const queueFullError = (waiting: number) =>
  new QueueFullError(`${waiting} pieces of work wait already: await some of them, or raise "maxQueue"`)
