import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readArgument, toJson } from '../../src/cli/text.js'

const test = suite('text of the command line')

test('numbers, words and JSON', () => {
  assert.is(readArgument('-5', false), -5)
  assert.is(readArgument('0x10', false), 16)
  assert.is(readArgument('-0x10', false), -16)
  assert.is(readArgument('18446744073709551615', false), 18446744073709551615n)
  assert.is(readArgument('1.5', false), 1.5)
  assert.is(readArgument('.5', false), 0.5)
  assert.is(readArgument('-.5e1', false), -5)
  assert.is(readArgument('5.', false), 5)
  assert.is(readArgument('-inf', false), Number.NEGATIVE_INFINITY)
  assert.ok(Number.isNaN(readArgument('NaN', false)))
  assert.ok(Object.is(readArgument('-0.0', false), -0))
  assert.is(readArgument('1.2.3', false), '1.2.3')
  assert.is(readArgument('true', false), true)
  assert.is(readArgument('null', true), null)
  assert.equal(readArgument('[1,2]', false), [1, 2])
  assert.is(readArgument('hello', false), 'hello')
})

test('what a string parameter gets is text, also where it looks like a number', () => {
  assert.is(readArgument('42', true), '42')
  assert.is(readArgument('"42"', true), '42')
  assert.is(readArgument('42', false), 42)
})

test('bigints in JSON', () => {
  assert.is(toJson(5n), '5')
  assert.is(toJson(2n ** 64n), `"${2n ** 64n}"`)
})

test.run()
