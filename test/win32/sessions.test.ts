/** 32-bit sessions beside 64-bit ones: DLLs of the wrong kind, pools, handles of the other one. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ConfigError,
  CtypesSession,
  c_int,
  DllNotFoundError,
  POINTER,
  SessionPool,
  WrongArchitectureError,
} from 'zugbruecke'
import { dll } from '../dlls/build.js'
import { old32, rejects } from './support.js'

test('a 64-bit DLL in a 32-bit session, and the reverse', async () => {
  const [narrow, wide] = await Promise.all([
    CtypesSession.start({ arch: 'win32' }),
    CtypesSession.start({ arch: 'win64' }),
  ])
  try {
    assert.equal([narrow.arch, wide.arch], ['win32', 'win64'])
    assert.equal([narrow.types.sizeof(narrow.types.c_void_p), wide.types.sizeof(wide.types.c_void_p)], [4, 8])
    assert.is(narrow.types.sizeof(narrow.types.wintypes.HANDLE), 4)
    const path = dll('numbers', 'win64')
    const error = await rejects(
      narrow.cdll.LoadLibrary(path),
      WrongArchitectureError,
      '64-bit',
      'win32',
      "arch: 'win64'",
    )
    assert.is(error.dll, path)
    await rejects(wide.cdll.LoadLibrary(old32()), WrongArchitectureError, '32-bit', 'win64', "arch: 'win32'")
    const [sum, product] = await Promise.all([
      narrow.CDLL(old32()).func('add', [c_int, c_int], c_int)(1, 2),
      wide.CDLL(path).func('add', [c_int, c_int], c_int)(3, 4),
    ])
    assert.equal([sum, product], [3, 7])
    const block = await wide.memory.alloc(16)
    const read = narrow.CDLL(old32()).func('read_at', [POINTER(c_int)], c_int)
    await rejects(read(block as never), Error, narrow.id)
    const path32 = await narrow.pathUnixToWine('/etc/hostname')
    assert.ok(existsSync(await narrow.pathWineToUnix(path32)))
  } finally {
    await Promise.all([narrow.terminate(), wide.terminate()])
  }
})

test('a pool of 32-bit sessions', async () => {
  const pool = await SessionPool.start({ size: 2, arch: 'win32' })
  try {
    const xs = Int32Array.from({ length: 10_000 }, (_, i) => i)
    assert.equal(
      await pool.map(old32(), 'int add(int, int)', [xs, 1]),
      xs.map(x => x + 1),
    )
    assert.equal(
      await pool.map(old32(), 'int __stdcall subtract(int, int)', [xs, xs]),
      xs.map(() => 0),
    )
    assert.is(await pool.use(async session => session.arch), 'win32')
  } finally {
    await pool.close()
  }
})

test('a session and a pool of the architecture that a DLL needs', async () => {
  for (const [file, arch] of [
    [old32(), 'win32'],
    [dll('numbers', 'win64'), 'win64'],
  ] as const) {
    const session = await CtypesSession.open(file)
    try {
      assert.is(session.arch, arch)
      assert.is(await session.CDLL(file).func('add', [c_int, c_int], c_int)(1, 2), 3)
    } finally {
      await session.terminate()
    }
    const pool = await SessionPool.open(file, { size: 1, arch: 'auto' })
    try {
      assert.is(await pool.use(({ arch }) => arch), arch)
      assert.equal(await pool.map(file, 'int add(int, int)', [[1, 2], 3]), Int32Array.of(4, 5))
    } finally {
      await pool.close()
    }
  }
})

test('a DLL is looked at where sessions look for it', async () => {
  const folder = dirname(old32())
  const name = basename(old32(), '.dll').toUpperCase()
  for (const given of [{ cwd: folder }, { dll_directories: [folder] }]) {
    const session = await CtypesSession.open(name, given)
    try {
      assert.is(session.arch, 'win32')
      assert.is(await session.CDLL(name).func('add', [c_int, c_int], c_int)(1, 2), 3)
    } finally {
      await session.terminate()
    }
  }
  await rejects(CtypesSession.open('./none.dll'), DllNotFoundError, './none.dll')
  await rejects(CtypesSession.open('/bin/true'), DllNotFoundError, 'ELF')
  await rejects(SessionPool.open('./none.dll'), DllNotFoundError, './none.dll')
  await rejects(CtypesSession.open(old32(), { arch: 'other' as never }), ConfigError, 'arch')
})

test('the command line takes the architecture of the DLL', () => {
  const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
  const cli = (...args: string[]) => {
    const { status, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    assert.is(status, 0, stdout)
    return stdout
  }
  for (const [file, arch] of [
    [old32(), 'win32'],
    [dll('numbers', 'win64'), 'win64'],
  ] as const) {
    assert.is(cli('call', file, 'int add(int, int)', '3', '4').trim(), '7')
    assert.match(cli('exports', file), `DLL, ${arch}, `)
    assert.match(cli('doctor', file), `bridge-${arch}.dll`)
  }
})

test.run()
