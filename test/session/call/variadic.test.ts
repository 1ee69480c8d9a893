import * as assert from 'uvu/assert'
import {
  ArgumentError,
  byref,
  c_char,
  c_char_p,
  c_double,
  c_int,
  c_longlong,
  create_string_buffer,
  create_unicode_buffer,
  type Library,
  POINTER,
} from 'zugbruecke'
import { rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('variadic routines of msvcrt')
let msvcrt: Library
test.before(({ session }) => {
  msvcrt = session.cdll.msvcrt
})

test('sprintf with integers, text and floats', async () => {
  const buffer = create_string_buffer(200)
  const sprintf = msvcrt.func<unknown[], number>('int sprintf(char *buffer, const char *format, ...)')
  const text = 'a 7 -3 text 2.50 z'
  const wide = new c_longlong(-3)
  assert.is(await sprintf(buffer, 'a %d %lld %s %.2f z', 7, wide, new c_char_p('text'), new c_double(2.5)), text.length)
  assert.is(buffer.value, text)
})

test('the way of ctypes: no argtypes, objects of ctypes', async () => {
  const buffer = create_string_buffer(100)
  const format = new TextEncoder().encode('%d+%.1f\0')
  assert.is(await msvcrt.sprintf(buffer, format, 3, new c_double(0.5)), 5)
  assert.is(buffer.value, '3+0.5')
})

test('twenty arguments', async () => {
  const buffer = create_string_buffer(200)
  const values = Array.from({ length: 18 }, (_, i) => i * 11)
  const sprintf = msvcrt.func<unknown[], number>('int sprintf(char *buffer, const char *format, ...)')
  await sprintf(buffer, values.map(() => '%d').join(','), ...values)
  assert.is(buffer.value, values.join(','))
})

test('sscanf writes through pointers', async () => {
  const sscanf = msvcrt.func<unknown[], number>('int sscanf(const char *text, const char *format, ...)')
  const [one, two, three] = [new c_int(), new c_int(), new (c_int.array(2))()]
  assert.is(await sscanf('12 -34 56', '%d %d %d', byref(one), byref(two), byref(three, 4)), 3)
  assert.equal([one.value, two.value, ...three], [12, -34, 0, 56])
})

test('text behind the declared arguments is of the kind of the last declared text', async () => {
  const narrow = create_string_buffer(64)
  const snprintf = msvcrt.func<unknown[], number>('int _snprintf(char *buffer, size_t size, const char *format, ...)')
  assert.is(await snprintf(narrow, 64, 'name=%s n=%d', 'Berlin', 5), 15)
  assert.is(narrow.value, 'name=Berlin n=5')
  const wide = create_unicode_buffer(64)
  const swprintf = msvcrt.func<unknown[], number>('int _snwprintf(wchar_t *, size_t, const wchar_t *format, ...)')
  assert.is(await swprintf(wide, 64, '%s/%S', 'Köln', new c_char_p('Berlin')), 11)
  assert.is(wide.value, 'Köln/Berlin')
  // the last one decides; room for text is text
  const mixed = msvcrt.func<unknown[], number>('int _snwprintf(char *, size_t, const wchar_t format[], ...)')
  const bytes = Buffer.alloc(128)
  assert.is(await mixed(bytes, 64, '%s', 'Bonn'), 4)
  assert.is(bytes.toString('utf16le', 0, 8), 'Bonn')
})

test('the same for what goes beyond argtypes', async () => {
  const sprintf = msvcrt.func('sprintf')
  sprintf.argtypes = [POINTER(c_char), c_char_p]
  const buffer = create_string_buffer(64)
  assert.is(await sprintf(buffer, '%s %s', 'ab', 'cd'), 5)
  assert.is(buffer.value, 'ab cd')
})

test('where no declared argument is text, a plain string says nothing', async () => {
  const count = msvcrt.func<unknown[], number>('int _vscprintf(const void *format, ...)')
  await rejects(count(null, 'x'), ArgumentError, 'argument 2', "string 'x'", 'new c_char_p(…) or new c_wchar_p(…)')
  throws(() => count.sync(null, 1, 'x'), ArgumentError, 'argument 3')
})

test.run()
