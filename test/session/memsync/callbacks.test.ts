/** Directives of memsync on callback types: pointer arguments are local memory while the function runs. */
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  c_char,
  c_double,
  c_int,
  c_short,
  c_wchar,
  type Library,
  MemoryAccessError,
  type Memsync,
  type Pointer,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { CFUNCTYPE, c_void_p, cast, POINTER, Structure, sizeof, string_at, WINFUNCTYPE, wstring_at } from '../types.js'

const test = sessionSuite('memsync of callbacks')
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(dll('memsync'))
})

class Image extends Structure({ data: POINTER(c_short), width: c_short, height: c_short }) {}
const area: Memsync = {
  pointer: [0, 'data'],
  length: [
    [0, 'width'],
    [0, 'height'],
  ],
  func: (width: number, height: number) => width * height,
  type: c_short,
}
const filterType = (memsync?: readonly Memsync[]) => {
  const Filter = CFUNCTYPE(c_short, POINTER(Image))
  Filter.memsync = memsync
  return Filter
}
type Numbers = Pointer<typeof c_int>

test('an array in a structure is there whole, and goes back changed', async () => {
  const Filter = filterType([area])
  const run = lib.func('run_filter', [Filter, POINTER(c_short), c_int], c_int)
  const seen = new Int16Array(12)
  let kept: Pointer<typeof c_short> | null | undefined
  const result = await run(
    image => {
      const data = image?.contents.data
      kept = data
      assert.is(sizeof(cast(data as object, POINTER(c_short.array(12))).contents), 24)
      throws(() => data?.at(12), ArgumentError)
      throws(() => data?.address, ArgumentError)
      data?.set(3, 1000)
      if (image) image.contents.width = 6
      return data?.slice(12).reduce((sum, value) => sum + value, 0) ?? 0
    },
    seen,
    12,
  )
  assert.is(result, (66 - 3 + 1000) * 1000 + 6)
  assert.equal([...seen], [0, 1, 2, 1000, 4, 5, 6, 7, 8, 9, 10, 11])
  assert.is(kept?.at(3), 1000)
  assert.is(kept?.at(11), 11)
})

test('the same without directives leads to memory of the DLL', async () => {
  const run = lib.func('run_filter', [filterType(), POINTER(c_short), c_int], c_int)
  const seen = new Int16Array(12)
  await run(
    image => {
      assert.is(typeof image?.contents.data?.address, 'bigint')
      image?.contents.data?.set(3, 1000)
      return 0
    },
    seen,
    12,
  )
  assert.is(seen[3], 1000)
})

test('an explicit callback, with directives that its type was given later', async () => {
  const Filter = filterType()
  const callback = Filter(image => image?.contents.data?.slice(2, 4)[1] ?? 0)
  const run = lib.func('run_filter', [Filter, POINTER(c_short), c_int], c_int)
  Filter.memsync = [area]
  assert.is(await run(callback, new Int16Array(1), 0), 3004)
  assert.is(run.sync(callback, new Int16Array(1), 0), 3004)
  callback.dispose()
})

test('a void pointer becomes one to elements, and several directives share memory', async () => {
  const Work = CFUNCTYPE(c_int, c_void_p, c_int)
  Work.memsync = [{ pointer: [0], length: [1], type: c_int }]
  const run = lib.func('run_buffer', [Work, c_int], c_int)
  const work = (data: unknown, n: number) => {
    const numbers = data as Numbers
    for (let i = 0; i < n; i++) numbers[i] *= 2
    return numbers.slice(n).length
  }
  assert.is(await run(work as never, 4), 12004)

  const Two = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int), c_int)
  Two.memsync = [
    { pointer: [0], length: [2], type: c_int },
    { pointer: [1], length: [[2]], func: (n: number) => n - 1, type: c_int },
  ]
  const two = lib.func('run_two', [Two, c_int], c_int)
  assert.is(
    await two((a, b) => {
      a?.set(1, 7)
      return b?.at(0) ?? 0
    }, 5),
    77,
  )
})

test('text of both widths; what was not changed is not written', async () => {
  const Text = CFUNCTYPE(c_int, POINTER(c_char), POINTER(c_wchar))
  Text.memsync = [
    { pointer: [0], null: true },
    { pointer: [1], null: true, unic: true },
  ]
  const run = lib.func('run_text', [Text], c_int)
  const length = await run((narrow, wide) => {
    throws(() => narrow?.at(9), ArgumentError)
    return string_at(narrow as object).length + 100 * wstring_at(wide as object).length
  })
  assert.is(length, 408)
  // constants lie in memory that is only read
  await rejects(
    run(narrow => {
      narrow?.set(0, 'C')
      return 0
    }),
    MemoryAccessError,
  )
  assert.is(await run(() => 1), 1)
})

test('an async function, calls inside it, and an error', async () => {
  const Work = CFUNCTYPE(c_int, POINTER(c_int), c_int)
  Work.memsync = [{ pointer: [0], length: [1], type: c_int }]
  const run = lib.func('run_buffer', [Work, c_int], c_int)
  const first = lib.func('no_result', [POINTER(c_int), c_int], null)
  const result = await run(async (data, n) => {
    await new Promise(resolve => setTimeout(resolve, 5))
    data?.set(1, 50)
    await first(data, 3)
    return n
  }, 3)
  assert.is(result, 3 + 1000 * (3 + 50 + 2))
  const thrown = new RangeError('mine')
  const failing = run(data => {
    data?.set(0, 9)
    throw thrown
  }, 3)
  assert.is(await rejects(failing, RangeError), thrown)
})

test('pointers inside what goes back', async ({ session }) => {
  const Filter = filterType([area])
  const run = lib.func('run_filter', [Filter, POINTER(c_short), c_int], c_int)
  const other = await session.memory.alloc(c_short.array(4))
  other.contents[2] = 77
  const spoil = lib.func('leave', [POINTER(Image)], null)
  const seen = new Int16Array(4)
  await run(
    async image => {
      // a call gives the pointers in it addresses of its own, which must not get to the DLL
      await spoil(image)
      if (image) image.contents.data = session.cast(other.address, POINTER(c_short))
      return 0
    },
    seen,
    4,
  )
  assert.equal([...seen], [0, 0, 77, 0])
  await run(
    async image => {
      await spoil(image)
      return 0
    },
    seen,
    4,
  )
  assert.equal([...seen], [0, 1, 2, 3])
  await rejects(
    run(
      image => {
        if (image) image.contents.data = new Int16Array(4) as never
        return 0
      },
      seen,
      0,
    ),
    ArgumentError,
    'session.memory.alloc',
  )
  await other.free()
})

test('directives that say nothing are refused when they are set, or fail the call', async () => {
  const refused = (memsync: unknown, ...words: string[]) =>
    throws(() => filterType(memsync as Memsync[]), ArgumentError, 'CFUNCTYPE(c_short, POINTER(Image))', ...words)
  refused({}, 'list of directives')
  refused([{ pointer: [0, 'datum'], length: [0, 'width'] }], "[0, 'datum']", 'Image has no field')
  refused([{ pointer: [1], length: [0, 'width'] }], 'no argument 1', 'only argument 0')
  refused([{ pointer: ['r'], length: [0, 'width'] }], 'key pointer', 'session.memory.alloc')
  refused([{ pointer: [0, 'data'], length: ['r'] }], 'key length')
  refused([{ pointer: [0], length: [0, 'width'], custom: () => 0 }], 'key custom')
  const Other = WINFUNCTYPE(c_double, c_double)
  throws(() => (Other.memsync = [{ pointer: [0], length: [0] }]), ArgumentError, 'WINFUNCTYPE', 'c_double')
  assert.is(Other.memsync, undefined)

  const Filter = filterType([{ ...area, func: () => -1 } as Memsync])
  const run = lib.func('run_filter', [Filter, POINTER(c_short), c_int], c_int)
  let called = false
  const failing = run(
    () => {
      called = true
      return 0
    },
    new Int16Array(1),
    0,
  )
  await rejects(failing, ArgumentError, 'CFUNCTYPE', 'directive 1', 'func', '-1')
  assert.not(called)
})

test.run()
