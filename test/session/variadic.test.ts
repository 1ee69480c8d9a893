import * as assert from 'uvu/assert'
import { byref, c_char_p, c_double, c_int, c_longlong, create_string_buffer, type Library } from 'zugbruecke'
import { sessionSuite } from './support.js'

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

test.run()
