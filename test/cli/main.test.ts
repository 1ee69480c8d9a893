import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dll } from '../dlls/build.js'

const test = suite('command line')
/** What the suite runs for. */
const own = process.env.ZUGBRUECKE_ARCH ?? 'win64'
// as it is built, for it starts threads
const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'zb-cli-'))
test.after(() => rmSync(folder, { recursive: true }))

function cli(args: string[], env: NodeJS.ProcessEnv = {}, input = '') {
  const result = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    input,
    env: { ...process.env, ...env },
    timeout: 60_000,
  })
  return { code: result.status, stdout: result.stdout, stderr: result.stderr }
}

/** A home with nothing in it, and no Wine to be found. */
const bare = { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), ZUGBRUECKE_WINE: join(folder, 'no-wine') }

test('help names every command and exits 0', () => {
  const { code, stdout } = cli(['--help'])
  assert.is(code, 0)
  for (const command of ['setup', 'doctor', 'stop', 'env', 'call', 'exports', 'repl']) assert.match(stdout, command)
})

test('a wrong use exits 2', () => {
  assert.is(cli(['dokter']).code, 2)
  assert.is(cli(['setup', '--arch', 'arm']).code, 2)
  assert.is(cli(['call', 'x.dll']).code, 2)
})

test('doctor on a bare machine: exit code 1, what is missing, how to mend it', () => {
  const { code, stdout } = cli(['doctor', '--json'], bare)
  assert.is(code, 1)
  const { ok, checks } = JSON.parse(stdout)
  assert.is(ok, false)
  const missing = checks.filter((check: { ok: boolean }) => !check.ok)
  assert.ok(missing.length >= 4)
  for (const { name, mend } of missing) assert.ok(mend, `${name} says how to mend it`)
  const text = cli(['doctor'], { ...bare, ZUGBRUECKE_WINE: '' }).stdout
  assert.match(text, 'npx zugbruecke setup')
  assert.match(text, 'A session cannot start.')
})

test('setup with a Wine that does not exist: exit code 1, one line, nothing made', () => {
  const { code, stderr } = cli(['setup'], bare)
  assert.is(code, 1)
  assert.match(stderr, /zugbruecke: The configured "wine" is not a usable Wine/)
})

test('setup where the cache folder cannot be made: one line that says so and what to do', () => {
  writeFileSync(join(folder, 'file'), '')
  const { code, stderr } = cli(['setup'], { XDG_CACHE_HOME: join(folder, 'file') })
  assert.is(code, 1)
  assert.match(stderr, /zugbruecke: ENOTDIR.*\. Everything is kept in .*XDG_CACHE_HOME/)
  assert.not.match(stderr, '    at ')
})

test('doctor names the bridge of each architecture', () => {
  const anyArch = { ...bare, ZUGBRUECKE_ARCH: undefined }
  const found = (...args: string[]): string =>
    JSON.parse(cli(['doctor', '--json', ...args], anyArch).stdout).checks.find(
      ({ name }: { name: string }) => name === 'native bridge',
    ).found
  assert.match(found(), /bridge-win64\.dll$/)
  assert.match(found('--arch', 'win32'), /bridge-win32\.dll$/)
})

test('env runs with an empty HOME', () => {
  const { code, stderr } = cli(['env'], { HOME: '' })
  assert.is(code, 0, stderr)
})

test('call: numbers as C writes them, text, out parameters, JSON for programs', () => {
  const call = (...args: string[]) => cli(['call', ...args]).stdout.trim()
  assert.is(call('msvcrt', 'double pow(double, double)', '2', '-.5'), '0.7071067811865476')
  assert.is(call('msvcrt', 'int abs(int)', '-5'), '5')
  assert.is(call('msvcrt', 'size_t strlen(const char *)', '123'), '3')
  assert.equal(JSON.parse(call('msvcrt', 'double modf(double, out(double))', '2.5', '--json')), { result: [0.5, 2] })
  assert.is(call('msvcrt', 'size_t wcslen(LPCWSTR)', '-5'), '2')
  assert.equal(JSON.parse(call('msvcrt', 'struct { int quot, rem; } div(int a, int b)', '17', '5')), {
    quot: 3,
    rem: 2,
  })
  const { code, stdout } = cli(['call', 'msvcrt', 'int abbs(int)', '1', '--json'])
  assert.is(code, 1)
  assert.is(JSON.parse(stdout).error.code, 'ERR_ZUGBRUECKE_ROUTINE_NOT_FOUND')
})

test('call: what is only returned is not given, wherever it stands; what arguments became is printed', () => {
  const rows = dll('rows')
  const call = (...args: string[]) => cli(['call', rows, ...args]).stdout.trim()
  assert.equal(JSON.parse(call('int divide(int a, int b, out(int), _Out_ double *)', '17', '5')), [2, 3, 3.4])
  const ticks = (BigInt(Date.UTC(2024, 1, 29)) + 11644473600000n) * 10000n
  const time =
    'int __stdcall SystemTimeToFileTime(const struct { unsigned short f[8]; } *, struct { unsigned low, high; } *both)'
  const { stdout } = cli(['call', 'kernel32', time, '{"f": [2024, 2, 4, 29, 0, 0, 0, 0]}', '{}', '--json'])
  assert.equal(JSON.parse(stdout), {
    result: 1,
    arguments: { 2: { low: Number(ticks % 2n ** 32n), high: Number(ticks >> 32n) } },
  })
  const sorted = cli(['call', 'msvcrt', 'void _swab(const char *, short *, int)', 'abcd', '[0, 0]', '4']).stdout
  assert.equal(sorted.trim().split(/\n/)[0], 'argument 2: [')
  assert.match(cli(['call', 'msvcrt', 'double frexp(double, int *)', '8', '0']).stdout, /^0.5\nargument 2: 4\n$/)
  const upper = (...args: string[]) => cli(['call', 'msvcrt', ...args]).stdout
  assert.is(upper('int _strupr_s(char *, size_t)', 'ä text', '8'), '0\nargument 1: "ä TEXT"\n')
  assert.is(upper('wchar_t *_wcsupr(wchar_t *)', '5 ab'), '5 AB\nargument 1: "5 AB"\n')
  assert.is(upper('size_t strlen(char *)', 'ab'), '2\n')
})

test('call: what is no prototype is a wrong use', () => {
  const { code, stderr } = cli(['call', 'msvcrt', 'int abs(int', '5'])
  assert.is(code, 2)
  assert.match(stderr, 'expected "," or ")", found the end of the text')
  assert.is(cli(['call', 'msvcrt', 'int abs(vendor_t)', '5']).code, 2)
  assert.is(cli(['call', 'msvcrt', 'int abs(int)', 'text']).code, 1)
})

test('repl: lines of a pipe take turns, and an error does not end it, but is told in the exit code', () => {
  const lines = ['const a = await cdll.msvcrt.abs(-3)', 'a + 1', '[1,', '2].length', 'await nothing()', 'a * 100']
  const { code, stdout, stderr } = cli(['repl'], {}, lines.join('\n'))
  assert.is(code, 1, stderr)
  assert.is(cli(['repl'], {}, '[1,\n2].length\n').code, 0)
  const cutOff = cli(['repl'], {}, '1 + 1\n[1,\n')
  assert.is(cutOff.code, 1, 'a line that was to be continued')
  assert.match(cutOff.stdout, 'Uncaught SyntaxError: Unexpected end of input')
  const answers = stdout.split('\n')
  assert.equal([answers[0], answers[1]], ['undefined', '4'])
  assert.match(answers[2], /2$/)
  assert.match(stdout, 'ReferenceError: nothing is not defined')
  assert.match(stdout, '300')
  assert.not.match(stdout, 'zugbruecke>')
})

test('env --json', () => {
  const { code, stdout } = cli(['env', '--json'])
  assert.is(code, 0)
  const found = JSON.parse(stdout)
  assert.match(found.cache, 'zugbruecke')
  assert.is(found.parameters.arch, own)
})

test('a configuration error is one line, without a stack', () => {
  const { code, stderr } = cli(['env'], { ZUGBRUECKE_MEMORRY: '1' })
  assert.is(code, 1)
  assert.match(stderr, 'ZUGBRUECKE_MEMORY?')
  assert.not.match(stderr, '    at ')
})

test('exports of what is no DLL', () => {
  writeFileSync(join(folder, 'x.dll'), 'text')
  const { code, stderr } = cli(['exports', join(folder, 'x.dll')])
  assert.is(code, 1)
  assert.match(stderr, 'does not begin with "MZ"')
})

/** A DLL of ours, made into what no session can load. */
function foreign(change: (bytes: Buffer, pe: number) => void): string {
  const bytes = Buffer.from(readFileSync(dll('numbers', 'win64')))
  change(bytes, bytes.readUInt32LE(0x3c))
  const path = join(folder, 'foreign.dll')
  writeFileSync(path, bytes)
  return path
}

test('what no session can load is named as what it is', () => {
  const arm = (bytes: Buffer, pe: number) => bytes.writeUInt16LE(0xaa64, pe + 4)
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
    [(bytes: Buffer, pe: number) => bytes.write('NE', pe, 'latin1'), 'is for 16-bit Windows', undefined],
  ] as const) {
    const path = foreign(change)
    for (const args of [
      ['call', path, 'int add(int, int)', '3', '4'],
      ['doctor', path],
    ]) {
      const { code, stderr } = cli(args)
      assert.is(code, 1)
      assert.match(stderr, words)
    }
    const { code, stdout, stderr } = cli(['exports', path.replace(/\.dll$/, '')])
    assert.is(code, listed ? 0 : 1)
    assert.match(listed ? stdout : stderr, listed ?? words)
  }
})

test('exports of one of Windows itself', () => {
  const { code, stdout } = cli(['exports', 'kernel32', '--json'])
  assert.is(code, 0)
  const { arch, exports } = JSON.parse(stdout)
  assert.is(arch, own)
  assert.ok(exports.some(({ name }: { name?: string }) => name === 'GetCurrentProcessId'))
})

test.run()
