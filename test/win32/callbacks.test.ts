/** Functions of JS called by 32-bit code, in all conventions. */
import * as assert from 'uvu/assert'
import type { Library } from 'zugbruecke'
import * as ct from 'zugbruecke/win32'
import { old32, rejects, sessionSuite } from './support.js'

const { c_int, c_double, c_float, c_longlong, c_ubyte, CFUNCTYPE, WINFUNCTYPE } = ct
const Plain = CFUNCTYPE(c_int, c_int, c_double, c_longlong)
const Standard = WINFUNCTYPE(c_int, c_int, c_double, c_longlong)

const test = sessionSuite('callbacks from 32-bit code', { arch: 'win32' })
let cdecl: Library
let stdcall: Library
test.before(({ session }) => {
  cdecl = session.CDLL(old32())
  stdcall = session.WinDLL(old32())
})

for (const [name, type] of [
  ['cdecl', Plain],
  ['stdcall', Standard],
] as const)
  test(`${name}, with doubles and 64-bit integers, many times`, async () => {
    const library = name === 'cdecl' ? cdecl : stdcall
    const call = library.func(`call_${name}`, [type, c_int], c_int)
    const seen: unknown[] = []
    assert.is(
      await call((i, half, big) => {
        if (i < 3) seen.push([half, big])
        return i
      }, 1000),
      499_500,
    )
    assert.equal(seen.map(String), ['0,0', '0.5,8589934592', '1,17179869184'])
    assert.is(
      call.sync(() => 1, 100),
      100,
    )
    assert.is(await call((async (i: number) => i) as never, 10), 45)
  })

test('wide results', async () => {
  const wide = cdecl.func('call_wide', [CFUNCTYPE(c_longlong, c_longlong)], c_longlong)
  assert.is(await wide(value => value * 2n), 2n ** 41n + 1n)
  const double = cdecl.func('call_double', [CFUNCTYPE(c_double, c_float)], c_double)
  assert.is(await double(value => value / 4), 0.75)
})

test('fastcall and thiscall, as headers have them; and those of the DLL', async ({ session }) => {
  const header = `
    struct object { int value; };
    int ask_quick(int (__fastcall *f)(int, int, int), int times);
    int ask_method(int (__thiscall *f)(struct object *, int));
    typedef struct { int (__thiscall *add)(struct object *, int, char); int (__fastcall *quick)(int, int); } methods;
  `
  const routines = cdecl.declare(header)
  assert.is(await routines.ask_quick((a: number, b: number, c: number) => 100 * a + 10 * b + c, 3), 369)
  const method = (self: { contents: { value: number } } | null, a: number) => (self?.contents.value ?? 0) + a
  assert.is(await routines.ask_method(method as never), 42)
  const { methods, object } = session.header(header).types
  const its = methods.in_dll(cdecl, 'its_methods') as unknown as {
    [name: string]: (...args: unknown[]) => Promise<number>
  }
  assert.is(await its.add(new object({ value: 5 }), 10, 2), 17)
  assert.is(await its.quick(3, 4), 7)
})

test('structures by value', async () => {
  class Point extends ct.Structure({ x: c_double, y: c_double }) {}
  class Bytes extends ct.Structure({ bytes: c_ubyte.array(5) }) {}
  const call = cdecl.func('call_point', [CFUNCTYPE(c_int, Point, Bytes, c_int)], c_int)
  assert.is(
    await call((point, { bytes }, after) => point.x + 10 * point.y + 100 * (bytes[4] ?? 0) + 1000 * after),
    9521,
  )
})

test('an error rejects the call; a kept callback is called from a thread of the DLL', async () => {
  const call = stdcall.func('call_stdcall', [Standard, c_int], c_int)
  const thrown = new RangeError('not that')
  const error = await call(() => {
    throw thrown
  }, 1).catch((e: unknown) => e)
  assert.is(error, thrown)
  const kept = Standard((a, b, c) => a + b * 10 + Number(c) * 100)
  await cdecl.func('keep', [Standard], null)(kept)
  assert.is(await cdecl.call_from_thread(), 321)
  const inner = cdecl.func('add', [c_int, c_int], c_int)
  assert.is(await call(async i => inner(i, 1), 3), 6)
})

test('EnumWindows and its kin take stdcall callbacks', async ({ session }) => {
  const enumerate = session.windll.kernel32.func(
    'BOOL EnumSystemLocalesA(BOOL (__stdcall *f)(const char *), DWORD flags)',
  )
  const found: unknown[] = []
  await enumerate(((name: string) => found.push(name)) as never, 2)
  assert.ok(found.includes('00000409'), String(found.slice(0, 5)))
})

test('a callback of the other convention is refused', async () => {
  const call = stdcall.func('call_stdcall', [Standard, c_int], c_int)
  await rejects(call(Plain(() => 1) as never, 1), Error, 'expected')
})

test.run()
