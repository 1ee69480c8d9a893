/** Both conventions of 32-bit code, its names, and what takes two slots of its stack. */
import * as assert from 'uvu/assert'
import {
  AccessViolationError,
  ArgumentError,
  BatchError,
  type Library,
  RoutineNotFoundError,
  StructuredExceptionError,
} from 'zugbruecke'
import {
  c_char,
  c_double,
  c_float,
  c_int,
  c_longlong,
  c_short,
  c_size_t,
  c_ssize_t,
  c_ulonglong,
  c_void_p,
  HRESULT,
  POINTER,
} from 'zugbruecke/win32'
import { old32, rejects, sessionSuite, throws } from './support.js'

const test = sessionSuite('calls in 32-bit code', { arch: 'win32' })
let cdecl: Library
let stdcall: Library
test.before(({ session }) => {
  cdecl = session.CDLL(old32())
  stdcall = session.WinDLL(old32())
})

test('cdecl and stdcall, a thousand times: the stack stays as it was', async () => {
  const add = cdecl.func('add', [c_int, c_int], c_int)
  const subtract = stdcall.func('subtract', [c_int, c_int], c_int)
  for (let i = 0; i < 1000; i++) assert.is(add.sync(i, 5) - subtract.sync(i, 5), 10)
  assert.is((await Promise.all(Array.from({ length: 1000 }, (_, i) => subtract(i, 1)))).at(-1), 998)
})

test('decorated names are found by what the arguments take', async () => {
  assert.is(await stdcall.subtract(9, 4), 5)
  assert.is(await stdcall.none(), 7)
  assert.is(await stdcall.func('twice', [c_longlong], c_longlong)(2n ** 40n), 2n ** 41n)
  assert.is(await cdecl.func('int __stdcall subtract(int, int)')(1, 2), -1)
  assert.is(await stdcall['subtract@8']?.(9, 4), 5)
  assert.is(await cdecl.func('int __stdcall microsoft(int, short)')(6, 7), 42)
  assert.is(await cdecl.watcom(1), 2)
  assert.is(await stdcall.undecorated(3), -3)
})

test('a name that fits in another way is named, not called', async () => {
  const near = 'subtract@8 (stdcall, 8 bytes of arguments)'
  await rejects(stdcall.func('subtract', [c_int], c_int)(1), RoutineNotFoundError, near)
  await rejects(cdecl.func('subtract', [c_int, c_int], c_int)(1, 2), RoutineNotFoundError, near)
  await rejects(cdecl.func('microsoft', [c_int, c_short], c_int)(1, 2), RoutineNotFoundError)
})

test('64-bit integers, doubles and floats between others', async () => {
  const types = [c_char, c_longlong, c_short, c_double, c_float, c_ulonglong] as const
  const mixed = cdecl.func('mixed', types, c_longlong)
  assert.is(await mixed('\x05', -(2n ** 40n), -3, 2.5, 4.25, 2n ** 41n), 5n - 2n ** 40n - 3n + 2n + 4n + 2n ** 41n)
  const standard = stdcall.func('mixed_std', types, c_double)
  assert.is(await standard('\x05', 1n, -3, 2.5, 4.25, 7n), 16.75)
  assert.is(await cdecl.func('half', [c_float], c_float)(5), 2.5)
  assert.is(await stdcall.func('third', [c_double], c_double)(1), 1 / 3)
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0, 5e-324])
    assert.ok(Object.is(await stdcall.func('third', [c_double], c_double)(value), value / 3))
})

test('pointers and sizes have four bytes', async () => {
  const pointer = cdecl.func('same_pointer', [c_void_p], c_void_p)
  assert.is(await pointer(0xffff_fff0), 0xffff_fff0n)
  assert.is(await pointer(0x8000_0000n), 0x8000_0000n)
  assert.is(await pointer(null), null)
  await rejects(pointer(2n ** 32n), ArgumentError)
  assert.is(await cdecl.func('same_size', [c_size_t], c_size_t)(2n ** 32n - 1n), 2n ** 32n - 1n)
  assert.is(await cdecl.func('same_size', [c_ssize_t], c_ssize_t)(-1), -1n)
  await rejects(cdecl.func('same_size', [c_size_t], c_size_t)(2n ** 32n), ArgumentError, 'c_size_t')
})

test('text, last error, HRESULT', async ({ session }) => {
  assert.is(await cdecl.func('int text_length(const char *)')('häh'), 4)
  assert.is(await cdecl.func('int wide_length(const wchar_t *)')('häh😀'), 5)
  const buffer = session.types.create_string_buffer('quiet')
  assert.is(await cdecl.func('char *shout(char *)')(buffer), 'QUIET')
  assert.is(buffer.value, 'QUIET')
  const kept = session.CDLL(old32(), { use_last_error: true })
  await kept.func('void set_error(unsigned)')(0xdead_beef)
  assert.is(session.get_last_error(), 0xdead_beef)
  const failing = stdcall.func('fail_with', [HRESULT], HRESULT)
  assert.is(await failing(0), 0)
  const error = await failing(0x8000_4005 | 0).catch((thrown: Error) => thrown)
  assert.is((error as { winerror?: number }).winerror, 0x8000_4005 | 0)
})

test('data exports and ordinals', async () => {
  const counter = c_int.in_dll(cdecl, 'counter')
  assert.is(counter.value, 5)
  counter.value = 6
  assert.is(c_int.in_dll(cdecl, 'counter').value, 6)
})

test('a crash is an error and the session lives', async ({ session }) => {
  const read = cdecl.func('read_at', [POINTER(c_int)], c_int)
  const error = await rejects(read(session.cast(0x10, POINTER(c_int))), AccessViolationError)
  assert.is(error.exceptionCode, 0xc000_0005)
  await rejects(read(null), AccessViolationError)
  await rejects(cdecl.func('divide', [c_int, c_int], c_int)(1, 0), StructuredExceptionError, 'zero')
  assert.is(await cdecl.add(1, 2), 3)
})

test('batches: scalars, pointers, a row that crashes', async () => {
  const xs = Int32Array.from({ length: 1000 }, (_, i) => i)
  const sums = await cdecl.func('add', [c_int, c_int], c_int).batch([xs, 1])
  assert.equal(
    sums,
    xs.map(x => x + 1),
  )
  const differences = await stdcall.func('subtract', [c_int, c_int], c_int).batch([xs, xs])
  assert.ok(differences.every(x => x === 0))
  const wide = await stdcall.func('twice', [c_longlong], c_longlong).batch([BigInt64Array.from([1n, -(2n ** 50n)])])
  assert.equal(wide, BigInt64Array.from([2n, -(2n ** 51n)]))
  const thirds = await stdcall.func('third', [c_double], c_double).batch([Float64Array.from([3, 1])])
  assert.equal(thirds, Float64Array.from([1, 1 / 3]))
  const read = await cdecl.func('read_at', [POINTER(c_int)], c_int).batch([Int32Array.from([4, 5, 6])])
  assert.equal(read, Int32Array.from([4, 5, 6]))
  const lengths = await cdecl.func('int text_length(const char *)').batch([['a', 'bcd', '']])
  assert.equal(lengths, Int32Array.from([1, 3, 0]))
  const { results, errors } = await cdecl
    .func('divide', [c_int, c_int], c_int)
    .batch([Int32Array.from([8, 8, 8]), Int32Array.from([2, 0, 4])], { detail: true })
  assert.equal(Array.from(results), [4, 0, 2])
  assert.equal(
    errors.map(({ row }) => row),
    [1],
  )
})

test('libraries of Windows', async ({ session }) => {
  assert.is(
    await session.windll.kernel32.func('DWORD GetCurrentProcessId(void)')(),
    session.pid && (await session.windll.kernel32.GetCurrentProcessId()),
  )
  assert.is(await session.windll.kernel32.func('int MulDiv(int, int, int)')(6, 7, 2), 21)
  assert.is(await session.cdll.msvcrt.func('double pow(double, double)')(2, 10), 1024)
  assert.is(
    await session.windll.user32.func('int __cdecl wsprintfA(char *, const char *, ...)')(
      session.types.create_string_buffer(64),
      '%d-%s',
      5,
      session.types.create_string_buffer('x'),
    ),
    3,
  )
  const values = Int32Array.from([3, 1, 2])
  const { CFUNCTYPE } = session
  const compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
  await session.cdll.msvcrt.func('qsort', [POINTER(c_int), c_size_t, c_size_t, compare], null)(
    values,
    3,
    4,
    (a: { contents: { value: number } } | null, b: { contents: { value: number } } | null) =>
      (a?.contents.value ?? 0) - (b?.contents.value ?? 0),
  )
  assert.equal(values, Int32Array.from([1, 2, 3]))
  const system = session.types.create_unicode_buffer(260)
  await session.windll.kernel32.func('UINT GetSystemDirectoryW(LPWSTR, UINT)')(system, 260)
  assert.match(system.value, /windows\\system32$/i)
})

test('fastcall: two registers, for what fits into them', async () => {
  assert.is(await cdecl.func('int __fastcall quick(int, int)')(1, 2), 3)
  const many = cdecl.func('double __fastcall quick_many(float, int, double, short, int)')
  assert.is(await many(0.5, 1, 2, 3, 4), 43_210.5)
  assert.equal(
    await many.batch([Float32Array.from([0.5, 1.5]), 1, Float64Array.from([2, 3]), 3, 4]),
    Float64Array.from([43_210.5, 43_311.5]),
  )
})

test('thiscall: the object in a register', async ({ session }) => {
  const header = `
    struct object { int value; };
    struct point { double x, y; };
    int __thiscall object_add(struct object *self, int a, char b);
    struct point __thiscall object_point(struct object *self, double y);
  `
  const object = new (session.header(header).types.object)({ value: 5 })
  const routines = cdecl.declare(header)
  assert.is(await routines.object_add(object, 10, 2), 17)
  const made = (await routines.object_point(object, 2.5)) as { x: number; y: number }
  assert.equal([made.x, made.y], [17, 2.5])
})

test('a wrong convention, or other arguments than the routine takes, is an error that says by how much', async () => {
  for (let i = 0; i < 20; i++) {
    await rejects(cdecl.func('undecorated', [c_int], c_int)(1), ArgumentError, 'undecorated', '4 bytes more', 'stdcall')
    await rejects(stdcall.func('add', [c_int, c_int], c_int)(1, 2), ArgumentError, 'add', '8 bytes less', 'cdecl')
    await rejects(stdcall.func('undecorated', [c_int, c_int], c_int)(1, 2), ArgumentError, '4 bytes less', '8')
    throws(() => stdcall.func('undecorated', [], c_int).sync(), ArgumentError, '4 bytes more')
  }
  const rows = cdecl.func('undecorated', [c_int], c_int).batch([Int32Array.from([1, 2])])
  const { errors } = (await rejects(rows, BatchError)) as BatchError
  assert.equal(
    errors.map(({ row }) => row),
    [0, 1],
  )
  assert.match(errors[1]?.error.message ?? '', 'in row 1: took 4 bytes more')
  assert.is(await cdecl.add(1, 2), 3)
})

test('results on the x87 stack that nobody takes do no harm to those behind', async () => {
  const third = stdcall.func('third', [c_double], null)
  for (let i = 0; i < 20; i++) await third(1)
  await third.batch([Float64Array.from({ length: 100 }, (_, i) => i)])
  assert.is(await stdcall.func('third', [c_double], c_double)(6), 2)
})

test.run()
