/** Ways of ctypes that programs from there use. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Callback, MAILBOX_ROOM } from '../../src/codec/layout.js'
import { MOST_PARAMETERS } from '../../src/ctypes/callback-type.js'
import * as ct from '../../src/ctypes/index.js'
import { ArgumentError } from '../../src/errors.js'

const refuses = (fn: () => unknown, text: RegExp) =>
  assert.throws(fn, (error: Error) => error instanceof ArgumentError && text.test(error.message))

const win32 = ct.types('win32')

test('instanceof Structure and its relatives', () => {
  class Point extends ct.Structure({ x: ct.c_int }) {}
  class Far extends Point {}
  class Either extends ct.Union({ x: ct.c_int, f: ct.c_float }) {}
  class Big extends ct.BigEndianStructure({ x: ct.c_int, either: Either }) {}
  class BigEither extends ct.BigEndianUnion({ x: ct.c_int }) {}
  class Narrow extends win32.Structure({ p: win32.c_void_p }) {}
  const kinds = [ct.Structure, ct.Union, ct.BigEndianStructure, ct.BigEndianUnion] as unknown as (typeof Point)[]
  const of = (value: unknown) => kinds.map(kind => value instanceof kind)
  assert.equal(of(new Point()), [true, false, false, false])
  assert.equal(of(new Far()), [true, false, false, false])
  assert.equal(of(new Either()), [false, true, false, false])
  assert.equal(of(new Big()), [true, false, true, false])
  assert.equal(of(new Big().either), [false, true, false, false])
  assert.equal(of(new BigEither()), [false, true, false, true])
  assert.equal(of(new Narrow()), [true, false, false, false])
  for (const value of [new ct.c_int(), new (ct.c_int.array(2))(), {}, null, 5, Point])
    assert.equal(of(value), [false, false, false, false])
})

test('other names for the same types', () => {
  assert.is(ct.LittleEndianStructure, ct.Structure)
  assert.is(ct.LittleEndianUnion, ct.Union)
  assert.is(ct.c_voidp, ct.c_void_p)
  assert.is(win32.c_voidp.size, 4)
  for (const { c_time_t } of [ct, win32]) {
    assert.is(c_time_t.size, 8)
    assert.is(new c_time_t(-1).value, -1n)
  }
})

test('a structure keeps its byte order inside one of the other', () => {
  class Little extends ct.Structure({ x: ct.c_int }) {}
  class Big extends ct.BigEndianStructure({ first: ct.c_int, little: Little, many: Little.array(2) }) {}
  class Outer extends ct.Structure({ big: Big, last: ct.c_int }) {}
  const bytes = new Uint8Array(Outer.size)
  const view = new DataView(bytes.buffer)
  const outer = Outer.from_buffer(bytes)
  outer.big.first = 1
  outer.big.little.x = 2
  outer.big.many[1].x = 3
  outer.last = 4
  assert.is(view.getInt32(0, false), 1)
  assert.is(view.getInt32(4, true), 2)
  assert.is(view.getInt32(12, true), 3)
  assert.is(view.getInt32(16, true), 4)
  refuses(() => new (class extends ct.BigEndianStructure({ p: ct.POINTER(ct.c_int) }) {})(), /big-endian.* p/)
})

test('anonymous members may be called the same at each level', () => {
  class Inner extends ct.Union({ a: ct.c_int, b: ct.c_float }) {}
  class Middle extends ct.Structure({ u: Inner, c: ct.c_int }, { anonymous: ['u'] }) {}
  class Outer extends ct.Structure({ u: Middle, d: ct.c_int }, { anonymous: ['u'] }) {}
  const outer = new Outer({ d: 4 })
  Object.assign(outer, { a: 1, c: 3 })
  assert.is(outer.u.u.a, 1)
  assert.is(outer.u.c, 3)
  assert.is(outer.d, 4)
  assert.is(Outer.offsetof('c'), 4)
  refuses(
    () => new (class extends ct.Structure({ u: Middle, c: ct.c_int }, { anonymous: ['u'] }) {})(),
    /two fields named c/,
  )
})

test('two anonymous members with fields of one name are refused', () => {
  class First extends ct.Structure({ x: ct.c_int }) {}
  class Second extends ct.Structure({ x: ct.c_int }) {}
  const fields = { p: First, q: Second }
  refuses(() => new (class extends ct.Structure(fields, { anonymous: ['p', 'q'] }) {})(), /two fields named x/)
  // as long as no name is reached in two ways they may be alike inside
  class Inner extends ct.Union({ a: ct.c_int }) {}
  class Other extends ct.Union({ b: ct.c_int }) {}
  class Left extends ct.Structure({ u: Inner }, { anonymous: ['u'] }) {}
  class Right extends ct.Structure({ u: Other }, { anonymous: ['u'] }) {}
  class Both extends ct.Structure({ left: Left, right: Right }, { anonymous: ['left', 'right'] }) {}
  const both = new Both()
  Object.assign(both, { a: 1, b: 2 })
  assert.equal([both.left.u.a, both.right.u.b, Both.offsetof('b')], [1, 2, 4])
})

test('a class that extends an array type has its length', () => {
  class Board extends ct.c_int.array(9) {
    get sum() {
      return [...this].reduce((a, b) => a + b, 0)
    }
  }
  const board = new Board(1, 2, 3)
  assert.is(board.length, 9)
  assert.is(Board.length, 9)
  assert.is(Board.size, 36)
  assert.is([...board].length, 9)
  assert.is(board.sum, 6)
  board[8] = 4
  assert.is(board.sum, 10)
  assert.is(board.asTypedArray().length, 9)
  refuses(() => board[9], /Board has 9 elements/)
  class Game extends ct.Structure({ board: Board }) {}
  const game = new Game({ board: [5, 5] })
  assert.is((game.board as Board).sum, 10)
  game.board = board
  assert.is((game.board as Board).sum, 10)
  assert.is(new (Board.array(2))(board)[0][8], 4)
})

test('an array from any number of rows', () => {
  class Row extends ct.Structure({ x: ct.c_double, n: ct.c_int, name: ct.c_char.array(4) }) {}
  const count = 200_000
  const rows = Array.from({ length: count }, (_, i) => ({ x: i / 2, n: i, name: i % 2 ? 'odd' : 'even' }))
  const array = Row.array(count).from(rows)
  assert.is(array.length, count)
  let i = 0
  for (const { x, n, name } of array) {
    if (x !== i / 2 || n !== i || name !== (i % 2 ? 'odd' : 'even')) assert.unreachable(`row ${i}`)
    i++
  }
  assert.is(i, count)
  function* half() {
    for (let i = 0; i < 3; i++) yield i
  }
  assert.equal([...ct.c_int.array(5).from(half())], [0, 1, 2, 0, 0])
  assert.equal([...ct.c_float.array(2).from(Int32Array.of(1, 2))], [1, 2])
  assert.equal(
    [...Row.array(2).from([new Row({ n: 7 }), [1, 2]])].map(({ n }) => n),
    [7, 2],
  )
  refuses(() => ct.c_int.array(2).from([1, 2, 3]), /c_int\[2\] has 2 elements, got 3/)
  refuses(() => Row.array(1).from([{ y: 1 } as never]), /no field y/)
  refuses(() => ct.c_int.array(2).from(5 as never), /c_int\[2\]/)
})

test('what is wrong with a field leaves the others as they were', () => {
  class Row extends ct.Structure({ x: ct.c_int, y: ct.c_int }) {}
  const rows = Row.array(2).from([
    [1, 2],
    [3, 4],
  ])
  refuses(() => Object.assign(rows, { 1: { x: 5, y: 'six' } }), /y: expected c_int/)
  assert.is(rows[1].x, 3)
})

test('fields are what they are', () => {
  class Point extends ct.Structure({ x: ct.c_int }) {}
  assert.throws(() => Object.assign(Point.fields, { y: 1 }), TypeError)
  assert.throws(() => Object.assign(Point.fields.x, { offset: 4 }), TypeError)
  assert.is(Point.fields.x.offset, 0)
})

test('a callback type with more parameters than can be handed over is refused when it is made', () => {
  const many = (count: number) => Array.from({ length: count }, () => ct.c_int)
  assert.is(MOST_PARAMETERS, Math.floor((MAILBOX_ROOM - Callback.arguments) / 8) - 1)
  assert.is(ct.CFUNCTYPE(null, ...many(MOST_PARAMETERS)).argtypes.length, MOST_PARAMETERS)
  refuses(() => ct.CFUNCTYPE(null, ...many(MOST_PARAMETERS + 1)), /CFUNCTYPE takes at most 248 parameters, not 249/)
  refuses(() => ct.WINFUNCTYPE(null, ...many(300)), /WINFUNCTYPE/)
})

test('cast: NULL, addresses without a session, and what is no pointer type', () => {
  assert.is(ct.cast(null, ct.POINTER(ct.c_int)).isNull, true)
  assert.is(ct.cast(new ct.c_void_p(), ct.POINTER(ct.c_int)).isNull, true)
  assert.is(ct.cast(new ct.c_void_p(4096n), ct.POINTER(ct.c_int)).address, 4096n)
  assert.is(ct.cast(Int32Array.of(7), ct.POINTER(ct.c_int))[0], 7)
  assert.is(ct.cast(ct.byref(new ct.c_int(8)), ct.POINTER(ct.c_int))[0], 8)
  refuses(() => ct.cast(4096n as never, ct.POINTER(ct.c_int)), /session\.cast/)
  refuses(() => ct.cast(null, ct.c_int as never), /pointer type/)
})

test('pointer() of 32-bit types is a 32-bit pointer', () => {
  assert.is(ct.sizeof(win32.pointer(new ct.c_int(5))), 4)
  assert.is(win32.pointer(new ct.c_int(5)).contents.value, 5)
  assert.is(ct.sizeof(ct.pointer(new ct.c_int(5))), 8)
  // what map passes beside the element is not for it
  for (const made of [new ct.c_int(5), new ct.c_int(6)].map(ct.pointer)) assert.is(ct.sizeof(made), 8)
  assert.is(ct.sizeof(ct.pointer(new (class extends win32.Structure({ x: ct.c_int }) {})())), 4)
})

test.run()
