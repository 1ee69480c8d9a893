import * as assert from 'uvu/assert'
import {
  ArgumentError,
  c_double,
  c_float,
  c_int,
  c_int8,
  c_int16,
  c_int64,
  c_uint8,
  c_uint32,
  type Library,
} from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'

const test = sessionSuite('many arguments')
let numbers: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
})

test('integers and floats in turn, in registers and on the stack', async () => {
  const types = [c_int8, c_double, c_int64, c_float, c_uint8, c_double, c_int16, c_uint32] as const
  const mix = numbers.func('mix', types, c_double)
  const wanted = -3 + 2 * 1.5 + 3 * 2 ** 40 + 4 * 0.25 + 5 * 255 + 6 * -1e10 + 7 * -32768 + 8 * 4294967295
  assert.is(await mix(-3, 1.5, 2 ** 40, 0.25, 255, -1e10, -32768, 4294967295), wanted)
  assert.is(mix.sync(-3, 1.5, 2n ** 40n, 0.25, 255, -1e10, -32768, 4294967295), wanted)
  const error = await rejects(mix(-3, 1.5, 0, 0, 256, 0, 0, 0), ArgumentError, 'argument 5', 'c_ubyte')
  assert.is(error.position, 5)
})

test('more arguments than a slot of the channel holds', async () => {
  const many = numbers.func(
    'many',
    Array.from({ length: 31 }, (_, i) => (i % 2 ? c_int : c_double)),
    c_double,
  )
  const values = Array.from({ length: 31 }, (_, i) => (i % 2 ? -i : i + 0.5))
  const wanted = values.reduce((sum, value, i) => sum + (i + 1) * value, 0)
  const call = many as unknown as { (...args: number[]): Promise<number>; sync(...args: number[]): number }
  assert.is(await call(...values), wanted)
  assert.is(call.sync(...values), wanted)
  const several = await Promise.all(Array.from({ length: 200 }, (_, i) => call(...values.map(value => value * i))))
  several.forEach((sum, i) => assert.is(sum, wanted * i))
})

test('the same beside more memory than the session shares', async ({ session }) => {
  const print = session.cdll.msvcrt.func<[Uint8Array, string, ...number[]], number>(
    'int sprintf(char *into, const char *format, ...)',
  )
  const numbers = Array.from({ length: 40 }, (_, i) => i * i)
  const wanted = numbers.join(' ')
  const into = new Uint8Array(12 << 20)
  const format = numbers.map(() => '%d').join(' ')
  assert.is(await print(into, format, ...numbers), wanted.length)
  assert.is(new TextDecoder().decode(into.subarray(0, wanted.length)), wanted)
  assert.is(into[wanted.length], 0)
  assert.is(print.sync(into.fill(1), format, ...numbers), wanted.length)
  assert.is(new TextDecoder().decode(into.subarray(0, wanted.length)), wanted)
  assert.is(into[12e6], 1)
})

test('too few and too many', async () => {
  const add = numbers.func('add', [c_int, c_int], c_int) as unknown as (...args: unknown[]) => Promise<number>
  await rejects(add(1), ArgumentError, 'add', '2', '1')
  await rejects(add(), ArgumentError, 'add', '2', '0')
  await rejects(add(1, 2, 3), ArgumentError, 'add', '2', '3')
})

test('extra arguments are passed on for cdecl routines declared the way of ctypes', async () => {
  numbers.sum_variadic.argtypes = [c_int]
  assert.is(await numbers.sum_variadic(3, 10, 20, 30), 60)
  await rejects(numbers.sum_variadic(), ArgumentError, 'sum_variadic')
})

test('a variadic prototype', async () => {
  const sum = numbers.func<[number, ...number[]], number>('int sum_variadic(int count, ...)')
  assert.is(await sum(0), 0)
  assert.is(await sum(5, 1, 2, 3, 4, 5), 15)
  assert.is(await sum(2, -1, -2), -3)
  await rejects((sum as unknown as () => Promise<number>)(), ArgumentError)
})

test('a stdcall library refuses what goes beyond argtypes', async ({ session }) => {
  const stdcall = session.WinDLL(dll('numbers'))
  stdcall.subtract.argtypes = [c_int, c_int]
  assert.is(await stdcall.subtract(7, 2), 5)
  await rejects(stdcall.subtract(7, 2, 1), ArgumentError)
})

test('undeclared arguments are guessed where they can be', async () => {
  assert.is(await numbers.add(3, 4), 7)
  assert.is(await numbers.add(new c_int(3), -4), -1)
  await rejects(numbers.add(3, 0.5), ArgumentError, 'argument 2', 'argtypes')
  await rejects(numbers.add(3, {}), ArgumentError, 'argument 2', 'argtypes')
  await rejects(numbers.add(3, 2 ** 40), ArgumentError, 'argument 2')
})

test.run()
