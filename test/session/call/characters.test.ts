import * as assert from 'uvu/assert'
import { ArgumentError, c_bool, c_char, c_int, c_wchar, type Library } from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'

const test = sessionSuite('bool, char and wchar')
let numbers: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
})

test('c_bool is true or false', async () => {
  const same = numbers.func('same_bool', [c_bool], c_bool)
  assert.is(await same(true), true)
  assert.is(await same(false), false)
  assert.is(same.sync(true), true)
})

test('a bool result is that of its byte alone', async () => {
  const odd = numbers.func('same_int32', [c_int], c_bool)
  assert.is(await odd(1), true)
  assert.is(await odd(0), false)
})

test('c_char is one character of Latin-1', async () => {
  const same = numbers.func('same_char', [c_char], c_char)
  for (const character of ['a', '\0', '\x7f', '\x80', 'ÿ']) assert.is(await same(character), character)
  for (const bad of ['', 'ab', '€', true, null])
    await rejects(same(bad as never), ArgumentError, 'argument 1', 'c_char')
})

test('c_wchar is one unit of UTF-16', async () => {
  const same = numbers.func('same_wchar', [c_wchar], c_wchar)
  for (const character of ['a', '\0', '€', '\uffff', '\ud800']) assert.is(await same(character), character)
  for (const bad of ['', 'ab', '😀', null]) await rejects(same(bad as never), ArgumentError, 'argument 1', 'c_wchar')
})

test.run()
