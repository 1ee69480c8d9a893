/** Code of the program's that runs inside a call (getters and adapters among its arguments, errcheck, onProgress) may make calls itself. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { byref, c_double, c_int, type Library, ZugbrueckeError } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sessionSuite } from '../support.js'
import { arch, CFUNCTYPE, POINTER, Structure } from '../types.js'

class Point extends Structure({ x: c_int, y: c_int }) {}

const test = sessionSuite('code of the program inside a call')
const path = makeDll(
  join(dirname(dll('numbers')), `own-code-${arch}.dll`),
  `#include <windows.h>
#define API __declspec(dllexport)
struct point { int x, y; };
API int add(int a, int b) { return a + b; }
API double weigh(int a, double b, int c) { return a * 100 + b * 10 + c; }
API int by_reference(int a, struct point *p, int c) { return a * 1000 + p->x * 100 + p->y * 10 + c; }
API int by_value(int a, struct point p, int c) { return a * 1000 + p.x * 100 + p.y * 10 + c; }
API int sum(int a, const int *v, int n) { int s = a * 100; while (n--) s += *v++; return s; }
API int fill(int *v, int n) { for (int i = 0; i < n; i++) v[i] = i + 1; return -n; }
API int wait_for(int *v, int milliseconds) { Sleep(milliseconds); return v[0]; }
API int call(int (*f)(int), int x) { return f(x); }
`,
)
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(path)
})

type Face = <A extends unknown[], R>(
  routine: ((...args: A) => Promise<R>) & { sync(...args: A): R },
) => (...args: A) => Promise<R>
const faces: readonly Face[] = [
  routine => routine,
  routine =>
    async (...args) =>
      routine.sync(...args),
]

/** What a getter may do: calls of every kind, with arguments and memory of their own. */
const inner = () => {
  const add = lib.func('add', [c_int, c_int], c_int)
  const sum = lib.func<[number, object, number], number>('int sum(int a, const int *v, int n)')
  const point = lib.func('by_reference', [c_int, POINTER(Point), c_int], c_int)
  const left: Promise<unknown>[] = []
  const calls = [
    () => assert.is(add.sync(70, 80), 150),
    () => assert.is(sum.sync(7, [8, 9], 2), 717),
    () => assert.is(sum.sync(7, Int32Array.of(8, 9), 2), 717),
    () => assert.is(point.sync(9, { x: 8, y: 7 }, 6), 9876),
    () => left.push(add(70, 80).then(value => assert.is(value, 150))),
    () => left.push(sum(7, [8, 9], 2).then(value => assert.is(value, 717))),
    () => left.push(add.batch([[70, 71], 80]).then(rows => assert.equal([...rows], [150, 151]))),
    () => assert.throws(() => add.sync('x' as never, 1)),
  ]
  return { calls, settled: () => Promise.all(left) }
}

test('what a getter calls does not touch the call that it is read for', async () => {
  const { calls, settled } = inner()
  const weigh = lib.func('weigh', [c_int, c_double, c_int], c_double)
  const byReference = lib.func('by_reference', [c_int, POINTER(Point), c_int], c_int)
  const byValue = lib.func('by_value', [c_int, Point, c_int], c_int)
  const sum = lib.func<[number, object, number], number>('int sum(int a, const int *v, int n)')
  for (const call of calls)
    for (const face of faces) {
      const point = () => ({
        get x() {
          call()
          return 2
        },
        y: 3,
      })
      assert.is(await face(byReference)(1, point(), 4), 1234)
      assert.is(await face(byValue)(1, point(), 4), 1234)
      const handle = <T>(value: T) => ({
        get _as_parameter_() {
          call()
          return value
        },
      })
      assert.is(await face(weigh)(1, handle(2.5), handle(3)), 128)
      const list = Object.defineProperty([1, 2, 3], 1, {
        get() {
          call()
          return 2
        },
      })
      assert.is(await face(sum)(5, list, 3), 506)
      const proxy = new Proxy([1, 2, 3], {
        get(target, key, receiver) {
          if (key === '1') call()
          return Reflect.get(target, key, receiver)
        },
      })
      assert.is(await face(sum)(5, proxy, 3), 506)
      const add = lib.func('add', [c_int, c_int], c_int)
      const column = Object.defineProperty([1, 2, 3], 2, {
        get() {
          call()
          return 3
        },
      })
      assert.equal([...((await face(add.batch as never)([column, 10] as never)) as Int32Array)], [11, 12, 13])
    }
  await settled()
})

test('the same in a callback, where calls go to the thread that waits', async () => {
  const { calls, settled } = inner()
  const F = CFUNCTYPE(c_int, c_int)
  const call = lib.func('call', [F, c_int], c_int)
  const byReference = lib.func('by_reference', [c_int, POINTER(Point), c_int], c_int)
  for (const run of calls) {
    const point = (x: number) => ({
      get x() {
        run()
        return x
      },
      y: 3,
    })
    assert.is(await call(x => byReference.sync(1, point(x), 4), 2), 1234)
    assert.is(
      call.sync(x => byReference.sync(1, point(x), 4), 2),
      1234,
    )
    assert.is(await call(async x => await byReference(1, point(x), 4), 2), 1234)
  }
  await settled()
})

test('a getter of a call that has waited calls ahead of it', async () => {
  const add = lib.func('add', [c_int, c_int], c_int)
  const sum = lib.func<[number, object, number], number>('int sum(int a, const int *v, int n)')
  const waitFor = lib.func('wait_for', [POINTER(c_int), c_int], c_int)
  const buffer = Int32Array.of(3)
  const before = [waitFor(buffer, 20), waitFor(buffer, 1)]
  let seen = 0
  const list = Object.defineProperty([1, 2, 3], 1, {
    get() {
      seen = add.sync(1, 2)
      return 2
    },
  })
  const after = sum(5, list, 3)
  const last = add(3, 4)
  assert.equal(await Promise.all([...before, after, last]), [3, 3, 506, 7])
  assert.is(seen, 3)
  // one that itself has to wait, here for the buffer, would do so for ever
  const held = [waitFor(buffer, 20), waitFor(buffer, 20)]
  const stuck = sum(5, Object.defineProperty([1], 0, { get: () => waitFor.sync(buffer, 0) }), 1)
  await rejects(stuck, ZugbrueckeError, 'wait_for', 'plain values')
  await Promise.all(held)
  assert.is(await add(1, 2), 3)
})

test('errcheck may call with the memory that the routine was given', async () => {
  const sum = lib.func<[number, object, number], number>('int sum(int a, const int *v, int n)')
  for (const length of [4, 4000, 400_000]) {
    const fill = lib.func('fill', [POINTER(c_int), c_int], c_int)
    fill.errcheck = (result, _, [memory]) => [result, sum.sync(0, memory as Int32Array, 3)]
    for (const face of faces) {
      assert.equal(await face(fill)(new Int32Array(length), length), [-length, 6])
      const array = c_int.array(length).from(new Int32Array(length))
      assert.equal(await face(fill)(byref(array) as never, length), [-length, 6])
    }
  }
})

test('onProgress may call, also with the columns and with a batch of its own', async () => {
  const add = lib.func('add', [c_int, c_int], c_int)
  const sum = lib.func<[number, object, number], number>('int sum(int a, const int *v, int n)')
  const column = Int32Array.from({ length: 1000 }, (_, row) => row)
  for (const chunk of [undefined, 20]) {
    let told: number[] = []
    const options = {
      ...(chunk ? { chunk } : {}),
      onProgress: (done: number) => {
        told.push(done)
        assert.is(add.sync(1, 2), 3)
        assert.is(sum.sync(0, column, 3), 3)
        assert.equal([...add.batch.sync([[1, 2], 3])], [4, 5])
      },
    }
    for (const face of faces) {
      told = []
      const rows = await face(add.batch as never)([column, 1] as never, options as never)
      assert.equal(
        [...(rows as Int32Array)],
        Array.from(column, row => row + 1),
      )
      assert.is(told.at(-1), column.length)
      assert.ok(told.every((done, i) => i === 0 || done > told[i - 1]))
    }
  }
})

test.run()
