/** Memory of the program's that it takes away or makes another length while a call or a batch has it: an error, and nothing else's memory. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { ArgumentError, c_int, type Library } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sessionSuite, sleep, throws, until } from '../support.js'
import { arch, CFUNCTYPE, c_void_p, POINTER, Structure } from '../types.js'

const test = sessionSuite('memory that goes', { memory: 4 << 20 })
const path = makeDll(
  join(dirname(dll('numbers')), `gone-${arch}.dll`),
  `#include <windows.h>
#define API __declspec(dllexport)
API volatile int begun;
API int set(int *v, int milliseconds) { begun = 1; Sleep(milliseconds); v[0] = 7; v[1] = 8; return 1; }
API int call_later(int (*f)(void), int *v) { begun = 1; Sleep(100); v[0] = 7; return f(); }
API int set_first(int **v, int milliseconds) { begun = 1; Sleep(milliseconds); **v = 7; return 1; }
API int last(unsigned char *v, int size) { v[0] = 7; return v[size - 1]; }
API int both(int *v, int *w) { begun = 1; Sleep(100); v[0] = 7; w[0] = 8; return 1; }
API int slow_add(int a, int b) { Sleep(1); return a + b; }
API void slow_put(int *to, int value) { Sleep(1); *to = value; }
API int call(int (*f)(void), int *v) { v[0] = 7; return f(); }
`,
)
let lib: Library
let begun: c_int
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(path)
  begun = c_int.in_dll(lib, 'begun')
  begin(() => {})
})
function begin<T>(call: () => T): T {
  begun.value = 0
  return call()
}
/** Waits until the routine runs that `begin` has called: its memory has been sent then. */
const untilBegun = () => until(() => begun.value === 1, 'the routine runs')
const set = () => lib.func('set', [POINTER(c_int), c_int], c_int)
const take = ({ buffer }: Int32Array) => new Int32Array(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }))
/** What TypeScript does not know of Node 20 yet. */
type Resizable = ArrayBuffer & { resize(length: number): void }
const resizable = (length: number, most: number) =>
  new (ArrayBuffer as never as new (length: number, options: object) => Resizable)(length, { maxByteLength: most })

test('what is gone before the call is refused', async () => {
  for (const routine of [set(), lib.func('set', [c_void_p, c_int], c_int)]) {
    const array = new Int32Array(4)
    assert.is(routine.sync(array, 0), 1)
    assert.equal([...array], [7, 8, 0, 0])
    take(array)
    throws(() => routine.sync(array, 0), ArgumentError, 'argument 1')
    throws(() => routine.sync(array, 0), ArgumentError, 'argument 1')
    await rejects(routine(array, 0), ArgumentError, 'argument 1')
  }
})

test('what goes during the call is an error of that call', async () => {
  for (const length of [4, 100_000, 1_000_000]) {
    const array = new Int32Array(length)
    const other = new Int32Array(4)
    const call = begin(() => set()(array, 100))
    const both = lib.func('both', [POINTER(c_int), POINTER(c_int)], c_int)
    await untilBegun()
    const taken = take(array)
    await rejects(call, ArgumentError, 'transferred')
    assert.equal([...taken.subarray(0, 2)], [0, 0])
    const rest = new Int32Array(length)
    const second = begin(() => both(rest, other))
    await untilBegun()
    take(rest)
    await rejects(second, ArgumentError, 'transferred')
    assert.is(other[0], 8)
  }
  const array = new Int32Array(4)
  const F = CFUNCTYPE(c_int)
  const callback = F(() => take(array).length)
  throws(() => lib.func('call', [F, POINTER(c_int)], c_int).sync(callback, array), ArgumentError, 'transferred')
  callback.dispose()
})

test('nor does a callback find it, which runs all the same', async () => {
  const F = CFUNCTYPE(c_int)
  const later = lib.func('call_later', [F, POINTER(c_int)], c_int)
  for (const length of [4, 100_000]) {
    let runs = 0
    const array = new Int32Array(length)
    const call = begin(() => later(() => ++runs, array))
    await untilBegun()
    take(array)
    await rejects(call, ArgumentError, 'transferred')
    assert.is(runs, 1)
  }
})

test('so it is with what an object points to', async () => {
  class Holder extends Structure({ to: POINTER(c_int) }) {}
  const first = lib.func('set_first', [POINTER(Holder), c_int], c_int)
  const array = new Int32Array(4)
  const holder = new Holder()
  holder.to = array as never
  assert.is(await first(holder, 0), 1)
  assert.is(array[0], 7)
  const call = begin(() => first(holder, 100))
  await untilBegun()
  take(array)
  await rejects(call, ArgumentError, 'transferred')
  throws(() => first.sync(holder, 0), ArgumentError, 'transferred')
  await rejects(first(holder, 0), ArgumentError, 'transferred')
})

test('what grows during the call has zeros where it has grown', async () => {
  const buffer = resizable(16, 64)
  const call = lib.func('set', [c_void_p, c_int], c_int)
  // memory that lies behind it in the call's
  const all = begin(() => [call(new Uint8Array(buffer), 100), call(new Uint8Array(64).fill(0xee), 0)])
  await untilBegun()
  buffer.resize(64)
  await Promise.all(all)
  assert.equal([...new Int32Array(buffer)], [7, 8, ...new Array(14).fill(0)])
})

test('what grows while the call waits for memory of the Windows side is sent as it is then', async () => {
  const mib = 1 << 20
  const buffer = resizable(2.5 * mib, 5 * mib)
  const whole = new Uint8Array(buffer)
  const call = lib.func('last', [c_void_p, c_int], c_int)(whole, 5 * mib)
  buffer.resize(5 * mib)
  whole[5 * mib - 1] = 9
  assert.is(await call, 9)
  assert.is(whole[0], 7)
})

test('what shrinks during the call is an error', async () => {
  for (const make of [
    (buffer: ArrayBuffer) => new Int32Array(buffer),
    (buffer: ArrayBuffer) => new Int32Array(buffer, 0, 16),
  ]) {
    const buffer = resizable(64, 64)
    const call = begin(() => set()(make(buffer), 100))
    await untilBegun()
    buffer.resize(4)
    await rejects(call, ArgumentError, 'made shorter')
  }
})

test('so it is in a batch: no row is done with what is not there', async () => {
  const rows = 100
  const ones = () => new Int32Array(rows).fill(1)
  const add = lib.func('slow_add', [c_int, c_int], c_int)
  const column = ones()
  const first = add.batch([column, 1], { chunk: 10 })
  await sleep(15)
  take(column)
  await rejects(first, ArgumentError, 'column 1', 'transferred')

  const cells = ones()
  const second = lib.func('slow_put', [POINTER(c_int), c_int], null).batch([cells, ones()], { chunk: 10 })
  await sleep(15)
  take(cells)
  await rejects(second, ArgumentError, 'transferred')

  const results = new Int32Array(rows)
  const third = add.batch([ones(), 1], { chunk: 10, results })
  await sleep(15)
  take(results)
  await rejects(third, ArgumentError, 'transferred')

  const buffer = resizable(4 * rows, 8 * rows)
  const fourth = add.batch([new Int32Array(buffer).fill(1), 1], { chunk: 10 })
  await sleep(15)
  buffer.resize(40)
  await rejects(fourth, ArgumentError, 'made shorter')
  assert.equal([...(await add.batch([[1, 2], 3]))], [4, 5])
})

test.run()
