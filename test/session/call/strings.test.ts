import fc from 'fast-check'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  ConfigError,
  CtypesSession,
  c_char_p,
  c_int,
  c_wchar_p,
  create_string_buffer,
  create_unicode_buffer,
  type Library,
} from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'

const test = sessionSuite('strings')
let texts: Library
test.before(async ({ session }) => {
  texts = await session.cdll.LoadLibrary(dll('texts'))
})

test('char * is UTF-8, both ways', async () => {
  const length = texts.func('length', [c_char_p], c_int)
  const echo = texts.func('echo', [c_char_p], c_char_p)
  for (const [text, bytes] of [
    ['', 0],
    ['abc', 3],
    ['grün', 5],
    ['€', 3],
    ['😀', 4],
  ] as const) {
    assert.is(await length(text), bytes)
    assert.is(await echo(text), text)
  }
  assert.is(await texts.func('greeting', [], c_char_p)(), 'grüß dich € 😀')
})

test('wchar_t * is UTF-16, both ways', async () => {
  const length = texts.func('wide_length', [c_wchar_p], c_int)
  const echo = texts.func('wide_echo', [c_wchar_p], c_wchar_p)
  for (const [text, units] of [
    ['', 0],
    ['abc', 3],
    ['€', 1],
    ['😀', 2],
  ] as const) {
    assert.is(await length(text), units)
    assert.is(await echo(text), text)
  }
  assert.is(await texts.func('wide_greeting', [], c_wchar_p)(), 'grüß dich € 😀')
})

test('any text without a NUL comes back', async () => {
  const echo = texts.func('echo', [c_char_p], c_char_p)
  const wide = texts.func('wide_echo', [c_wchar_p], c_wchar_p)
  const text = fc.string({ unit: 'binary', maxLength: 600 }).filter(value => !value.includes('\0'))
  await fc.assert(
    fc.asyncProperty(text, async value => {
      assert.is(await echo(value), value)
      assert.is(await wide(value), value)
    }),
    { numRuns: 40 },
  )
})

test('a text longer than the arena has a page for', async () => {
  const text = 'xyz'.repeat(200_000)
  assert.is(await texts.func('length', [c_char_p], c_int)(text), text.length)
  assert.is(await texts.func('echo', [c_char_p], c_char_p)(text), text)
  assert.is(await texts.func('wide_echo', [c_wchar_p], c_wchar_p)(text), text)
})

test('NULL is null, both ways', async () => {
  assert.is(await texts.func('length', [c_char_p], c_int)(null), -1)
  assert.is(await texts.func('wide_length', [c_wchar_p], c_int)(null), -1)
  assert.is(await texts.func('nothing', [], c_char_p)(), null)
  assert.is(await texts.func('nothing', [], c_wchar_p)(), null)
})

test('a NUL inside goes there, as lists of texts need it, and ends the text for C', async () => {
  assert.is(await texts.func('length', [c_char_p], c_int)('a\0b'), 1)
  assert.is(await texts.func('wide_length', [c_wchar_p], c_int)('a\0b'), 1)
  assert.is(await texts.func('unit_at', [c_wchar_p, c_int], c_int)('a\0b', 2), 98)
  const at = texts.func('byte_at', [c_char_p, c_int], c_int)
  assert.is(await at('a\0b', 2), 98)
  assert.is(await at(new Uint8Array([1, 0, 255]), 2), 255)
})

test('a lone surrogate has no UTF-8, and is a unit of UTF-16 like any other', async () => {
  await rejects(texts.func('length', [c_char_p], c_int)('a\ud800z'), ArgumentError, 'argument 1', 'surrogate')
  assert.is(await texts.func('unit_at', [c_wchar_p, c_int], c_int)('a\ud800z', 1), 0xd800)
  assert.is(await texts.func('lone_surrogate', [], c_wchar_p)(), 'a\ud800z')
})

test('bytes of a result that are no UTF-8 are replaced, not refused', async () => {
  assert.is(await texts.func('not_utf8', [], c_char_p)(), 'a\ufffd\ufffdz')
})

test('what is no string is refused', async () => {
  for (const bad of [1.5, {}, true, Symbol('s')])
    await rejects(texts.func('length', [c_char_p], c_int)(bad as never), ArgumentError, 'argument 1', 'c_char_p')
  await rejects(texts.func('wide_length', [c_wchar_p], c_int)(1.5 as never), ArgumentError, 'c_wchar_p')
})

test('without argtypes a string is wide and bytes are narrow', async () => {
  assert.is(await texts.wide_length('abc'), 3)
  assert.is(await texts.length(new TextEncoder().encode('abcd\0')), 4)
  assert.is(await texts.wide_length(null), -1)
  assert.is(await texts.byte_at(new Uint8Array([5, 6, 7]), 2), 7)
})

test('buffers for text are changed in place', async () => {
  const narrow = create_string_buffer('abc', 10)
  const wide = create_unicode_buffer('äbc', 10)
  await texts.func('shout', [c_char_p], null)(narrow)
  await texts.func('wide_shout', [c_wchar_p], null)(wide)
  assert.is(narrow.value, 'ABC')
  assert.is(narrow.length, 10)
  assert.is(wide.value, 'äBC')
  await texts.shout(narrow)
  assert.is(narrow.value, 'ABC')
})

test('other encodings of char *, from the start and while it runs', async ({ session }) => {
  const echo = texts.func('echo', [c_char_p], c_char_p)
  const at = texts.func('byte_at', [c_char_p, c_int], c_int)
  await session.setParameter({ encoding: 'windows-1252' })
  try {
    assert.is(await at('€', 0), 0x80)
    assert.is(await echo('€ü'), '€ü')
    await rejects(echo('Ω'), ArgumentError, 'argument 1', 'windows-1252')
  } finally {
    await session.setParameter({ encoding: 'utf-8' })
  }
  assert.is(await at('€', 0), 0xe2)
  await rejects(session.setParameter({ encoding: 'no-such' }), ConfigError, 'encoding')
  await rejects(session.setParameter({ encoding: 'utf-16le' }), ConfigError, 'utf-16le', 'c_wchar_p')
  assert.is(await at('€', 0), 0xe2)
  const other = await CtypesSession.start({ encoding: 'windows-1252' })
  try {
    const there = await other.cdll.LoadLibrary(dll('texts'))
    assert.is(await there.func('byte_at', [c_char_p, c_int], c_int)('ü', 0), 0xfc)
  } finally {
    await other.terminate()
  }
})

test('code pages whose characters have several bytes', async ({ session }) => {
  const echo = texts.func('echo', [c_char_p], c_char_p)
  const at = texts.func('byte_at', [c_char_p, c_int], c_int)
  try {
    await session.setParameter({ encoding: 'shift_jis' })
    // its second byte is a backslash anywhere else
    assert.equal(await Promise.all([0, 1, 2].map(place => at('表', place))), [0x95, 0x5c, 0])
    assert.is(await echo('表示 ｶﾅ x'), '表示 ｶﾅ x')
    await rejects(echo('a한'), ArgumentError, 'argument 1', '한', 'shift_jis')
    await session.setParameter({ encoding: 'gbk' })
    assert.is(await echo('汉字'), '汉字')
  } finally {
    await session.setParameter({ encoding: 'utf-8' })
  }
})

test.run()
