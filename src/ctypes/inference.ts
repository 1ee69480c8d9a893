/** What TypeScript infers of C types. Types only; nothing here exists when the program runs. */
import type { ArrayClass } from './array.js'
import type { CType, ScalarClass } from './data.js'
import type { Pointer } from './pointer.js'

/**
 * Phantom: what a type gives and takes. `get` is what reading gives, `set` what may be stored, `arg` what may be passed.
 * Structures and arrays have none: they give themselves.
 */
export declare const io: unique symbol
/** Keeps instances of types with the same JS value apart; never there. */
export declare const brand: unique symbol

/** A scalar type. `Name` keeps c_int and c_uint apart, which have the same values. */
export interface SimpleType<Name extends string, Get, Set = Get, Arg = Set> extends ScalarClass {
  new (value?: Set): Simple<Name, Get, Set>
  readonly prototype: Simple<Name, Get, Set>
  readonly [io]: {
    readonly get: Get
    readonly set: Set | Simple<Name, Get, Set>
    readonly arg: Arg | Simple<Name, Get, Set>
  }
}
/** An object that holds one scalar. */
export interface Simple<Name extends string, Get, Set = Get> {
  readonly [brand]?: Name
  get value(): Get
  set value(value: Set)
}

/**
 * An object of T. It is a conditional type so that TypeScript takes pointers to one structure for the same type, whether they are found through
 * its class or through an object of it.
 */
export type InstanceOf<T extends CType> = T extends { readonly [view]: infer V extends object }
  ? V
  : T extends { readonly prototype: infer I extends object }
    ? I
    : never
/** Phantom: what an object of a type is that lies in memory, where it is not what the type's constructor makes. */
export declare const view: unique symbol

/** What a field, an element or a result of type T reads as: arrays of characters as text. */
export type ValueOf<T> = T extends { readonly [io]: { readonly get: infer Get } }
  ? Get
  : T extends { readonly elementType: { readonly prototype: { readonly [brand]?: infer Name } } }
    ? Name extends 'c_char' | 'c_wchar'
      ? string
      : T extends CType
        ? InstanceOf<T>
        : never
    : T extends CType
      ? InstanceOf<T>
      : never

/** What may be assigned to a T. */
export type SetOf<T> = T extends { readonly [io]: { readonly set: infer Set } }
  ? Set
  : T extends { readonly [init]: infer Init }
    ? Init
    : never
/** Phantom: what a structure or an array is built from. */
export declare const init: unique symbol

/** What may be passed for a parameter of type T. */
export type ArgOf<T> = T extends { readonly [io]: { readonly arg: infer Arg } }
  ? Arg
  : T extends ArrayType<infer E>
    ? PointerArg<E> | readonly SetOf<E>[]
    : T extends { readonly [init]: infer Value }
      ? Value
      : never

/** The type of arrays of T, whose objects are read and written by index. */
export interface ArrayType<T extends CType> extends ArrayClass {
  new (...values: readonly SetOf<T>[]): CArray<T>
  /** The same from a list, a typed array or anything that can be iterated: any number of values. */
  from(values: Iterable<SetOf<T>>): CArray<T>
  readonly prototype: CArray<T>
  readonly length: number
  readonly elementType: T
  readonly [init]: CArray<T> | readonly SetOf<T>[] | TypedArrayOf<T> | (T extends CharLike ? string : never)
}

/** An array of C: `a[i]` reads and writes, out of range is an ArgumentError. */
export interface CArray<T extends CType> extends Iterable<ValueOf<T>> {
  [index: number]: ValueOf<T>
  readonly length: number
  /** The element at `index`, from the end if negative. Throws ArgumentError where there is none. */
  at(index: number): ValueOf<T>
  /** Sets the element at `index`. Throws ArgumentError where there is none, and for a value that it does not take. */
  set(index: number, value: SetOf<T>): void
  /** The values of the elements from `from` up to `to`, copied. */
  slice(from?: number, to?: number): ValueOf<T>[]
  /** The same memory as a typed array; throws ArgumentError for anything but numbers in this process. */
  asTypedArray(): TypedArrayOf<T>
  /** Of arrays of `c_char` and `c_wchar`: the text up to the first zero. Setting it adds a zero if there is room. */
  value: T extends CharLike ? string : undefined
  /** Of arrays of `c_char`: all the bytes. In this process they are the array's memory; in that of a session, a copy. */
  raw: T extends ByteLike ? Uint8Array : undefined
}

type Tagged<Name extends string> = { readonly prototype: { readonly [brand]?: Name } }
export type ByteLike = Tagged<'c_char'>
export type CharLike = Tagged<'c_char'> | Tagged<'c_wchar'>

/** The typed array whose elements are T's. */
export type TypedArrayOf<T> = T extends { readonly prototype: { readonly [brand]?: infer Name } }
  ? Name extends keyof TypedArrays
    ? TypedArrays[Name]
    : never
  : never
/** Typed arrays by the names of the types that their elements are. */
export interface TypedArrays {
  c_byte: Int8Array
  c_ubyte: Uint8Array
  c_char: Uint8Array
  c_bool: Uint8Array
  c_wchar: Uint16Array
  c_short: Int16Array
  c_ushort: Uint16Array
  c_int: Int32Array
  c_uint: Uint32Array
  HRESULT: Int32Array
  c_longlong: BigInt64Array
  c_ulonglong: BigUint64Array
  c_size_t: BigUint64Array | Uint32Array
  c_ssize_t: BigInt64Array | Int32Array
  c_float: Float32Array
  c_double: Float64Array
}
/** Typed arrays with the same memory: signed and unsigned integers of a width are the same there. */
type FittingArray<T> =
  | TypedArrayOf<T>
  | (TypedArrayOf<T> extends Int32Array | Uint32Array ? Int32Array | Uint32Array : never)
  | (TypedArrayOf<T> extends BigInt64Array | BigUint64Array ? BigInt64Array | BigUint64Array : never)
  | (TypedArrayOf<T> extends Int16Array | Uint16Array ? Int16Array | Uint16Array : never)
  | (TypedArrayOf<T> extends Int8Array | Uint8Array ? Int8Array | Uint8ClampedArray : never)

/** Anything that knows its address in the Windows process: what `session.memory.alloc` gives, a remote pointer. */
export interface Addressed {
  readonly address: bigint
}
/** Memory without a kind. */
export type Bytes = Uint8Array | ArrayBuffer | DataView

/** What `byref` gives: good for an argument and nothing else. */
export interface Reference<T extends object> {
  readonly target: T
  readonly offset: number
}

/** What may be passed for a `T *`. */
export type PointerArg<T extends CType> =
  | PointerTo<T>
  | Reference<InstanceOf<T>>
  | Reference<CArray<T>>
  | InstanceOf<T>
  | ArrayArg<T>
  | FittingArray<T>
  | Bytes
  | Addressed
  | (T extends CharLike ? string : never)
  | (T extends PointerLike ? readonly SetOf<T>[] : never)
  | (T extends StructureLike ? bigint : never)
  | null
/** For a pointer to pointers the types of its elements are left out: with them `x` of `[x => …]` would have no type. */
type PointerTo<T extends CType> = T extends PointerLike ? Pick<Pointer<T>, 'contents' | 'at' | 'set'> : Pointer<T>
type ArrayArg<T extends CType> = T extends PointerLike ? Pick<CArray<T>, 'at' | 'set' | 'asTypedArray'> : CArray<T>
/** A pointer to a structure may be a handle, which is a number and leads nowhere. */
type StructureLike = { readonly fields: object }
type PointerLike = { readonly [io]: { readonly pointer: true } }

/** An `out(T)` in argtypes: the caller gives nothing, the value comes back. */
export interface Out<T extends CType> {
  readonly outType: T
}
/** An adapter in argtypes: it makes what is passed of what the caller gave, and that is passed by the type that it has. */
export interface FromParam {
  /** What is passed for a value that the caller gave; may throw. */
  from_param(value: never): unknown
}
/** An object that says what is passed for it, as in ctypes: one of a class `Handle` of the program's, for instance. */
export interface AsParameter<Arg> {
  /** What is passed in its place. */
  readonly _as_parameter_: Arg
}
/** What argtypes may hold. */
export type ArgType = CType | Out<CType> | FromParam
/** What restype may be: a type, null for void, or a function that is given the int result. */
export type ResType = CType | null | ((result: number) => unknown)

/** The arguments that a caller gives, in order. */
export type ArgsOf<A extends readonly ArgType[]> = A extends readonly []
  ? []
  : A extends readonly [infer Head, ...infer Tail extends readonly ArgType[]]
    ? Head extends Out<CType>
      ? ArgsOf<Tail>
      : Head extends { from_param(value: infer Given): unknown }
        ? [Given, ...ArgsOf<Tail>]
        : [ArgOf<Head> | AsParameter<ArgOf<Head>>, ...ArgsOf<Tail>]
    : A extends readonly (infer Each)[]
      ? (ArgOf<Each> | AsParameter<ArgOf<Each>>)[]
      : never
type OutsOf<A extends readonly ArgType[]> = A extends readonly [infer Head, ...infer Tail extends readonly ArgType[]]
  ? Head extends Out<infer T>
    ? [ValueOf<T>, ...OutsOf<Tail>]
    : OutsOf<Tail>
  : []

type PlainResult<R> = R extends CType
  ? ValueOf<R>
  : R extends null
    ? undefined
    : R extends (result: number) => infer V
      ? V
      : never

/** What a call gives: the result; with `out(T)` parameters those, behind the result unless that is void. */
export type ResultOf<R extends ResType, A extends readonly ArgType[] = []> =
  OutsOf<A> extends infer O extends unknown[]
    ? O extends []
      ? PlainResult<R>
      : R extends null
        ? O extends [infer Only]
          ? Only
          : O
        : [PlainResult<R>, ...O]
    : never

/** The values that a callback is given. */
export type ValuesOf<A extends readonly CType[]> = { -readonly [K in keyof A]: ValueOf<A[K]> }
/** What a callback may give back. */
export type CallbackResult<R extends CType | null> = R extends CType ? SetOf<R> : void | undefined
