/** The types of a batch's results, as TypeScript infers them from the routine's. */
import type { CType } from '../../ctypes/data.js'
import type { ArgType, Out, ResType, TypedArrayOf, ValueOf } from '../../ctypes/inference.js'
import type { Pointer } from '../../ctypes/pointer.js'

/** The results of many rows where only the type R of one result is known, as for a C prototype. */
export type ResultsOf<R> = R extends undefined
  ? undefined
  : R extends bigint | null
    ? BigInt64Array | BigUint64Array
    : R extends number
      ? NumberResults
      : R[]
/** Results that are numbers: the typed array of the result's type. */
export type NumberResults =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

/**
 * The results of many rows, by the C type of one: a typed array for numbers, addresses for pointers, an array for
 * others.
 */
export type RowsOf<R extends ResType> = R extends null
  ? undefined
  : R extends CType
    ? ColumnOfValues<R, ValueOf<R>>
    : never // a function has no batch
type ColumnOfValues<T, Value> = [Value] extends [number | bigint]
  ? TypedArrayOf<T>
  : [Value] extends [bigint | Pointer<CType> | null]
    ? BigInt64Array
    : Value[]

/** A column for each `out` parameter. */
export type OutRowsOf<A extends readonly ArgType[]> = A extends readonly [
  infer Head,
  ...infer Tail extends readonly ArgType[],
]
  ? Head extends Out<infer T>
    ? [RowsOf<T>, ...OutRowsOf<Tail>]
    : OutRowsOf<Tail>
  : []

/** What a batch gives: the results, and behind them the columns of `out` parameters; these alone for a void routine. */
export type BatchOf<R extends ResType, A extends readonly ArgType[]> =
  OutRowsOf<A> extends infer O extends unknown[]
    ? O extends []
      ? RowsOf<R>
      : R extends null
        ? O extends [infer Only]
          ? Only
          : O
        : [RowsOf<R>, ...O]
    : never
