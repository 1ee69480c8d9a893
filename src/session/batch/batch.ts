/** Batches: one call of a routine for each row of the columns that the caller gives. */

import { EndReason } from '../../channel/shared.js'
import { type Arch, describe, FOR_ARCH, isType } from '../../ctypes/data.js'
import { hasMember, isList, isReadable } from '../../ctypes/given.js'
import type { ArgType, ResType } from '../../ctypes/inference.js'
import { isOutParameter, out } from '../../ctypes/out-parameter.js'
import { ArgumentError, CallTimeoutError } from '../../errors.js'
import type { DeclaredRoutine } from '../call/declared-routine.js'
import type { SessionCore } from '../core/core.js'
import { coreForSync, type Owner, whenUpWith } from '../core/owner.js'
import { type Finish, runBlocking } from '../core/run-blocking.js'
import { BatchExchange } from './exchange.js'
import {
  type BatchDetail,
  type BatchOptions,
  BatchPlan,
  type BatchRoutine,
  type PlannedRows,
  snapshotColumns,
} from './plan.js'

export type { BatchDetail, BatchOptions } from './plan.js'
export type { BatchOf, NumberResults, ResultsOf, RowsOf } from './results.js'

/**
 * A column for one parameter: a typed array, an array, for a pointer one contiguous buffer, or one value for every row.
 */
export type ColumnOf<T> = T | ArrayLike<T> | (null extends T ? object : boolean extends T ? Uint8Array : never)
/** The columns of a batch of a routine with these parameters, one for each. */
export type ColumnsOf<A extends readonly unknown[]> = number extends A['length']
  ? readonly unknown[]
  : { readonly [K in keyof A]: ColumnOf<A[K]> }

/** By this symbol a pool reaches what it needs to divide a batch among its sessions. */
export const SPLIT: unique symbol = Symbol('split')
export interface SharedBatch {
  /** The columns for a batch that begins later: see snapshotColumns. Throws ArgumentError. */
  snapshot(columns: readonly unknown[]): readonly unknown[]
  /** Throws ArgumentError. */
  plan(columns: readonly unknown[], options: Options): BatchPlan
  /**
   * Carries out rows in this session until none are left, or until `yields` says that other work waits for the session.
   */
  share(plan: PlannedRows, sharers: number, yields: () => boolean): Promise<void>
}

/** What a batch needs of its routine. */
export interface BatchSource {
  readonly label: string
  readonly session: Owner & { readonly arch: Arch }
  readonly argtypes: readonly ArgType[] | undefined
  readonly restype: ResType
  readonly keepsLastError: boolean
  /** Throws ArgumentError. */
  declared(core: SessionCore, args: readonly unknown[]): DeclaredRoutine
}

/** `Rows` is what a batch gives, columns of `out` parameters included; `Results` is what the routine returned. */
export interface BatchFunction<A extends readonly unknown[], Rows, Results = Rows> {
  /**
   * Rejects with BatchError when a row failed, ArgumentError, AbortError. `errcheck` and `memsync` are not run for
   * rows.
   */
  (columns: ColumnsOf<A>, options?: BatchOptions & { readonly detail?: false }): Promise<Rows>
  (columns: ColumnsOf<A>, options: BatchOptions & { readonly detail: true }): Promise<BatchDetail<Results>>
  /** Results for each of many sets of columns: work larger than memory. A few sets are under way at once. */
  stream(
    columns: Iterable<ColumnsOf<A>> | AsyncIterable<ColumnsOf<A>>,
    options?: BatchOptions,
  ): AsyncGenerator<Rows, void, undefined>
  /** Blocks this thread until all rows are done; throws what the awaited batch rejects with. */
  sync(columns: ColumnsOf<A>, options?: BatchOptions & { readonly detail?: false }): Rows
  /** The same with all that the batch gives, failed rows included. */
  sync(columns: ColumnsOf<A>, options: BatchOptions & { readonly detail: true }): BatchDetail<Results>
  /** @internal */
  readonly [SPLIT]: SharedBatch
}

export interface Options extends BatchOptions {
  readonly detail?: boolean
}

export function makeBatch(routine: BatchSource, blocking: boolean): BatchFunction<readonly unknown[], unknown> {
  const snapshot = (columns: readonly unknown[]) =>
    isList(columns) ? snapshotColumns(routineOf(routine), columns) : columns
  const awaited = (columns: readonly unknown[], options: Options = {}): Promise<unknown> => {
    const begin = (core: SessionCore, given: readonly unknown[]) =>
      new Promise<unknown>((resolve, reject) =>
        start(routine, core, given, options, (error, value) => (error ? reject(error) : resolve(value))),
      )
    return whenUpWith(routine.session, columns, snapshot, begin)
  }
  const sync = (columns: readonly unknown[], options: Options = {}): unknown => {
    const core = coreForSync(routine.session)
    core.lane.blocking.assertMayBlock(routine.label)
    return runBlocking<unknown>(core, finish => {
      start(routine, core, columns, options, finish)
      return undefined
    })
  }
  const stream = streamOf(routine.label, awaited)
  const shared: SharedBatch = {
    snapshot,
    plan: (columns, options) => new BatchPlan(routineOf(routine), columns, options, coreForSync(routine.session)),
    share: (plan, sharers, yields) =>
      new Promise((resolve, reject) => {
        const finished = (error: Error | undefined) => (error ? reject(error) : resolve())
        carryOut(routine, coreForSync(routine.session), plan, finished, sharers, yields)
      }),
  }
  return Object.assign(blocking ? (sync as never) : awaited, { stream, sync, [SPLIT]: shared }) as never
}

/** How many sets of columns of a stream are under way at once. */
const STREAM_DEPTH = 3

/** Makes the `stream` of a routine from its `batch`. */
export function streamOf(
  label: string,
  batch: (columns: readonly unknown[], options: BatchOptions) => Promise<unknown>,
): (
  sets: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
  options?: BatchOptions,
) => AsyncGenerator<unknown, void, undefined> {
  return async function* stream(sets, options = {}) {
    if (!isIterable(sets))
      throw new ArgumentError(`${label}: a stream takes sets of columns one after the other, not ${describe(sets)}`)
    // other bad options are refused by the first batch
    if (hasMember(options, 'results') && isReadable(options) && options.results)
      throw new ArgumentError(`${label}: the results of a stream are new for each set: "results" is for one batch`)
    const underway: Promise<unknown>[] = []
    try {
      for await (const columns of sets) {
        const next = batch(columns, options)
        // this batch may fail while an earlier one is awaited: then its error is reported when its turn comes
        next.catch(() => {})
        underway.push(next)
        if (underway.length >= STREAM_DEPTH) yield await underway.shift()
      }
      while (underway.length > 0) yield await underway.shift()
    } finally {
      await Promise.allSettled(underway)
    }
  }
}

const isIterable = (sets: unknown) =>
  typeof sets === 'object' && (hasMember(sets, Symbol.iterator) || hasMember(sets, Symbol.asyncIterator))

function start(
  routine: BatchSource,
  core: SessionCore,
  given: readonly unknown[],
  options: Options,
  done: Finish<unknown>,
): void {
  const plan = new BatchPlan(routineOf(routine), given, options, core)
  const finish = (error: Error | undefined): void => {
    let value: unknown
    try {
      if (!error) value = plan.outcome()
    } catch (thrown) {
      done(thrown as Error, undefined)
      return
    }
    done(error, value)
  }
  if (plan.rows.total === 0) finish(undefined)
  else carryOut(routine, core, plan, finish)
}

/** Hands a session's share of a batch to the session's lane. Throws ArgumentError. */
function carryOut(
  routine: BatchSource,
  core: SessionCore,
  plan: PlannedRows,
  finished: (error: Error | undefined) => void,
  sharers = 1,
  yields?: () => boolean,
): void {
  const { argtypes } = routineOf(routine)
  const declared = routine.declared(core, argtypes.filter(isType))
  const share = { plan, declared, columns: plan.columns(core), sharers, ...(yields ? { yields } : {}) }
  const exchange = new BatchExchange(core, share, error => {
    limit?.end()
    finished(error)
  })
  const limit = limitRows(routine.label, core, exchange)
  try {
    core.lane.submit(exchange)
  } catch (error) {
    limit?.end()
    throw error
  }
}

/** How often within the time limit the progress of a batch is checked. */
const LOOKS = 8

/** In a batch the time limit of a call is that of a row: it passes when no row has ended for so long. */
function limitRows(label: string, core: SessionCore, exchange: BatchExchange) {
  const { timeoutCall } = core
  let seen = exchange.progress()
  let looks = 0
  return core.limit(timeoutCall / LOOKS, () => {
    const now = exchange.progress()
    looks = now === seen ? looks + 1 : 0
    seen = now
    if (looks < LOOKS) return timeoutCall / LOOKS
    const row = exchange.currentRow()
    const error = new CallTimeoutError(
      `${label} did not return within ${timeoutCall} ms${row === undefined ? '' : ` in row ${row}`}; its session has been ended`,
      { routine: label, timeout: timeoutCall, ...(row === undefined ? {} : { row }) },
    )
    exchange.giveUp(error)
    core.kill(EndReason.timeout, error)
    return undefined
  })
}

/** The routine's declaration, with the layouts of its session. Throws ArgumentError if it does not allow a batch. */
function routineOf({ label, argtypes, restype, keepsLastError, session: { arch } }: BatchSource): BatchRoutine {
  if (!argtypes) throw new ArgumentError(`${label}: a batch needs declared argtypes`, { routine: label })
  if (restype !== null && !isType(restype))
    throw new ArgumentError(`${label}: a batch needs a type (or null) for restype, not a function`, { routine: label })
  const types = argtypes.map(type => {
    if (isOutParameter(type)) return out(type.outType[FOR_ARCH](arch))
    if (isType(type)) return type[FOR_ARCH](arch)
    throw new ArgumentError(`${label}: a batch takes no adapters in argtypes`, { routine: label })
  })
  return { label, argtypes: types, restype: restype?.[FOR_ARCH](arch) ?? null, keepsLastError }
}
