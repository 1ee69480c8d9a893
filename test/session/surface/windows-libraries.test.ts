import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  c_int,
  c_uint,
  c_ulong,
  c_wchar_p,
  create_unicode_buffer,
  DllNotFoundError,
  WrongArchitectureError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { arch } from '../types.js'

const test = sessionSuite('libraries of Windows and of our own')

test('kernel32, user32, msvcrt and ucrtbase by attribute', async ({ session }) => {
  const pid = (await session.windll.kernel32.GetCurrentProcessId()) as number
  assert.ok(pid > 0)
  assert.is(session.windll.kernel32.func('GetCurrentProcessId', [], c_ulong).sync(), pid)
  assert.is(await session.cdll.msvcrt.abs(-5), 5)
  assert.is(await session.cdll.ucrtbase.abs(-6), 6)
  assert.type(await session.windll.user32.func('GetSystemMetrics', [c_int], c_int)(0), 'number')
  assert.is(session.windll.kernel32, session.windll.kernel32)
})

test('kernel32 fills a buffer for text', async ({ session }) => {
  const buffer = create_unicode_buffer(300)
  const folder = session.windll.kernel32.func('GetSystemDirectoryW', [c_wchar_p, c_uint], c_uint)
  const length = await folder(buffer, 300)
  assert.is(buffer.value.length, length)
  assert.match(buffer.value.toLowerCase(), /^c:\\windows\\system32$/)
})

test('LoadLibrary takes absolute and relative Unix paths, Windows paths and names', async ({ session }) => {
  const path = resolve(dll('numbers'))
  const windows = await session.pathUnixToWine(path)
  for (const name of [path, path.replace(process.cwd(), '.'), windows, windows.replaceAll('\\', '/')]) {
    const numbers = await session.cdll.LoadLibrary(name)
    assert.is(await numbers.add(3, 4), 7, name)
  }
  assert.is(
    await (await session.windll.LoadLibrary('kernel32.dll')).GetCurrentProcessId(),
    await session.windll.kernel32.GetCurrentProcessId(),
  )
})

test('libraries for a thread that blocks, and made with new', async ({ session }) => {
  const { LoadLibrary } = session.cdll
  assert.is(LoadLibrary.sync(dll('numbers')).add.sync(1, 2), 3)
  assert.is(session.CDLL(dll('numbers')).load.sync().add.sync(1, 2), 3)
  throws(() => LoadLibrary.sync('no-such.dll'), DllNotFoundError, 'no-such.dll')
  assert.is(await new session.CDLL(dll('numbers')).add(1, 2), 3)
  assert.ok((await new session.WinDLL('kernel32', { use_last_error: true }).GetCurrentProcessId()) as number)
  assert.is(await new session.OleDLL('ole32').CoInitialize(null), 0)
})

test('CDLL, WinDLL and OleDLL load at the first call', async ({ session }) => {
  const missing = session.CDLL('no-such-library')
  await rejects(missing.add(1, 2), DllNotFoundError, 'no-such-library')
  await rejects(missing.add(1, 2), DllNotFoundError, 'no-such-library')
  assert.is(await session.CDLL(dll('numbers')).add(1, 2), 3)
})

test('a missing DLL: by name, by Unix path, by Windows path', async ({ session }) => {
  const named = await rejects(session.cdll.LoadLibrary('no-such.dll'), DllNotFoundError, 'no-such.dll', 'found: give')
  assert.is((named as DllNotFoundError).dll, 'no-such.dll')
  await rejects(session.cdll.LoadLibrary('./no/such.dll'), DllNotFoundError, './no/such.dll', process.cwd())
  await rejects(session.cdll.LoadLibrary('C:\\no\\such.dll'), DllNotFoundError, 'such.dll')
  await rejects(session.windll.nothing_of_that_name.f(), DllNotFoundError, 'nothing_of_that_name')
  for (const bad of ['', 'a\0b', 5, null]) await rejects(session.cdll.LoadLibrary(bad as never), ArgumentError)
  await rejects(session.cdll.LoadLibrary(`C:\\${'x'.repeat(300)}.dll`), ArgumentError, '259')
})

test('a DLL of the other architecture says so before it is loaded', async ({ session }) => {
  const [other, words] = arch === 'win64' ? (['win32', '32-bit'] as const) : (['win64', '64-bit'] as const)
  const path = dll('tiny', other)
  const error = await rejects(session.cdll.LoadLibrary(path), WrongArchitectureError, words, arch, `arch: '${other}'`)
  assert.is((error as WrongArchitectureError).dll, path)
  await rejects(session.CDLL(path).answer(), WrongArchitectureError, words)
  const windows = await session.pathUnixToWine(path)
  await rejects(session.cdll.LoadLibrary(windows), WrongArchitectureError, 'tiny')
})

test('a file that is no DLL', async ({ session }) => {
  const path = resolve('package.json')
  const error = await session.cdll.LoadLibrary(path).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  assert.ok(error instanceof DllNotFoundError || error instanceof WrongArchitectureError, String(error))
  assert.match(error.message, 'package.json')
})

test('a DLL that has been unloaded', async ({ session }) => {
  const numbers = await session.cdll.LoadLibrary(dll('numbers'))
  const add = numbers.add
  assert.is(await add(1, 2), 3)
  await numbers.unload()
  await rejects(numbers.func('add', [c_int, c_int], c_int)(1, 2), DllNotFoundError, 'unloaded')
})

test('find_library and find_msvcrt', async ({ session }) => {
  const found = await session.util.find_library('kernel32')
  assert.match(found?.toLowerCase() ?? '', /kernel32\.dll$/)
  assert.is((await session.util.find_library('KERNEL32.DLL'))?.toLowerCase(), found?.toLowerCase())
  assert.is(session.util.find_library.sync('no-such-library'), null)
  assert.is(await session.util.find_msvcrt(), null)
})

test('paths, from Unix to Wine and back', async ({ session }) => {
  const windows = await session.pathUnixToWine('/etc/hostname')
  assert.match(windows, /^[A-Z]:\\.*etc\\hostname$/)
  assert.ok(existsSync(await session.pathWineToUnix(windows)))
  assert.ok(existsSync(session.pathWineToUnix.sync('C:\\windows')))
  assert.is(await session._zb_path_unix_to_wine('/etc/hostname'), windows)
  assert.is(await session._zb_path_wine_to_unix(windows), await session.pathWineToUnix(windows))
  const odd = '/tmp/grün €😀 x.dll'
  assert.is(await session.pathWineToUnix(await session.pathUnixToWine(odd)), odd)
})

test.run()
