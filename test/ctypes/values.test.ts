import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalBlock, type RemoteMemory } from '../../src/ctypes/block.js'
import { callbackPlan } from '../../src/ctypes/callback-plan.js'
import type { CallbackClass } from '../../src/ctypes/callback-type.js'
import { compilePlan } from '../../src/ctypes/compile-plan.js'
import * as ct from '../../src/ctypes/index.js'
import { castAddress } from '../../src/ctypes/memory.js'
import type { ArgumentSink } from '../../src/ctypes/sink.js'
import { ArgumentError } from '../../src/errors.js'

class Point extends ct.Structure({ x: ct.c_int, y: ct.c_int }) {}
class Node extends ct.Structure({ value: ct.c_int }) {
  declare next: ct.Pointer<typeof Node> | null
  static {
    Node.define({ next: ct.POINTER(Node) })
  }
}
const refuses = (fn: () => unknown, text: RegExp) =>
  assert.throws(fn, (error: Error) => error instanceof ArgumentError && text.test(error.message))

/** A Windows process of 64 KiB at 0x10000. */
function remote(sessionId = 'r') {
  const bytes = new Uint8Array(0x10000)
  const placeOf = (address: bigint) => Number(address) - 0x10000
  const memory: RemoteMemory = {
    sessionId,
    read: (address, into) => into.set(bytes.subarray(placeOf(address), placeOf(address) + into.length)),
    write: (address, from) => bytes.set(from, placeOf(address)),
  }
  return { memory, bytes, view: new DataView(bytes.buffer), context: { memory } }
}
function recorder() {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args])
  const sink = {
    int: note('int'),
    float: note('float'),
    double: note('double'),
    block: note('block'),
    address: note('address'),
    callback: note('callback'),
  }
  return { sink: sink as unknown as ArgumentSink, calls }
}

test('integers check their range and kind', () => {
  assert.is(new ct.c_byte(-128).value, -128)
  assert.is(new ct.c_byte(255).value, -1)
  assert.is(new ct.c_ubyte(-128).value, 128)
  refuses(() => new ct.c_byte(256), /does not fit c_byte \(-128 to 255\)/)
  refuses(() => new ct.c_ubyte(-129), /does not fit c_ubyte \(-128 to 255\)/)
  refuses(() => new ct.c_int(1.5), /integer/)
  assert.is(new ct.c_uint(-1).value, 0xffffffff)
  assert.is(new ct.c_longlong(2n ** 64n - 1n).value, -1n)
  assert.is(new ct.c_ulonglong(-1).value, 2n ** 64n - 1n)
  refuses(() => new ct.c_int('1' as never), /expected c_int/)
  assert.is(new ct.c_ulonglong(2n ** 64n - 1n).value, 2n ** 64n - 1n)
  refuses(() => new ct.c_ulonglong(2n ** 64n), /does not fit/)
  refuses(() => new ct.c_longlong(Number.NaN), /integer/)
  assert.is(new ct.c_longlong(-(2 ** 63)).value, -(2n ** 63n))
  assert.is(new ct.c_longlong(2 ** 63).value, -(2n ** 63n))
  refuses(() => new ct.c_int(10n ** 400n), /^bigint 10{20}…n does not fit c_int/)
  assert.is(ct.types('win32').c_size_t.size, 4)
  refuses(() => new (ct.types('win32').c_size_t)(2n ** 32n), /does not fit/)
})

test('bit fields, too, take what fits their width with either sign', () => {
  class Flags extends ct.Structure({
    one: ct.bits(ct.c_int, 1),
    two: ct.bits(ct.c_uint, 2),
    wide: ct.bits(ct.c_longlong, 40),
  }) {}
  const flags = new Flags({ one: 1, two: -1, wide: 2n ** 40n - 1n })
  assert.is(flags.one, -1)
  assert.is(flags.two, 3)
  assert.is(flags.wide, -1n)
  refuses(() => new Flags({ one: 2 }), /does not fit one \(1 bits of c_int\) \(-1 to 1\)/)
  refuses(() => new Flags({ two: 4 }), /\(-2 to 3\)/)
  class Switch extends ct.Structure({ on: ct.bits(ct.c_bool, 1) }) {}
  assert.is(new Switch({ on: true }).on, true)
  assert.is(new Switch({ on: new ct.c_bool(true) as never }).on, true)
  refuses(() => new Switch({ on: -1 as never }), /boolean/)
})

test('a bigint too large for a float is refused', () => {
  assert.is(new ct.c_double(10n ** 300n).value, 1e300)
  refuses(() => new ct.c_double(10n ** 400n), /c_double/)
  refuses(() => new ct.c_float(-(10n ** 40n)), /c_float/)
  assert.is(new ct.c_float(10n ** 30n).value, Math.fround(1e30))
})

test('arrays of characters read as text, in fields, elements and behind pointers', () => {
  class Device extends ct.Structure({
    name: ct.c_char.array(8),
    title: ct.c_wchar.array(8),
    key: ct.c_ubyte.array(2),
  }) {}
  const device = new Device({ name: 'dev0', title: 'größe', key: [1, 2] })
  assert.ok(device.name === 'dev0')
  assert.is(`${device.title}`, 'größe')
  assert.equal([...device.key], [1, 2])
  device.name = 'longer12'
  assert.is(device.name, 'longer12')
  Object.assign(device, { name: Uint8Array.of(97) })
  assert.is(device.name, 'a')
  const names = new (ct.c_char.array(4).array(2))('one', 'two')
  assert.equal([...names], ['one', 'two'])
  assert.equal(names.slice(1), ['two'])
  names[1] = 'end'
  assert.is(names[1], 'end')
  const second = ct.view(names, 1) as ct.CArray<typeof ct.c_char>
  second.value = '2'
  assert.is(names[1], '2')
  const pointer = ct.pointer(device)
  assert.is(pointer.contents.name, 'a')
  class Outer extends ct.Structure({ inner: Device }, { anonymous: ['inner'] }) {}
  const outer = new Outer({ name: 'in' })
  assert.is(outer.name, 'in')
  ct.view(outer, 'name').value = 'there'
  assert.is(outer.inner.name, 'there')
  assert.equal(JSON.parse(JSON.stringify(names)), ['one', '2'])
})

test('view: the live object of any field', () => {
  class Some extends ct.Structure({
    n: ct.c_int,
    point: Point,
    list: ct.c_int.array(2),
    next: ct.POINTER(Point),
    bit: ct.bits(ct.c_int, 3),
  }) {}
  const some = new Some({ n: 1 })
  ct.view(some, 'n').value = 7
  assert.is(some.n, 7)
  ct.view(some, 'point').x = 8
  assert.is(some.point.x, 8)
  ct.view(some, 'list')[1] = 9
  assert.is(some.list[1], 9)
  ct.view(some, 'next').contents = new Point({ x: 5 })
  assert.is(some.next?.contents.x, 5)
  assert.is((ct.view(some.list, 1) as unknown as ct.c_int).value, 9)
  refuses(() => ct.view(some, 'bit'), /bit field/)
  refuses(() => ct.view(some, 'none' as never), /no field 'none'.*n, point/)
  refuses(() => ct.view(some.list, 2), /no element 2/)
  refuses(() => ct.view({ a: 1 }, 'a'), /Object/)
})

test('VARIANT_BOOL is a boolean whose true has all bits set', () => {
  const { VARIANT_BOOL } = ct.types('win64').wintypes
  const bytes = new Uint8Array(2)
  const flag = VARIANT_BOOL.from_buffer(bytes)
  flag.value = true
  assert.equal([...bytes], [255, 255])
  assert.is(flag.value, true)
  assert.is(new VARIANT_BOOL(false).value, false)
  const { sink, calls } = recorder()
  const { context } = remote()
  const plan = compilePlan('win64', 'f', [VARIANT_BOOL], VARIANT_BOOL)
  assert.is(plan.signature, 'h')
  plan.encode(sink, [true], context)
  assert.equal(calls, [['int', 0, -1, -1]])
  assert.is(plan.decode(0xffff, 0, 0, context, undefined), true)
  assert.is(plan.decode(0x10000, 0, 0, context, undefined), false)
})

test('structures: live views, literals, inheritance, errors', () => {
  class Line extends ct.Structure({ a: Point, b: Point.array(2) }) {}
  const line = new Line({ a: { x: 1, y: 2 } })
  line.a.x = 7
  line.b[1] = { x: 3, y: 4 } as Point
  assert.is(line.a.x, 7)
  assert.is(line.b[1].y, 4)
  assert.equal(JSON.parse(JSON.stringify(line)), {
    a: { x: 7, y: 2 },
    b: [
      { x: 0, y: 0 },
      { x: 3, y: 4 },
    ],
  })
  refuses(() => new Point({ z: 1 } as never), /no field z/)
  refuses(() => line.b[2], /out of range/)
  refuses(() => Point.define({ z: ct.c_int }), /in use/)
  const bytes = new Uint8Array(8)
  Point.from_buffer(bytes).y = 5
  assert.is(bytes[4], 5)
})

test('big-endian structures', () => {
  class Header extends ct.BigEndianStructure(
    { a: ct.c_ushort, b: ct.c_uint, f: ct.bits(ct.c_ushort, 4) },
    { pack: 1 },
  ) {}
  const bytes = new Uint8Array(8)
  const header = Header.from_buffer(bytes)
  header.a = 0x102
  header.b = 0x03040506
  header.f = 9
  assert.equal([...bytes], [1, 2, 3, 4, 5, 6, 0x90, 0])
  assert.is(header.f, 9)
})

test('the bits of a single byte have an order, too', () => {
  const fields = {
    version: ct.bits(ct.c_ubyte, 4),
    words: ct.bits(ct.c_ubyte, 4),
    level: ct.bits(ct.c_byte, 3),
    rest: ct.bits(ct.c_byte, 5),
    flag: ct.bits(ct.c_bool, 1),
  }
  // as an IPv4 packet begins
  const bytes = Uint8Array.of(0x45, 0xe1, 0x80)
  const big = ct.BigEndianStructure(fields).from_buffer(bytes)
  assert.equal([big.version, big.words, big.level, big.rest, big.flag], [4, 5, -1, 1, true])
  const little = ct.Structure(fields).from_buffer(bytes)
  assert.equal([little.version, little.words, little.level, little.rest, little.flag], [5, 4, 1, -4, false])
  big.version = 6
  big.level = 1
  big.flag = false
  assert.equal([...bytes], [0x65, 0x21, 0])
  const either = new Uint8Array(1)
  ct.BigEndianUnion({ high: ct.bits(ct.c_ubyte, 3), all: ct.c_ubyte }).from_buffer(either).high = 5
  assert.equal([...either], [0xa0])
})

test('pointers between objects of JS', () => {
  const second = new Node({ value: 2 })
  const first = new Node({ value: 1, next: second } as never)
  assert.is(first.next?.contents.value, 2)
  second.value = 3
  assert.is(first.next?.contents.value, 3)
  first.next = null
  assert.is(first.next, null)
  refuses(() => ct.addressof(first), /session\.memory\.place/)
  refuses(() => ct.pointer(first).at(1), /outside/)
})

test('what is written over a pointer ends it; what is moved takes it along', () => {
  class Either extends ct.Union({
    p: ct.POINTER(ct.c_int),
    n: ct.c_longlong,
    d: ct.c_double,
    b: ct.bits(ct.c_uint, 8),
  }) {}
  for (const write of [
    (e: Either) => {
      e.n = 0n
    },
    (e: Either) => {
      e.d = 0
    },
    (e: Either) => {
      e.b = 0
    },
    (e: Either) => ct.memset(e, 0, 8),
  ]) {
    const either = new Either({ p: new ct.c_int(4) })
    assert.is(either.p?.contents.value, 4)
    write(either)
    assert.is(either.p, null)
  }
  class Named extends ct.Structure({ p: ct.POINTER(ct.c_int), n: ct.c_int }) {}
  const [from, to] = [new Named({ p: new ct.c_int(4), n: 5 }), new Named()]
  from.n = 6
  ct.memmove(to, from, ct.sizeof(Named))
  assert.equal([to.p?.contents.value, to.n], [4, 6])
  ct.memmove(to, from, 4)
  assert.is(to.p, null)
})

test('a structure that contains itself is refused', () => {
  class Endless extends ct.Structure({ x: ct.c_int }) {}
  Endless.define({ again: Endless })
  refuses(() => Endless.size, /Endless contains itself: use POINTER\(Endless\)/)
  refuses(() => Endless.size, /contains itself/)
})

test('pointers into a session', () => {
  const { memory, view } = remote()
  view.setInt32(0x100, 11, true)
  view.setBigUint64(0x108, 0x10200n, true)
  view.setInt32(0x200, 22, true)
  const node = (castAddress(memory, 0x10100n, ct.POINTER(Node)) as unknown as ct.Pointer<typeof Node>).contents
  assert.is(node.value, 11)
  assert.is(node.next?.address, 0x10200n)
  assert.is(node.next?.contents.value, 22)
  assert.is(node.next?.contents.next, null)
  const next = node.next as ct.Pointer<typeof Node>
  next.contents.value = 33
  assert.is(view.getInt32(0x200, true), 33)
  refuses(() => {
    node.next = ct.pointer(new Node()) as never
  }, /no address/)
})

test('text: arrays, fields, surrogates', () => {
  class Named extends ct.Structure({ p: ct.c_char_p, w: ct.c_wchar_p, a: ct.c_char.array(4) }) {}
  const named = new Named({ p: 'grüß', w: 'a\ud800', a: 'abcd' })
  assert.is(named.p, 'grüß')
  assert.is(named.w, 'a\ud800')
  assert.is(named.a, 'abcd')
  const live = ct.view(named, 'a')
  assert.is(live.value, 'abcd')
  const was = named.a
  live.value = 'x'
  assert.is(named.a, 'x')
  assert.is(was, 'abcd')
  assert.equal(
    [...live.raw],
    [...'x\0cd'].map(c => c.charCodeAt(0)),
  )
  live.raw[1] = 0x79
  assert.is(named.a, 'xycd')
  assert.equal(JSON.parse(JSON.stringify(named)).a, 'xycd')
  refuses(() => {
    named.p = '\ud800'
  }, /surrogate/)
  refuses(() => {
    named.a = 'abcde'
  }, /room/)
  assert.is(ct.string_at(ct.create_string_buffer('abc', 10)), 'abc')
  assert.is(ct.wstring_at(ct.create_unicode_buffer('äb')), 'äb')
  const text = ct.create_string_buffer('abcdef')
  assert.is(ct.string_at(ct.byref(text, 3)), 'def')
  assert.is(ct.string_at(ct.byref(text, 7)), '')
  // before and behind an object is nothing
  for (const offset of [-2, 8, 100]) {
    const outside = ct.byref(text, offset)
    for (const wrong of [
      () => ct.string_at(outside),
      () => ct.string_at(outside, 4),
      () => ct.wstring_at(outside, 1),
      () => ct.memset(outside, 65, 2),
      () => ct.memmove(outside, 'xy', 2),
      () => ct.memmove(text, outside, 2),
    ])
      refuses(wrong, new RegExp(`byte ${offset} of an object of 7 bytes`))
  }
  assert.is(text.value, 'abcdef')
})

test('a plan names routine, position and both types', () => {
  const { sink, calls } = recorder()
  const plan = compilePlan('win64', 'f', [ct.c_int, ct.POINTER(ct.c_int), ct.c_char_p, Point], ct.c_int)
  assert.is(plan.signature, 'ippQ')
  plan.encode(sink, [-1, new Int32Array(2), 'a', { x: 1, y: -1 }], remote().context)
  assert.equal(calls[0], ['int', 0, -1, -1])
  assert.is((calls[1][2] as LocalBlock).size, 8)
  assert.equal([...(calls[2][2] as LocalBlock).bytes], [97, 0])
  assert.equal(calls[3], ['int', 3, 1, -1])
  refuses(
    () => plan.encode(sink, [1, new Float32Array(1), null, new Point()], remote().context),
    /f: argument 2: expected POINTER\(c_int\), got Float32Array/,
  )
  refuses(() => plan.encode(sink, [1, [1, 'x'], null, new Point()], remote().context), /f: argument 2: element 1: exp/)
  refuses(() => plan.encode(sink, [1, null, null, { x: 1, y: 'x' }], remote().context), /f: argument 4: y: expected/)
  refuses(() => plan.encode(sink, [1], remote().context), /takes 4 arguments, got 1/)
})

test('undeclared and variadic arguments', () => {
  const plan = compilePlan('win64', 'printf', undefined, ct.c_int)
  assert.is(plan.specialize(['a', 1, null, new ct.c_float(1), new Uint8Array(1)]).signature, 'pipdp')
  refuses(() => plan.specialize([1.5]), /c_double/)
  refuses(() => plan.specialize([{}]), /declare argtypes/)
})

test('results, outs and hidden pointers', () => {
  const { context } = remote()
  const { sink } = recorder()
  class Big extends ct.Structure({ a: ct.c_longlong, b: ct.c_longlong }) {}
  const big = compilePlan('win64', 'big', [ct.c_int], Big)
  assert.is(big.signature, 'pi')
  const frame = big.encode(sink, [1], context)
  frame?.result?.whole.setInt32(8, 5, true)
  assert.is((big.decode(0, 0, 0, context, frame) as Big).b, 5n)
  const small = compilePlan('win64', 'small', [], Point)
  assert.is((small.decode(3, 4, 0, context, undefined) as Point).y, 4)
  const divide = compilePlan('win64', 'divide', [ct.c_int, ct.out(ct.c_int)], ct.c_bool)
  const second = divide.encode(sink, [1], context)
  second?.outs[0].whole.setInt32(0, 9, true)
  assert.equal(divide.complete(divide.decode(1, 0, 0, context, second), second), [true, 9])
  assert.is(compilePlan('win64', 'p', [], ct.c_void_p).decode(0, 0, 0, context, undefined), null)
  assert.is(compilePlan('win64', 'q', [], ct.c_longlong).decode(-1, -1, 0, context, undefined), -1n)
  assert.throws(() => compilePlan('win64', 'h', [], ct.HRESULT).decode(-5, -1, 0, context, undefined), /-5/)
})

test('a type of the other architecture is refused', () => {
  const win32 = ct.types('win32')
  class Other extends win32.Structure({ p: win32.c_void_p }) {}
  class Neutral extends win32.Structure({ x: ct.c_int }) {}
  refuses(() => compilePlan('win64', 'f', [Other], null), /laid out for win32/)
  assert.is(compilePlan('win64', 'f', [Neutral], null).signature, 'I')
  assert.is(compilePlan('win32', 'f', [Other, ct.c_size_t], null).signature, '{4}I')
})

test('arrays as strings: the text, or the elements as of an array of JS', () => {
  class Named extends ct.Structure({ name: ct.c_char.array(8), wide: ct.c_wchar.array(8), few: ct.c_int.array(2) }) {}
  const named = new Named({ name: 'äb', wide: 'wide', few: [1, 2] })
  assert.is(`${named.name} ${named.wide} ${named.few}`, 'äb wide 1,2')
})

test('callback types', () => {
  const { context } = remote()
  const type = ct.CFUNCTYPE(ct.c_int, ct.c_int, ct.POINTER(ct.c_int), ct.c_double)
  const plan = callbackPlan(type as unknown as CallbackClass, 'win64')
  assert.is(plan.signature, 'ipd')
  const bits = new DataView(new ArrayBuffer(24))
  bits.setInt32(0, -2, true)
  bits.setBigUint64(8, 0x10000n, true)
  bits.setFloat64(16, 1.5, true)
  const [n, p, d] = plan.decodeArguments(new LocalBlock(bits), context) as [number, ct.Pointer<typeof ct.c_int>, number]
  assert.equal([n, p.address, d], [-2, 0x10000n, 1.5])
  plan.encodeResult(-3, bits, context)
  assert.is(bits.getBigInt64(0, true), -3n)
  const callback = type(() => 1)
  class Table extends ct.Structure({ f: type }) {}
  assert.is(new Table({ f: callback }).f, callback)
  callback.dispose()
  assert.ok(callback.disposed)
})

test.run()
