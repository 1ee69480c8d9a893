/** Buffers of characters without a zero among them stand in for themselves with one: calls in a row, callbacks and fields see what is in them. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { ArgumentError, CtypesSession, c_char, c_int, c_ubyte, type Library } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sessionSuite } from '../support.js'
import { arch, byref, CFUNCTYPE, c_char_p, c_void_p, c_wchar_p, POINTER, Structure } from '../types.js'

const test = sessionSuite('buffers of characters')
const path = makeDll(
  join(dirname(dll('numbers')), `text-buffers-${arch}.dll`),
  `#include <windows.h>
#define API __declspec(dllexport)
API int next(char *text, int n) { Sleep(2); for (int i = 0; i < n; i++) text[i]++; return text[0]; }
API int next_wide(wchar_t *text, int n) { Sleep(2); for (int i = 0; i < n; i++) text[i]++; return text[0]; }
struct slot { char *text; int length; };
API int next_in(struct slot *slot) { return next(slot->text, slot->length); }
API int next_of(struct slot slot) { return next(slot.text, slot.length); }
API int first_after(char *text, int (*f)(void)) { f(); text[0]++; return text[0]; }
struct counter { int value; };
API int count(struct counter *c) { int now = c->value; Sleep(2); c->value = now + 1; return now; }
`,
)
class Slot extends Structure({ text: c_char_p, length: c_int }) {}
class Bytes extends Structure({ text: POINTER(c_ubyte), length: c_int }) {}
class Counter extends Structure({ value: c_int }) {}
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(path)
})

test('a call that names the same one waits, however either names it', async () => {
  const as = [c_char_p, c_void_p, POINTER(c_char)].map(type =>
    lib.func('next', [type as typeof c_char_p, c_int], c_int),
  )
  for (const first of as)
    for (const second of as) {
      const buffer = Buffer.from('aaaa')
      assert.equal(await Promise.all([first(buffer, 4), second(buffer, 4), first(buffer, 4)]), [98, 99, 100])
      assert.is(String(buffer), 'dddd')
    }
  const wide = Uint16Array.of(97, 98)
  const next = lib.func('next_wide', [c_wchar_p, c_int], c_int)
  assert.equal(await Promise.all([next(wide, 2), next(wide, 2)]), [98, 99])
  assert.equal([...wide], [99, 100])
})

test('one in a field is sent as it is now', async () => {
  const buffer = Buffer.from('aaaa')
  const slot = new Slot({ text: buffer, length: 4 })
  const next = lib.func('next_in', [POINTER(Slot)], c_int)
  assert.equal(await Promise.all([next(byref(slot)), next(byref(slot))]), [98, 99])
  buffer.fill('m')
  assert.is(await next(byref(slot)), 110)
  assert.is(String(buffer), 'nnnn')
  assert.equal(
    await Promise.all([next(byref(slot)), lib.func('next', [c_char_p, c_int], c_int)(buffer, 4)]),
    [111, 112],
  )
  const byValue = lib.func('next_of', [Slot], c_int)
  assert.equal(
    await Promise.all([byValue({ text: buffer, length: 4 }), byValue({ text: buffer, length: 4 })]),
    [113, 114],
  )
})

test('what a callback writes there stays', async () => {
  const F = CFUNCTYPE(c_int)
  const buffer = Buffer.from('aaaa')
  const first = lib.func('first_after', [c_char_p, F], c_int)
  assert.is(
    await first(buffer, () => {
      buffer[2] = 122
      return 0
    }),
    98,
  )
  assert.is(String(buffer), 'baza')
})

test('calls with an object that another session has wait for each other, too', async ({ session }) => {
  const counter = session.memory.place(new Counter({ value: 1 }))
  const other = await CtypesSession.start({ arch })
  try {
    const count = (await other.cdll.LoadLibrary(path)).func('count', [POINTER(Counter)], c_int)
    assert.equal(await Promise.all([count(byref(counter)), count(byref(counter)), count(byref(counter))]), [1, 2, 3])
    assert.is(counter.value, 4)
  } finally {
    await other.terminate()
  }
})

test('objects with such buffers in them, which are copied for each call, are no column', async () => {
  const next = lib.func('next_in', [POINTER(Bytes)], c_int)
  const buffer = Buffer.from('aaaa')
  const own = new (c_ubyte.array(4))(97, 97, 97, 97)
  for (const given of [new (Bytes.array(1))({ text: buffer, length: 4 }), [new Bytes({ text: buffer, length: 4 })]])
    await rejects(next.batch([given as never]), ArgumentError, 'column 1', 'copied for each call')
  const two = new (Bytes.array(2))({ text: own, length: 4 }, { text: own, length: 4 })
  assert.equal([...(await next.batch([two]))], [98, 99])
  assert.is(own[3], 99)
})

test.run()
