/** Where objects that live have nearly all of the shared memory, calls and batches find room all the same, or take it from the Windows side. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { c_int, c_ubyte, type Library, ZugbrueckeError } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, sessionSuite, throws } from '../support.js'
import { arch, CFUNCTYPE, POINTER } from '../types.js'

const test = sessionSuite('memory full of objects', { memory: 4 << 20 })
const path = makeDll(
  join(dirname(dll('numbers')), `full-memory-${arch}.dll`),
  `#define API __declspec(dllexport)
API int sum(const unsigned char *v, int n) { int s = 0; while (n--) s += *v++; return s; }
API int add(int a, int b) { return a + b; }
API int call(int (*f)(int), const unsigned char *v, int n) { return f(v[n - 1]); }
`,
)
let lib: Library
const kept: object[] = []
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(path)
  throws(
    () => {
      for (;;) kept.push(session.memory.array(Uint8Array, 16384))
    },
    ZugbrueckeError,
    'not left',
  )
})

const ones = (length: number) => new Uint8Array(length).fill(1)

test('calls with memory of any size', async () => {
  const sum = lib.func('sum', [POINTER(c_ubyte), c_int], c_int)
  for (const length of [100, 100_000, 400_000, 600_000, 1_500_000, 3_000_000]) {
    assert.is(sum.sync(ones(length), length), length)
    assert.is(await sum(ones(length), length), length)
    assert.equal(
      await Promise.all(Array.from({ length: 5 }, () => sum(ones(length), length))),
      new Array(5).fill(length),
    )
  }
})

test('batches, whose chunks become as small as they have to', async () => {
  const add = lib.func('add', [c_int, c_int], c_int)
  const column = Int32Array.from({ length: 300_000 }, (_, row) => row)
  const right = column.map(row => 2 * row)
  assert.equal(await add.batch([column, column]), right)
  assert.equal(add.batch.sync([column, column]), right)
  assert.equal(await Promise.all([add.batch([column, column]), add.batch([column, column])]), [right, right])
})

test('the same inside a callback, while the call around it has room of its own', async () => {
  const F = CFUNCTYPE(c_int, c_int)
  const call = lib.func('call', [F, POINTER(c_ubyte), c_int], c_int)
  const sum = lib.func('sum', [POINTER(c_ubyte), c_int], c_int)
  const add = lib.func('add', [c_int, c_int], c_int)
  const column = new Int32Array(100_000)
  const around = ones(300_000)
  assert.is(await call(() => sum.sync(ones(300_000), 300_000), around, around.length), 300_000)
  assert.is(await call(() => add.batch.sync([column, 1]).length, around, around.length), column.length)
  assert.is(await call(async () => (await add.batch([column, 1])).length, around, around.length), column.length)
  assert.is(
    call.sync(() => add.batch.sync([column, 1]).length, around, around.length),
    column.length,
  )
})

test.run()
