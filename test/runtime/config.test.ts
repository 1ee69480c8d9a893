import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../src/errors.js'
import { checkParameterChange, parameterNames, resolveConfig } from '../../src/runtime/config.js'

const test = suite('config')
const cwd = process.cwd()
const before = { ...process.env }
let folder: string

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'zb-config-'))
  mkdirSync(join(folder, 'home'))
  mkdirSync(join(folder, 'here'))
  for (const name of Object.keys(process.env)) if (name.startsWith('ZUGBRUECKE')) delete process.env[name]
  process.env.HOME = join(folder, 'home')
  process.chdir(join(folder, 'here'))
})
test.after.each(() => {
  process.chdir(cwd)
  rmSync(folder, { recursive: true })
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})

const write = (path: string, values: unknown) =>
  writeFileSync(join(folder, path), typeof values === 'string' ? values : JSON.stringify(values))

function message(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert.instance(error, ConfigError)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

test('defaults are those of the documentation', () => {
  const config = resolveConfig()
  assert.is(config.arch, 'win64')
  assert.is(config.memory, 256 * 1024 * 1024)
  assert.is(config.timeout_start, 30)
  assert.is(config.timeout_call, null)
  assert.is(config.encoding, 'utf-8')
  assert.is(config.cwd, process.cwd())
  assert.match(config.id, /^[0-9a-f]{16}$/)
  assert.is.not(config.id, resolveConfig().id)
  assert.ok(Object.isFrozen(config))
  assert.equal(Object.keys(config.sources).sort(), [...parameterNames].sort())
})

test('each parameter has a row in the documentation', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const rows = new Set([...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) => names.match(/\w+/g) ?? []))
  assert.equal(
    parameterNames.filter(name => !rows.has(name)),
    [],
  )
})

test('environment, constructor, named file, here, home, default: in this order', () => {
  write('home/.zugbruecke.json', { memory: 2 << 20, log_level: 1, winedebug: 'home', timeout_stop: 1, stdout: false })
  write('here/.zugbruecke.json', { memory: 3 << 20, log_level: 2, winedebug: 'here', timeout_stop: 2 })
  write('named.json', { memory: 4 << 20, log_level: 3, winedebug: 'named' })
  process.env.ZUGBRUECKE = join(folder, 'named.json')
  process.env.ZUGBRUECKE_MEMORY = String(6 << 20)
  const config = resolveConfig({ memory: 5 << 20, log_level: 4 })
  assert.is(config.memory, 6 << 20)
  assert.is(config.sources.memory, 'Environment variable ZUGBRUECKE_MEMORY')
  assert.is(config.log_level, 4)
  assert.is(config.sources.log_level, 'constructor')
  assert.is(config.winedebug, 'named')
  assert.is(config.timeout_stop, 2)
  assert.is(config.stdout, false)
  assert.is(config.sources.stdout, join(folder, 'home/.zugbruecke.json'))
})

test('a file of the current folder does not choose what runs', () => {
  for (const [name, value] of Object.entries({
    wine: '/tmp/evil',
    python: 'C:\\evil.exe',
    prefix: '/tmp/evil',
    env: { LD_PRELOAD: '/tmp/evil.so' },
    dll_directories: ['/tmp/evil'],
    sandbox: false,
  })) {
    write('here/.zugbruecke.json', { [name]: value, log_level: 7 })
    const said = message(() => resolveConfig())
    for (const word of [
      `"${name}"`,
      'here/.zugbruecke.json',
      'home/.zugbruecke.json',
      `ZUGBRUECKE_${name.toUpperCase()}`,
    ])
      assert.ok(said.includes(word), `${said} lacks ${word}`)
    message(() => resolveConfig({ [name]: value }))
    process.env.ZUGBRUECKE = join(folder, 'here')
    assert.equal(resolveConfig()[name as 'wine'], value)
    delete process.env.ZUGBRUECKE
    write('home/.zugbruecke.json', { [name]: value })
    write('here/.zugbruecke.json', { log_level: 7 })
    assert.equal(resolveConfig()[name as 'wine'], value)
  }
  // at home the two are one
  process.chdir(join(folder, 'home'))
  assert.is(resolveConfig().sandbox, false)
})

test('ZUGBRUECKE may name a folder, and must name what exists', () => {
  mkdirSync(join(folder, 'etc'))
  write('etc/.zugbruecke.json', { log_level: 7 })
  process.env.ZUGBRUECKE = join(folder, 'etc')
  assert.is(resolveConfig().log_level, 7)
  process.env.ZUGBRUECKE = join(folder, 'nowhere')
  assert.match(
    message(() => resolveConfig()),
    'nowhere',
  )
})

test('variables are read as the type of their parameter', () => {
  Object.assign(process.env, {
    ZUGBRUECKE_STDOUT: 'no',
    ZUGBRUECKE_STDERR: '1',
    ZUGBRUECKE_TIMEOUT_CALL: '1.5',
    ZUGBRUECKE_TIMEOUT_STOP: 'none',
    ZUGBRUECKE_ENV: '{"A":"1"}',
    ZUGBRUECKE_SANDBOX: '["/tmp/x"]',
    ZUGBRUECKE_LOG_WRITE: '/tmp/log',
  })
  const config = resolveConfig()
  assert.is(config.stdout, false)
  assert.is(config.stderr, true)
  assert.is(config.timeout_call, 1.5)
  assert.is(config.timeout_stop, null)
  assert.equal(config.env, { A: '1' })
  assert.equal(config.sandbox, ['/tmp/x'])
  assert.is(config.log_write, '/tmp/log')
})

test('an unknown name is an error with its place and the near name', () => {
  assert.match(
    message(() => resolveConfig({ memmory: 1 } as never)),
    /unknown parameter "memmory".*Did you mean "memory"\?/,
  )
  write('home/.zugbruecke.json', { timeout_srtat: 1 })
  const text = message(() => resolveConfig())
  assert.match(text, join(folder, 'home/.zugbruecke.json'))
  assert.match(text, '"timeout_start"')
  rmSync(join(folder, 'home/.zugbruecke.json'))
  process.env.ZUGBRUECKE_ARHC = 'win32'
  assert.match(
    message(() => resolveConfig()),
    /ZUGBRUECKE_ARHC.*ZUGBRUECKE_ARCH\?/,
  )
})

test('a name that shares a word with known ones suggests them', () => {
  const said = (given: object) => message(() => resolveConfig(given as never))
  assert.match(said({ wine_prefix: 'x' }), 'Did you mean "wine" or "prefix"?')
  assert.match(said({ wineprefix: 'x' }), 'Did you mean "prefix"?')
  assert.match(said({ timeout: 1 }), 'Did you mean "timeout_start", "timeout_stop" or "timeout_call"?')
  assert.match(said({ wibble: 1 }), 'Known: "id", "arch"')
})

test('what a variable or an object holds is shown as it was written', () => {
  process.env.ZUGBRUECKE_MEMORY = '16MiB'
  assert.match(
    message(() => resolveConfig()),
    'not "16MiB"',
  )
  delete process.env.ZUGBRUECKE_MEMORY
  assert.match(
    message(() => resolveConfig({ env: { A: 1 } } as never)),
    'not {"A":1}',
  )
})

test('the working folder is made absolute, and must be there', () => {
  assert.is(resolveConfig({ cwd: '../home' }).cwd, join(folder, 'home'))
  assert.match(
    message(() => resolveConfig({ cwd: join(folder, 'nowhere') })),
    /Parameters of the session: "cwd" must be a folder that exists .*nowhere/,
  )
  process.env.ZUGBRUECKE_CWD = join(folder, 'nowhere')
  assert.match(
    message(() => resolveConfig()),
    'Environment variable ZUGBRUECKE_CWD: "cwd" must be a folder',
  )
})

test('a current folder that was removed is told', () => {
  mkdirSync(join(folder, 'gone'))
  process.chdir(join(folder, 'gone'))
  rmSync(join(folder, 'gone'), { recursive: true })
  assert.match(
    message(() => resolveConfig()),
    'The current folder does not exist any more',
  )
})

test('a mark of the byte order before a file is no mistake', () => {
  write('here/.zugbruecke.json', '\uFEFF{"log_level": 10}')
  assert.is(resolveConfig().log_level, 10)
})

const illTyped: [string, unknown][] = [
  ['arch', 'arm64'],
  ['arch', 64],
  ['memory', 1 << 16],
  ['memory', (1 << 20) + 1],
  ['memory', Number.NaN],
  ['memory', Number.POSITIVE_INFINITY],
  ['memory', '268435456'],
  ['stdout', 1],
  ['log_level', 51],
  ['log_level', 1.5],
  ['timeout_start', 0],
  ['timeout_start', -1],
  ['timeout_call', '5'],
  ['timeout_call', 1e12],
  ['encoding', 'utf-9'],
  ['env', { A: 1 }],
  ['env', ['A']],
  ['env', { 'A=B': '1' }],
  ['env', null],
  ['python', ''],
  ['pythonversion', 'three'],
  ['id', 'a/b'],
  ['id', ''],
  ['cwd', 'a\0b'],
  ['sandbox', [1]],
]
for (const [name, value] of illTyped)
  test(`${name} of ${JSON.stringify(value)} is an error that names it`, () => {
    assert.match(
      message(() => resolveConfig({ [name]: value } as never)),
      `"${name}" must be`,
    )
  })

test('a file that is no JSON, or no object, is an error that names it', () => {
  write('here/.zugbruecke.json', '{ memory: 1 }')
  assert.match(
    message(() => resolveConfig()),
    join(folder, 'here/.zugbruecke.json'),
  )
  write('here/.zugbruecke.json', '[]')
  assert.match(
    message(() => resolveConfig()),
    'expected an object',
  )
})

test('what is no file, or has no end, is an error that names it', () => {
  execFileSync('mkfifo', [join(folder, 'fifo')])
  for (const path of [join(folder, 'fifo'), '/dev/zero', '/dev/null']) {
    process.env.ZUGBRUECKE = path
    assert.match(
      message(() => resolveConfig()),
      `${path}: is not a file.`,
    )
  }
  write('long.json', `{}${' '.repeat(2 << 20)}`)
  process.env.ZUGBRUECKE = join(folder, 'long.json')
  assert.match(
    message(() => resolveConfig()),
    'long.json: is longer than',
  )
})

test('what cannot be read, or written as JSON, is shown all the same', () => {
  const round: { self?: unknown } = {}
  round.self = round
  for (const value of [round, { A: 1n }, { toJSON() {} }, new Uint8Array(1 << 26), new Map()])
    assert.match(
      message(() => resolveConfig({ env: value as never })),
      '"env" must be',
    )
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  assert.match(
    message(() => resolveConfig(proxy)),
    'cannot be read',
  )
  const throwing = {
    get arch(): never {
      throw new Error('by a getter')
    },
  }
  assert.match(
    message(() => resolveConfig(throwing)),
    'by a getter',
  )
  // what is given is read once
  let times = 0
  const changing = {
    get log_level() {
      return times++ === 0 ? 5 : 'none'
    },
  }
  assert.is(resolveConfig(changing as never).log_level, 5)
  assert.equal(resolveConfig({ env: new Proxy({ A: '1' }, {}) }).env, { A: '1' })
})

test('undefined is not given', () => {
  assert.is(resolveConfig({ arch: undefined } as never).arch, 'win64')
})

test('names of Object.prototype are unknown parameters', () => {
  assert.match(
    message(() => resolveConfig({ constructor: 1, toString: 2 } as never)),
    'unknown parameter',
  )
})

test('only some parameters change at run time', () => {
  assert.equal(checkParameterChange({ stdout: false, timeout_call: 2 }), { stdout: false, timeout_call: 2 })
  assert.match(
    message(() => checkParameterChange({ memory: 1 << 20 })),
    'settled when a session starts',
  )
  assert.match(
    message(() => checkParameterChange({ log_level: 'x' } as never)),
    '"log_level" must be',
  )
})

test.run()
