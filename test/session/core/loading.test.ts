/** How DLLs, and what they need, are found; and what is said when they are not. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  ConfigError,
  CtypesSession,
  c_int,
  c_ulong,
  c_void_p,
  c_wchar_p,
  DllNotFoundError,
  RoutineNotFoundError,
  WrongArchitectureError,
} from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { rejects, throws } from '../support.js'

const test = suite<{ session: CtypesSession }>('finding DLLs')
const folder = mkdtempSync(join(tmpdir(), 'zb-loading-'))
const at = (...names: string[]) => join(folder, ...names)
const other = process.env.ZUGBRUECKE_ARCH === 'win32' ? 'win64' : 'win32'
const API = '__declspec(dllexport)'
const windows = (path: string) => `Z:${path.replaceAll('/', '\\')}`

test.before(async context => {
  makeDll(at('plugin.dll'), `${API} int seven(void) { return 7; }`)
  for (const copy of ['my.lib.v2.dll', 'x.plugin', 'noext']) copyFileSync(at('plugin.dll'), at(copy))
  // one that needs another, which needs a third
  makeDll(at('libs', 'inner.dll'), `${API} int inner(void) { return 1; }`)
  makeDll(at('middle.dll'), `int inner(void); ${API} int middle(void) { return inner() + 1; }`, [
    at('libs', 'inner.dll'),
  ])
  makeDll(at('outer.dll'), `int middle(void); ${API} int outer(void) { return middle() + 1; }`, [at('middle.dll')])
  context.session = await CtypesSession.start({ cwd: folder })
})
test.after(async ({ session }) => {
  await session.terminate()
  rmSync(folder, { recursive: true })
})

test('a name is found without its extension, in any case, and as it is', async ({ session }) => {
  const names = [
    ...['./plugin', './plugin.dll', './PLUGIN.DLL', './Plugin', '.\\plugin.dll', '.\\plugin', 'plugin', 'plugin.dll'],
    ...['./my.lib.v2.dll', './my.lib.v2', './x.plugin', './noext', './noext.', at('plugin'), at('NOEXT')],
    ...[windows(at('plugin.dll')), windows(at('PLUGIN.dll'))],
  ]
  for (const name of names) {
    const library = await session.cdll.LoadLibrary(name)
    assert.is(await library.func('seven', [], c_int)(), 7, name)
    assert.is(session.CDLL(name).func('seven', [], c_int).sync(), 7, name)
  }
  await rejects(session.cdll.LoadLibrary('./plugi'), DllNotFoundError, './plugi', `looked for ${at('plugi')}`)
  await rejects(session.cdll.LoadLibrary('./libs'), DllNotFoundError, './libs')
  await rejects(session.cdll.LoadLibrary('plugi'), DllNotFoundError, 'plugi was not found', 'dll_directories')
  await rejects(session.cdll.LoadLibrary('.\\plugi.dll'), DllNotFoundError, 'plugi.dll was not found')
})

test('names are found in the folder of the session, whatever the working folder is by now', async () => {
  const session = await CtypesSession.start({ cwd: folder })
  const setFolder = session.windll.kernel32.func('SetCurrentDirectoryW', [c_wchar_p], c_int)
  assert.is(await setFolder('C:\\'), 1)
  for (const name of ['plugin', 'plugin.dll', './plugin.dll', '.\\plugin.dll']) {
    const library = await session.cdll.LoadLibrary(name)
    assert.is(await library.func('seven', [], c_int)(), 7, name)
    await library.unload()
  }
  await rejects(session.cdll.LoadLibrary('plugi'), DllNotFoundError, 'plugi was not found')
  assert.is(await setFolder(windows(at('libs'))), 1)
  assert.is(await (await session.cdll.LoadLibrary('inner')).func('inner', [], c_int)(), 1)
  await session.terminate()
})

test('paths beyond ASCII, whatever locale the program has', async () => {
  mkdirSync(at('größe 日本'))
  copyFileSync(at('libs', 'inner.dll'), at('größe 日本', 'inner.dll'))
  copyFileSync(at('middle.dll'), at('größe 日本', 'mitte 中.dll'))
  const before = { LC_ALL: process.env.LC_ALL, LANG: process.env.LANG }
  try {
    for (const locale of ['C', 'xx_YY.UTF-8', 'de_DE.ISO-8859-1']) {
      process.env.LC_ALL = locale
      const session = await CtypesSession.start({ cwd: folder })
      try {
        assert.is(await session.CDLL('./größe 日本/mitte 中.dll').func('middle', [], c_int)(), 2, locale)
      } finally {
        await session.terminate()
      }
    }
  } finally {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
})

test('a DLL that is missing is named, with those that need it', async ({ session }) => {
  for (const load of [
    () => session.cdll.LoadLibrary('./outer.dll'),
    () => session.cdll.LoadLibrary(windows(at('outer.dll'))),
  ])
    await rejects(
      load(),
      DllNotFoundError,
      'outer.dll is there, but inner.dll, which it needs, is not',
      'outer.dll needs middle.dll, which needs inner.dll',
      'dll_directories',
    )
  await rejects(session.CDLL('middle').func('middle', [], c_int)(), DllNotFoundError, 'middle.dll needs inner.dll')
  // a try in vain leaves nothing behind
  const handle = session.windll.kernel32.func('GetModuleHandleW', [c_wchar_p], c_void_p)
  for (const name of ['outer.dll', 'middle.dll', 'inner.dll']) assert.is(await handle(name), null, name)
})

test('a DLL that is there for another architecture is named, too', async ({ session }) => {
  const apart = at('apart')
  makeDll(at('apart', 'inner.dll'), `${API} int inner(void) { return 1; }`, [], other)
  copyFileSync(at('middle.dll'), at('apart', 'middle.dll'))
  await rejects(
    session.cdll.LoadLibrary(join(apart, 'middle.dll')),
    WrongArchitectureError,
    'middle.dll needs inner.dll',
  )
  makeDll(at('other.dll'), `${API} int own(void) { return 1; }`, [], other)
  await rejects(session.cdll.LoadLibrary('./other.dll'), WrongArchitectureError, './other.dll is')
  await rejects(session.cdll.LoadLibrary('other.dll'), WrongArchitectureError, 'other.dll is there, but')
})

test('a DLL of another version, which lacks a routine', async ({ session }) => {
  const newer = at('versions', 'newer.dll')
  makeDll(newer, `${API} int eleven(void) { return 11; }`)
  makeDll(at('versions', 'user.dll'), `int eleven(void); ${API} int twelve(void) { return eleven() + 1; }`, [newer])
  makeDll(at('versions', 'above.dll'), `int twelve(void); ${API} int more(void) { return twelve(); }`, [
    at('versions', 'user.dll'),
  ])
  makeDll(newer, `${API} int ten(void) { return 10; }`)
  for (const name of ['user', 'above'])
    await rejects(
      session.cdll.LoadLibrary(at('versions', `${name}.dll`)),
      DllNotFoundError,
      'user.dll needs the routine "eleven" of newer.dll',
      'has none',
    )
  makeDll(newer, `${API} int eleven(void) { return 11; }`)
  assert.is(await session.CDLL(at('versions', 'above.dll')).func('more', [], c_int)(), 12)
})

test('a DLL that refuses to be loaded', async ({ session }) => {
  const text =
    '#include <windows.h>\nBOOL WINAPI DllMain(HINSTANCE i, DWORD why, void *r) { return why != DLL_PROCESS_ATTACH; }'
  makeDll(at('refuses.dll'), `${text} ${API} int x(void) { return 1; }`)
  makeDll(at('asks.dll'), `int x(void); ${API} int y(void) { return x(); }`, [at('refuses.dll')])
  for (const name of ['refuses', 'asks'])
    await rejects(session.cdll.LoadLibrary(`./${name}.dll`), DllNotFoundError, `${name}.dll`, /initiali/)
})

test('folders to look in: the parameter, add_dll_directory, and AddDllDirectory of Windows', async () => {
  const folders = [['./libs'], [at('libs')], [windows(at('libs'))]]
  for (const dll_directories of folders) {
    const session = await CtypesSession.start({ cwd: folder, dll_directories })
    try {
      assert.is(await session.CDLL('./outer.dll').func('outer', [], c_int)(), 3)
      assert.is(await session.CDLL('inner').func('inner', [], c_int)(), 1)
    } finally {
      await session.terminate()
    }
  }
  const session = await CtypesSession.start({ cwd: folder })
  try {
    const load = () => session.cdll.LoadLibrary('./outer.dll')
    await rejects(load(), DllNotFoundError, 'inner.dll')
    const added = await session.add_dll_directory('./libs')
    assert.is(added.path, windows(at('libs')))
    const outer = await load()
    assert.is(await outer.func('outer', [], c_int)(), 3)
    await outer.unload()
    await added.close()
    await rejects(load(), DllNotFoundError, 'inner.dll')
    await rejects(added.close(), ArgumentError, 'not searched any more')
    const again = session.add_dll_directory.sync(windows(at('libs')))
    assert.is((await load()).func('outer', [], c_int).sync(), 3)
    again.close.sync()
    await rejects(session.add_dll_directory('./nowhere'), ArgumentError, './nowhere: there is no such folder')
    await rejects(session.add_dll_directory('C:\\nowhere'), ArgumentError, 'C:\\nowhere')
    throws(() => session.add_dll_directory.sync(''), ArgumentError)
  } finally {
    await session.terminate()
  }
  const third = await CtypesSession.start({ cwd: folder })
  try {
    await third.windll.kernel32.func('AddDllDirectory', [c_wchar_p], c_void_p)(windows(at('libs')))
    assert.is(await third.CDLL('./outer.dll').func('outer', [], c_int)(), 3)
  } finally {
    await third.terminate()
  }
  const fourth = await CtypesSession.start({
    cwd: folder,
    env: { PATH: `${windows(at('libs'))};C:\\windows\\system32` },
  })
  try {
    assert.is(await fourth.CDLL('./outer.dll').func('outer', [], c_int)(), 3)
  } finally {
    await fourth.terminate()
  }
  const start = (dll_directories: string[]) => CtypesSession.start({ cwd: folder, dll_directories })
  await rejects(
    start(['./nowhere']),
    ConfigError,
    'the parameter "dll_directories": ./nowhere: there is no such folder',
  )
  await rejects(start(['C:\\nowhere']), ConfigError, '"dll_directories": C:\\nowhere')
  throws(() => new CtypesSession({ dll_directories: 'libs' as never }), ConfigError, 'a list of folders')
})

test('what lies behind links is found, and what it needs beside it', async ({ session }) => {
  mkdirSync(at('real'))
  mkdirSync(at('bin'))
  copyFileSync(at('libs', 'inner.dll'), at('real', 'inner.dll'))
  copyFileSync(at('middle.dll'), at('real', 'middle.dll'))
  symlinkSync(at('real'), at('link'))
  assert.is(await session.CDLL('./link/middle.dll').func('middle', [], c_int)(), 2)
})

test('a namesake of a DLL of Windows: by name it is Windows’ own, by path it is itself', async () => {
  const own = at('namesakes')
  makeDll(
    join(own, 'version.dll'),
    `${API} int own(void) { return 64; } ${API} int GetFileVersionInfoSizeX(void) { return 1; }`,
  )
  makeDll(join(own, 'wsock32.dll'), `${API} int own(void) { return 32; }`, [], other)
  const session = await CtypesSession.start({ cwd: own })
  const size = [c_wchar_p, c_void_p] as const
  try {
    assert.is.not(await session.windll.version.func('GetFileVersionInfoSizeW', size, c_ulong)('kernel32.dll', null), 0)
    assert.is(await session.CDLL('./version.dll').func('own', [], c_int)(), 64)
    assert.is(await session.CDLL(join(own, 'version.dll')).func('own', [], c_int)(), 64)
    const system = await session.windll.LoadLibrary('C:\\windows\\system32\\version.dll')
    assert.is.not(await system.func('GetFileVersionInfoSizeW', size, c_ulong)('kernel32.dll', null), 0)
    const error = await rejects(session.windll.version.GetFileVersionInfoSizeZ(), RoutineNotFoundError)
    assert.ok(error.near?.includes('GetFileVersionInfoSizeW'), String(error.near))
    assert.not.ok(error.near?.includes('GetFileVersionInfoSizeX'))
    // one that is of another architecture is in nobody's way
    await session.windll.LoadLibrary('wsock32.dll')
    await session.windll.wsock32.load()
  } finally {
    await session.terminate()
  }
})

test('a DLL that comes later is found later', async ({ session }) => {
  await rejects(session.cdll.LoadLibrary('./late.dll'), DllNotFoundError)
  await rejects(session.cdll.LoadLibrary('late'), DllNotFoundError)
  copyFileSync(at('plugin.dll'), at('aside'))
  renameSync(at('aside'), at('late.dll'))
  assert.is(await session.CDLL('./late.dll').func('seven', [], c_int)(), 7)
  writeFileSync(at('text.dll'), 'no DLL at all')
  await rejects(session.cdll.LoadLibrary('./text.dll'), DllNotFoundError, 'text.dll', 'MZ')
})

test('Unix paths of Windows paths, whether or not anything is there', async ({ session }) => {
  assert.is(await session.pathWineToUnix('Z:\\foo\\bar'), '/foo/bar')
  assert.is(session.pathWineToUnix.sync('z:\\nowhere\\at all\\größe.txt'), '/nowhere/at all/größe.txt')
  assert.is(await session.pathWineToUnix(windows(at('plugin.dll'))), at('plugin.dll'))
  assert.is(await session.pathWineToUnix(windows(at('no', 'such.dll'))), at('no', 'such.dll'))
  assert.match(
    await session.pathWineToUnix('C:\\windows\\nowhere\\x'),
    /dosdevices\/c:\/windows\/nowhere\/x$|drive_c\/windows\/nowhere\/x$/,
  )
  assert.is(await session.pathUnixToWine('/nowhere/at/all'), 'Z:\\nowhere\\at\\all')
  await rejects(session.pathWineToUnix('Q:\\x\\y'), ArgumentError, 'Q:')
})

test.run()
