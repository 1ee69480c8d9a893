import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  CFUNCTYPE,
  c_int,
  c_long,
  c_ulong,
  c_void_p,
  c_wchar_p,
  HRESULT,
  type Library,
  POINTER,
  WindowsError,
} from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { arch } from '../types.js'

const test = sessionSuite('errors of Windows')
const GENERIC_READ = 0x80000000
const OPEN_EXISTING = 3
const ERROR_FILE_NOT_FOUND = 2
const ERROR_PATH_NOT_FOUND = 3
const INVALID_HANDLE = arch === 'win64' ? 2n ** 64n - 1n : 2n ** 32n - 1n
const pointers = () => (arch === 'win64' ? new BigUint64Array(1) : new Uint32Array(1)) as BigUint64Array
const REGDB_E_CLASSNOTREG = 0x80040154 | 0

const opener = (kernel32: Library) =>
  kernel32.func('CreateFileW', [c_wchar_p, c_ulong, c_ulong, c_void_p, c_ulong, c_ulong, c_void_p] as const, c_void_p)
const missing = ['C:\\no\\such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null] as const

test('use_last_error: what the routine left is there, and nowhere else', async ({ session }) => {
  const kernel32 = session.WinDLL('kernel32', { use_last_error: true })
  await session.set_last_error(0)
  const create = opener(kernel32)
  assert.is(await create('C:\\no-such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null), INVALID_HANDLE)
  assert.is(session.get_last_error(), ERROR_FILE_NOT_FOUND)
  const detail = await create('C:\\no-such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null)
  assert.is(detail, INVALID_HANDLE)
  const { lastError } = await create.detail('C:\\no-such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null)
  assert.is(lastError, ERROR_FILE_NOT_FOUND)
})

test('a library without use_last_error leaves the copy alone', async ({ session }) => {
  const old = await session.set_last_error(1234)
  assert.type(old, 'number')
  assert.is(session.get_last_error(), 1234)
  await opener(session.WinDLL('kernel32'))(...missing)
  assert.is(session.get_last_error(), 1234)
  assert.is(await session.set_last_error(0), 1234)
  assert.is(session.set_last_error.sync(7), 0)
  assert.is(session.get_last_error(), 7)
})

test('the last error of a routine of our own, each its own', async ({ session }) => {
  const numbers = session.CDLL(dll('numbers'), { use_last_error: true })
  const set = numbers.func('set_last', [c_ulong], null)
  for (const code of [0, 5, 0xffffffff]) {
    await set(code)
    assert.is(session.get_last_error(), code)
    assert.is((await set.detail(code)).lastError, code)
    set.sync(code)
    assert.is(session.get_last_error(), code)
    assert.is(set.detail.sync(code).lastError, code)
  }
})

test('the last error that was set is what the routine finds', async ({ session }) => {
  const numbers = session.CDLL(dll('numbers'), { use_last_error: true })
  await session.set_last_error(4242)
  assert.is(await numbers.func('last', [], c_ulong)(), 4242)
})

test('the errno that was set is what the routine finds', async ({ session }) => {
  const crt = session.CDLL('ucrtbase', { use_errno: true })
  const found = new Int32Array(1)
  await session.set_errno(0)
  assert.is(await session.set_errno(34), 0)
  assert.is(session.get_errno(), 34)
  await crt.func('_get_errno', [POINTER(c_int)], c_int)(found)
  assert.is(found[0], 34)
  assert.is(await crt.func('_set_errno', [c_int], c_int)(2), 0)
  assert.is(session.set_errno.sync(0), 2)
})

test('it goes to errcheck', async ({ session }) => {
  const numbers = session.CDLL(dll('numbers'), { use_last_error: true })
  const set = numbers.func('set_last', [c_ulong], null)
  set.errcheck = () => session.get_last_error()
  assert.is(await set(31), 31)
  assert.is(set.sync(32), 32)
  set.errcheck = null
  assert.is(set.errcheck, undefined)
  assert.is(await set(31), undefined)
})

test('use_errno keeps errno of the C runtime', async ({ session }) => {
  const ucrt = session.CDLL('ucrtbase', { use_errno: true })
  const open = ucrt.func('_wopen', [c_wchar_p, c_int], c_int)
  assert.is(await open('C:\\no-such.file', 0), -1)
  assert.is(session.get_errno(), 2)
  assert.is((await open.detail('C:\\no-such.file', 0)).errno, 2)
})

test('use_errno keeps errno of the C runtime that a DLL imports from, or is', async ({ session }) => {
  const path = makeDll(
    join(dirname(dll('numbers')), `errno-${arch}.dll`),
    `#include <errno.h>
     __declspec(dllexport) int leave(int v) { int before = errno; errno = v; return before; }`,
  )
  for (const library of [session.CDLL(path, { use_errno: true }), session.CDLL(path, { use_errno: true, mode: 0 })]) {
    const leave = library.func('leave', [c_int], c_int)
    session.set_errno.sync(7)
    assert.is(await leave(2), 7)
    assert.is(session.get_errno(), 2)
    assert.equal(await leave.detail(3), { value: 2, lastError: session.get_last_error(), errno: 3 })
    assert.equal([...(await leave.batch([Int32Array.of(4, 5, 6)]))], [3, 4, 5])
  }
  // the same routine without the option leaves the copy alone
  const before = session.get_errno()
  await session.CDLL(path).func('leave', [c_int], c_int)(9)
  assert.is(session.get_errno(), before)
  const open = session.CDLL('msvcrt', { use_errno: true }).func('_wopen', [c_wchar_p, c_int], c_int)
  assert.is(open.sync('C:\\no-such.file', 0), -1)
  assert.is(session.get_errno(), 2)
})

test('FormatError and WinError', async ({ session }) => {
  const text = await session.FormatError(ERROR_FILE_NOT_FOUND)
  assert.match(text, /file not found|cannot find the file/i)
  assert.is(session.FormatError.sync(ERROR_FILE_NOT_FOUND), text)
  const error = await session.WinError(ERROR_FILE_NOT_FOUND)
  assert.instance(error, WindowsError)
  assert.is(error.winerror, 2)
  assert.is(error.strerror, text)
  assert.match(error.message, text)
  assert.is((await session.WinError(5, 'own words')).strerror, 'own words')
  assert.is(session.WinError.sync(5).winerror, 5)
})

test('without a code they are about what the last routine left, whatever the library asked of Windows since', async ({
  session,
}) => {
  const numbers = session.CDLL(dll('numbers'))
  const set = numbers.func('set_last', [c_ulong], null)
  const last = numbers.func('last', [], c_ulong)
  for (const code of [ERROR_FILE_NOT_FOUND, 5, 0, 0x80070057]) {
    await set(code)
    const expected = code | 0
    const memory = await session.memory.alloc(16)
    await session.util.find_library('kernel32')
    await memory.free()
    assert.is(await session.GetLastError(), code)
    assert.is(session.GetLastError.sync(), code)
    const error = await session.WinError()
    assert.is(error.winerror, expected)
    assert.is(error.strerror, await session.FormatError(code))
    assert.is(session.WinError.sync().winerror, expected)
    assert.is(await session.FormatError(), error.strerror)
    assert.is(await last(), code)
    assert.is(last.sync(), code)
  }
  // routines that keep a copy of their own leave it alone
  await set(7)
  await session.CDLL(dll('numbers'), { use_last_error: true }).func('set_last', [c_ulong], null)(8)
  assert.is(await session.GetLastError(), 7)
  assert.is(session.get_last_error(), 8)
  await opener(session.WinDLL('kernel32'))(...missing)
  assert.is((await session.WinError()).winerror, ERROR_PATH_NOT_FOUND)
})

test('in a callback they are about the routine around it, which finds what is left there', async ({ session }) => {
  const set = session.CDLL(dll('numbers')).func('set_last', [c_ulong], null)
  const around = session
    .CDLL(dll('callbacks'))
    .func('error_around', [CFUNCTYPE(c_int, c_int), c_ulong] as const, c_ulong)
  let inside: number | undefined
  const after = await around(() => {
    inside = session.GetLastError.sync()
    set.sync(11)
    session.FormatError.sync(2)
    return 0
  }, 1234)
  assert.is(inside, 1234)
  assert.is(after, 11)
})

test('codes and names that are none are refused', async ({ session }) => {
  const own = session as unknown as { [name: string]: Both }
  type Both = ((...args: unknown[]) => Promise<unknown>) & { sync(...args: unknown[]): unknown }
  for (const bad of ['x', 0.5, 2 ** 32, null, {}])
    for (const name of ['FormatError', 'WinError', 'set_last_error', 'set_errno']) {
      await rejects(own[name](bad), ArgumentError)
      throws(() => own[name].sync(bad), ArgumentError)
    }
  for (const bad of [5, null, undefined, {}]) {
    for (const name of ['pathUnixToWine', 'pathWineToUnix']) await rejects(own[name](bad), ArgumentError, name)
    await rejects(session.util.find_library(bad as never), ArgumentError, 'find_library')
    throws(() => session.util.find_library.sync(bad as never), ArgumentError, 'find_library')
  }
  assert.is(await session.FormatError(0x80070005), await session.FormatError(0x80070005 | 0))
  await session.set_last_error(-1)
  assert.is(session.get_last_error(), 0xffffffff)
})

test('an HRESULT below zero is a WindowsError; above, it is the value', async ({ session }) => {
  const numbers = await session.oledll.LoadLibrary(dll('numbers'))
  const code = numbers.func('result_code', [c_long], HRESULT)
  assert.is(await code(0), 0)
  assert.is(await code(1), 1)
  const error = (await rejects(code(0x80070005 | 0), WindowsError)) as WindowsError
  assert.is(error.winerror, 0x80070005 | 0)
  assert.ok(error.strerror.length > 0)
  throws(() => code.sync(0x80070005 | 0), WindowsError)
})

test('oledll checks the HRESULT without a declaration', async ({ session }) => {
  const iid = new Uint8Array(16)
  const ole32 = session.oledll.ole32
  assert.ok([0, 1].includes((await ole32.CoInitialize(null)) as number))
  const create = ole32.CoCreateInstance
  create.argtypes = [c_void_p, c_void_p, c_ulong, c_void_p, POINTER(c_void_p)]
  const error = (await rejects(create(iid, null, 1, iid, pointers()), WindowsError)) as WindowsError
  assert.is(error.winerror, REGDB_E_CLASSNOTREG)
  throws(() => create.sync(iid, null, 1, iid, pointers()), WindowsError)
})

test.run()
