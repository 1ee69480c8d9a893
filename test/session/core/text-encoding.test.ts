import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError, ConfigError } from '../../../src/errors.js'
import { encodingFor } from '../../../src/session/core/text-encoding.js'

const test = suite('encodings of char *')
const hex = (name: string, text: string) => Buffer.from(encodingFor(name).encode(text)).toString('hex')

for (const [name, text, bytes] of [
  ['utf-8', 'ü', 'c3bc'],
  ['windows-1252', '€ü', '80fc'],
  ['windows-1250', 'ęóąśłżźćń', 'eaf3b99cb3bf9fe6f1'],
  ['ibm866', 'Жук\x1a\x7f', '86e3aa1a7f'],
  // with what Microsoft added to each: circled digits, half of Korean
  ['shift_jis', '表ミ①a\x1a\x7f', '955c837e8740611a7f'],
  ['sjis', '表', '955c'],
  ['gbk', 'ン汉€', 'a5f3baba80'],
  ['gb18030', '汉😀', 'baba9439fc36'],
  ['big5', '功', 'a55c'],
  ['euc-kr', '한갂', 'c7d18141'],
  ['euc-jp', '表ｶ', 'c9bd8eb6'],
] as const)
  test(`${name}: ${JSON.stringify(text)}`, () => {
    assert.is(hex(name, text), bytes)
    assert.is(encodingFor(name).decode(Buffer.from(bytes, 'hex')), text)
    assert.is(encodingFor(name).name, name)
  })

test('UTF-8 by any of its names', () => {
  for (const name of ['utf-8', 'utf8', 'UTF-8', 'unicode-1-1-utf-8']) assert.is(encodingFor(name).name, 'utf-8', name)
})

test('what an encoding does not have is named', () => {
  for (const [name, text, lost] of [
    ['windows-1252', 'aΩ', 'Ω'],
    ['shift_jis', '表?한?', '한'],
    ['gbk', 'a😀b', '😀'],
    ['gb18030', 'a\ud800', '\ud800'],
  ] as const)
    assert.throws(
      () => encodingFor(name).encode(text),
      (error: Error) => error instanceof ArgumentError && error.message.includes(`${JSON.stringify(lost)} is not in`),
      name,
    )
})

test('a character that is cut off costs no other', () => {
  assert.is(
    encodingFor('shift_jis')
      .decode(Uint8Array.of(0x83, 0x7e, 0x83))
      .slice(0, 1),
    'ミ',
  )
})

test('text up to a zero cannot be in every encoding', () => {
  for (const name of ['utf-16le', 'utf-16be', 'iso-2022-jp'])
    assert.throws(
      () => encodingFor(name),
      (error: Error) => error instanceof ConfigError && error.message.includes(name),
      name,
    )
})

test.run()
