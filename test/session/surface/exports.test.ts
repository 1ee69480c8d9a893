import * as assert from 'uvu/assert'
import { ArgumentError, c_double, c_int, type Library, RoutineNotFoundError } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('what a DLL exports')
let numbers: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
})

test('a routine by attribute is one object; func makes a new one each time', async () => {
  assert.is(numbers.add, numbers.add)
  assert.is.not(numbers.func('add', [c_int, c_int], c_int), numbers.func('add', [c_int, c_int], c_int))
  assert.is(numbers.add.name, 'add')
})

test('ordinals, by index and by func', async () => {
  assert.is(await numbers[77](3), 231)
  assert.is(await numbers.func(77, [c_int], c_int)(2), 154)
  assert.is(numbers[77].name, '#77')
  await rejects(numbers[4711](), RoutineNotFoundError, 'ordinal 4711')
})

test('data exports are read and written in place', async () => {
  const counter = c_int.in_dll(numbers, 'counter')
  const before = counter.value
  assert.is(await numbers.bump(), before + 1)
  assert.is(counter.value, before + 1)
  counter.value = 100
  assert.is(await numbers.bump(), 101)
  assert.is(c_double.in_dll(numbers, 'ratio').value, 0.25)
  throws(() => c_int.in_dll(numbers, 'no_such_data').value, RoutineNotFoundError, 'no_such_data')
})

test('a missing routine fails at the call, with near names', async () => {
  const missing = numbers.same_int23
  const error = await rejects(missing(1), RoutineNotFoundError, 'same_int23', 'same_int32')
  assert.ok((error as RoutineNotFoundError).near?.includes('same_int32'))
  await rejects(missing(1), RoutineNotFoundError, 'same_int23')
  throws(() => missing.sync(1), RoutineNotFoundError, 'same_int32')
  const far = await rejects(numbers.func('qqqqqqqqqqqqqqqqq', [], null)(), RoutineNotFoundError, 'qqqq')
  assert.equal((far as RoutineNotFoundError).near, [])
})

test('calls of a missing routine do not disturb those around them', async () => {
  const results = await Promise.allSettled([numbers.add(1, 2), numbers.nix(1), numbers.add(3, 4), numbers.nix(2)])
  assert.equal(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
  )
  assert.is((results[2] as PromiseFulfilledResult<unknown>).value, 7)
})

test('a library is no promise: `then` is reached by func alone', async () => {
  assert.is((numbers as unknown as { then?: unknown }).then, undefined)
  assert.is(await Promise.resolve(numbers), numbers)
  assert.is(await numbers.func('then', [c_int], c_int)(1), 1001)
})

test('a routine cannot be assigned, and is named by a name or an ordinal', () => {
  throws(() => Object.assign(numbers, { add: 1 }), ArgumentError, 'add')
  for (const bad of ['', -1, 65536, 1.5, null]) throws(() => numbers.func(bad as never, [], null), ArgumentError)
})

test('a library that is read as an object does not break', () => {
  assert.type(String(numbers), 'string')
  assert.type(JSON.stringify({ numbers }), 'string')
})

test.run()
