/**
 * A batch as the caller asked for it: the columns, memory for what comes back, and which rows are still to be done.
 * Several sessions may carry it out together.
 */

import { LocalBlock } from '../../ctypes/block.js'
import {
  allocated,
  BOOLEAN,
  type Checks,
  checkOptions,
  FUNCTION,
  LARGEST,
  SIGNAL,
  wholeNumber,
} from '../../ctypes/checks.js'
import { BLOCK, bytesOf, CData, type CType, describe, isBuffer, isType } from '../../ctypes/data.js'
import { isList, reading } from '../../ctypes/given.js'
import type { ArgType } from '../../ctypes/inference.js'
import { isOutParameter } from '../../ctypes/out-parameter.js'
import { passedAs } from '../../ctypes/passing.js'
import { isStatus } from '../../ctypes/result.js'
import { snapshotValue } from '../../ctypes/snapshot.js'
import { textsIn } from '../../ctypes/taken-texts.js'
import { ArgumentError, BatchError, type RowError } from '../../errors.js'
import { hresultError } from '../core/windows-error.js'
import type { Column, ColumnContext } from './column.js'
import { kindOfResults, makeColumn, type TypedArray } from './columns.js'
import type { NumberResults } from './results.js'
import { RowCursor } from './row-cursor.js'
import { outColumn, type RowValues, rowValues } from './values.js'

/** How a batch is carried out. Every option may be left out. */
export interface BatchOptions {
  /** Stops the batch between two chunks; the session lives on. */
  readonly signal?: AbortSignal
  /** Called between chunks, with the number of rows done so far and of all rows. */
  readonly onProgress?: (done: number, total: number) => void
  /** How many rows there are, where every column is one value for all rows. */
  readonly rows?: number
  /**
   * How many rows are sent together, at the most: the steps of `onProgress` and of `signal`. By default at most
   * 131,072, and no more than take a MiB of copied memory or 20 ms.
   */
  readonly chunk?: number
  /**
   * Where the results go, and what the batch gives: a typed array of their kind with an element for each row. The
   * Windows side writes directly to one of `session.memory.array`; many batches with the same array need no new memory.
   */
  readonly results?: NumberResults | BigInt64Array | BigUint64Array
}

/** All that a batch gives. */
export interface BatchDetail<R> {
  readonly results: R
  /** Rows that failed, in order; their results are zero, or the HRESULT that says so. */
  readonly errors: readonly RowError[]
  /** The last error of each row, for libraries that keep it. */
  readonly lastErrors: Uint32Array | undefined
  /** A column for each `out` parameter. */
  readonly out: readonly unknown[]
}

/** What a batch needs to know of its routine. */
export interface BatchRoutine {
  readonly label: string
  readonly argtypes: readonly ArgType[]
  readonly restype: CType | null
  readonly keepsLastError: boolean
}

export const BATCH_OPTIONS: Checks = {
  signal: SIGNAL,
  onProgress: FUNCTION,
  rows: wholeNumber(0, LARGEST),
  chunk: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  detail: BOOLEAN,
  results: ['a typed array', value => ArrayBuffer.isView(value) && !(value instanceof DataView)],
}

/** What the shares of a batch need to know of it. */
export interface PlannedRows {
  readonly rows: RowCursor
  /** What the routine returns in a register, for each row. */
  readonly results: Omit<RowValues, 'all' | 'alignment'>
  readonly lastErrors: Uint32Array | undefined
  readonly errors: RowError[]
  readonly signal: AbortSignal | undefined
  readonly chunk: number | undefined
  /** ArrayBuffers of the caller's that the batch uses: no other call may use them meanwhile. */
  readonly buffers: readonly ArrayBufferLike[]
  /**
   * A column for each argument on the wire, for one session: what was given, and memory for what comes back. Throws
   * ArgumentError.
   */
  columns(core: ColumnContext): Column[]
  /** To be called when `count` more rows have come back. */
  finished(count: number): void
}

export class BatchPlan implements PlannedRows {
  readonly rows: RowCursor
  readonly results: RowValues
  readonly lastErrors: Uint32Array | undefined
  readonly errors: RowError[] = []
  readonly signal: AbortSignal | undefined
  readonly chunk: number | undefined
  readonly buffers: readonly ArrayBufferLike[]
  /** What the caller gets as results: `results`, or structures that the routine returns through a hidden pointer. */
  readonly #values: RowValues
  readonly #outs: readonly RowValues[]
  readonly #detail: boolean
  readonly #onProgress: BatchOptions['onProgress']
  #isTelling = false
  readonly #given: readonly unknown[]
  /**
   * The columns that the number of rows was read from. The session that they were made for gets them, for laying out a
   * column of structures a second time would take long.
   */
  #first: { readonly core: ColumnContext; readonly columns: Column[] } | undefined

  /** `core`: that of any session that is going to carry the batch out. Throws ArgumentError. */
  constructor(
    private readonly routine: BatchRoutine,
    given: readonly unknown[],
    options: BatchOptions & { readonly detail?: boolean },
    core: ColumnContext,
  ) {
    const { label, argtypes, restype } = routine
    if (!isList(given)) throw new ArgumentError(`${label}: a batch takes an array of columns`, { routine: label })
    const wanted = argtypes.filter(isType).length
    const count = reading(`${label}: what is given as columns`, () => given.length)
    if (count !== wanted)
      throw new ArgumentError(`${label} takes ${wanted} columns, ${count} were given`, { routine: label })
    checkOptions(`${label}.batch`, options, BATCH_OPTIONS)
    const { chunk } = options
    this.#given = snapshotColumns(routine, given)
    this.#first = { core, columns: this.#givenColumns(core) }
    const rows = rowsOf(label, this.#first.columns, options.rows)
    const hidden = restype !== null && passedAs(restype, core.facts.arch, true).how === 'memory'
    this.rows = new RowCursor(rows)
    const room = <T>(make: () => T) => allocated(`${label}: results for ${rows} rows`, make)
    const into = options.results
    this.#values = room(() => rowValues(restype, rows, 0, into && resultsOf(routine, rows, into)))
    this.results = hidden ? rowValues(null, rows) : this.#values
    let texts = restype === null ? 0 : textsIn(restype).length
    this.#outs = argtypes.flatMap(type => {
      if (!isOutParameter(type)) return []
      const first = texts
      texts += textsIn(type.outType).length
      return [room(() => rowValues(type.outType, rows, first))]
    })
    this.#detail = options.detail === true
    this.lastErrors = routine.keepsLastError && this.#detail ? room(() => new Uint32Array(rows)) : undefined
    this.signal = options.signal
    this.chunk = chunk
    this.#onProgress = options.onProgress
    this.buffers = buffersOf(into ? [...given, into] : given)
  }

  columns(core: ColumnContext): Column[] {
    const given = this.#first?.core === core ? this.#first.columns : this.#givenColumns(core)
    this.#first = undefined
    const outs = this.#outs.values()
    const fill = (values: RowValues) => outColumn(values, this.rows.total, core.memory)
    const columns = this.routine.argtypes.map(type =>
      isType(type) ? (given.shift() as Column) : fill(outs.next().value as RowValues),
    )
    if (this.results !== this.#values) columns.unshift(fill(this.#values))
    return columns
  }

  #givenColumns(core: ColumnContext): Column[] {
    const types = this.routine.argtypes.filter(isType)
    const { label } = this.routine
    return types.map((type, i) =>
      reading(`${label}, column ${i + 1}`, () => makeColumn(label, i + 1, type, this.#given[i], core)),
    )
  }

  finished(count: number): void {
    const { rows } = this
    rows.done += count
    // not again while it runs: what it calls may block until other rows have come
    if (count === 0 || !this.#onProgress || this.#isTelling) return
    this.#isTelling = true
    try {
      for (let told = 0; told < rows.done; ) {
        told = rows.done
        this.#onProgress(told, rows.total)
      }
    } finally {
      this.#isTelling = false
    }
  }

  #failedStatuses(statuses: Int32Array): void {
    statuses.forEach((status, row) => {
      if (status < 0) this.errors.push({ row, error: hresultError(status) })
    })
  }

  /** What the caller gets. Throws BatchError if a row failed and the caller has not asked for details. */
  outcome(): unknown {
    const { label, restype } = this.routine
    const { total } = this.rows
    if (isStatus(restype)) this.#failedStatuses(this.#values.all as Int32Array)
    this.errors.sort((a, b) => a.row - b.row)
    const detail: BatchDetail<unknown> = {
      results: this.#values.all,
      errors: this.errors,
      lastErrors: this.lastErrors,
      out: this.#outs.map(({ all }) => all),
    }
    if (this.#detail) return detail
    if (this.errors.length > 0) {
      const [{ row, error }] = this.errors
      const more = this.errors.length > 1 ? ` (and ${this.errors.length - 1} more of ${total} rows)` : ''
      throw new BatchError(`${label}: row ${row} failed${more}: ${error.message}`, { ...detail, cause: error })
    }
    if (detail.out.length === 0) return detail.results
    if (restype !== null) return [detail.results, ...detail.out]
    return detail.out.length === 1 ? detail.out[0] : detail.out
  }
}

/** Checks the option `results`. Throws ArgumentError. */
function resultsOf({ label, restype }: BatchRoutine, rows: number, given: ArrayBufferView): TypedArray {
  const Elements = restype === null ? undefined : kindOfResults(restype)
  const wrong = (what: string) =>
    new ArgumentError(`${label}: the option "results" of a batch ${what}`, { routine: label })
  if (!Elements)
    throw wrong(`is for numbers and addresses, and ${restype === null ? 'nothing' : restype.name} comes back`)
  if (!(given instanceof Elements)) throw wrong(`is a ${Elements.name} for ${restype?.name}, not ${describe(given)}`)
  if (given.length !== rows) throw wrong(`has ${given.length} elements, and there are ${rows} rows`)
  return given
}

/**
 * What a batch keeps of its columns when it is asked for: copies of values that stand for every row, as calls keep
 * copies of their arguments. Columns with a value for each row are memory, and are read when the rows are sent.
 */
export function snapshotColumns({ argtypes, label }: BatchRoutine, given: readonly unknown[]): readonly unknown[] {
  const types = argtypes.filter(isType)
  return reading(`${label}: what is given as columns`, () =>
    given.map((column, i) => (isList(column) || !types[i] ? column : snapshotValue(column, types[i]))),
  )
}

function rowsOf(label: string, columns: readonly Column[], said: number | undefined): number {
  let rows = said
  columns.forEach(({ length }, i) => {
    if (length === undefined) return
    if (rows !== undefined && rows !== length)
      throw new ArgumentError(`${label}: column ${i + 1} has ${length} rows, others have ${rows}`, {
        routine: label,
        position: i + 1,
      })
    rows = length
  })
  if (rows === undefined)
    throw new ArgumentError(`${label}: no column tells how many rows there are: say so with the option "rows"`, {
      routine: label,
    })
  return rows
}

function buffersOf(given: readonly unknown[]): ArrayBufferLike[] {
  const buffers = new Set<ArrayBufferLike>()
  for (const value of given) {
    if (isBuffer(value)) buffers.add(bytesOf(value).buffer)
    else if (value instanceof CData && value[BLOCK] instanceof LocalBlock)
      buffers.add((value[BLOCK] as LocalBlock).bytes.buffer)
  }
  return [...buffers]
}
