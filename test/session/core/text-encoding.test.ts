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
  ['iso-2022-jp', 'a表①～\n', '611b2442493d2d2121411b28420a'],
  ['iso-2022-jp', '', ''],
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
    ['iso-2022-jp', '表ｶ', 'ｶ'],
    ['iso-2022-jp', '丂', '丂'],
    ['iso-2022-jp', 'a\x1b(J', '\x1b'],
    ['iso-2022-jp', '¥', '¥'],
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

test('ISO-2022-JP: each text begins and ends in ASCII, and every character that Node decodes is encoded again', () => {
  const { encode, decode } = encodingFor('iso-2022-jp')
  const joined = Buffer.concat([encode('表'), encode('ミ')])
  assert.is(decode(joined), '表ミ')
  // what others write: katakana of half width, and the yen of JIS X 0201
  assert.is(decode(Buffer.from('\x1b(I6\x1b(J\\\x1b(B', 'latin1')), 'ｶ¥')
  let count = 0
  for (let first = 0x21; first < 0x7f; first++)
    for (let second = 0x21; second < 0x7f; second++) {
      const bytes = Uint8Array.of(0x1b, 0x24, 0x42, first, second, 0x1b, 0x28, 0x42)
      const character = decode(bytes)
      if (character.includes('\ufffd')) continue
      assert.is(decode(encode(character)), character)
      count++
    }
  assert.ok(count > 7000, `${count}`)
})

test('UTF-16 has zero bytes inside, and types of its own', () => {
  for (const name of ['utf-16', 'utf-16le', 'utf-16be'])
    assert.throws(
      () => encodingFor(name),
      (error: Error) => error instanceof ConfigError && error.message.includes(name) && /c_wchar_p/.test(error.message),
      name,
    )
})

test.run()
