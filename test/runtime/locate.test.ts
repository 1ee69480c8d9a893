import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SetupError } from '../../src/errors.js'
import { findWine, locate, type Wanted } from '../../src/runtime/locate.js'
import { platformProblem } from '../../src/runtime/platform.js'

const test = suite('locate')
const before = { ...process.env }
let folder: string

function put(path: string, mode = 0o644): string {
  const whole = join(folder, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, '')
  chmodSync(whole, mode)
  return whole
}

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'zb-locate-'))
  process.env.XDG_CACHE_HOME = folder
  for (const name of ['WINELOADER', 'WINESERVER']) delete process.env[name]
})
test.after.each(() => {
  rmSync(folder, { recursive: true })
  Object.assign(process.env, before)
  if (before.XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME
})

const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  arch: 'win64',
  wine: join(folder, 'bin/wine64'),
  prefix: null,
  python: null,
  pythonversion: null,
  ...more,
})

const putWine = () => [put('bin/wine64', 0o755), put('bin/wineserver', 0o755)]
const putPrefix = (arch = 'win64') => {
  put(`zugbruecke/prefix-${arch}/system.reg`)
  put(`zugbruecke/prefix-${arch}/drive_c/windows/system32/kernel32.dll`)
}
const putPython = (version: string, arch = 'win64') => put(`zugbruecke/python-${version}-${arch}/python.exe`)

function message(given: Wanted): string {
  try {
    locate(given)
  } catch (error) {
    assert.instance(error, SetupError)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

test('says the first thing that is missing, and the command', () => {
  assert.match(message(wanted()), 'configured "wine"')
  put('bin/wine64', 0o755)
  process.env.PATH = folder
  putWine()
  assert.match(message(wanted()), /no Wine prefix at .*prefix-win64\. Run: .*npx zugbruecke setup/)
  putPrefix()
  assert.match(message(wanted()), /Windows Python \(win64\) was not found in .*Run: .*npx zugbruecke setup/)
  putPython('3.12.10')
  assert.is(locate(wanted()).pythonVersion, '3.12.10')
  process.env.PATH = before.PATH
})

test('what a constructor was given stands in the command, for set-up cannot see it', () => {
  putWine()
  const prefix = join(folder, 'a prefix')
  assert.match(
    message(wanted({ prefix })),
    `Run: ZUGBRUECKE_WINE=${join(folder, 'bin/wine64')} ZUGBRUECKE_PREFIX='${prefix}' npx zugbruecke setup`,
  )
  putPrefix()
  assert.match(message(wanted({ pythonversion: '3.8.0' })), 'ZUGBRUECKE_PYTHONVERSION=3.8.0 npx zugbruecke setup')
})

test('no Wine at all', () => {
  const text = message(wanted({ wine: null, arch: 'win32' }))
  assert.match(text, /Wine with a 32-bit half was not found\. Run: npx zugbruecke setup --arch win32|no Wine prefix/)
})

test('takes the newest Python of the architecture, or the one that is asked for', () => {
  putWine()
  putPrefix()
  putPython('3.9.13')
  putPython('3.13.0')
  putPython('3.14.0', 'win32')
  put('zugbruecke/python-3.15.0-win64.making/python.exe')
  assert.is(locate(wanted()).pythonVersion, '3.13.0')
  assert.is(locate(wanted({ pythonversion: '3.9.13' })).pythonVersion, '3.9.13')
  assert.match(message(wanted({ pythonversion: '3.8.0' })), 'Windows Python 3.8.0')
})

test('an own Python, by Unix or Windows path', () => {
  putWine()
  putPrefix()
  const python = put('own/python.exe')
  put('own/python312.dll')
  assert.is(locate(wanted({ python })).python, python)
  assert.is(locate(wanted({ python })).pythonVersion, '3.12')
  put('zugbruecke/prefix-win64/dosdevices/c:/py/python.exe')
  assert.match(locate(wanted({ python: 'C:\\py\\python.exe' })).python, 'dosdevices/c:/py/python.exe')
  assert.match(message(wanted({ python: '/nowhere/python.exe' })), '/nowhere/python.exe')
})

test('a prefix without a 32-bit side does not do for win32', () => {
  putWine()
  putPrefix('win32')
  putPython('3.11.3', 'win32')
  assert.match(message(wanted({ arch: 'win32' })), 'no 32-bit side')
  put('zugbruecke/prefix-win32/drive_c/windows/syswow64/kernel32.dll')
  assert.is(locate(wanted({ arch: 'win32' })).arch, 'win32')
})

test('one prefix for both where one Wine runs both, and two where there are two', () => {
  const wine = put('wine/bin/wine', 0o755)
  put('wine/bin/wineserver', 0o755)
  putPython('3.13.0')
  putPython('3.11.3', 'win32')
  const at = (arch: 'win32' | 'win64') => basename(locate(wanted({ wine, arch })).prefix)
  putPrefix()
  // of a Wine, or by a Wine, that has one half alone
  assert.match(message(wanted({ wine, arch: 'win32' })), 'prefix-win32')
  put('zugbruecke/prefix-win64/drive_c/windows/syswow64/kernel32.dll')
  assert.equal([at('win32'), at('win64')], ['prefix-win64', 'prefix-win64'])
  putPrefix('win32')
  put('zugbruecke/prefix-win32/drive_c/windows/syswow64/kernel32.dll')
  assert.equal([at('win32'), at('win64')], ['prefix-win32', 'prefix-win64'])
})

test('the private Wine is found once it is whole', () => {
  process.env.PATH = folder
  const loader = put('zugbruecke/wine-win32/usr/lib/wine/wine', 0o755)
  const narrow = wanted({ wine: null, arch: 'win32' })
  put('zugbruecke/wine-win32/usr/lib/x86_64-linux-gnu/wine/i386-windows/ntdll.dll')
  assert.is.not(findWine(narrow), loader)
  put('zugbruecke/wine-win32/ready')
  assert.is(findWine(narrow), loader)
  assert.is.not(findWine(wanted({ wine: null })), loader)
})

test('other platforms and an old Node are told', () => {
  assert.is(platformProblem('linux', 'x64', '20.0.0'), undefined)
  assert.match(platformProblem('darwin', 'arm64', '22.0.0') ?? '', 'darwin on arm64')
  assert.match(platformProblem('linux', 'x64', '18.19.0') ?? '', 'Node.js 20 or later; this is 18.19.0')
})

test.run()
