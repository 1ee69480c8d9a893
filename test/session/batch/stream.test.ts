import * as assert from 'uvu/assert'
import { ArgumentError, c_int, type Library } from 'zugbruecke'
import { dll, full, sessionSuite } from '../support.js'

const test = sessionSuite('streams of batches', { memory: 1 << 20 })
let rows: Library
test.before(async ({ session }) => {
  rows = await session.cdll.LoadLibrary(dll('rows'))
})
const count = (n: number, from = 0) => Int32Array.from({ length: n }, (_, i) => from + i)

test('results in order, for a plain and for an async iterable', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const sets = Array.from({ length: 20 }, (_, i) => [count(100, i * 100), 1] as const)
  async function* slowly() {
    for (const set of sets) {
      await new Promise(resolve => setTimeout(resolve, 1))
      yield set
    }
  }
  for (const source of [sets, slowly()]) {
    let next = 1
    for await (const results of add.batch.stream(source)) for (const value of results) assert.is(value, next++)
    assert.is(next, 2001)
  }
})

test('what is under way is bounded, and so is memory', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  let made = 0
  let taken = 0
  let most = 0
  const sets = full ? 200 : 30
  function* source() {
    for (; made < sets; made++) {
      most = Math.max(most, made - taken)
      yield [count(100_000, made), 1] as const
    }
  }
  for await (const results of add.batch.stream(source())) {
    assert.is(results[99_999], taken + 100_000)
    taken++
  }
  assert.is(taken, sets)
  assert.ok(most <= 5, `${most} sets were made ahead`)
})

test('whoever stops early ends it, and the session lives', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  let made = 0
  function* source() {
    for (;;) {
      made++
      yield [count(10), 1] as const
    }
  }
  for await (const results of add.batch.stream(source())) {
    assert.is(results.length, 10)
    if (made > 20) break
  }
  assert.ok(made < 30)
  assert.is(await add(1, 2), 3)
})

test('an error of the source and a bad set end it', async () => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const drain = async (sets: Iterable<unknown>) => {
    let n = 0
    for await (const _ of add.batch.stream(sets as never)) n++
    return n
  }
  function* failing() {
    yield [count(10), 1]
    throw new RangeError('no more')
  }
  for (const [sets, Class] of [
    [failing(), RangeError],
    [
      [
        [count(10), 1],
        [count(10), count(9)],
      ],
      ArgumentError,
    ],
  ] as const) {
    const error = await drain(sets).then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    assert.instance(error, Class)
  }
  assert.is(await drain([]), 0)
})

test.run()
