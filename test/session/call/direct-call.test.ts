/** Blocking calls with small arrays and objects, which take a way of their own as long as nothing happens that needs another. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import {
  byref,
  CFUNCTYPE,
  CtypesSession,
  c_double,
  c_int,
  c_uint8,
  c_void_p,
  POINTER,
  Structure,
  StructuredExceptionError,
} from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { arch } from '../types.js'

const test = sessionSuite('direct calls')
const path = makeDll(
  join(dirname(dll('numbers')), `direct-${arch}.dll`),
  `#include <windows.h>
   #define API __declspec(dllexport)
   API int twice(int *in, int *out, int n) { for (int i = 0; i < n; i++) out[i] = 2 * in[i]; return n; }
   API int add_to(unsigned char *p, int n, int by) { for (int i = 0; i < n; i++) p[i] += by; return n; }
   API int slow(int *p, int n, int ms) { Sleep(ms); for (int i = 0; i < n; i++) p[i]++; return n; }
   API int crash(int *p) { p[0] = 7; return *(volatile int *)16; }
   API int calls(int *p, int n, void (*f)(void)) { int seen; p[0]++; f(); seen = p[0]; p[n - 1]++; return seen; }
   API int is_null(void *p, int *q) { return (p == 0) + 2 * (q == 0); }
   API double sum(double *p, int n) { double s = 0; while (n--) s += *p++; return s; }`,
)
const sleeping = 30

test('arrays go there and come back, again and again, aligned or not', ({ session }) => {
  const twice = session.CDLL(path).func('twice', [POINTER(c_int), POINTER(c_int), c_int], c_int)
  const given = Int32Array.of(1, 2, 3)
  const out = new Int32Array(3)
  for (let i = 0; i < 100; i++) {
    given[0] = i
    assert.is(twice.sync(given, out, 3), 3)
    assert.equal([...out], [2 * i, 4, 6])
  }
  const add = session.CDLL(path).func('add_to', [POINTER(c_uint8), c_int, c_int], c_int)
  const bytes = new Uint8Array(16)
  for (const view of [bytes.subarray(1, 4), new DataView(bytes.buffer, 5, 3), bytes.subarray(8)])
    add.sync(view as Uint8Array, view.byteLength, 3)
  assert.equal([...bytes], [0, 3, 3, 3, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3])
  for (const length of [0, 1, 2047, 2048, 2049, 5000]) {
    const many = new Uint8Array(length).fill(250)
    assert.is(add.sync(many, length, 7), length)
    assert.ok(many.every(byte => byte === 1))
  }
})

test('two views of one memory are one memory there, too', ({ session }) => {
  const twice = session.CDLL(path).func('twice', [POINTER(c_int), POINTER(c_int), c_int], c_int)
  const same = Int32Array.of(1, 2, 3, 4)
  twice.sync(same, same, 4)
  assert.equal([...same], [2, 4, 6, 8])
  twice.sync(same, same.subarray(1), 3)
  assert.equal([...same], [2, 4, 8, 16])
})

test('null, lists, objects and arrays side by side', ({ session }) => {
  const isNull = session.CDLL(path).func('is_null', [c_void_p, POINTER(c_int)], c_int)
  assert.is(isNull.sync(null, new Int32Array(1)), 1)
  assert.is(isNull.sync(new Uint8Array(1), null), 2)
  assert.is(isNull.sync(new Uint8Array(1), [1] as never), 0)
  const twice = session.CDLL(path).func('twice', [POINTER(c_int), POINTER(c_int), c_int], c_int)
  const object = new c_int(4)
  const out = new Int32Array(1)
  assert.is(twice.sync(byref(object), out, 1), 1)
  assert.is(out[0], 8)
  twice.sync(out, byref(object), 1)
  assert.is(object.value, 16)
  twice.sync([21] as never, out, 1)
  assert.is(out[0], 42)
  class Pair extends Structure({ a: c_int, b: c_int }) {}
  const pair = new Pair({ a: 1, b: 2 })
  const double = session.CDLL(path).func('twice', [POINTER(Pair), POINTER(Pair), c_int], c_int)
  double.sync(byref(pair), byref(pair), 2)
  assert.equal([pair.a, pair.b], [2, 4])
})

test('a routine that takes its time', async ({ session }) => {
  const slow = session.CDLL(path).func('slow', [POINTER(c_int), c_int, c_int], c_int)
  const array = Int32Array.of(1, 2)
  for (let i = 0; i < 3; i++) assert.is(slow.sync(array, 2, sleeping), 2)
  assert.equal([...array], [4, 5])
  // one that works on the same array is under way: it goes first
  const underway = slow(array, 2, sleeping)
  assert.is(slow.sync(array, 2, 0), 2)
  assert.equal([...array], [6, 7])
  await underway
  assert.equal([...array], [6, 7])
})

test('a crash leaves what the routine had written, and the next call is right', ({ session }) => {
  const crash = session.CDLL(path).func('crash', [POINTER(c_int)], c_int)
  const array = Int32Array.of(1, 2)
  for (let i = 0; i < 50; i++) {
    array[0] = 1
    throws(() => crash.sync(array), StructuredExceptionError, 'crash')
    assert.equal([...array], [7, 2])
  }
})

test('a callback inside writes to the same array, calls with others, and throws', async ({ session }) => {
  const calls = session.CDLL(path).func('calls', [POINTER(c_int), c_int, c_void_p], c_int)
  const twice = session.CDLL(path).func('twice', [POINTER(c_int), POINTER(c_int), c_int], c_int)
  const array = Int32Array.of(10, 20, 30)
  let thrown: Error | undefined
  const callback = CFUNCTYPE(null)(() => {
    const inner = new Int32Array(2)
    twice.sync(Int32Array.of(3, 4), inner, 2)
    assert.equal([...inner], [6, 8])
    array[1] = 99
    if (thrown) throw thrown
  })
  for (let i = 1; i <= 20; i++) {
    array[1] = 20
    assert.is(calls.sync(array, 3, callback), 10 + i)
    assert.equal([...array], [10 + i, 99, 30 + i])
  }
  thrown = new Error('of the callback')
  throws(() => calls.sync(array, 3, callback), Error, 'of the callback')
  assert.equal([...array], [31, 99, 51])
  await rejects(calls(array, 3, callback), Error, 'of the callback')
  callback.dispose()
})

test('what is wrong is said, and nothing is sent', ({ session }) => {
  const sum = session.CDLL(path).func('sum', [POINTER(c_double), c_int], c_double)
  assert.is(sum.sync(Float64Array.of(1, 2, 3.5), 3), 6.5)
  throws(() => sum.sync(new Float32Array(3) as never, 3), Error, 'sum: argument 1')
  throws(() => sum.sync(Float64Array.of(1), 1.5), Error, 'sum: argument 2')
  assert.is(sum.sync(Float64Array.of(1, 2, 3.5), 2), 3)
})

test('memory for the arrays is given back', async () => {
  // has room for a tenth of them
  await using session = await CtypesSession.start({ memory: 4 << 20 })
  const add = session.CDLL(path).func('add_to', [POINTER(c_uint8), c_int, c_int], c_int)
  const bytes = new Uint8Array(2048)
  for (let i = 0; i < 20_000; i++) add.sync(bytes, 1, 1)
  assert.is(bytes[0], 20_000 % 256)
})

test.run()
