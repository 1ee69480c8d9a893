import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, CtypesSession, c_int, c_ulong, c_wchar_p, create_unicode_buffer } from 'zugbruecke'
import { dll, rejects, throws } from './support.js'

const test = suite('parameters of a session')

test('an unknown parameter is named, with the near name', async () => {
  throws(() => new CtypesSession({ archh: 'win64' } as never), ConfigError, '"archh"', '"arch"')
  await rejects(CtypesSession.start({ timeout_stat: 1 } as never), ConfigError, '"timeout_stat"', '"timeout_start"')
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
    ['encoding', 'shift_jis'],
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

test('environment and folder of the Windows side', async () => {
  const session = await CtypesSession.start({ env: { ZB_TEST_VALUE: 'grün €' }, cwd: '/usr' })
  try {
    const get = session.windll.kernel32.func('GetEnvironmentVariableW', [c_wchar_p, c_wchar_p, c_ulong], c_ulong)
    const buffer = create_unicode_buffer(100)
    await get('ZB_TEST_VALUE', buffer, 100)
    assert.is(buffer.value, 'grün €')
    const where = session.windll.kernel32.func('GetCurrentDirectoryW', [c_ulong, c_wchar_p], c_ulong)
    await where(100, buffer)
    assert.is(await session.pathWineToUnix(buffer.value).then(path => path.endsWith('/usr')), true)
  } finally {
    await session.terminate()
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
