import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dll } from '../dlls/build.js'
import { cli } from './program.js'

const test = suite('command line')
/** What the suite runs for. */
const own = process.env.ZUGBRUECKE_ARCH ?? 'win64'

test('call: numbers as C writes them, text, out parameters, JSON for programs', async () => {
  const call = async (...args: string[]) => (await cli(['call', 'msvcrt', ...args])).stdout.trim()
  const [pow, abs, length, modf, wide, div, missing] = await Promise.all([
    call('double pow(double, double)', '2', '-.5'),
    call('int abs(int)', '-5'),
    call('size_t strlen(const char *)', '123'),
    call('double modf(double, out(double))', '2.5', '--json'),
    call('size_t wcslen(LPCWSTR)', '-5'),
    call('struct { int quot, rem; } div(int a, int b)', '17', '5'),
    cli(['call', 'msvcrt', 'int abbs(int)', '1', '--json']),
  ])
  assert.equal([pow, abs, length, wide], ['0.7071067811865476', '5', '3', '2'])
  assert.equal(JSON.parse(modf), { result: [0.5, 2] })
  assert.equal(JSON.parse(div), { quot: 3, rem: 2 })
  assert.is(missing.code, 1)
  assert.is(JSON.parse(missing.stdout).error.code, 'ERR_ZUGBRUECKE_ROUTINE_NOT_FOUND')
})

test('call: what is only returned is not given, wherever it stands; what arguments became is printed', async () => {
  const call = async (...args: string[]) => (await cli(['call', ...args])).stdout
  const ticks = (BigInt(Date.UTC(2024, 1, 29)) + 11644473600000n) * 10000n
  const time =
    'int __stdcall SystemTimeToFileTime(const struct { unsigned short f[8]; } *, struct { unsigned low, high; } *both)'
  const [divided, both, swapped, frexp, upper, wide, length] = await Promise.all([
    call(dll('rows'), 'int divide(int a, int b, out(int), _Out_ double *)', '17', '5'),
    call('kernel32', time, '{"f": [2024, 2, 4, 29, 0, 0, 0, 0]}', '{}', '--json'),
    call('msvcrt', 'void _swab(const char *, short *, int)', 'abcd', '[0, 0]', '4'),
    call('msvcrt', 'double frexp(double, int *)', '8', '0'),
    call('msvcrt', 'int _strupr_s(char *, size_t)', 'ä text', '8'),
    call('msvcrt', 'wchar_t *_wcsupr(wchar_t *)', '5 ab'),
    call('msvcrt', 'size_t strlen(char *)', 'ab'),
  ])
  assert.equal(JSON.parse(divided), [2, 3, 3.4])
  assert.equal(JSON.parse(both), {
    result: 1,
    arguments: { 2: { low: Number(ticks % 2n ** 32n), high: Number(ticks >> 32n) } },
  })
  assert.equal(swapped.trim().split(/\n/)[0], 'argument 2: [')
  assert.match(frexp, /^0.5\nargument 2: 4\n$/)
  assert.equal([upper, wide, length], ['0\nargument 1: "ä TEXT"\n', '5 AB\nargument 1: "5 AB"\n', '2\n'])
})

test('call: what is no prototype is a wrong use', async () => {
  const [cut, unknown, text] = await Promise.all([
    cli(['call', 'msvcrt', 'int abs(int', '5']),
    cli(['call', 'msvcrt', 'int abs(vendor_t)', '5']),
    cli(['call', 'msvcrt', 'int abs(int)', 'text']),
  ])
  assert.equal([cut.code, unknown.code, text.code], [2, 2, 1])
  assert.match(cut.stderr, 'expected "," or ")", found the end of the text')
})

test('repl: lines of a pipe take turns, and an error does not end it, but is told in the exit code', async () => {
  const lines = ['const a = await cdll.msvcrt.abs(-3)', 'a + 1', '[1,', '2].length', 'await nothing()', 'a * 100']
  const [{ code, stdout, stderr }, whole, cutOff] = await Promise.all([
    cli(['repl'], {}, lines.join('\n')),
    cli(['repl'], {}, '[1,\n2].length\n'),
    cli(['repl'], {}, '1 + 1\n[1,\n'),
  ])
  assert.is(code, 1, stderr)
  assert.is(whole.code, 0)
  assert.is(cutOff.code, 1, 'a line that was to be continued')
  assert.match(cutOff.stdout, 'Uncaught SyntaxError: Unexpected end of input')
  const answers = stdout.split('\n')
  assert.equal([answers[0], answers[1]], ['undefined', '4'])
  assert.match(answers[2], /2$/)
  assert.match(stdout, 'ReferenceError: nothing is not defined')
  assert.match(stdout, '300')
  assert.not.match(stdout, 'zugbruecke>')
})

test('env --json', async () => {
  const { code, stdout } = await cli(['env', '--json'])
  assert.is(code, 0)
  const found = JSON.parse(stdout)
  assert.match(found.cache, 'zugbruecke')
  assert.is(found.parameters.arch, own)
})

test('exports of one of Windows itself', async () => {
  const { code, stdout } = await cli(['exports', 'kernel32', '--json'])
  assert.is(code, 0)
  const { arch, exports } = JSON.parse(stdout)
  assert.is(arch, own)
  assert.ok(exports.some(({ name }: { name?: string }) => name === 'GetCurrentProcessId'))
})

test.run()
