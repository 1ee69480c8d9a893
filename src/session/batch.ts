/** Batches: one call for each row of the columns given. */
import { type Block, LocalBlock } from '../ctypes/block.js'
import { BLOCK, bytesOf, CATEGORY, CData, type CType, isBuffer, isType, READ } from '../ctypes/data.js'
import type { ArgType } from '../ctypes/inference.js'
import { passedAs } from '../ctypes/passing.js'
import { ArgumentError, BatchError, type RowError } from '../errors.js'
import { type Column, makeColumn, outColumn, type ResultColumn, resultColumn } from './batch-columns.js'
import { BatchExchange } from './batch-exchange.js'
import { coreForSync } from './both.js'
import type { SessionCore } from './core.js'
import type { RoutineEngine } from './routine-engine.js'

export interface BatchOptions {
  /** Stops the batch between two chunks; the session lives on. */
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
  /** Rows, where every column is one value for all. */
  readonly rows?: number
}

/** All that a batch brought. */
export interface BatchDetail<R> {
  readonly results: R
  /** Rows that failed, in order; their results are zero. */
  readonly errors: readonly RowError[]
  /** For each row, of libraries that keep the last error. */
  readonly lastErrors: Uint32Array | undefined
  /** A column for each `out` parameter. */
  readonly out: readonly unknown[]
}

/** The results of many rows whose single result is R. */
export type ResultsOf<R> = R extends undefined
  ? undefined
  : R extends bigint | null
    ? BigInt64Array | BigUint64Array
    : R extends number
      ? NumberResults
      : R[]
export type NumberResults =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
/** What may stand for a parameter: a typed array, an array, one contiguous buffer for a pointer, or one value for every row. */
export type ColumnOf<T> = T | readonly T[] | ArrayBufferView | ArrayBufferLike | object | null
export type ColumnsOf<A extends readonly unknown[]> = number extends A['length']
  ? readonly unknown[]
  : { readonly [K in keyof A]: ColumnOf<A[K]> }

export interface BatchFunction<A extends readonly unknown[], R> {
  /** Rejects with BatchError when a row failed, ArgumentError, AbortError. */
  (columns: ColumnsOf<A>, options?: BatchOptions & { readonly detail?: false }): Promise<ResultsOf<R>>
  (columns: ColumnsOf<A>, options: BatchOptions & { readonly detail: true }): Promise<BatchDetail<ResultsOf<R>>>
  /** Results for each of many sets of columns: work larger than memory. A few sets are under way at once. */
  stream(
    columns: Iterable<ColumnsOf<A>> | AsyncIterable<ColumnsOf<A>>,
    options?: BatchOptions,
  ): AsyncGenerator<ResultsOf<R>, void, undefined>
  sync(columns: ColumnsOf<A>, options?: BatchOptions & { readonly detail?: false }): ResultsOf<R>
}

/** Sets of columns of a stream that are under way at once. */
const STREAM_DEPTH = 3

interface Options extends BatchOptions {
  readonly detail?: boolean
}

export function makeBatch(engine: RoutineEngine, blocking: boolean): BatchFunction<readonly unknown[], unknown> {
  const awaited = (columns: readonly unknown[], options: Options = {}): Promise<unknown> => {
    const begin = (core: SessionCore) =>
      new Promise<unknown>((resolve, reject) => {
        try {
          start(engine, core, columns, options, (error, value) => (error ? reject(error) : resolve(value)))
        } catch (error) {
          reject(error)
        }
      })
    const core = engine.session.coreNow()
    return core ? begin(core) : engine.session.whenReady().then(begin)
  }
  const sync = (columns: readonly unknown[], options: Options = {}): unknown => {
    const core = coreForSync(engine.session)
    let outcome: { error: Error | undefined; value: unknown } | undefined
    start(engine, core, columns, options, (error, value) => {
      outcome = { error, value }
    })
    core.lane.waitFor(() => outcome !== undefined, Number.POSITIVE_INFINITY)
    if (!outcome) throw core.deathError(undefined)
    if (outcome.error) throw outcome.error
    return outcome.value
  }
  async function* stream(
    sets: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
    options: Options = {},
  ) {
    const underway: Promise<unknown>[] = []
    try {
      for await (const columns of sets) {
        const next = awaited(columns, options)
        // it may fail while an earlier one is awaited
        next.catch(() => {})
        underway.push(next)
        if (underway.length >= STREAM_DEPTH) yield await underway.shift()
      }
      while (underway.length > 0) yield await underway.shift()
    } finally {
      await Promise.allSettled(underway)
    }
  }
  return Object.assign(blocking ? (sync as never) : awaited, { stream, sync }) as never
}

type Done = (error: Error | undefined, value: unknown) => void

function start(
  engine: RoutineEngine,
  core: SessionCore,
  given: readonly unknown[],
  options: Options,
  done: Done,
): void {
  const { label } = engine
  const { argtypes, restype } = engine
  if (!argtypes) throw new ArgumentError(`${label}: a batch needs declared argtypes`, { routine: label })
  if (restype !== null && !isType(restype))
    throw new ArgumentError(`${label}: a batch needs a type (or null) for restype, not a function`, { routine: label })
  if (!Array.isArray(given)) throw new ArgumentError(`${label}: a batch takes an array of columns`, { routine: label })
  const wanted = argtypes.filter(isType).length
  if (given.length !== wanted)
    throw new ArgumentError(`${label} takes ${wanted} columns, ${given.length} were given`, { routine: label })
  const declared = engine.declared(core, given)
  const { columns, rows } = gather(label, core, argtypes, given, options)
  const outs: { readonly block: LocalBlock; readonly type: CType }[] = []
  const hidden =
    restype !== null && passedAs(restype, core.facts.arch, true).how === 'memory'
      ? LocalBlock.allocate((restype as CType).size * rows)
      : undefined
  const all: Column[] = hidden ? [outColumn(hidden, (restype as CType).size)] : []
  let next = 0
  for (const type of argtypes) {
    if (isType(type)) all.push(columns[next++])
    else {
      const { outType } = type as { outType: CType }
      const block = LocalBlock.allocate(outType.size * rows)
      outs.push({ block, type: outType })
      all.push(outColumn(block, outType.size))
    }
  }
  const decode = (type: CType) => (block: Block, offset: number) => {
    if (block instanceof LocalBlock) block.origin = core.memory
    return type[READ](block, offset)
  }
  const results: ResultColumn = hidden
    ? filled(restype as CType, hidden, rows, decode(restype as CType))
    : resultColumn(restype, rows, restype === null ? () => undefined : decode(restype))
  const lastErrors = engine.keepsLastError && options.detail ? new Uint32Array(rows) : undefined
  const finish = (error: Error | undefined, errors: readonly RowError[]): void => {
    if (error && errors.length === 0) {
      done(error, undefined)
      return
    }
    try {
      const detail: BatchDetail<unknown> = {
        results: results.finish(),
        errors,
        lastErrors,
        out: outs.map(({ block, type }) => filled(type, block, rows, decode(type)).finish()),
      }
      if (error) done(error, undefined)
      else if (options.detail) done(undefined, detail)
      else if (errors.length > 0) done(batchError(label, rows, detail), undefined)
      else
        done(
          undefined,
          outs.length === 0
            ? detail.results
            : restype === null
              ? outs.length === 1
                ? detail.out[0]
                : detail.out
              : [detail.results, ...detail.out],
        )
    } catch (thrown) {
      done(thrown as Error, undefined)
    }
  }
  if (rows === 0) {
    finish(undefined, [])
    return
  }
  const { signal, onProgress } = options
  core.lane.submit(
    new BatchExchange(
      core,
      { declared, columns: all, rows, results, lastErrors, signal, onProgress },
      buffersOf(given),
      finish,
    ),
  )
}

function gather(
  label: string,
  core: SessionCore,
  argtypes: readonly ArgType[],
  given: readonly unknown[],
  options: Options,
) {
  const types = argtypes.filter(isType)
  const columns = types.map((type, i) => makeColumn(label, i + 1, type, given[i], core))
  let rows = options.rows
  columns.forEach((column, i) => {
    if (column.length === undefined) return
    if (rows !== undefined && rows !== column.length)
      throw new ArgumentError(`${label}: column ${i + 1} has ${column.length} rows, others have ${rows}`, {
        routine: label,
        position: i + 1,
      })
    rows = column.length
  })
  if (rows === undefined)
    throw new ArgumentError(`${label}: no column tells how many rows there are: say so with the option "rows"`, {
      routine: label,
    })
  return { columns, rows }
}

/** Results that lie in a block already: typed arrays for numbers, objects otherwise. */
function filled(
  type: CType,
  block: LocalBlock,
  rows: number,
  decode: (block: Block, offset: number) => unknown,
): ResultColumn {
  const shape = resultColumn(type, rows, decode)
  if (type[CATEGORY] === 'structure' || type[CATEGORY] === 'array')
    return {
      kind: 'v',
      size: 0,
      bytes: () => new Uint8Array(0),
      finish: () => Array.from({ length: rows }, (_, i) => decode(block, i * type.size)),
    }
  return {
    kind: 'v',
    size: 0,
    bytes: () => new Uint8Array(0),
    finish() {
      shape.bytes(0, rows).set(block.bytes)
      return shape.finish()
    },
  }
}

function batchError(label: string, rows: number, detail: BatchDetail<unknown>): BatchError {
  const { errors } = detail
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more of ${rows} rows)` : ''
  return new BatchError(`${label}: row ${errors[0].row} failed${more}: ${errors[0].error.message}`, {
    ...detail,
    cause: errors[0].error,
  })
}

/** ArrayBuffers of the user's that the batch works on: no other call may meanwhile. */
function buffersOf(given: readonly unknown[]): ArrayBufferLike[] {
  const buffers = new Set<ArrayBufferLike>()
  for (const value of given) {
    if (isBuffer(value)) buffers.add(bytesOf(value).buffer)
    else if (value instanceof CData && value[BLOCK] instanceof LocalBlock)
      buffers.add((value[BLOCK] as LocalBlock).bytes.buffer)
  }
  return [...buffers]
}
