import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { ArgumentError, c_double, c_float, c_longdouble, type Library } from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'

const test = sessionSuite('floats')
let numbers: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
})

const edges = [0, -0, 1, -1.5, Number.MIN_VALUE, Number.MAX_VALUE, Number.EPSILON, Infinity, -Infinity, Number.NaN]

test('double: edges, infinities, NaN and the sign of zero', async () => {
  const same = numbers.func('same_double', [c_double], c_double)
  for (const edge of edges) {
    assert.ok(Object.is(await same(edge), edge), `${edge}`)
    assert.ok(Object.is(same.sync(edge), edge), `${edge}`)
  }
})

test('any double comes back', async () => {
  const same = numbers.func('same_double', [c_double], c_double)
  await fc.assert(
    fc.asyncProperty(fc.double(), async value => {
      assert.ok(Object.is(await same(value), value))
    }),
    { numRuns: 50 },
  )
})

test('float: what it can hold comes back, other numbers are rounded', async () => {
  const same = numbers.func('same_float', [c_float], c_float)
  for (const edge of edges) assert.ok(Object.is(await same(edge), Math.fround(edge)), `${edge}`)
  await fc.assert(
    fc.asyncProperty(fc.double(), async value => {
      assert.ok(Object.is(await same(value), Math.fround(value)))
    }),
    { numRuns: 50 },
  )
})

test('long double is a double on Windows', async () => {
  const same = numbers.func('same_double', [c_longdouble], c_longdouble)
  assert.is(await same(0.1), 0.1)
})

test('a bigint is a number, too; a string is not', async () => {
  const same = numbers.func('same_double', [c_double], c_double)
  assert.is(await same(3n as never), 3)
  await rejects(same('1' as never), ArgumentError, 'argument 1', 'c_double')
  await rejects(same(undefined as never), ArgumentError)
})

test.run()
