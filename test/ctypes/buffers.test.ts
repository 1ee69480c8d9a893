import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LocalBlock, RemoteMemory } from '../../src/ctypes/block.js'
import { compilePlan } from '../../src/ctypes/compile-plan.js'
import * as ct from '../../src/ctypes/index.js'
import type { ArgType } from '../../src/ctypes/inference.js'
import type { ArgumentSink } from '../../src/ctypes/sink.js'
import { ArgumentError } from '../../src/errors.js'

const refuses = (fn: () => unknown, ...texts: RegExp[]) =>
  assert.throws(fn, (error: Error) => error instanceof ArgumentError && texts.every(text => text.test(error.message)))

const memory: RemoteMemory = { sessionId: 'none', read: () => assert.unreachable(), write: () => assert.unreachable() }

/** The bytes that a routine with one pointer parameter of the type sees of a value. */
function passed(type: ArgType, value: unknown): Uint8Array {
  const seen: Uint8Array[] = []
  const block = (_index: number, { bytes }: LocalBlock, offset: number) => void seen.push(bytes.subarray(offset))
  compilePlan('win64', 'f', [type], null).encode({ block } as unknown as ArgumentSink, [value], { memory })
  assert.is(seen.length, 1)
  return seen[0]
}

test('typed arrays become array fields by value, whatever their kind', () => {
  class Fields extends ct.Structure({
    floats: ct.c_float.array(2),
    ints: ct.c_int.array(2),
    wide: ct.c_longlong.array(2),
    flags: ct.c_bool.array(2),
    text: ct.c_char.array(4),
    grid: ct.c_short.array(2).array(2),
  }) {}
  const make = (fields: object) => new Fields(fields)
  assert.equal([...make({ floats: Int32Array.of(1, 2) }).floats], [1, 2])
  assert.equal([...make({ floats: Float64Array.of(0.5, 2) }).floats], [0.5, 2])
  assert.equal([...make({ floats: Float32Array.of(0.5) }).floats], [0.5, 0])
  assert.equal([...make({ ints: Float32Array.of(3, -4) }).ints], [3, -4])
  assert.equal([...make({ ints: Uint32Array.of(0xffffffff, 1) }).ints], [-1, 1])
  assert.equal([...make({ ints: Uint8Array.of(200, 1) }).ints], [200, 1])
  assert.equal([...make({ wide: Float64Array.of(7, -7) }).wide], [7n, -7n])
  assert.equal([...make({ wide: BigUint64Array.of(2n ** 64n - 1n) }).wide], [-1n, 0n])
  assert.equal([...make({ flags: Uint8Array.of(0, 1) }).flags], [false, true])
  assert.is(make({ text: Uint8Array.of(97, 98) }).text, 'ab')
  assert.is(make({ grid: [Int32Array.of(1, 2), Int16Array.of(3, 4)] }).grid[1][0], 3)
  refuses(() => make({ ints: Float32Array.of(1.5) }), /ints/, /1\.5/)
  refuses(() => make({ flags: Uint8Array.of(2) }), /flags/, /boolean/)
  refuses(() => make({ grid: Int32Array.of(1, 2) }), /grid/)
  refuses(() => make({ ints: new Int32Array(3) }), /ints/)
  // bytes that have no kind are taken as they are
  assert.equal([...make({ ints: Int32Array.of(5, 6).buffer }).ints], [5, 6])
  assert.equal([...make({ ints: new DataView(Int32Array.of(5, 6).buffer) }).ints], [5, 6])
})

test('so do elements', () => {
  const rows = new (ct.c_float.array(2).array(2))()
  rows[1] = Int32Array.of(3, 4) as never
  assert.equal([...rows[1]], [3, 4])
  assert.equal(new Float32Array(passed(ct.POINTER(ct.c_float.array(2)), [Int32Array.of(1, 2)]).buffer)[1], 2)
})

class Big extends ct.BigEndianStructure({
  ints: ct.c_int.array(2),
  text: ct.c_wchar.array(4),
  bytes: ct.c_ubyte.array(2),
}) {}

test('big-endian arrays keep their order', () => {
  const bytes = new Uint8Array(Big.size)
  const view = new DataView(bytes.buffer)
  const big = Big.from_buffer(bytes)
  big.ints = Int32Array.of(1, -2) as never
  assert.is(view.getInt32(0), 1)
  assert.is(view.getInt32(4), -2)
  big.ints = [3] as never
  assert.is(view.getInt32(0), 3)
  big.text = 'äb'
  assert.is(view.getUint16(8), 0xe4)
  assert.is(big.text, 'äb')
  big.text = Uint16Array.of(0x20ac) as never
  assert.is(big.text, '€')
  refuses(() => big.ints.asTypedArray(), /big-endian/, /slice/)
  assert.equal([...big.bytes.asTypedArray()], [0, 0])
})

test('and are no memory for pointers of the other order', () => {
  const big = new Big()
  const little = new (ct.c_int.array(2))()
  little[0] = 7
  for (const value of [big.ints, ct.byref(big.ints), ct.pointer(big.ints)])
    refuses(() => passed(ct.POINTER(ct.c_int), value), /POINTER\(c_int\)/)
  refuses(() => passed(ct.c_wchar_p, ct.view(big, 'text')), /c_wchar_p/)
  const { ints } = Big.fields
  const bigInt = (ints.type as unknown as { elementType: typeof ct.c_int }).elementType
  refuses(() => passed(ct.POINTER(bigInt), little), /c_int/)
  refuses(() => passed(ct.POINTER(bigInt), new Int32Array(2)), /Int32Array/)
  assert.is(passed(ct.POINTER(bigInt), big.ints).length, Big.size)
  assert.is(passed(ct.c_void_p, big.ints).length, Big.size)
})

test('a parameter that is an array takes no shorter one', () => {
  const eight = ct.c_int.array(8)
  const short = new (ct.c_int.array(3))()
  refuses(() => passed(eight, short), /c_int\[8\]/, /c_int\[3\]/)
  refuses(() => passed(eight, ct.byref(short)), /c_int\[8\]/, /c_int\[3\]/)
  refuses(() => passed(eight, new ct.c_int(1)), /c_int\[8\]/, /c_int/)
  refuses(() => passed(eight, ct.pointer(new ct.c_int(1))), /c_int\[8\]/, /POINTER\(c_int\)/)
  refuses(() => passed(eight, new Int32Array(7)), /c_int\[8\]/, /Int32Array of 7/)
  refuses(() => passed(eight, new Float32Array(8)), /c_int\[8\]/, /Float32Array of 8/)
  refuses(() => passed(eight, new Uint8Array(31)), /c_int\[8\]/, /Uint8Array of 31/)
  refuses(() => passed(eight, [1, 2, 3, 4, 5, 6, 7, 8, 9]), /c_int\[8\]/, /9/)
  class Inside extends ct.Structure({ short: ct.c_int.array(3), more: ct.c_int.array(20) }) {}
  refuses(() => passed(eight, new Inside().short), /c_int\[8\]/, /c_int\[3\]/)
  for (const value of [
    new eight(),
    new (ct.c_int.array(9))(),
    new Int32Array(8),
    new Uint8Array(32),
    new Inside().more,
  ])
    assert.ok(passed(eight, value).length >= 32)
  // as in an initializer: what is not given is zero
  assert.equal(passed(eight, [1, 2]), new Uint8Array(Int32Array.of(1, 2, 0, 0, 0, 0, 0, 0).buffer))
  assert.equal(passed(ct.c_char.array(6), 'abc'), Uint8Array.of(97, 98, 99, 0, 0, 0))
  assert.is(passed(ct.c_wchar.array(6), 'abc').length, 12)
})

test('characters get their zero, bytes that are to be characters must have one', () => {
  assert.equal(passed(ct.c_char_p, Uint8Array.of(97)), Uint8Array.of(97, 0))
  assert.equal(passed(ct.c_char_p, Int8Array.of(97)), Uint8Array.of(97, 0))
  assert.equal(passed(ct.c_wchar_p, Uint16Array.of(97)), Uint8Array.of(97, 0, 0, 0))
  const room = new Uint16Array(3)
  assert.is(passed(ct.c_wchar_p, room).buffer, room.buffer)
  const bytes = Uint8Array.of(97, 0, 0, 0)
  assert.is(passed(ct.c_wchar_p, bytes).buffer, bytes.buffer)
  for (const bad of [Uint8Array.of(97, 0), Uint8Array.of(97, 0, 0), Uint8Array.of(1, 0, 0, 1), new ArrayBuffer(0)])
    refuses(() => passed(ct.c_wchar_p, bad), /c_wchar_p/, /zero/, /string/)
  refuses(() => passed(ct.c_char_p, Int32Array.of(97)), /c_char_p/, /Int32Array/)
  refuses(() => passed(ct.c_wchar_p, Float32Array.of(97)), /c_wchar_p/, /Float32Array/)
  refuses(() => new (class extends ct.Structure({ w: ct.c_wchar_p }) {})({ w: Uint8Array.of(97, 0) }), /w:/, /zero/)
})

test.run()
