import * as assert from 'uvu/assert'
import { c_bool, c_int, c_longlong, c_ubyte, type Library, POINTER } from 'zugbruecke'
import { dll, sessionSuite } from '../support.js'

const test = sessionSuite('order', { memory: 1 << 20 })
let numbers: Library
let texts: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
  texts = await session.cdll.LoadLibrary(dll('texts'))
})

test('ten thousand calls, none awaited, happen in the order they were made', async () => {
  const next = numbers.func('next_place', [], c_int)
  await numbers.reset_place()
  const places = await Promise.all(Array.from({ length: 10_000 }, () => next()))
  places.forEach((place, i) => assert.is(place, i))
})

test('they settle in that order, too', async () => {
  const add = numbers.func('add', [c_int, c_int], c_int)
  const settled: number[] = []
  await Promise.all(Array.from({ length: 3000 }, (_, i) => add(i, 0).then(value => settled.push(value))))
  settled.forEach((value, i) => assert.is(value, i))
})

test('awaited, blocking, batch, loads and controls keep their places', async ({ session }) => {
  const next = numbers.func('next_place', [], c_int)
  const take = numbers.func('take_place', [c_int], c_bool)
  await numbers.reset_place()
  const one = next()
  const rows = take.batch([Int32Array.from({ length: 50_000 }, (_, i) => i + 1)])
  const two = next()
  const loaded = session.cdll.LoadLibrary(dll('rows'))
  const three = next.sync()
  const text = session.FormatError(2)
  const four = next()
  assert.is(await one, 0)
  const taken = await rows
  assert.is(taken.length, 50_000)
  assert.ok(taken.every(Boolean))
  assert.is(await two, 50_001)
  assert.is(three, 50_002)
  assert.is(await four, 50_003)
  assert.is((await loaded)._name, dll('rows'))
  assert.ok((await text).length > 0)
})

test('memory lent to a call belongs to it until it settles', async () => {
  const fill = texts.func('fill', [POINTER(c_ubyte), c_int, c_int], null)
  const increment = texts.func('increment', [POINTER(c_ubyte), c_longlong], null)
  const sum = texts.func('checksum', [POINTER(c_ubyte), c_longlong], c_longlong)
  const buffer = new Uint8Array(1000)
  const wanted = (value: number) => Array.from(buffer).reduce((total, _, i) => total + value * ((i % 251) + 1), 0)
  const all: Promise<unknown>[] = []
  for (let value = 0; value < 100; value++) {
    all.push(fill(buffer, 1000, value))
    all.push(increment(buffer, 1000))
    all.push(sum(buffer, 1000).then(got => assert.is(Number(got), wanted(value + 1))))
  }
  await Promise.all(all)
  assert.ok(buffer.every(byte => byte === 100))
})

test('two views of one ArrayBuffer are the same memory', async () => {
  const increment = texts.func('increment', [POINTER(c_ubyte), c_longlong], null)
  const whole = new Uint8Array(64)
  await Promise.all([increment(whole, 64), increment(whole.subarray(32), 32), increment(whole.subarray(0, 32), 32)])
  assert.ok(whole.every(byte => byte === 2))
})

test('more calls with memory than the arena has room for', async () => {
  const increment = texts.func('increment', [POINTER(c_ubyte), c_longlong], null)
  const buffers = Array.from({ length: 200 }, (_, i) => new Uint8Array(100_000).fill(i))
  await Promise.all(buffers.map(buffer => increment(buffer, buffer.length)))
  buffers.forEach((buffer, i) => assert.ok(buffer.every(byte => byte === i + 1)))
})

test('an argument larger than the arena', async () => {
  const increment = texts.func('increment', [POINTER(c_ubyte), c_longlong], null)
  const sum = texts.func('checksum', [POINTER(c_ubyte), c_longlong], c_longlong)
  const buffer = Uint8Array.from({ length: 5 << 20 }, (_, i) => i & 127)
  await increment(buffer, buffer.length)
  const changed = buffer.every((byte, i) => byte === (i & 127) + 1)
  assert.ok(changed)
  let wanted = 0
  for (let i = 0; i < buffer.length; i++) wanted += buffer[i] * ((i % 251) + 1)
  assert.is(Number(sum.sync(buffer, buffer.length)), wanted)
  const [a, b] = await Promise.all([sum(buffer, buffer.length), sum(buffer, buffer.length)])
  assert.is(Number(a), wanted)
  assert.is(Number(b), wanted)
})

test.run()
