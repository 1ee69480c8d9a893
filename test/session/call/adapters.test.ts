import * as assert from 'uvu/assert'
import { ArgumentError, c_double, c_int, type Library } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { c_char_p, c_void_p } from '../types.js'

const test = sessionSuite('from_param and _as_parameter_')
let numbers: Library
let texts: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
  texts = await session.cdll.LoadLibrary(dll('texts'))
})

/** A list of numbers, or an array that is one already. */
const Ints = {
  asked: 0,
  from_param(value: readonly number[] | Int32Array) {
    this.asked++
    if (value instanceof Int32Array) return value
    if (!Array.isArray(value)) throw new TypeError(`no list: ${String(value)}`)
    return new (c_int.array(value.length))(...(value as number[]))
  },
}

test('an adapter in argtypes makes what is passed, once for each call', async () => {
  const negate = texts.func('negate', [Ints, c_int] as const, null)
  Ints.asked = 0
  const values = Int32Array.of(1, -2)
  await negate(values, 2)
  assert.equal([...values], [-1, 2])
  negate.sync([1, 2], 2)
  assert.is(Ints.asked, 2)
  const error = await rejects(negate(5 as never, 1), TypeError)
  assert.is(error.message, 'no list: 5')
  throws(() => negate.sync('x' as never, 1), TypeError, 'no list: x')
  await rejects((negate as (...args: unknown[]) => Promise<unknown>)([1]), ArgumentError, '2 arguments')
  await rejects((negate as (...args: unknown[]) => Promise<unknown>)([1], 1, 2), ArgumentError, '2 arguments')
})

/** As in Python, where it is a method of the class. */
class Percent {
  constructor(readonly value: number) {}
  static from_param(given: Percent) {
    if (!(given instanceof Percent)) throw new TypeError('no Percent')
    return new c_double(given.value / 100)
  }
}

test('a class may be one', async () => {
  const same = numbers.func('same_double', [Percent] as const, c_double)
  assert.is(await same(new Percent(50)), 0.5)
  assert.is(same.sync(new Percent(25)), 0.25)
  throws(() => same.sync(5 as never), TypeError, 'no Percent')
  class Nothing {}
  throws(() => numbers.func('same_double', [Nothing as never], c_double), ArgumentError, 'item 1', 'from_param')
})

test('what is its own _as_parameter_ is none', async () => {
  const round = {
    get _as_parameter_() {
      return this
    },
  }
  const add = numbers.func<unknown[], number>('add')
  await rejects(add(round, 1), ArgumentError, 'argument 1', 'declare argtypes')
  assert.is(await add({ _as_parameter_: 40 }, 2), 42)
})

test('what it makes tells how it goes', async () => {
  const given: unknown[] = []
  const Anything = {
    from_param(value: unknown) {
      given.push(value)
      return value
    },
  }
  const length = texts.func('length', [Anything] as const, c_int)
  assert.is(await length(new c_char_p('four')), 4)
  assert.is(await length(Uint8Array.of(97, 98, 0)), 2)
  assert.is(await length(null), -1)
  assert.is(given.length, 3)
  const same = numbers.func('same_double', [Anything] as const, c_double)
  assert.is(await same(new c_double(0.5)), 0.5)
  await rejects(same({}), ArgumentError, 'argument 1', 'no type of its own')
  await rejects(same.batch([[new c_double(1)]]), ArgumentError, 'adapters')
  throws(() => numbers.func('same_double', [{} as never], c_double), ArgumentError, 'from_param')
})

test('a type may have one, too; it stays that type', async () => {
  class Percent extends c_double {
    static from_param(value: string) {
      return Number.parseFloat(value) / 100
    }
  }
  const same = numbers.func('same_double', [Percent] as const, c_double)
  assert.is(await same('50 %'), 0.5)
})

test('an object may say what it is as an argument', async () => {
  class Handle<T> {
    constructor(readonly _as_parameter_: T) {}
  }
  const as = <T>(value: T) => new Handle(value)
  const add = numbers.func('add', [c_int, c_int], c_int)
  assert.is(await add(as(3), as(new c_int(4))), 7)
  assert.is(add.sync(1, as(2)), 3)
  assert.is(await texts.func('length', [c_char_p], c_int)(as('abc')), 3)
  const same = numbers.func('same_pointer', [c_void_p], c_void_p)
  assert.is(await same(as(2n ** 31n)), 2n ** 31n)
  // also where nothing is declared, and beside out parameters
  assert.is(await numbers.add(as(5), 6), 11)
  const error = await rejects(add(1, as('x' as never)), ArgumentError, 'argument 2', "string 'x'")
  assert.is(error.position, 2)
  await rejects(add(as(undefined as never), 1), ArgumentError, 'argument 1')
})

test('what an object is as an argument may be such an object itself', async () => {
  const inner = { _as_parameter_: { _as_parameter_: { _as_parameter_: 5 } } }
  const round: { _as_parameter_?: unknown } = {}
  round._as_parameter_ = round
  const add = numbers.func('add', [c_int, c_int], c_int)
  assert.is(await add(inner as never, 6), 11)
  assert.is(await numbers.add(inner, 6), 11)
  await rejects(add(round as never, 6), ArgumentError, 'argument 1: expected c_int, got Object')
  await rejects(numbers.add(round, 6), ArgumentError, 'argument 1: Object has no type of its own')
})

test.run()
