/** Compile-time: what TypeScript infers of batches. `tsc` is the test; nothing here runs. */
import {
  type BatchDetail,
  CFUNCTYPE,
  CtypesSession,
  c_bool,
  c_char_p,
  c_double,
  c_float,
  c_int,
  c_longlong,
  c_short,
  c_size_t,
  c_ubyte,
  c_ulonglong,
  c_void_p,
  HRESULT,
  type NumberResults,
  out,
  POINTER,
  type Routine,
  Structure,
  type SyncSession,
} from '../../src/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Only compiles if the two are the same type. */
function expectType<Expected>() {
  return { is: <Actual>(..._same: Equal<Expected, Actual> extends true ? [value?: Actual] : [never]) => {} }
}

class Point extends Structure({ x: c_int, y: c_int }) {}
const session = new CtypesSession()
const dll = session.CDLL('x')
const columns = [Int32Array.of(1), 2] as const

// numbers come in the typed array of their type
expectType<Int32Array>().is(await dll.func('f', [c_int, c_int], c_int).batch(columns))
expectType<Int16Array>().is(await dll.func('f', [c_int, c_int], c_short).batch(columns))
expectType<Uint8Array>().is(await dll.func('f', [c_int, c_int], c_ubyte).batch(columns))
expectType<Float64Array>().is(await dll.func('f', [c_int, c_int], c_double).batch(columns))
expectType<Float32Array>().is(await dll.func('f', [c_int, c_int], c_float).batch(columns))
expectType<BigInt64Array>().is(await dll.func('f', [c_int, c_int], c_longlong).batch(columns))
expectType<BigUint64Array>().is(await dll.func('f', [c_int, c_int], c_ulonglong).batch(columns))
expectType<BigUint64Array | Uint32Array>().is(await dll.func('f', [c_int, c_int], c_size_t).batch(columns))
expectType<Int32Array>().is(await dll.func('f', [c_int, c_int], HRESULT).batch(columns))

// pointers as addresses, the rest as values, void as nothing
expectType<BigInt64Array>().is(await dll.func('f', [c_int, c_int], c_void_p).batch(columns))
expectType<BigInt64Array>().is(await dll.func('f', [c_int, c_int], POINTER(Point)).batch(columns))
expectType<(string | null)[]>().is(await dll.func('f', [c_int, c_int], c_char_p).batch(columns))
expectType<boolean[]>().is(await dll.func('f', [c_int, c_int], c_bool).batch(columns))
expectType<Point[]>().is(await dll.func('f', [c_int, c_int], Point).batch(columns))
expectType<undefined>().is(await dll.func('f', [c_int, c_int], null).batch(columns))

// out parameters are columns behind the results, and alone where those are void
expectType<[Int32Array, Float64Array]>().is(await dll.func('f', [c_int, out(c_double)], c_int).batch([1]))
expectType<Float64Array>().is(await dll.func('f', [c_int, out(c_double)], null).batch([1]))
expectType<[Float64Array, Point[]]>().is(await dll.func('f', [out(c_double), c_int, out(Point)], null).batch([1]))
expectType<BatchDetail<Int32Array>>().is(
  await dll.func('f', [c_int, out(c_double)], c_int).batch([1], { detail: true }),
)

// the other faces
const add = dll.func('add', [c_int, c_int], c_int)
expectType<Int32Array>().is(add.batch.sync(columns))
expectType<BatchDetail<Int32Array>>().is(add.batch.sync(columns, { detail: true }))
for await (const results of add.batch.stream([columns])) expectType<Int32Array>().is(results)
export function job(session: SyncSession): void {
  const add = session.CDLL('x').func('add', [c_int, c_int], c_int)
  expectType<Int32Array>().is(add.batch(columns))
  expectType<BatchDetail<Int32Array>>().is(add.batch(columns, { detail: true }))
}

// of a C prototype only the JS types are known
expectType<NumberResults>().is(await dll.func<[number, number], number>('int add(int a, int b)').batch(columns))
expectType<unknown[]>().is(await dll.func('int add(int a, int b)').batch(columns))
const any: Routine = dll.add
void any

// a column for each parameter that the caller gives
// @ts-expect-error one is missing
add.batch([1])
// @ts-expect-error a callback has no column
dll.func('f', [CFUNCTYPE(c_int)], c_int).batch('x')
