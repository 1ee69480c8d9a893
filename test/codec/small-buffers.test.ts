import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEncoder } from '../../dist/src/codec/encoder.js'
import { Call } from '../../dist/src/codec/layout.js'
import { SmallBuffers } from '../../dist/src/codec/small-buffers.js'

const test = suite('small arrays of a call')
const AT = 256
const ADDRESS = 0x7f12_3456_0000
const encoder = createEncoder()

/** What both sides see. */
function there() {
  const u8 = new Uint8Array(8192)
  return { u8, i32: new Int32Array(u8.buffer) }
}
const addressOf = (argument: number) =>
  Number(new DataView(encoder.message.buffer).getBigUint64(Call.arguments + 8 * argument, true))

/** Bytes of memory of their own, at an offset there. */
const array = fc.record({ offset: fc.nat(9), bytes: fc.uint8Array({ maxLength: 300 }) }).map(({ offset, bytes }) => {
  const given = new Uint8Array(new ArrayBuffer(offset + bytes.length + 5), offset, bytes.length)
  given.set(bytes)
  return given
})

test('arrays of any length and place go there, each at its address, and come back as they are then', () => {
  fc.assert(
    fc.property(fc.array(array, { minLength: 1, maxLength: 6 }), arrays => {
      const buffers = new SmallBuffers()
      const { u8, i32 } = there()
      arrays.forEach((given, i) => assert.ok(buffers.add(2 * i, given)))
      buffers.put(i32, u8, AT, ADDRESS, encoder)
      const places = arrays.map((_, i) => addressOf(2 * i) - ADDRESS + AT)
      arrays.forEach((given, i) => {
        assert.is(places[i] % 16, 0)
        assert.ok(places[i] + given.length <= AT + buffers.size)
        assert.equal(u8.slice(places[i], places[i] + given.length), given.slice())
        if (i > 0) assert.ok(places[i] >= places[i - 1] + arrays[i - 1].length)
      })
      const around = arrays.map(({ buffer }) => new Uint8Array(buffer).slice())
      for (let i = 0; i < u8.length; i++) u8[i] ^= 0xff
      buffers.readBack(i32, u8, AT)
      arrays.forEach((given, i) => {
        const whole = around[i]
        for (let at = 0; at < given.length; at++) whole[given.byteOffset + at] ^= 0xff
        assert.equal(new Uint8Array(given.buffer), whole)
      })
    }),
  )
})

test('what a callback writes here stays, but for what the routine writes over it', () => {
  fc.assert(
    fc.property(array, fc.func(fc.boolean()), fc.func(fc.boolean()), (given, here, over) => {
      const buffers = new SmallBuffers()
      const { u8, i32 } = there()
      buffers.add(0, given)
      buffers.put(i32, u8, AT, ADDRESS, encoder)
      buffers.remember()
      const wanted = given.slice()
      for (let i = 0; i < given.length; i++) {
        if (here(i)) wanted[i] = given[i] ^= 0x0f
        if (over(i)) wanted[i] = u8[AT + i] ^= 0xf0
      }
      // what is remembered is how they were sent, however many callbacks run
      buffers.remember()
      buffers.readBack(i32, u8, AT)
      assert.equal(given.slice(), wanted)
    }),
  )
})

test('so many bytes, and no memory twice', () => {
  const buffers = new SmallBuffers()
  assert.ok(buffers.add(0, new Float64Array(128)))
  const memory = new ArrayBuffer(1024)
  assert.not.ok(buffers.add(1, new Uint8Array(1025)))
  assert.ok(buffers.add(1, new Uint8Array(memory, 0, 8)))
  assert.not.ok(buffers.add(2, new Uint8Array(memory, 8, 8)))
  assert.ok(buffers.add(2, new Uint8Array(1008)))
  assert.not.ok(buffers.add(3, new Uint8Array(1)))
  assert.is(buffers.count, 3)
  assert.is(buffers.owners()[1], memory)
  assert.ok(buffers.some(buffer => buffer === memory))
  assert.not.ok(buffers.some(buffer => buffer === encoder.message.buffer))
})

test('memory that goes before a callback runs is an error when the arrays come back, and the others do', () => {
  const buffers = new SmallBuffers()
  const { u8, i32 } = there()
  const arrays = [Int32Array.of(1), new Uint8Array(0), Int32Array.of(2)]
  for (const [i, given] of arrays.entries()) buffers.add(i, given)
  buffers.put(i32, u8, AT, ADDRESS, encoder)
  structuredClone(null, { transfer: arrays.slice(0, 2).map(({ buffer }) => buffer as ArrayBuffer) })
  buffers.remember()
  i32[(addressOf(2) - ADDRESS + AT) / 4] = 5
  assert.throws(() => buffers.readBack(i32, u8, AT), 'transferred')
  assert.is(arrays[2][0], 5)
})

test('a call has nothing of the call before', () => {
  const buffers = new SmallBuffers()
  const { u8, i32 } = there()
  const [first, second] = [Int32Array.of(1, 2, 3), Int32Array.of(4)]
  buffers.add(0, first)
  buffers.put(i32, u8, AT, ADDRESS, encoder)
  buffers.remember()
  buffers.clear()
  assert.is(buffers.size, 0)
  assert.equal(buffers.owners(), [])
  // the same again, and another in its place
  for (const given of [first, first, second, first]) {
    assert.ok(buffers.add(0, given))
    assert.is(buffers.owners()[0], given.buffer)
    buffers.put(i32, u8, AT, ADDRESS, encoder)
    assert.equal(i32.slice(AT / 4, AT / 4 + given.length), given)
    i32[AT / 4] += 10
    buffers.readBack(i32, u8, AT)
    buffers.clear()
  }
  assert.equal([...first, ...second], [31, 2, 3, 14])
})

test.run()
