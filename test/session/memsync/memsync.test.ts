/** Directives of memsync on routines: those of the Python project's own tests, and what goes beyond them. */
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  c_char,
  c_double,
  c_float,
  c_int,
  c_short,
  c_wchar,
  create_string_buffer,
  create_unicode_buffer,
  type Library,
  MemoryAccessError,
  type Memsync,
  type Pointer,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import {
  byref,
  c_char_p,
  c_size_t,
  c_void_p,
  c_wchar_p,
  cast,
  out,
  POINTER,
  pointer,
  Structure,
  sizeof,
  string_at,
  wstring_at,
} from '../types.js'

const test = sessionSuite('memsync')
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(dll('memsync'))
})

class Sort extends Structure({ a: POINTER(c_float), n: c_int }) {}
class Shorts extends Structure({ data: POINTER(c_short), len: c_short }) {}
class Node extends Structure({ name: c_char_p }) {}
class Inner extends Structure({ inner: c_void_p, name: c_char_p, values_len: c_int, values: POINTER(c_double) }) {}
class Outer extends Structure({
  inner: POINTER(Inner),
  name: c_char_p,
  values_len: c_int,
  values: POINTER(c_double),
}) {}

const unsorted = [5.5, 3.25, 6, 8.5, 9, 6.5, 2, 9.5, 4, 4.75]
const sorted = [2, 3.25, 4, 4.75, 5.5, 6, 6.5, 8.5, 9, 9.5]
const floats = (values: readonly number[]) => new (c_float.array(10))(...values)
const shorts = (values: readonly number[]) =>
  cast(pointer(new (c_short.array(values.length))(...values)), POINTER(c_short))
/** A routine of its own for each test. */
const routine = (name: string) => lib.func(name, [], null) as unknown as Library[string]

test('an array, its length in another argument', async () => {
  const sort = routine('bubblesort')
  sort.argtypes = [POINTER(c_float), c_int]
  sort.restype = null
  const memsync: Memsync[] = [{ pointer: [0], length: [1], type: c_float }]
  sort.memsync = memsync
  assert.is(sort.memsync, memsync)
  const array = floats(unsorted)
  await sort(cast(pointer(array), POINTER(c_float)), 10)
  assert.equal([...array], sorted)
  const typed = Float32Array.from(unsorted)
  sort.sync(typed, 10)
  assert.equal([...typed], sorted)
})

test('a routine declared after its directives, the way of the Python tests', async ({ session }) => {
  const library = session.CDLL(dll('memsync'))
  library.bubblesort.memsync = [{ p: [0], l: [1], t: 'c_float' }]
  library.bubblesort.argtypes = [POINTER(c_float), c_int]
  const array = floats(unsorted)
  await library.bubblesort(cast(pointer(array), POINTER(c_float)), 10)
  assert.equal([...array], sorted)
})

test('a length that is computed from several arguments', async () => {
  const sort = lib.func('bubblesort2', [POINTER(c_float), c_int, c_int], null)
  let seen: unknown
  sort.memsync = [
    {
      pointer: [0],
      length: [[1], [2]],
      func: (u: number, v: number) => {
        seen = [u, v]
        return u * v
      },
      type: c_float,
    },
  ]
  const array = floats(unsorted)
  await sort(array, 2, 5)
  assert.equal([...array], sorted)
  assert.equal(seen, [2, 5])
})

test('pointer and length in a structure', async () => {
  const sort = lib.func('bubblesort_struct', [POINTER(Sort)], null)
  sort.memsync = [{ pointer: [0, 'a'], length: [0, 'n'], type: c_float }]
  const array = floats(unsorted)
  await sort(pointer(new Sort({ a: array, n: 10 })))
  assert.equal([...array], sorted)
  const again = floats(unsorted)
  await sort(byref(new Sort({ a: again, n: 10 })))
  assert.equal([...again], sorted)
  const literal = Float32Array.from(unsorted)
  await sort({ a: literal, n: 10 } as never)
  assert.equal([...literal], sorted)
})

test('memory that is too short is not given away', async () => {
  const sort = lib.func('bubblesort', [POINTER(c_float), c_int], null)
  sort.memsync = [{ pointer: [0], length: [1], type: c_float }]
  await rejects(sort(floats(unsorted), 11), ArgumentError, 'bubblesort', 'directive 1', '[0]', '40 bytes', '11', '44')
  await rejects(sort(floats(unsorted), -1), ArgumentError, 'length [1]', '-1')
  const inner = lib.func('bubblesort_struct', [POINTER(Sort)], null)
  inner.memsync = [{ pointer: [0, 'a'], length: [0, 'n'], type: c_float }]
  await rejects(inner(new Sort({ a: new Float32Array(3), n: 4 })), ArgumentError, "[0, 'a']", '12 bytes')
})

test('text that ends with a zero, of both widths', async () => {
  const narrow = lib.func('replace_char', [POINTER(c_char), c_char, c_char], null)
  narrow.memsync = [{ pointer: [0], null: true }]
  for (const buffer of [create_string_buffer('Hello world!'), create_string_buffer('Hello world!', 128)]) {
    await narrow(buffer, 'o', 'u')
    assert.is(buffer.value, 'Hellu wurld!')
  }
  await rejects(narrow(Uint8Array.of(65, 66), 'A', 'x'), ArgumentError, 'no zero', '2 bytes')
  const wide = lib.func('replace_wchar', [POINTER(c_wchar), c_wchar, c_wchar], null)
  wide.memsync = [{ pointer: [0], null: true, unic: true }]
  const buffer = create_unicode_buffer('Hello world!')
  await wide(buffer, 'o', 'u')
  assert.is(buffer.value, 'Hellu wurld!')
  wide.memsync = [{ pointer: [0], null: true }]
  await wide(buffer, 'H', 'h')
  assert.is(buffer.value, 'hellu wurld!')
  await rejects(wide(Uint16Array.of(65), 'A', 'x'), ArgumentError, 'no zero')
  const text = lib.func('replace_char', [c_char_p, c_char, c_char], null)
  text.memsync = [{ pointer: [0], null: true }]
  const bytes = new TextEncoder().encode('Hello')
  await text(bytes, 'l', 'L')
  assert.is(new TextDecoder().decode(bytes), 'HeLLo')
  await text('constant', 'c', 'C')
})

test('an array that the DLL allocates behind a void pointer', async () => {
  const square = lib.func('square', [POINTER(c_short), c_void_p, c_short], null)
  square.memsync = [
    { pointer: [0], length: [2], type: c_short },
    { pointer: [1, -1], length: [2], type: c_short },
  ]
  const result = pointer(new c_void_p())
  await square(shorts([2, 4, 3, 5]), result, 4)
  assert.equal([...cast(result.contents, POINTER(c_short.array(4))).contents], [4, 16, 9, 25])
})

test('the same behind pointers that say what they lead to, however they are given', async () => {
  const square = lib.func('square', [POINTER(c_short), POINTER(POINTER(c_short)), c_short], null)
  square.memsync = [{ pointer: [1, -1], length: [2], type: c_short }]
  for (const how of [pointer, byref, (it: object) => it]) {
    const result = new (POINTER(c_short))()
    await square(shorts([2, 4, 3]), how(result) as never, 3)
    assert.equal(result.slice(3), [4, 16, 9])
    throws(() => result.at(3), ArgumentError)
  }
})

test('text that the DLL allocates', async () => {
  const tag = lib.func('tag', [POINTER(c_char), c_void_p], null)
  const given = create_string_buffer('html')
  const results = [
    [{ pointer: [1, -1], null: true }],
    [{ pointer: [1, -1], length: [[0]], func: (x: object) => sizeof(x) + 2 }],
  ]
  for (const memsync of results) {
    tag.memsync = memsync
    const result = pointer(new c_void_p())
    await tag(given, result)
    assert.is(string_at(result.contents), '<html>')
  }
  const text = new c_char_p()
  await tag(given, byref(text))
  assert.is(text.value, '<html>')
  const wide = lib.func('wide_tag', [c_wchar_p, POINTER(POINTER(c_wchar))], null)
  wide.memsync = [{ pointer: [1, -1], null: true }]
  const result = new (POINTER(c_wchar))()
  await wide('hätml', byref(result))
  assert.is(wstring_at(result), '<hätml>')
  assert.is(result.slice(8).length, 8)
  throws(() => result.at(8), ArgumentError)
})

test('a pointer that the DLL writes into a structure', async () => {
  const square = lib.func('square_struct', [POINTER(Shorts), POINTER(Shorts)], null)
  square.memsync = [
    { pointer: [0, 'data'], length: [0, 'len'], type: c_short },
    { pointer: [1, 'data'], length: [1, 'len'], type: c_short },
  ]
  const result = new Shorts()
  await square(new Shorts(shorts([2, 4, 3, 5]), 4), result)
  assert.is(result.len, 4)
  assert.equal(result.data?.slice(4), [4, 16, 9, 25])
  throws(() => result.data?.at(4), ArgumentError)
})

test('the result, and what a structure behind it leads to: copies that stay', async () => {
  const spoil = lib.func('spoil', [], null)
  const first = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]
  const whole = lib.func('fibonacci', [c_short], POINTER(Shorts))
  whole.memsync = [{ pointer: ['r', 'data'], length: ['r', 'len'], type: c_short }]
  const result = await whole(10)
  await whole(3)
  await spoil()
  assert.is(result?.contents.len, 10)
  assert.equal(result?.contents.data?.slice(10), first)

  const plain = lib.func('fibonacci_array', [c_short], POINTER(c_short))
  plain.memsync = [{ pointer: ['r'], length: [0], type: c_short }]
  const array = await plain(10)
  await spoil()
  assert.equal(array?.slice(10), first)
  throws(() => array?.at(10), ArgumentError)

  const untyped = lib.func('fibonacci_array', [c_short], c_void_p)
  untyped.memsync = [{ pointer: ['r'], length: [0], type: c_short }]
  const made = (await untyped(10)) as unknown as Pointer<typeof c_short>
  await spoil()
  assert.equal(made.slice(10), first)

  const value = lib.func('by_value', [c_short], Shorts)
  value.memsync = [{ pointer: ['r', 'data'], length: ['r', 'len'], type: c_short }]
  const shortsMade = value.sync(10)
  spoil.sync()
  assert.equal(shortsMade.data?.slice(10), first)
})

test('a length in the result; an output parameter', async () => {
  const spoil = lib.func('spoil', [], null)
  const count = lib.func('fibonacci_count', [c_short, POINTER(POINTER(c_short))], c_int)
  count.memsync = [{ pointer: [1, -1], length: ['r'], type: c_short }]
  const array = new (POINTER(c_short))()
  assert.is(await count(5, array), 5)
  await spoil()
  assert.equal(array.slice(5), [1, 1, 2, 3, 5])

  const outs = lib.func('fibonacci_count', [c_short, out(POINTER(c_short))], c_int)
  outs.memsync = [{ pointer: [1, -1], length: ['r'], type: c_short }]
  const [number, made] = await outs(5)
  await spoil()
  assert.is(number, 5)
  assert.equal(made?.slice(5), [1, 1, 2, 3, 5])
  throws(() => made?.at(5), ArgumentError)
})

test('text in the result is as long as the directive says', async () => {
  const text = lib.func('raw_text', [], c_char_p)
  assert.is(await text(), 'ab')
  text.memsync = [{ pointer: ['r'], length: [], func: () => 5 }]
  assert.is(await text(), 'ab\0cd')
})

test('pointers in what pointers lead to', async () => {
  const fill = lib.func('fill_node', [POINTER(Outer)], null)
  fill.memsync = [
    { pointer: [0, 'name'], null: true },
    { pointer: [0, 'inner', 'name'], null: true },
    { pointer: [0, 'inner', 'values'], length: [0, 'inner', 'values_len'], type: c_double },
  ]
  const node = new Outer()
  await fill(node)
  assert.is(node.name, 'outer')
  assert.is(node.inner?.contents.name, 'inner')
  assert.equal(node.inner?.contents.values?.slice(3), [1.5, 2.5, 3.5])
  throws(() => node.inner?.contents.values?.at(3), ArgumentError)
})

test('what the caller put there stays his: pointers to memory of the Windows side, and memory of JS', async ({
  session,
}) => {
  const leave = lib.func('leave', [POINTER(Shorts)], null)
  leave.memsync = [{ pointer: [0, 'data'], length: [0, 'len'], type: c_short }]
  const memory = await session.memory.alloc(c_short.array(4))
  const remote = new Shorts({ data: session.cast(memory.address, POINTER(c_short)), len: 0 })
  await leave(remote)
  assert.is(remote.data?.address, memory.address)
  await memory.free()

  const shrink = lib.func('shrink', [POINTER(Shorts)], null)
  shrink.memsync = [{ pointer: [0, 'data'], length: [0, 'len'], type: c_short }]
  const mine = new Int16Array([1, 2, 3])
  const local = new Shorts({ data: mine, len: 3 })
  await shrink(local)
  assert.equal([...mine], [7, 2, 3])
  assert.is(local.len, 1)

  const away = await session.memory.alloc(Shorts)
  const square = lib.func('square_struct', [POINTER(Shorts), POINTER(Shorts)], null)
  square.memsync = [{ pointer: [1, 'data'], length: [1, 'len'], type: c_short }]
  await square(new Shorts(shorts([2, 3]), 2), away)
  assert.is(typeof away.contents.data?.address, 'bigint')
  assert.equal(away.contents.data?.slice(2), [4, 9])
  await square(new Shorts(shorts([2, 3]), 2), pointer(away.contents))
  await away.free()
})

test('NULL needs no length', async () => {
  const first = lib.func('first', [c_void_p, c_int], c_short)
  first.memsync = [{ pointer: [0], length: [1], type: c_short }]
  assert.is(await first(null, 0), -1)
  assert.is(await first(Int16Array.of(42), 1), 42)
  const sort = lib.func('bubblesort_struct', [POINTER(Sort)], null)
  sort.memsync = [{ pointer: [0, 'a'], length: [0, 'n'], type: c_float }]
  await sort(new Sort())
})

test('a custom conversion', async () => {
  const avg = lib.func('avg', [POINTER(c_double), c_int], c_double) as unknown as Library[string]
  class DoubleArray {
    from_param(value: unknown): unknown {
      if (Array.isArray(value)) return Float64Array.from(value)
      if (value instanceof Float32Array) return new (c_double.array(value.length))(...value)
      throw new TypeError(`cannot convert ${typeof value}`)
    }
  }
  avg.memsync = [{ pointer: [0], length: [1], type: c_double, custom: new DoubleArray() }]
  assert.is(await avg([1, 2, 3, 4], 4), 2.5)
  assert.is(await avg(Float32Array.of(1, 2, 3, 4), 4), 2.5)
  await rejects(avg('x', 1), TypeError, 'cannot convert')
  await rejects(avg([1, 2], 3), ArgumentError, '16 bytes')
  class Rows extends Array<number> {
    static from_param(value: unknown) {
      return Float64Array.from(value as number[])
    }
  }
  avg.memsync = [{ pointer: [0], length: [1], type: c_double, custom: Rows }]
  assert.is(await avg([1, 2, 3, 6], 4), 3)
  avg.memsync = [{ pointer: [0], length: [1], type: c_double, custom: (list: number[]) => Float64Array.from(list) }]
  assert.is(await avg([1, 2, 3, 4], 4), 2.5)
})

test('errcheck sees the copies, and the call fails with what func throws', async () => {
  const array = lib.func('fibonacci_array', [c_short], POINTER(c_short))
  array.memsync = [{ pointer: ['r'], length: [0], type: c_short }]
  array.errcheck = result => (result as Pointer<typeof c_short>).slice(3)
  assert.equal(await array(3), [1, 1, 2])
  const thrown = new RangeError('mine')
  array.memsync = [
    {
      pointer: ['r'],
      length: [[0]],
      func: () => {
        throw thrown
      },
    },
  ]
  assert.is(await rejects(array(3), RangeError), thrown)
  array.memsync = [{ pointer: ['r'], length: [0], func: () => Number.NaN, type: c_short }]
  await rejects(array(3), ArgumentError, 'directive 1', 'func', 'NaN')
  array.memsync = [{ pointer: ['r'], length: [], func: () => 2 ** 31, type: c_short }]
  await rejects(array(3), MemoryAccessError, 'directive 1', "['r']")
  array.memsync = [{ pointer: ['r'], length: [], func: () => 2 ** 50, type: c_short }]
  await rejects(array(3), ArgumentError, 'more than can be copied')
})

test('lengths as earlier calls leave them', async () => {
  const shrink = lib.func('shrink', [POINTER(Shorts)], null)
  const sort = lib.func('square_struct', [POINTER(Shorts), POINTER(Shorts)], null)
  sort.memsync = [
    { pointer: [0, 'data'], length: [0, 'len'], type: c_short },
    { pointer: [1, 'data'], length: [1, 'len'], type: c_short },
  ]
  // too long, until the call before has set it
  const given = new Shorts({ data: new Int16Array(2), len: 50 })
  const result = new Shorts()
  await Promise.all([shrink(given), sort(given, result)])
  assert.is(result.len, 1)
  assert.equal(result.data?.slice(1), [49])
})

test('arguments without declared types, and lengths of 64 bits', async () => {
  const sort = routine('bubblesort')
  sort.argtypes = undefined
  sort.memsync = [{ pointer: [0], length: [1], type: c_float }]
  const array = floats(unsorted)
  await sort(pointer(array), 10)
  assert.equal([...array], sorted)
  await rejects(sort(pointer(array), 11), ArgumentError, '44')
  const long = lib.func('bubblesort', [POINTER(c_float), c_size_t], null)
  long.memsync = [{ pointer: [0], length: [[1]], func: (n: number) => n, type: c_float }]
  const again = floats(unsorted)
  await long(again, 10n)
  assert.equal([...again], sorted)
})

test('directives that say nothing are refused when they are set', () => {
  const sort = lib.func('bubblesort_struct', [POINTER(Sort), c_double], null)
  const refused = (memsync: unknown, ...words: (string | RegExp)[]) =>
    throws(
      () => {
        sort.memsync = memsync as Memsync[]
      },
      ArgumentError,
      /memsync(-win32)?\.dll\.bubblesort_struct/,
      ...words,
    )
  const good = { pointer: [0, 'a'], length: [0, 'n'] }
  refused({}, 'list of directives')
  refused([good, 5], 'directive 2')
  refused([good, { length: [1] }], 'directive 2', 'key pointer', 'missing')
  refused([{ pointer: [0, 'a'] }], 'directive 1', 'key length', 'missing')
  refused([{ pointer: [], length: [1] }], 'key pointer', 'empty')
  refused([{ pointer: 0, length: [1] }], 'key pointer', 'list')
  refused([{ pointer: [-1], length: [1] }], 'key pointer', 'number of an argument')
  refused([{ pointer: ['a'], length: [1] }], 'key pointer', "'r'")
  refused([{ pointer: [0, -2], length: [1] }], 'key pointer', 'item 2')
  refused([{ ...good, length: [[0, 'n'], [1]] }], 'key length', 'func')
  refused([{ ...good, length: 3 }], 'key length')
  refused([{ ...good, len: [1] }], 'there is no key len', 'pointer, length')
  refused([{ ...good, p: [0] }], 'key pointer', 'twice')
  refused([{ ...good, func: 'lambda x: x' }], 'key func', 'never evaluated')
  refused([{ ...good, func: 3 }], 'key func')
  refused([{ ...good, type: 'c_nothing' }], 'key type', 'c_nothing')
  refused([{ ...good, type: 4 }], 'key type')
  refused([{ ...good, null: 1 }], 'key null')
  refused([{ ...good, unic: 'yes' }], 'key unic')
  refused([{ pointer: [0], length: [1], custom: {} }], 'key custom', 'from_param')
  refused([{ ...good, custom: () => 0 }], 'key custom', 'whole arguments')
  refused([{ ...good, pointer: [0, 'b'] }], "[0, 'b']", 'Sort has no field', 'a, n')
  refused([{ ...good, pointer: [0, 'n'] }], "pointer [0, 'n']", 'c_int', 'no pointer')
  refused([{ ...good, pointer: [2] }], 'pointer [2]', 'no argument 2')
  refused([{ ...good, pointer: [1] }], 'pointer [1]', 'c_double')
  refused([{ ...good, pointer: [0, 'a', 'b'] }], "[0, 'a', 'b']", "no field 'b'")
  refused([{ ...good, length: [0, 'a', -1] }], "length [0, 'a', -1]", 'c_float', 'no length')
  refused([{ ...good, length: [1] }], 'length [1]', 'c_double')
  refused([{ ...good, length: ['r'] }], "length ['r']", 'restype is null')
  assert.is(sort.memsync, undefined)
  sort.memsync = [good]
  sort.memsync = undefined
  assert.is(sort.memsync, undefined)
})

test('paths that turn out to lead nowhere fail the call', async ({ session }) => {
  const { bubblesort: sort, bubblesort_struct: inner } = session.CDLL(dll('memsync'))
  sort.memsync = [{ pointer: [4], length: [1] }]
  await rejects(sort(null, 0), ArgumentError, 'pointer [4]', 'no argument 4', '0 to 1')
  sort.memsync = [{ pointer: [0], length: [1, 'n'] }]
  await rejects(sort(pointer(new c_float()), 0), ArgumentError, "length [1, 'n']", "no field 'n'")
  sort.memsync = [{ pointer: [1, -1], length: [1] }]
  await rejects(sort(null, 0), ArgumentError, 'pointer [1, -1]')
  sort.argtypes = [POINTER(c_float), c_int]
  sort.memsync = [{ pointer: ['r', 'data'], length: [1] }]
  await rejects(sort(null, 0), ArgumentError, "['r', 'data']", 'c_int')
  inner.memsync = [{ pointer: [0, 'x'], length: [0, 'n'] }]
  inner.argtypes = [POINTER(Node)]
  await rejects(inner(new Node()), ArgumentError, "[0, 'x']", 'Node has no field')
})

test.run()
