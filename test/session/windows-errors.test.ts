import * as assert from 'uvu/assert'
import { c_int, c_long, c_ulong, c_void_p, c_wchar_p, HRESULT, type Library, POINTER, WindowsError } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from './support.js'

const test = sessionSuite('errors of Windows')
const GENERIC_READ = 0x80000000
const OPEN_EXISTING = 3
const ERROR_FILE_NOT_FOUND = 2
const REGDB_E_CLASSNOTREG = 0x80040154 | 0

const opener = (kernel32: Library) =>
  kernel32.func('CreateFileW', [c_wchar_p, c_ulong, c_ulong, c_void_p, c_ulong, c_ulong, c_void_p] as const, c_void_p)
const missing = ['C:\\no\\such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null] as const

test('use_last_error: what the routine left is there, and nowhere else', async ({ session }) => {
  const kernel32 = session.WinDLL('kernel32', { use_last_error: true })
  await session.set_last_error(0)
  const create = opener(kernel32)
  assert.is(await create('C:\\no-such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null), 2n ** 64n - 1n)
  assert.is(session.get_last_error(), ERROR_FILE_NOT_FOUND)
  const detail = await create('C:\\no-such.file', GENERIC_READ, 0, null, OPEN_EXISTING, 0, null)
  assert.is(detail, 2n ** 64n - 1n)
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
})

test('use_errno keeps errno of the C runtime', async ({ session }) => {
  const ucrt = session.CDLL('ucrtbase', { use_errno: true })
  const open = ucrt.func('_wopen', [c_wchar_p, c_int], c_int)
  assert.is(await open('C:\\no-such.file', 0), -1)
  assert.is(session.get_errno(), 2)
  assert.is((await open.detail('C:\\no-such.file', 0)).errno, 2)
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
  assert.type(await session.FormatError(), 'string')
  assert.type(await session.GetLastError(), 'number')
  assert.type(session.GetLastError.sync(), 'number')
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
  const error = (await rejects(create(iid, null, 1, iid, new BigUint64Array(1)), WindowsError)) as WindowsError
  assert.is(error.winerror, REGDB_E_CLASSNOTREG)
  throws(() => create.sync(iid, null, 1, iid, new BigUint64Array(1)), WindowsError)
})

test.run()
