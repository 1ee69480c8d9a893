import * as assert from 'uvu/assert'
import { ArgumentError, byref, c_double, c_int, c_longlong, c_ubyte, c_void_p, type Library, POINTER } from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'

const test = sessionSuite('buffers given for pointers')
let texts: Library
test.before(async ({ session }) => {
  texts = await session.cdll.LoadLibrary(dll('texts'))
})

test('a typed array comes back changed', async () => {
  const values = new Float64Array(5)
  await texts.func('count_up', [POINTER(c_double), c_int], null)(values, 5)
  assert.equal([...values], [0, 1, 2, 3, 4])
  const numbers = Int32Array.of(1, -2, 3)
  texts.func('negate', [POINTER(c_int), c_int], null).sync(numbers, 3)
  assert.equal([...numbers], [-1, 2, -3])
})

test('a part of an ArrayBuffer is changed, and nothing around it', async () => {
  const whole = new Uint8Array(64).fill(7)
  const part = whole.subarray(16, 32)
  await texts.func('fill', [POINTER(c_ubyte), c_int, c_int], null)(part, 16, 1)
  assert.equal(whole, new Uint8Array(64).fill(7).fill(1, 16, 32))
})

test('a Buffer, an ArrayBuffer and a DataView for bytes and for void *', async () => {
  for (const type of [POINTER(c_ubyte), c_void_p]) {
    const fill = texts.func('fill', [type, c_int, c_int], null)
    const buffer = Buffer.alloc(4)
    await fill(buffer, 4, 3)
    assert.equal([...buffer], [3, 3, 3, 3])
    const memory = new ArrayBuffer(4)
    await fill(memory, 3, 9)
    assert.equal([...new Uint8Array(memory)], [9, 9, 9, 0])
    const view = new DataView(new ArrayBuffer(4), 1, 2)
    await fill(view, 2, 255)
    assert.equal([...new Uint8Array(view.buffer)], [0, 255, 255, 0])
  }
})

test('an empty array has an address, too', async ({ session }) => {
  const sum = texts.func('checksum', [POINTER(c_ubyte), c_longlong], c_longlong)
  assert.is(await sum(new Uint8Array(0), 0), 0n)
  const echo = texts.func('echo', [c_void_p], c_void_p)
  for (const call of [echo, echo.sync]) {
    assert.is(await echo(0xbadn), 0xbadn)
    const address = (await call(new Uint8Array(0))) as bigint
    assert.is.not(address, 0xbadn)
    session.memory.read(address, 1)
  }
})

test('a typed array of another element is refused', async () => {
  const up = texts.func('count_up', [POINTER(c_double), c_int], null)
  await rejects(up(new Float32Array(3) as never, 3), ArgumentError, 'argument 1', 'Float32Array', 'c_double')
  await rejects(up('text' as never, 3), ArgumentError, 'argument 1')
})

test('an array of ctypes and byref', async () => {
  const five = new (c_int.array(5))(1, 2, 3, 4, 5)
  const negate = texts.func('negate', [POINTER(c_int), c_int], null)
  await negate(five, 5)
  assert.equal([...five], [-1, -2, -3, -4, -5])
  await negate(byref(five, 8), 2)
  assert.equal([...five], [-1, -2, 3, 4, -5])
  const one = new c_int(8)
  await negate(byref(one), 1)
  assert.is(one.value, -8)
})

test('one memory given twice is one piece of memory there', async () => {
  const between = texts.func('between', [POINTER(c_ubyte), POINTER(c_ubyte)], c_longlong)
  const whole = new Uint8Array(100)
  assert.is(await between(whole, whole), 0n)
  assert.is(await between(whole, whole.subarray(40)), 40n)
  const array = new (c_ubyte.array(10))()
  assert.is(await between(array, byref(array, 3) as never), 3n)
})

test('what a failed call was given is left as it was', async () => {
  const values = new Float64Array([1, 2])
  await rejects(texts.func('count_up', [POINTER(c_double), c_int], null)(values, 'x' as never), ArgumentError)
  assert.equal([...values], [1, 2])
})

test.run()
