import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wineEnvironment } from '../../src/runtime/environment.js'

const test = suite('environment of Windows processes')
const installation = { wine: '/wine', wineserver: '/wineserver', prefix: '/prefix' }
const plain = { winedebug: '-all', env: {} } as const

/** Runs `act` with variables set, or unset, in this process. */
function having(changes: Readonly<Record<string, string | undefined>>, act: () => void): void {
  const before = { ...process.env }
  try {
    for (const [name, value] of Object.entries(changes))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    act()
  } finally {
    for (const name of Object.keys(changes))
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
  }
}

test('of what this process has only what Wine needs goes along', () => {
  having(
    { ZB_TOKEN: 'secret', AWS_SECRET_ACCESS_KEY: 'secret', LANG: 'C.UTF-8', TZ: 'Asia/Tokyo', LC_TIME: 'C' },
    () => {
      const env = wineEnvironment(plain, installation)
      assert.not.match(JSON.stringify(env), 'secret')
      assert.is(env.TZ, 'Asia/Tokyo')
      assert.is(env.LC_TIME, 'C')
      assert.is(env.PATH, process.env.PATH)
      assert.is(env.HOME, process.env.HOME)
      const all = wineEnvironment({ ...plain, env: 'inherit' }, installation)
      assert.is(all.ZB_TOKEN, 'secret')
      assert.is(all.PATH, process.env.PATH)
    },
  )
})

test('what would mislead Wine or Python never goes along, but what is given does', () => {
  having({ PYTHONPATH: '/evil', WINEDLLOVERRIDES: 'evil', ZUGBRUECKE_TEST_X: 'x', NODE_OPTIONS: '--evil' }, () => {
    for (const env of [{}, 'inherit'] as const)
      assert.not.match(JSON.stringify(wineEnvironment({ ...plain, env }, installation)), /evil|ZUGBRUECKE/)
    const env = wineEnvironment({ winedebug: 'err+all', env: { A: '1', DISPLAY: ':7' } }, installation)
    assert.is(env.WINEDEBUG, 'err+all')
    assert.is(env.WINEPREFIX, installation.prefix)
    assert.is(env.A, '1')
    assert.is(env.DISPLAY, ':7')
  })
})

test('what is given for the DLLs alone leaves Wine with its own', () => {
  const env = wineEnvironment({ ...plain, env: { Path: 'C:\\x', HOME: 'Z:\\y', TMP: 'C:\\t' } }, installation)
  assert.is(env.PATH, process.env.PATH)
  assert.is(env.HOME, process.env.HOME)
  assert.equal([env.Path, env.TMP], [undefined, undefined])
})

test('an empty or relative HOME, which Wine refuses, is not handed on', () => {
  for (const HOME of ['', 'relative'])
    having({ HOME }, () => assert.is(wineEnvironment(plain, installation).HOME, undefined))
})

test('a locale that is not of UTF-8, or not installed, gives way to one that is', () => {
  const none = { LC_ALL: undefined, LC_CTYPE: undefined, LANG: undefined }
  for (const locale of [
    {},
    { LANG: 'C' },
    { LC_ALL: 'C' },
    { LC_CTYPE: 'POSIX' },
    { LC_ALL: 'de_DE.ISO-8859-1' },
    { LANG: 'xx_YY.UTF-8' },
    { LC_ALL: 'xx_YY.utf8' },
    { LANG: 'xx_YY.UTF-8', LC_ALL: '' },
  ])
    having({ ...none, ...locale }, () => {
      const env = wineEnvironment(plain, installation)
      assert.is(env.LC_CTYPE, 'C.UTF-8', JSON.stringify(locale))
      assert.is(env.LC_ALL, undefined)
    })
  having({ ...none, LANG: 'xx_YY.UTF-8', LC_ALL: 'C.UTF-8' }, () => {
    const env = wineEnvironment(plain, installation)
    assert.is(env.LC_ALL, 'C.UTF-8')
    assert.is(env.LC_CTYPE, undefined)
  })
})

test.run()
