/** What the command line says where it cannot do what it is told. */
// 64-bit only: no session comes up in it
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dll } from '../dlls/build.js'
import { cli } from './program.js'

const test = suite('command line: wrong uses and machines')
const folder = mkdtempSync(join(tmpdir(), 'zb-cli-'))
test.after(() => rmSync(folder, { recursive: true }))

/** A home with nothing in it, and no Wine to be found. */
const bare = { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), ZUGBRUECKE_WINE: join(folder, 'no-wine') }

test('help names every command and exits 0', async () => {
  const { code, stdout } = await cli(['--help'])
  assert.is(code, 0)
  for (const command of ['setup', 'doctor', 'stop', 'env', 'call', 'exports', 'repl']) assert.match(stdout, command)
})

test('a wrong use exits 2', async () => {
  const ran = await Promise.all([['dokter'], ['setup', '--arch', 'arm'], ['call', 'x.dll']].map(args => cli(args)))
  assert.equal(
    ran.map(({ code }) => code),
    [2, 2, 2],
  )
})

test('doctor on a bare machine: exit code 1, what is missing, how to mend it', async () => {
  const [machine, person] = await Promise.all([
    cli(['doctor', '--json'], bare),
    cli(['doctor'], { ...bare, ZUGBRUECKE_WINE: '' }),
  ])
  assert.is(machine.code, 1)
  const { ok, checks } = JSON.parse(machine.stdout)
  assert.is(ok, false)
  const missing = checks.filter((check: { ok: boolean }) => !check.ok)
  assert.ok(missing.length >= 4)
  for (const { name, mend } of missing) assert.ok(mend, `${name} says how to mend it`)
  assert.match(person.stdout, 'npx zugbruecke setup')
  assert.match(person.stdout, 'A session cannot start.')
})

test('setup with a Wine that does not exist: exit code 1, one line, nothing made', async () => {
  const { code, stderr } = await cli(['setup'], bare)
  assert.is(code, 1)
  assert.match(stderr, /zugbruecke: The configured "wine" is not a usable Wine/)
})

test('setup where the cache folder cannot be made: one line that says so and what to do', async () => {
  writeFileSync(join(folder, 'file'), '')
  const { code, stderr } = await cli(['setup'], { XDG_CACHE_HOME: join(folder, 'file') })
  assert.is(code, 1)
  assert.match(stderr, /zugbruecke: ENOTDIR.*\. Everything is kept in .*XDG_CACHE_HOME/)
  assert.not.match(stderr, '    at ')
})

test('doctor names the bridge of each architecture', async () => {
  const anyArch = { ...bare, ZUGBRUECKE_ARCH: undefined }
  const found = async (...args: string[]): Promise<string> =>
    JSON.parse((await cli(['doctor', '--json', ...args], anyArch)).stdout).checks.find(
      ({ name }: { name: string }) => name === 'native bridge',
    ).found
  assert.match(await found(), /bridge-win64\.dll$/)
  assert.match(await found('--arch', 'win32'), /bridge-win32\.dll$/)
})

test('env runs with an empty HOME', async () => {
  const { code, stderr } = await cli(['env'], { HOME: '' })
  assert.is(code, 0, stderr)
})

test('a configuration error is one line, without a stack', async () => {
  const { code, stderr } = await cli(['env'], { ZUGBRUECKE_MEMORRY: '1' })
  assert.is(code, 1)
  assert.match(stderr, 'ZUGBRUECKE_MEMORY?')
  assert.not.match(stderr, '    at ')
})

test('exports of what is no DLL', async () => {
  writeFileSync(join(folder, 'x.dll'), 'text')
  const { code, stderr } = await cli(['exports', join(folder, 'x.dll')])
  assert.is(code, 1)
  assert.match(stderr, 'does not begin with "MZ"')
})

/** A DLL of ours, made into what no session can load. */
function foreign(name: string, change: (bytes: Buffer, pe: number) => void): string {
  const bytes = Buffer.from(readFileSync(dll('numbers', 'win64')))
  change(bytes, bytes.readUInt32LE(0x3c))
  const path = join(folder, `${name}.dll`)
  writeFileSync(path, bytes)
  return path
}

const arm = (bytes: Buffer, pe: number) => bytes.writeUInt16LE(0xaa64, pe + 4)
const old = (bytes: Buffer, pe: number) => bytes.write('NE', pe, 'latin1')
const managed = (bytes: Buffer, pe: number) => {
  const optional = pe + 24
  const section = optional + bytes.readUInt16LE(pe + 20)
  // the header of .NET is the beginning of the first section, and says that there is no machine code
  bytes.writeUInt32LE(bytes.readUInt32LE(section + 12), optional + 112 + 8 * 14)
  bytes.writeUInt32LE(1, bytes.readUInt32LE(section + 20) + 16)
}

for (const [change, words, listed] of [
  [arm, 'is for ARM64', 'DLL, arm64, '],
  [managed, 'is a .NET assembly', '.NET DLL, win64, '],
  [old, 'is for 16-bit Windows', undefined],
] as const)
  test(`what no session can load is named as what it is: it ${words}`, async () => {
    const path = foreign(change.name, change)
    const [called, looked, shown] = await Promise.all([
      cli(['call', path, 'int add(int, int)', '3', '4']),
      cli(['doctor', path]),
      cli(['exports', path.replace(/\.dll$/, '')]),
    ])
    for (const { code, stderr } of [called, looked]) {
      assert.is(code, 1)
      assert.match(stderr, words)
    }
    assert.is(shown.code, listed ? 0 : 1)
    assert.match(listed ? shown.stdout : shown.stderr, listed ?? words)
  })

test.run()
