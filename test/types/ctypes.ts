/** Compile-time: what TypeScript infers of C types, and what it refuses. `tsc` is the test; nothing here runs. */
import {
  type ArgsOf,
  bits,
  byref,
  type CArray,
  type CallbackObject,
  CFUNCTYPE,
  c_bool,
  c_char,
  c_char_p,
  c_double,
  c_float,
  c_int,
  c_longlong,
  c_short,
  c_size_t,
  c_ubyte,
  c_uint,
  c_void_p,
  type c_wchar,
  c_wchar_p,
  cast,
  create_string_buffer,
  create_unicode_buffer,
  type ForeignRoutine,
  HRESULT,
  out,
  POINTER,
  type Pointer,
  plain,
  pointer,
  type ResultOf,
  Structure,
  sizeof,
  types,
  Union,
  type ValueOf,
  view,
} from '../../src/ctypes/index.js'
import type { CtypesSession, Library } from '../../src/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Only compiles if the two are the same type. */
function expectType<Expected>() {
  return { is: <Actual>(..._same: Equal<Expected, Actual> extends true ? [value?: Actual] : [never]) => {} }
}
type Routine<A extends readonly unknown[], R> = (...args: A) => Promise<R>
declare function func<
  const A extends readonly Parameters<typeof argType>[0][],
  R extends Parameters<typeof resType>[0],
>(name: string, argtypes: A, restype: R): Routine<ArgsOf<A>, ResultOf<R, A>>
declare const dll: Library
declare function argType(type: import('../../src/ctypes/index.js').ArgType): void
declare function resType(type: import('../../src/ctypes/index.js').ResType): void

class Point extends Structure({ x: c_int, y: c_int }) {
  sum(): number {
    return this.x + this.y
  }
}
class Node extends Structure({ value: c_int }) {
  declare next: Pointer<typeof Node> | null
  static {
    Node.define({ next: POINTER(Node) })
  }
}
class Everything extends Structure({
  small: bits(c_int, 3),
  flag: c_bool,
  letter: c_char,
  wide: c_longlong,
  text: c_char_p,
  address: c_void_p,
  real: c_double,
  point: Point,
  list: c_int.array(3),
  matrix: c_float.array(3).array(2),
  name: c_char.array(16),
  link: POINTER(Point),
}) {}

export function values(): void {
  expectType<number>().is<ValueOf<typeof c_int>>()
  expectType<number>().is<ValueOf<typeof c_double>>()
  expectType<bigint>().is<ValueOf<typeof c_longlong>>()
  expectType<bigint>().is<ValueOf<typeof c_size_t>>()
  expectType<boolean>().is<ValueOf<typeof c_bool>>()
  expectType<string>().is<ValueOf<typeof c_char>>()
  expectType<string | null>().is<ValueOf<typeof c_char_p>>()
  expectType<string | null>().is<ValueOf<typeof c_wchar_p>>()
  expectType<bigint | null>().is<ValueOf<typeof c_void_p>>()
  expectType<Point>().is<ValueOf<typeof Point>>()

  const five = new c_int(5)
  expectType<number>().is<typeof five.value>()
  five.value = 6
  five.value = 7n
  // @ts-expect-error a string is no integer
  five.value = '6'
  // @ts-expect-error nor is it one to begin with
  new c_int('5')
  // @ts-expect-error a number is no boolean
  new c_bool(2)
  new c_longlong(5)
  new c_longlong(5n)
  new c_char('a')
  new c_char_p('text')
  new c_char_p(null)
  new c_wchar_p('text')
  class Mine extends c_int {}
  const mine = new Mine(4)
  expectType<number>().is<typeof mine.value>()
}

export function structures(): void {
  const point = new Point({ x: 1 })
  expectType<number>().is<typeof point.x>()
  new Point()
  new Point(1, 2)
  new Point({ x: 1n, y: 2 })
  point.x = 4
  expectType<number>().is<ReturnType<typeof point.sum>>()
  // @ts-expect-error no such field
  new Point({ z: 1 })
  // @ts-expect-error no such field
  point.z
  // @ts-expect-error not a number
  point.x = 'a'
  // @ts-expect-error not a number
  new Point({ x: 'a' })

  const all = new Everything({ small: 1, text: 'a', list: [1, 2, 3], point: { x: 1 }, name: 'abc' })
  expectType<number>().is<typeof all.small>()
  expectType<boolean>().is<typeof all.flag>()
  expectType<string>().is<typeof all.letter>()
  expectType<bigint>().is<typeof all.wide>()
  expectType<string | null>().is<typeof all.text>()
  expectType<bigint | null>().is<typeof all.address>()
  expectType<Point>().is<typeof all.point>()
  expectType<CArray<typeof c_int>>().is<typeof all.list>()
  expectType<number>().is<(typeof all.list)[0]>()
  expectType<number>().is<(typeof all.matrix)[0][0]>()
  expectType<string>().is<typeof all.name>()
  expectType<Uint8Array>().is(view(all, 'name').raw)
  expectType<string>().is(view(all, 'name').value)
  expectType<Point>().is(view(all, 'point'))
  expectType<CArray<typeof c_int>>().is(view(all, 'list'))
  expectType<Pointer<typeof Point> | null>().is<typeof all.link>()
  const copy = plain(all)
  expectType<number>().is<typeof copy.point.x>()
  expectType<bigint>().is<typeof copy.wide>()
  expectType<number[]>().is<typeof copy.list>()
  expectType<number[][]>().is<typeof copy.matrix>()
  expectType<string>().is<typeof copy.name>()
  expectType<Pointer<typeof Point> | null>().is<typeof copy.link>()
  expectType<number>().is(plain(new c_int(5)))
  expectType<string>().is(plain(create_string_buffer(5)))
  all.point.x = 3
  all.list[1] = 5
  all.link = pointer(point)
  all.link = null
  // @ts-expect-error not an element
  all.list[1] = 'x'
  // @ts-expect-error a c_int array has no text
  const text: string = all.list.value
  const offset: number = Everything.fields.real.offset
  // @ts-expect-error no such field
  Everything.fields.nothing
  const node = new Node({ value: 1 })
  expectType<Pointer<typeof Node> | null>().is<typeof node.next>()
  expectType<number | undefined>().is<NonNullable<typeof node.next>['contents']['value'] | undefined>()
  // @ts-expect-error a field needs a C type
  Structure({ x: Number })
  // @ts-expect-error pack is a small power of two
  Structure({ x: c_int }, { pack: 3 })
  class Either extends Union({ i: c_int, f: c_float }) {}
  expectType<number>().is<InstanceType<typeof Either>['f']>()
  class Outer extends Structure({ kind: c_int, u: Either }, { anonymous: ['u'] }) {}
  expectType<number>().is<InstanceType<typeof Outer>['f']>()
  new Outer({ kind: 1, f: 2 })
  // @ts-expect-error not a field of the anonymous member's
  new Outer({ kind: 1, g: 2 })
  // @ts-expect-error anonymous names a field
  Structure({ kind: c_int }, { anonymous: ['u'] })
  const win32 = types('win32')
  class Other extends win32.Structure({ p: win32.c_void_p, n: win32.c_size_t }) {}
  expectType<bigint>().is<InstanceType<typeof Other>['n']>()
  void [text, offset]
}

export function arraysAndPointers(): void {
  const list = new (c_int.array(3))(1, 2, 3)
  expectType<number>().is<(typeof list)[0]>()
  expectType<number[]>().is<ReturnType<typeof list.slice>>()
  expectType<Int32Array>().is<ReturnType<typeof list.asTypedArray>>()
  for (const item of list)
    expectType<number>().is(item)
    // @ts-expect-error not an integer
  ;new (c_int.array(3))('a')
  const big = new (c_longlong.array(2))(1, 2n)
  expectType<bigint>().is<(typeof big)[0]>()
  const points = new (Point.array(2))({ x: 1 }, new Point(1, 2))
  expectType<Point>().is<(typeof points)[0]>()

  const to = pointer(new Point(1, 2))
  expectType<Point>().is<typeof to.contents>()
  expectType<bigint>().is<typeof to.address>()
  const numbers = new (POINTER(c_int))(new c_int(1))
  expectType<number>().is<ReturnType<typeof numbers.at>>()
  expectType<number[]>().is<ReturnType<typeof numbers.slice>>()
  ;new (POINTER(c_int))(new Int32Array(3))
  // @ts-expect-error floats are no ints
  ;new (POINTER(c_int))(new Float64Array(3))
  // @ts-expect-error a C type, not a value
  POINTER(5)
  const other = cast(numbers, POINTER(c_ubyte))
  expectType<number>().is<ReturnType<typeof other.at>>()
  const buffer = create_string_buffer(10)
  expectType<string>().is<typeof buffer.value>()
  expectType<CArray<typeof c_wchar>>().is(create_unicode_buffer('a'))
  expectType<number>().is(sizeof(c_int))
}

export async function calls(): Promise<void> {
  const add = func('add', [c_int, c_int], c_int)
  expectType<number>().is(await add(1, 2))
  await add(1n, new c_int(4))
  // @ts-expect-error one is missing
  add(1)
  // @ts-expect-error one too many
  add(1, 2, 3)
  // @ts-expect-error not an integer
  add('1', 2)
  // @ts-expect-error another type's object
  add(new c_double(1), 2)
  // @ts-expect-error null is for pointers
  add(null, 2)

  const wide = func('wide', [c_longlong, c_size_t], c_longlong)
  expectType<bigint>().is(await wide(1, 2n))
  const nothing = func('nothing', [], null)
  expectType<undefined>().is(await nothing())
  // @ts-expect-error there are none
  nothing(1)
  expectType<string | null>().is(await func('text', [c_char_p], c_char_p)('a'))
  await func('text', [c_char_p], c_char_p)(null)
  await func('text', [c_char_p], c_char_p)(new Uint8Array(4))
  await func('wtext', [c_wchar_p], null)('a')
  // @ts-expect-error a number is no text
  func('text', [c_char_p], null)(5)

  const sum = func('sum', [POINTER(c_double), c_int], c_double)
  await sum(new Float64Array(3), 3)
  await sum(new (c_double.array(3))(1, 2, 3), 3)
  await sum(byref(new c_double(1)), 1)
  await sum(new c_double(1), 1)
  await sum(null, 0)
  await sum(new Uint8Array(24), 3)
  await sum({ address: 4096n }, 3)
  // @ts-expect-error another element type
  sum(new Int32Array(3), 3)
  // @ts-expect-error another element type
  sum(new (c_float.array(3))(), 3)
  // @ts-expect-error a number is no pointer
  sum(5, 3)

  const move = func('move', [POINTER(Point), Point], Point)
  expectType<Point>().is(await move(new Point(1, 2), new Point(3, 4)))
  await move(byref(new Point()), { x: 1, y: 2 })
  await move(pointer(new Point()), { x: 1 })
  // @ts-expect-error not a point
  move(new Point(), 5)
  expectType<Pointer<typeof Point> | null>().is(await func('find', [], POINTER(Point))())
  expectType<bigint | null>().is(await func('handle', [c_void_p], c_void_p)(5n))
  expectType<number>().is(await func('status', [], HRESULT)())
  expectType<boolean>().is(await func('flag', [c_bool], c_bool)(true))
  expectType<string>().is(await func('custom', [], code => `code ${code}`)())
  await func('strings', [POINTER(c_char_p), c_int], null)(['a', 'b', null], 3)
  await func('print', [c_char.array(4)], null)('abc' as never)

  const divide = func('divide', [c_int, c_int, out(c_int)], null)
  expectType<number>().is(await divide(1, 2))
  const both = func('both', [out(c_int), c_short, out(c_double)], c_bool)
  expectType<[boolean, number, number]>().is(await both(3))
  // @ts-expect-error what is out is not given
  both(3, 4)
  const two = func('two', [out(c_int), out(c_char_p)], null)
  expectType<[number, string | null]>().is(await two())
}

export async function callbacks(): Promise<void> {
  const compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
  const callback = compare((a, b) => {
    expectType<Pointer<typeof c_int> | null>().is(a)
    return (a?.at(0) ?? 0) - (b?.at(0) ?? 0)
  })
  callback.dispose()
  compare(async () => 1)
  // @ts-expect-error a string is no int
  compare(() => 'a')
  const qsort = func('qsort', [POINTER(c_int), c_size_t, c_size_t, compare], null)
  await qsort(new Int32Array(3), 3, 4, callback)
  await qsort(new Int32Array(3), 3, 4, (a, b) => (a?.at(0) ?? 0) - (b?.at(0) ?? 0))
  await qsort(new Int32Array(3), 3, 4, null)
  // @ts-expect-error a number is no function
  qsort(new Int32Array(3), 3, 4, 5)
  CFUNCTYPE(
    null,
    c_int,
    c_longlong,
    c_char_p,
  )((n, wide, text) => {
    expectType<number>().is(n)
    expectType<bigint>().is(wide)
    expectType<string | null>().is(text)
  })
  class Table extends Structure({ compare, size: c_uint }) {}
  new Table({ compare: () => 0, size: 1 })
  new Table({ compare: callback })
  // @ts-expect-error not a C type
  CFUNCTYPE(Number)
}

/** Functions in literals, lists and memory know what they are given. */
export async function functionPointers(): Promise<void> {
  const Operation = CFUNCTYPE(c_int, c_int, c_longlong)
  class Table extends Structure({ f: Operation, count: c_int }) {}
  const byValue = func('byValue', [Table], null)
  await byValue({ f: (a, b) => a + Number(b), count: 1 })
  await byValue(new Table({ f: (a, b) => a + Number(b) }))
  // @ts-expect-error the second is a bigint
  byValue({ f: (a, b) => a + b })
  const all = func('all', [POINTER(Operation), c_int], null)
  await all([(a, b) => a + Number(b), null], 2)
  // @ts-expect-error the result is no string
  all([() => 'a'], 1)

  const table = new Table()
  expectType<
    | CallbackObject<typeof c_int, [typeof c_int, typeof c_longlong]>
    | ForeignRoutine<typeof c_int, [typeof c_int, typeof c_longlong]>
    | null
  >().is(table.f)
  if (typeof table.f === 'function') {
    expectType<number>().is(await table.f(1, 2n))
    expectType<number>().is(table.f.sync(1, 2))
    // @ts-expect-error not an integer
    table.f('a', 2)
    // @ts-expect-error one is missing
    table.f(1)
  }
  const variable = Operation.in_dll(dll, 'operation')
  variable.value = (a, b) => a + Number(b)
  variable.value = table.f
  variable.value = null
  // @ts-expect-error a number is no function
  variable.value = 5
  await func('set', [POINTER(Operation)], null)(byref(variable))
}

/** The data of others: exports, buffers, memory of the Windows process. */
export async function memory(session: CtypesSession): Promise<void> {
  expectType<number>().is(c_int.in_dll(dll, 'counter').value)
  expectType<Point>().is(Point.in_dll(dll, 'origin'))
  expectType<number>().is(c_int.array(4).in_dll(dll, 'numbers')[0])
  expectType<Point>().is(Point.from_buffer(new Uint8Array(8)))
  // @ts-expect-error a DLL, not its name
  c_int.in_dll('demo.dll', 'counter')

  const point = await session.memory.alloc(Point)
  expectType<Point>().is(point.contents)
  expectType<bigint>().is(point.address)
  expectType<number>().is(point.contents.x)
  await func('move', [POINTER(Point)], null)(point)
  const bytes = await session.memory.alloc(16)
  expectType<Uint8Array>().is(bytes.read())
  // @ts-expect-error bytes have no contents
  bytes.contents
  expectType<Point>().is(session.memory.at(Point, bytes))
  expectType<Pointer<typeof Point>>().is(session.cast(point, POINTER(Point)))
  const Operation = CFUNCTYPE(c_int, c_int)
  expectType<ForeignRoutine<typeof c_int, [typeof c_int]> | null>().is(session.cast(4096n, Operation))
  expectType<string | null>().is(session.cast(4096n, c_char_p).value)
  expectType<string>().is(session.string_at(4096n))
  // @ts-expect-error not an address
  session.string_at('a')
}

/** Batches: what is a column of what, and what comes back. */
export async function batches(library: Library): Promise<void> {
  const add = library.func('add', [c_int, c_int], c_int)
  expectType<Int32Array>().is(await add.batch([new Int32Array(3), [1, 2, 3]]))
  expectType<Int32Array>().is(await add.batch([new Int32Array(3), 1]))
  expectType<Int32Array>().is(add.batch.sync([new Int32Array(3), 1]))
  // @ts-expect-error a column is missing
  add.batch([new Int32Array(3)])
  // @ts-expect-error no column of integers
  add.batch([new Int32Array(3), ['a']])
  expectType<Float64Array>().is(await library.func('half', [c_double], c_double).batch([new Float64Array(3)]))
  expectType<BigInt64Array>().is(await library.func('wide', [c_longlong], c_longlong).batch([new BigInt64Array(3)]))
  expectType<undefined>().is(await library.func('nothing', [c_int], null).batch([[1]]))
  expectType<Point[]>().is(await library.func('move', [Point, c_int], Point).batch([[new Point(), { x: 1 }], 3]))
  expectType<boolean[]>().is(
    await library.func('is', [c_bool, c_char_p], c_bool).batch([
      [true, false],
      ['a', 'b'],
    ]),
  )
  expectType<(string | null)[]>().is(await library.func('name', [POINTER(c_int)], c_char_p).batch([new Int32Array(3)]))
  expectType<[Int32Array, Float64Array]>().is(
    await library.func('both', [c_int, out(c_double)], c_int).batch([new Int32Array(3)]),
  )
  for await (const some of add.batch.stream([[new Int32Array(3), 1]])) expectType<Int32Array>().is(some)
  const detail = await add.batch([[1], [2]], { detail: true })
  expectType<Int32Array>().is(detail.results)
  expectType<number>().is(detail.errors[0].row)
}

/** Routines: attributes, prototypes, details. */
export async function routines(library: Library): Promise<void> {
  const add = library.func('add', [c_int, c_int], c_int)
  expectType<number>().is(await add(1, 2))
  expectType<number>().is(add.sync(1, 2))
  expectType<number>().is(await add.with({ timeout: 500 })(1, 2))
  expectType<number>().is(add.with({ timeout: 500 }).sync(1, 2))
  expectType<number>().is((await add.detail(1, 2)).value)
  expectType<number>().is(add.detail.sync(1, 2).value)
  // @ts-expect-error not an integer
  add.with({}).sync(1, 'a')
  // @ts-expect-error not an integer
  add.detail.sync('a', 1)
  // @ts-expect-error not an integer
  add.sync('a', 2)
  // @ts-expect-error not an integer
  add.with({})(1, 'a')
  // @ts-expect-error no such option
  add.with({ patience: 3 })
  add.argtypes = [c_int, out(c_int)]
  add.restype = null
  // @ts-expect-error not types
  add.argtypes = [5]
  // @ts-expect-error not a type
  add.restype = 5
  // @ts-expect-error not a function
  add.errcheck = 5
  const sub = library.func<[number, number], number>('int sub(int a, int b)')
  expectType<number>().is(await sub(1, 2))
  // @ts-expect-error one is missing
  sub(1)
  expectType<unknown>().is(await library.anything(1, 'a'))
  // @ts-expect-error argtypes are C types
  library.func('f', [Number], c_int)
}
