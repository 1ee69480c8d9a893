import fc from 'fast-check'
import * as assert from 'uvu/assert'
import * as zb from 'zugbruecke'
import {
  AbortError,
  ArgumentError,
  BigEndianStructure,
  type CType,
  c_bool,
  c_char,
  c_double,
  c_float,
  c_int,
  c_int8,
  c_longlong,
  c_uint16,
  c_ulonglong,
  c_wchar,
  type Library,
} from 'zugbruecke'
import { dll, full, rejects, sessionSuite, throws } from '../support.js'
import { arch, c_char_p, c_void_p, c_wchar_p, out, POINTER, Structure } from '../types.js'

const test = sessionSuite('batch')
let rows: Library
test.before(async ({ session }) => {
  rows = await session.cdll.LoadLibrary(dll('rows'))
})
const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i)

class Row extends Structure({ x: c_double, y: c_double, count: c_int, name: c_char.array(12), id: c_longlong }) {}
class Small extends Structure({ a: c_int, b: c_int }) {}

test('one call for each row, results in a typed array', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const results = await add.batch([count(1000), count(1000)])
  assert.instance(results, Int32Array)
  assert.equal(
    results,
    Int32Array.from({ length: 1000 }, (_, i) => 2 * i),
  )
  assert.equal(
    add.batch.sync([count(10), 5]),
    Int32Array.from({ length: 10 }, (_, i) => i + 5),
  )
})

test('one value stands for every row, in any place', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  assert.equal([...(await add.batch([7, [1, 2, 3]]))], [8, 9, 10])
  assert.equal([...(await add.batch([1, 2], { rows: 4 }))], [3, 3, 3, 3])
  await rejects(add.batch([1, 2]), ArgumentError, 'rows')
})

const kinds = [
  ['c_int8', 'twice_int8', Int8Array, [-64, -1, 0, 63]],
  ['c_uint8', 'twice_uint8', Uint8Array, [0, 1, 127]],
  ['c_int16', 'twice_int16', Int16Array, [-16384, -1, 0, 16383]],
  ['c_uint16', 'twice_uint16', Uint16Array, [0, 1, 32767]],
  ['c_int32', 'twice_int32', Int32Array, [-(2 ** 30), -1, 0, 2 ** 30 - 1]],
  ['c_uint32', 'twice_uint32', Uint32Array, [0, 1, 2 ** 31 - 1]],
  ['c_int64', 'twice_int64', BigInt64Array, [-(2n ** 62n), -1n, 0n, 2n ** 62n - 1n]],
  ['c_uint64', 'twice_uint64', BigUint64Array, [0n, 1n, 2n ** 63n - 1n]],
  ['c_float', 'twice_float', Float32Array, [-1.5, 0, 0.25, 1e30]],
  ['c_double', 'twice_double', Float64Array, [-1.5, 0, 0.1, 1e300, Number.NaN]],
] as const

for (const [name, routine, Column, values] of kinds)
  test(`columns and results of ${name}`, async () => {
    const twice = rows.func(routine, [zb[name] as CType], zb[name] as CType)
    const column = (Column as unknown as { from(values: unknown): ArrayBufferView }).from(values)
    const wanted = (Column as unknown as { from(values: unknown): ArrayBufferView }).from(
      values.map(value => (typeof value === 'bigint' ? value * 2n : value * 2)),
    )
    for (const given of [column, [...values]]) {
      const results = await twice.batch([given] as never)
      assert.instance(results, Column)
      assert.is(String(results), String(wanted))
    }
    const one = values[1]
    assert.equal(
      [...((await twice.batch([one] as never, { rows: 3 } as never)) as never as Iterable<unknown>)].length,
      3,
    )
  })

test('any rows of a mixture of types', async () => {
  const types = [c_double, c_float, c_int8, c_uint16, c_longlong, c_double] as const
  const scale = rows.func('scale', types, c_double)
  const row = fc.tuple(
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    fc.float({ noNaN: true, min: -1000, max: 1000 }),
    fc.integer({ min: -128, max: 127 }),
    fc.integer({ min: 0, max: 65535 }),
    fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 200 }), async given => {
      const column = <K extends 0 | 1 | 2 | 3 | 4 | 5>(i: K) => given.map(values => values[i])
      const columns = [column(0), column(1), column(2), column(3), column(4), column(5)] as const
      const results = await scale.batch(columns as never)
      const wanted = given.map(([a, b, c, d, e, f]) => a * b + c + d + Number(e) + f)
      assert.equal([...(results as Float64Array)], wanted)
      const typed = [
        Float64Array.from(columns[0]),
        Float32Array.from(columns[1]),
        Int8Array.from(columns[2]),
        Uint16Array.from(columns[3]),
        BigInt64Array.from(columns[4]),
        Float64Array.from(columns[5]),
      ]
      assert.equal([...((await scale.batch(typed as never)) as Float64Array)], wanted)
    }),
    { numRuns: 30 },
  )
})

test('ten columns', async () => {
  const total = rows.func(
    'total',
    Array.from({ length: 10 }, () => c_double),
    c_double,
  )
  const columns = Array.from({ length: 10 }, (_, k) => Float64Array.from({ length: 100 }, (_, i) => i * k))
  const results = (await total.batch(columns as never)) as unknown as Float64Array
  results.forEach((value, i) => assert.is(value, 45 * i))
})

test('bool, char and wchar', async () => {
  const odd = await rows.func('is_odd', [c_int], c_bool).batch([[0, 1, 2, 3]])
  assert.equal([...odd], [false, true, false, true])
  const from = rows.func('from_bool', [c_bool], c_int)
  assert.equal([...(await from.batch([[true, false, true]]))], [10, 20, 10])
  const next = rows.func('next_char', [c_char], c_char)
  assert.equal([...(await next.batch([['a', 'y', 'ý']]))], ['b', 'z', 'þ'])
  const wide = rows.func('next_wchar', [c_wchar], c_wchar)
  assert.equal([...(await wide.batch([['a', '€']]))], ['b', '₭'])
})

test('no result', async () => {
  const noted = rows.func('noted', [], c_longlong)
  await noted()
  assert.is(await rows.func('note', [c_int], null).batch([count(1001)]), undefined)
  assert.is(await noted(), 500_500n)
})

test('no rows', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  assert.equal(await add.batch([new Int32Array(0), new Int32Array(0)]), new Int32Array(0))
  assert.equal(await add.batch([[], 5]), new Int32Array(0))
  assert.equal([...(await rows.func('parity', [c_int], c_char_p).batch([[]]))], [])
  const detail = await add.batch([[], []], { detail: true })
  assert.equal([...detail.results], [])
  assert.equal(detail.errors, [])
})

test('columns of unequal length, and a wrong number of them', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const error = await rejects(add.batch([count(3), count(4)]), ArgumentError, 'add', '3', '4')
  assert.match(error.routine ?? '', /add$/)
  await rejects(add.batch([count(3)] as never), ArgumentError, '2 columns')
  await rejects(add.batch([count(3), 1, 2] as never), ArgumentError, '2 columns')
  await rejects(add.batch(5 as never), ArgumentError)
  await rejects(rows.add.batch([count(3), 1]), ArgumentError, 'argtypes')
  throws(() => add.batch.sync([count(3), count(4)]), ArgumentError)
})

test('a bad value names its column and row, and nothing is called', async () => {
  const noted = rows.func('noted', [], c_longlong)
  await noted()
  const note = rows.func('note', [c_int], null)
  await rejects(note.batch([[1, 2, 2 ** 32]]), ArgumentError, 'column 1', 'row 2')
  const error = await rejects(note.batch([[1, 'x']] as never), ArgumentError, 'note: column 1: row 1: expected')
  assert.equal([error.routine?.endsWith('.note'), error.position, error.row], [true, 1, 1])
  await rejects(note.batch(['x'] as never, { rows: 3 }), ArgumentError, 'column 1')
  class Lists extends Structure({ id: c_int, list: c_int.array(3) }) {}
  const given = [{ id: 1 }, { list: [1, 2, 'x'] }]
  const inside = await rejects(
    rows.func('note', [c_int, Lists], null).batch([[1, 2], given] as never),
    ArgumentError,
    'note: column 2: row 1: list: element 2: expected',
  )
  assert.equal([inside.position, inside.row], [2, 1])
  assert.is(await noted(), 0n)
})

test('pointer columns: each row gets its element, changed in place', async () => {
  const double = rows.func('double_it', [POINTER(c_int)], null)
  const values = count(5000)
  await double.batch([values])
  values.forEach((value, i) => assert.is(value, 2 * i))
  const array = new (c_int.array(4))(1, 2, 3, 4)
  await double.batch([array])
  assert.equal([...array], [2, 4, 6, 8])
  const part = count(10).subarray(3, 6)
  await double.batch([part])
  assert.equal([...new Int32Array(part.buffer)], [0, 1, 2, 6, 8, 10, 6, 7, 8, 9])
  await rejects(double.batch([new Uint8Array(5)]), ArgumentError, 'column 1')
  await rejects(double.batch([5.5 as never]), ArgumentError, 'column 1')
  await rejects(double.batch([new Float32Array(2) as never]), ArgumentError, 'column 1', 'Float32Array')
  await rejects(double.batch([new (c_float.array(2))() as never]), ArgumentError, 'column 1', 'c_float')
  const big = new (class extends BigEndianStructure({ values: c_int.array(2) }) {})().values
  await rejects(double.batch([big]), ArgumentError, 'column 1')
  await rejects(rows.func('note', [c_int], null).batch([big]), ArgumentError, 'column 1')
})

test('rows of structures, by pointer', async () => {
  const many = new (Row.array(3000))()
  for (let i = 0; i < 3000; i++) {
    many[i].x = i
    many[i].y = 2
    many[i].count = 5
  }
  const weights = await rows.func('weigh', [POINTER(Row)], c_double).batch([many])
  assert.equal(
    [...weights],
    Array.from({ length: 3000 }, (_, i) => 2 * i + 5),
  )
  await rows.func('grow', [POINTER(Row)], null).batch([many])
  for (let i = 0; i < 3000; i += 7) {
    assert.is(many[i].x, 2 * i)
    assert.is(many[i].count, 6)
    assert.is(many[i].name, 'Z')
  }
})

test('structures by value, as arguments and as results', async () => {
  const sum = rows.func('small_sum', [Small], c_int)
  assert.equal([...(await sum.batch([[new Small(1, 2), new Small(3, 4)]]))], [3, 7])
  const array = new (Small.array(3))({ a: 1, b: 1 }, { a: 2, b: 2 }, { a: 3, b: 3 })
  assert.equal([...(await sum.batch([array]))], [2, 4, 6])
  assert.equal([...(await sum.batch([new Small(5, 6)], { rows: 2 }))], [11, 11])
  const big = rows.func('big_sum', [Row], c_double)
  assert.equal([...(await big.batch([[new Row({ x: 1, y: 2, count: 3 }), new Row({ x: 4 })]]))], [6, 4])
  const small = await rows.func('make_small', [c_int], Small).batch([[1, 2, 3]])
  assert.equal(
    small.map(({ a, b }) => [a, b]),
    [
      [1, -1],
      [2, -2],
      [3, -3],
    ],
  )
  const made = await rows.func('make_row', [c_int], Row).batch([count(100)])
  made.forEach((row, i) => {
    assert.is(row.x, i)
    assert.is(row.y, 2 * i)
    assert.is(row.name, 'row')
    assert.is(row.id, BigInt(i) * 1000n)
  })
})

test('columns of text, and texts as results', async () => {
  const length = rows.func('text_length', [c_char_p], c_int)
  assert.equal([...(await length.batch([['', 'a', 'grün', null, '😀']]))], [0, 1, 5, -1, 4])
  assert.equal([...(await length.batch(['same'], { rows: 3 }))], [4, 4, 4])
  const wide = rows.func('wide_length', [c_wchar_p], c_int)
  assert.equal([...(await wide.batch([['', 'a', 'grün', null, '😀']]))], [0, 1, 4, -1, 2])
  const parity = await rows.func('parity', [c_int], c_char_p).batch([count(8)])
  assert.equal([...parity], [null, 'odd', 'even', 'odd', null, 'odd', 'even', 'odd'])
  const german = await rows.func('wide_parity', [c_int], c_wchar_p).batch([[1, 2]])
  assert.equal([...german], ['üngerade', 'gerade'])
  const long = Array.from({ length: 3000 }, (_, i) => 'x'.repeat(i % 700))
  assert.equal(
    [...(await length.batch([long]))],
    long.map(text => text.length),
  )
  await rejects(length.batch([['a', 5]] as never), ArgumentError, 'column 1', 'row 1')
  await rejects(length.batch([['a', '\ud800']]), ArgumentError, 'column 1', 'row 1')
})

test('texts that go there and come back', async () => {
  const same = rows.func('same_text', [c_char_p], c_char_p)
  const texts = Array.from({ length: 500 }, (_, i) => `text ${i} €`)
  assert.equal([...(await same.batch([texts]))], texts)
})

test('pointers as results are 64-bit numbers', async () => {
  const high = arch === 'win64' ? 2n ** 47n : 2n ** 32n - 1n
  const pointers = await rows.func('pointer_of', [c_ulonglong], c_void_p).batch([[0n, 1n, high]])
  assert.instance(pointers, BigInt64Array)
  assert.equal([...pointers], [0n, 1n, high])
})

test('out parameters are columns of results', async () => {
  const divide = rows.func('divide', [c_int, c_int, out(c_int), out(c_double)], c_int)
  const [rests, quotients, exact] = (await divide.batch([[7, 8, 9], 2])) as unknown as [
    Int32Array,
    Int32Array,
    Float64Array,
  ]
  assert.equal([...rests], [1, 0, 1])
  assert.equal([...quotients], [3, 4, 4])
  assert.equal([...exact], [3.5, 4, 4.5])
  assert.equal(
    [...((await rows.func('only_out', [c_int, out(c_int)], null).batch([[2, 4]])) as unknown as Int32Array)],
    [1, 2],
  )
  const detail = await divide.batch([[7, 8, 9], 2], { detail: true })
  assert.equal([...(detail.out[0] as Int32Array)], [3, 4, 4])
})

test('results go where they are wanted: into an array of the caller’s, or one that both sides see', async ({
  session,
}) => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const many = 100_000
  for (const results of [new Int32Array(many), session.memory.array(Int32Array, many)]) {
    for (const more of [1, 5]) {
      results.fill(-1)
      assert.is(await add.batch([count(many), more], { results }), results)
      let wrong = 0
      for (let i = 0; i < many; i++) if (results[i] !== i + more) wrong++
      assert.is(wrong, 0)
    }
    assert.is(add.batch.sync([results, 1], { results }), results)
    assert.equal([results[0], results[many - 1]], [6, many + 5])
    const part = results.subarray(10, 13)
    await add.batch([[1, 2, 3], 100], { results: part, chunk: 1 })
    assert.equal([...results.subarray(9, 14)], [15, 101, 102, 103, 19])
  }
  const pointers = new BigInt64Array(2)
  const asked = await rows
    .func('pointer_of', [c_ulonglong], c_void_p)
    .batch([[1n, 2n]], { results: pointers, detail: true })
  assert.is(asked.results, pointers)
  assert.equal([...pointers], [1n, 2n])
  const divide = rows.func('divide', [c_int, c_int, out(c_int), out(c_double)], c_int)
  const rests = new Int32Array(2)
  assert.is(((await divide.batch([[7, 9], 2], { results: rests })) as unknown as unknown[])[0], rests)
  assert.equal([...rests], [1, 1])
})

test('rows that fail are zero in results that were given, too', async ({ session }) => {
  const divide = (await session.cdll.LoadLibrary(dll('faults'))).func('divide', [c_int, c_int], c_int)
  for (const results of [new Int32Array(3), session.memory.array(Int32Array, 3)]) {
    results.fill(9)
    const { errors } = await divide.batch(
      [
        [8, 8, 8],
        [4, 0, 2],
      ],
      { results, detail: true },
    )
    assert.equal([...results], [2, 0, 4])
    assert.is(errors.length, 1)
  }
})

test('results that do not fit are refused, and nothing is called', async () => {
  const note = rows.func('note', [c_int], null)
  const noted = rows.func('noted', [], c_longlong)
  await noted()
  const add = rows.func('add', [c_int, c_int], c_int)
  const refused = async (batch: Promise<unknown>, ...words: string[]) => {
    const error = await rejects(batch, ArgumentError, '"results"', ...words)
    assert.ok(error)
  }
  const bad = (results: unknown) => ({ results: results as Int32Array })
  await refused(add.batch([[1, 2], 3], bad(new Int32Array(3))), '3 elements', '2 rows')
  await refused(add.batch([[1, 2], 3], bad(new Uint32Array(2))), 'Int32Array', 'c_int')
  for (const wrong of [[1, 2], 5, new DataView(new ArrayBuffer(8)), new ArrayBuffer(8)])
    await refused(add.batch([[1, 2], 3], bad(wrong)), 'typed array')
  await refused(note.batch([[1, 2]], bad(new Int32Array(2))), 'nothing comes back')
  await refused(rows.func('same_text', [c_char_p], c_char_p).batch([['a']], bad(new Int32Array(1))), 'c_char_p')
  const stream = add.batch.stream([[[1], 2]], bad(new Int32Array(1)))
  await refused(stream.next(), 'stream')
  assert.is(await noted(), 0n)
})

test('the last error of each row', async ({ session }) => {
  const library = session.CDLL(dll('rows'), { use_last_error: true })
  const routine = library.func('last_error', [c_int], c_int)
  const detail = await routine.batch([count(100)], { detail: true })
  assert.instance(detail.lastErrors, Uint32Array)
  assert.equal(detail.lastErrors, Uint32Array.from(count(100)))
  const plain = await rows.func('last_error', [c_int], c_int).batch([count(3)], { detail: true })
  assert.is(plain.lastErrors, undefined)
})

const million = full ? 10_000_000 : 1_000_000
test(`${million} rows`, async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const xs = count(million)
  const results = await add.batch([xs, 7])
  assert.is(results.length, million)
  let wrong = 0
  for (let i = 0; i < million; i++) if (results[i] !== i + 7) wrong++
  assert.is(wrong, 0)
})

test('progress is told, in order, to the end', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const seen: [number, number][] = []
  await add.batch([count(200_000), 1], { onProgress: (done, total) => seen.push([done, total]) })
  assert.ok(seen.length > 1)
  assert.equal(seen.at(-1), [200_000, 200_000])
  for (let i = 1; i < seen.length; i++) assert.ok(seen[i][0] > seen[i - 1][0])
})

test('a batch of a slow routine comes in short chunks: progress is told, and a signal heard, long before its end', async () => {
  const rest = rows.func('rest', [c_int], c_int)
  const given = new Int32Array(2000).fill(1)
  const told: number[] = []
  await rest.batch([given], { onProgress: done => told.push(done) })
  assert.ok(told.length > 10, `told ${told.length} times`)
  assert.is(told.at(-1), 2000)
  const controller = new AbortController()
  const stopped = rest.batch([given], { signal: controller.signal, onProgress: () => controller.abort() })
  const error = await rejects(stopped, AbortError, '2000 rows')
  assert.ok(Number(/after (\d+) of/.exec(error.message)?.[1]) < 1000, error.message)
  // what a row takes is learnt anew: the routine may become fast
  const fast: number[] = []
  await rest.batch([new Int32Array(100_000)], { onProgress: done => fast.push(done) })
  assert.is(fast.at(-1), 100_000)
  assert.ok(fast.length < 1000, `told ${fast.length} times`)
})

test.run()
