/** What objects show of themselves when they are copied, listed, compared and printed: their contents, and nothing of the library's. */
import { AssertionError, deepStrictEqual, notDeepStrictEqual } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as ct from '../../src/ctypes/index.js'
import { ArgumentError } from '../../src/errors.js'

const { bits, c_char, c_double, c_int, c_uint, c_ulonglong, c_void_p, CFUNCTYPE, POINTER, plain, pointer } = ct
const { Structure, Union } = ct

class Point extends Structure({ x: c_int, y: c_int }) {}
class Node extends Structure({ value: c_int }) {
  declare next: ct.Pointer<typeof Node> | null
}
Node.define({ next: POINTER(Node) })
class Line extends Structure({ from: Point, to: Point, name: c_char.array(8), style: bits(c_int, 3) }) {}
class Long extends Structure({ id: c_ulonglong, at: c_void_p, values: c_double.array(2).array(1) }) {}

test('plain copies what is in an object', () => {
  const line = new Line({ from: { x: 1 }, to: { y: 2 }, name: 'one', style: 2 })
  const copy = plain(line)
  deepStrictEqual(copy, { from: { x: 1, y: 0 }, to: { x: 0, y: 2 }, name: 'one', style: 2 })
  line.to.y = 5
  assert.is(copy.to.y, 2)
  deepStrictEqual(new Line(copy), new Line({ from: { x: 1 }, to: { y: 2 }, name: 'one', style: 2 }))
  deepStrictEqual(structuredClone(plain(new Long({ id: 2n ** 60n, values: [[0.5, 1]] }))), {
    id: 2n ** 60n,
    at: null,
    values: [[0.5, 1]],
  })
  deepStrictEqual(plain(new (Point.array(2))({ x: 1 }, { x: 2 })), [
    { x: 1, y: 0 },
    { x: 2, y: 0 },
  ])
  assert.is(plain(new c_int(5)), 5)
  assert.is(plain(ct.create_unicode_buffer('abc')), 'abc')
  class Sign extends Union({ i: c_int, u: c_uint }) {}
  deepStrictEqual(plain(new Sign({ i: -1 })), { i: -1, u: 0xffff_ffff })
  const node = new Node({ value: 1 })
  node.next = pointer(node)
  assert.is(plain(node).next?.contents.value, 1)
  const f = CFUNCTYPE(c_int)(() => 1)
  class Table extends Structure({ f: CFUNCTYPE(c_int) }) {}
  assert.is(plain(new Table({ f })).f, f)
})

test('plain refuses what is no object of ctypes', () => {
  for (const value of [{ x: 1 }, [1], 5, null, undefined, Point, 'text'])
    assert.throws(
      () => plain(value as object),
      (error: Error) => error instanceof ArgumentError && /^plain takes an object of ctypes, not /.test(error.message),
    )
})

test('objects are equal by what is in them', () => {
  const pairs: (readonly [() => object, object])[] = [
    [() => new Point(1, 2), new Point(1, 3)],
    [() => new c_int(5), new c_int(6)],
    [() => new c_double(0.5), new c_double(0.25)],
    [() => new (c_int.array(3))(1, 2, 3), new (c_int.array(3))(1, 2, 4)],
    [() => c_int.array(500).from([]), c_int.array(500).from([...new Int32Array(499), 1])],
    [() => ct.create_string_buffer('a'), ct.create_string_buffer('b')],
    [() => ct.create_unicode_buffer('a', 8), ct.create_unicode_buffer('b', 8)],
    [() => new (Point.array(1))({ x: 1 }), new (Point.array(1))({ x: 2 })],
    [() => new Line({ to: { x: 1 } }), new Line({ to: { x: 2 } })],
    [() => new ct.c_char_p('a'), new ct.c_char_p('b')],
    [() => new c_void_p(5n), new c_void_p(6n)],
    [() => new (POINTER(c_int))(8n), new (POINTER(c_int))(16n)],
  ]
  for (const [make, other] of pairs) {
    deepStrictEqual(make(), make())
    notDeepStrictEqual(make(), other)
    notDeepStrictEqual([make()], [other])
  }
  const points = new (Point.array(2))({ x: 1, y: 2 }, { x: 1, y: 2 })
  deepStrictEqual(points[0], points[1], 'wherever they lie')
  deepStrictEqual(points[1], new Point(1, 2))
  assert.not(isDeepStrictEqual(new Point(1, 2), { x: 1, y: 2 }), 'another class')
  deepStrictEqual(plain(new Point(1, 2)), { x: 1, y: 2 })
})

test('pointers are equal that lead to the same place, also into a ring', () => {
  const point = new Point(1, 2)
  deepStrictEqual(pointer(point), pointer(point))
  notDeepStrictEqual(pointer(point), pointer(new Point(1, 2)))
  const [one, other] = [new Node({ value: 1 }), new Node({ value: 1 })]
  one.next = pointer(one)
  other.next = pointer(one)
  deepStrictEqual(one, other)
  other.next = pointer(other)
  notDeepStrictEqual(one, other)
  deepStrictEqual(new Long({ at: point }), new Long({ at: point }))
  notDeepStrictEqual(new Long({ at: point }), new Long({ at: new Point(1, 2) }))
  const Type = CFUNCTYPE(c_int)
  const f = Type(() => 1)
  class Table extends Structure({ f: Type }) {}
  deepStrictEqual(new Table({ f }), new Table({ f }))
  notDeepStrictEqual(new Table({ f }), new Table({ f: Type(() => 2) }))
})

test('a comparison that fails shows what is different', () => {
  try {
    deepStrictEqual(new Point(1, 2), new Point(1, 3))
    assert.unreachable()
  } catch (error) {
    assert.instance(error, AssertionError)
    assert.match((error as Error).message, /Point \{ x: 1, y: 2 \}[\s\S]*Point \{ x: 1, y: 3 \}/)
    assert.not.match((error as Error).message, /block|offset/i)
  }
})

test('nothing of the library’s is listed or printed', () => {
  const f = CFUNCTYPE(c_int)(function answer() {
    return 1
  })
  const all = [new Point(), new c_int(), new (c_int.array(2))(), pointer(new Point()), new Node(), new Line().from]
  for (const object of all) {
    assert.equal(Reflect.ownKeys(object), [])
    assert.equal({ ...object }, {})
    for (const customInspect of [true, false])
      assert.not.match(inspect(object, { depth: 5, customInspect }), /block|offset|shape|mirror/i)
  }
  assert.equal(Reflect.ownKeys(f), ['type', 'fn'])
  assert.is(inspect(f), 'CFUNCTYPE(c_int) [Function: answer]')
  f.dispose()
  assert.is(inspect(f), 'CFUNCTYPE(c_int) (disposed) [Function: answer]')
})

test.run()
