import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { prototypeParameters, readArgument, toJson } from '../../src/cli/text.js'

const test = suite('text of the command line')

test('parameters of a prototype', () => {
  assert.equal(prototypeParameters('int f(void)'), [])
  assert.equal(prototypeParameters('int f()'), [])
  assert.equal(prototypeParameters('int f(int a, const char *b);'), ['int a', 'const char *b'])
  assert.equal(prototypeParameters('void f(int (*cb)(int, int), int n)'), ['int (*cb)(int, int)', 'int n'])
})

test('numbers, words and JSON', () => {
  assert.is(readArgument('-5', 'int'), -5)
  assert.is(readArgument('0x10', 'int'), 16)
  assert.is(readArgument('-0x10', 'int'), -16)
  assert.is(readArgument('18446744073709551615', 'unsigned long long'), 18446744073709551615n)
  assert.is(readArgument('1.5', 'double'), 1.5)
  assert.is(readArgument('.5', 'double'), 0.5)
  assert.is(readArgument('-.5e1', 'double'), -5)
  assert.is(readArgument('5.', 'double'), 5)
  assert.is(readArgument('-inf', 'double'), Number.NEGATIVE_INFINITY)
  assert.ok(Number.isNaN(readArgument('NaN', 'float')))
  assert.ok(Object.is(readArgument('-0.0', 'double'), -0))
  assert.is(readArgument('1.2.3', 'double'), '1.2.3')
  assert.is(readArgument('true', 'bool'), true)
  assert.is(readArgument('null', 'char *'), null)
  assert.equal(readArgument('[1,2]', 'int *'), [1, 2])
  assert.is(readArgument('hello', undefined), 'hello')
})

test('what a string parameter gets is text, also where it looks like a number', () => {
  for (const parameter of ['const char *s', 'char*', 'const wchar_t *s', 'LPCWSTR s', 'LPSTR', 'PCSTR p', 'PWSTR'])
    assert.is(readArgument('42', parameter), '42', parameter)
  for (const parameter of ['int', 'char c', 'int *chars', 'STRUCTURE *s'])
    assert.is(readArgument('42', parameter), 42, parameter)
})

test('bigints in JSON', () => {
  assert.is(toJson(5n), '5')
  assert.is(toJson(2n ** 64n), `"${2n ** 64n}"`)
})

test.run()
