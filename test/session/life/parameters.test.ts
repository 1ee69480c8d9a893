import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, CtypesSession, c_char_p, c_int, c_ulong, c_wchar_p, create_unicode_buffer } from 'zugbruecke'
import { dll, rejects, throws } from '../support.js'

const test = suite('parameters of a session')

test('an unknown parameter is named, with the near name', async () => {
  throws(() => new CtypesSession({ archh: 'win64' } as never), ConfigError, '"archh"', '"arch"')
  await rejects(CtypesSession.start({ timeout_stat: 1 } as never), ConfigError, '"timeout_stat"', '"timeout_start"')
})

test('a log that cannot be written is said at once', async () => {
  const log_write = '/nonexistent/folder/log.jsonl'
  throws(() => new CtypesSession({ log_write }), ConfigError, '"log_write"', log_write, 'ENOENT')
  throws(() => new CtypesSession({ log_write: '/' }), ConfigError, '"log_write"', 'folder')
  const session = await CtypesSession.start()
  await rejects(session.setParameter({ log_write }), ConfigError, '"log_write"', log_write)
  assert.is(session.getParameter('log_write'), false)
  await session.terminate()
})

test('root is warned once that DLLs are, too, unless the sandbox is a choice', () => {
  if (process.getuid?.() !== 0) return
  const warnings = (code: string) => {
    const program = `import { CtypesSession } from 'zugbruecke'; ${code}`
    const env = { ...process.env, NODE_OPTIONS: '' }
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', env })
    assert.is(run.status, 0, run.stderr)
    return run.stderr.split('ZUGBRUECKE_ROOT').length - 1
  }
  const session = (given: string) => `await (await CtypesSession.start(${given})).terminate();`
  assert.is(warnings(session('') + session('')), 1)
  assert.is(warnings(session('{ sandbox: false }')), 0)
})

test('an ill-typed parameter is named, with what it must be', () => {
  for (const [name, bad] of [
    ['arch', 'arm64'],
    ['memory', '16M'],
    ['memory', 1000],
    ['stdout', 'maybe'],
    ['timeout_start', -1],
    ['id', 'a/b'],
    ['encoding', 'klingon'],
    ['log_level', 51],
    ['env', 5],
  ] as const)
    throws(() => new CtypesSession({ [name]: bad } as never), ConfigError, name)
})

test('what cannot change at run time is refused then, and nothing changes', async () => {
  const session = await CtypesSession.start({ memory: 1 << 20 })
  try {
    for (const changes of [{ arch: 'win32' }, { memory: 1 << 21 }, { id: 'other' }, { python: 'x' }] as const)
      await rejects(session.setParameter(changes), ConfigError, Object.keys(changes)[0])
    await rejects(session.setParameter({ stdoutt: true } as never), ConfigError, '"stdoutt"', '"stdout"')
    await rejects(session.setParameter({ stdout: false, timeout_call: -1 }), ConfigError, 'timeout_call')
    assert.is(session.getParameter('stdout'), true)
    assert.is(session.getParameter('memory'), 1 << 20)
    await session.setParameter({ timeout_call: 20, stdout: false })
    assert.is(session.getParameter('timeout_call'), 20)
    assert.is(session.getParameter('stdout'), false)
    assert.is(await session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)(1, 2), 3)
  } finally {
    await session.terminate()
  }
})

/** Reads a variable as a DLL does, in Windows and in the C runtime. */
function reader(session: CtypesSession) {
  const get = session.windll.kernel32.func('GetEnvironmentVariableW', [c_wchar_p, c_wchar_p, c_ulong], c_ulong)
  const getenv = session.cdll.ucrtbase.func('getenv', [c_char_p], c_char_p)
  const old = session.cdll.msvcrt.func('getenv', [c_char_p], c_char_p)
  const buffer = create_unicode_buffer(32_767)
  return {
    async windows(name: string) {
      buffer.value = ''
      return (await get(name, buffer, 32_767)) === 0 ? null : buffer.value
    },
    runtimes: async (name: string) => [await getenv(name), await old(name)],
  }
}

test('environment and folder of the Windows side', async () => {
  const session = await CtypesSession.start({ env: { ZB_TEST_VALUE: 'grün €' }, cwd: '/usr' })
  try {
    assert.is(await reader(session).windows('ZB_TEST_VALUE'), 'grün €')
    const buffer = create_unicode_buffer(100)
    const where = session.windll.kernel32.func('GetCurrentDirectoryW', [c_ulong, c_wchar_p], c_ulong)
    await where(100, buffer)
    assert.is(await session.pathWineToUnix(buffer.value).then(path => path.endsWith('/usr')), true)
  } finally {
    await session.terminate()
  }
})

test('what is given is what a DLL sees, also what Wine keeps to itself or makes anew', async () => {
  const names = [
    ...['PATH', 'TEMP', 'TMP', 'HOME', 'PWD', 'USER', 'USERNAME', 'HOMEPATH', 'HOMEDRIVE', 'USERPROFILE', 'APPDATA'],
    ...[
      'LOCALAPPDATA',
      'COMPUTERNAME',
      'SystemRoot',
      'windir',
      'ComSpec',
      'OS',
      'PATHEXT',
      'ProgramFiles',
      'ProgramData',
    ],
    ...['PUBLIC', 'NUMBER_OF_PROCESSORS', 'QT_X', 'VK_X', 'XDG_SESSION_TYPE', 'WINEFOO', 'DISPLAY', 'Zb_MiXed', 'TZ'],
    ...['LD_LIBRARY_PATH_X', 'ZUGBRUECKE_X', 'NODE_X', 'PYTHON_X', 'größe'],
  ]
  const long = 'x'.repeat(32_000)
  const env = { ...Object.fromEntries(names.map(name => [name, `Z:\\given ${name}`])), ZB_EMPTY: '', ZB_LONG: long }
  const session = await CtypesSession.start({ env })
  try {
    const { windows, runtimes } = reader(session)
    for (const name of names) {
      assert.is(await windows(name), `Z:\\given ${name}`, name)
      if (name !== 'größe') assert.equal(await runtimes(name), [`Z:\\given ${name}`, `Z:\\given ${name}`], name)
    }
    assert.ok((await windows('ZB_LONG')) === long)
    const folder = create_unicode_buffer(300)
    await session.windll.kernel32.func('GetTempPathW', [c_ulong, c_wchar_p], c_ulong)(300, folder)
    assert.is(folder.value, 'Z:\\given TMP\\')
  } finally {
    await session.terminate()
  }
  throws(() => new CtypesSession({ env: { ZB: 'x'.repeat(40_000) } }), ConfigError, 'env', '32765')
  throws(() => new CtypesSession({ env: 'all' as never }), ConfigError, 'env', '"inherit"')
})

test('secrets of the caller stay with it, unless all is to be inherited', async () => {
  process.env.ZB_SECRET = 'hidden'
  try {
    for (const [env, seen] of [
      [{}, null],
      ['inherit', 'hidden'],
    ] as const) {
      const session = await CtypesSession.start({ env })
      try {
        assert.is(await reader(session).windows('ZB_SECRET'), seen)
        assert.is(readFileSync(`/proc/${session.pid}/environ`, 'latin1').includes('ZB_SECRET'), seen !== null)
      } finally {
        await session.terminate()
      }
    }
  } finally {
    delete process.env.ZB_SECRET
  }
})

test('variables of the environment come before the constructor', async () => {
  process.env.ZUGBRUECKE_TIMEOUT_CALL = '17'
  try {
    const session = await CtypesSession.start({ timeout_call: 3 })
    assert.is(session.getParameter('timeout_call'), 17)
    await session.terminate()
    process.env.ZUGBRUECKE_TIMEOUT_CAL = '17'
    throws(() => new CtypesSession(), ConfigError, 'ZUGBRUECKE_TIMEOUT_CAL')
  } finally {
    delete process.env.ZUGBRUECKE_TIMEOUT_CALL
    delete process.env.ZUGBRUECKE_TIMEOUT_CAL
  }
})

test.run()
