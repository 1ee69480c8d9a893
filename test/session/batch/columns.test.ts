/** What is given for a parameter of a batch, as the bytes that rows walk through. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LocalBlock } from '../../../src/ctypes/block.js'
import { BLOCK, type CData, type CType } from '../../../src/ctypes/data.js'
import { utf8 } from '../../../src/ctypes/encoding.js'
import * as ct from '../../../src/ctypes/index.js'
import { ArgumentError } from '../../../src/errors.js'
import type { Column, ColumnContext } from '../../../src/session/batch/column.js'
import { kindOfElements, makeColumn } from '../../../src/session/batch/columns.js'
import { throws } from '../../expect.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('columns of a batch')
class Point extends ct.Structure({ x: ct.c_int, y: ct.c_int }) {}
class Three extends ct.Structure({ r: ct.c_ubyte, g: ct.c_ubyte, b: ct.c_ubyte }) {}
class Link extends ct.Structure({ to: ct.POINTER(ct.c_int) }) {}

const { memory } = windowsMemory()
const context: ColumnContext = { facts: { arch: 'win64', pointerSize: 8 }, textEncoding: utf8, memory }
const narrow: ColumnContext = { ...context, facts: { arch: 'win32', pointerSize: 4 } }
const column = (type: unknown, given: unknown, core = context) => makeColumn('work', 2, type as CType, given, core)
const bytes = (made: Column, first: number, count: number) => [...made.chunk(first, count).bytes]
const refuses = (type: unknown, given: unknown, ...words: (string | RegExp)[]) =>
  throws(() => column(type, given).chunk(0, 1), ArgumentError, 'work: column 2: ', ...words)

test('numbers in typed arrays are not copied', () => {
  const given = Int32Array.of(1, 2, 3, 4)
  const made = column(ct.c_int, given)
  assert.equal([made.length, made.kind, made.stride, made.rowSize], [4, 'i', 4, 4])
  const chunk = made.chunk(1, 2)
  assert.is(chunk.bytes.buffer, given.buffer)
  assert.equal(new Int32Array(chunk.bytes.slice().buffer), Int32Array.of(2, 3))
  assert.is(chunk.back, false)
})

test('lists, and arrays with other elements, are written row by row as single values are', () => {
  assert.equal(bytes(column(ct.c_ushort, [1, -1, 0xffff]), 0, 3), [1, 0, 255, 255, 255, 255])
  assert.equal(bytes(column(ct.c_short, Float64Array.of(1, 2, 3)), 1, 2), [2, 0, 3, 0])
  assert.equal(bytes(column(ct.c_bool, [true, false]), 0, 2), [1, 0])
  refuses(ct.c_short, [70000], 'row 0: ', '70000')
  throws(() => column(ct.c_ubyte, [1, 2, 'x']).chunk(1, 2), ArgumentError, 'column 2: row 2: ')
})

test('one value stands for every row', () => {
  for (const given of [7, new ct.c_int(7)]) {
    const made = column(ct.c_int, given)
    assert.equal([made.length, made.stride, made.rowSize], [undefined, 0, 0])
    assert.equal(bytes(made, 100, 50), [7, 0, 0, 0])
  }
  refuses(ct.c_ubyte, 256, '256')
})

test('arrays of ctypes, of the very element', () => {
  const made = column(ct.c_int, ct.c_int.array(3).from([5, 6, 7]))
  assert.equal([made.length, made.stride], [3, 4])
  assert.equal(bytes(made, 2, 1), [7, 0, 0, 0])
  refuses(ct.c_int, ct.c_double.array(2).from([5, 6]), 'an array of c_double is not a column of c_int')
})

test('structures by value: small ones as the integer that they are to 64-bit Windows', () => {
  const points = [
    { x: 1, y: 2 },
    { x: 3, y: 4 },
  ]
  for (const given of [points, Point.array(2).from(points)]) {
    const made = column(Point, given)
    assert.equal([made.length, made.kind, made.stride], [2, 'Q', 8])
    assert.equal(bytes(made, 1, 1), [3, 0, 0, 0, 4, 0, 0, 0])
  }
  assert.is(column(Three, [{ r: 1, g: 2, b: 3 }]).kind, '&')
  assert.is(column(Point, points, narrow).kind, '&')
  const same = column(Point, new Point({ x: 9, y: 8 }))
  assert.equal([same.length, same.stride], [undefined, 0])
  assert.equal(bytes(same, 5, 5), [9, 0, 0, 0, 8, 0, 0, 0])
  assert.equal(bytes(column(Point, { x: 9 }), 0, 1), [9, 0, 0, 0, 0, 0, 0, 0])
  refuses(Point, 5, 'expected an array of Point')
  refuses(Link, [{ to: ct.pointer(new ct.c_int(1)) }], 'point to objects of JS')
})

test('a buffer for a pointer: each row has the address of its element, and it comes back', () => {
  const given = Float64Array.of(1, 2, 3)
  const made = column(ct.POINTER(ct.c_double), given)
  assert.equal([made.length, made.kind, made.stride], [3, '&', 8])
  assert.is(made.chunk(0, 3).back, true)
  assert.equal(column(ct.POINTER(Point), new Uint8Array(24)).length, 3)
  refuses(ct.POINTER(Point), new Uint8Array(20), 'no whole number of Points of 8 bytes')
  refuses(ct.POINTER(ct.c_double), new Int32Array(2), 'Int32Array')
  refuses(ct.POINTER(ct.c_int), new ct.c_int(3), 'one c_int is not a column')
})

test('addresses for pointers: one for each row, or one for all', () => {
  const rows = column(ct.POINTER(Point), BigUint64Array.of(16n, 2n ** 63n))
  assert.equal([rows.length, rows.kind, rows.stride], [2, 'p', 8])
  assert.is(new DataView(rows.chunk(1, 1).bytes.slice().buffer).getBigUint64(0, true), 2n ** 63n)
  assert.equal(bytes(column(ct.c_void_p, [0x10, null]), 0, 2), [16, ...new Array(15).fill(0)])
  assert.equal(bytes(column(ct.c_void_p, null), 3, 4), new Array(8).fill(0))
  const win32 = column(ct.types('win32').c_void_p, [0x10, 0x20], narrow)
  assert.equal([win32.kind, win32.stride], ['I', 4])
  assert.equal(bytes(win32, 0, 2), [16, 0, 0, 0, 32, 0, 0, 0])
  throws(() => column(ct.c_void_p, [1n, 'x']).chunk(0, 2), ArgumentError, 'column 2: row 1: ')
})

test('memory that both sides see is walked through where it lies', () => {
  const array = ct.c_int.array(3).from([1, 2, 3])
  const block = (array as unknown as CData)[BLOCK]
  const objects = { addressOf: (asked: LocalBlock) => (asked === block ? 0x5000 : undefined), lodgers: () => [] }
  const made = column(ct.POINTER(ct.c_int), array, { ...context, objects }) as Column & { address?: bigint }
  assert.equal([made.address, made.length, made.stride, made.rowSize], [0x5000n, 3, 4, 0])
  assert.is(made.chunk(0, 3).bytes.length, 0)
})

test('texts lie behind their pointers, in the encoding of the session; wide ones at even places', () => {
  const chunkOf = (type: unknown, given: unknown) => {
    const { bytes: all, pointers } = column(type, given).chunk(0, Array.isArray(given) ? given.length : 1)
    const view = new DataView(all.buffer, all.byteOffset)
    return (pointers ?? []).map(at => all.subarray(view.getUint32(at, true)))
  }
  const [first, second] = chunkOf(ct.c_char_p, ['grün', null, Uint8Array.of(1, 2)])
  assert.equal([...first.subarray(0, 6)], [...Buffer.from('grün\0')])
  assert.equal([...second.subarray(0, 3)], [1, 2, 0])
  for (const text of chunkOf(ct.c_wchar_p, ['a', 'bc', ''])) assert.is(text.byteOffset % 2, 0)
  assert.equal([...chunkOf(ct.c_wchar_p, 'ü')[0]], [0xfc, 0, 0, 0])
  const same = column(ct.c_char_p, 'same')
  assert.equal([same.length, same.stride, same.rowSize], [undefined, 0, 0])
  refuses(ct.c_wchar_p, [5], 'row 0: expected a string or null, found number 5')
})

test('a row of texts takes no more than it says', () => {
  const texts = ['', 'ä', '€€€', 'abc', null, Uint8Array.of(1, 2, 3)]
  for (const type of [ct.c_char_p, ct.c_wchar_p]) {
    const given = type === ct.c_wchar_p ? texts.slice(0, 5) : texts
    const made = column(type, given)
    for (let i = 0; i < given.length; i++) assert.ok(made.chunk(i, 1).bytes.length <= made.rowSize)
    assert.ok(made.chunk(0, given.length).bytes.length <= made.rowSize * given.length)
  }
})

test('what has no column says so', () => {
  refuses(ct.CFUNCTYPE(ct.c_int), [() => 1], 'has no column')
  refuses(ct.c_int.array(2), [[1, 2]], 'has no column')
})

test('which results come as typed arrays', () => {
  const kind = (type: unknown) => kindOfElements(type as CType)
  assert.is(kind(ct.c_int), Int32Array)
  assert.is(kind(ct.c_float), Float32Array)
  assert.is(kind(ct.c_ulonglong), BigUint64Array)
  assert.is(kind(ct.c_void_p), BigInt64Array)
  assert.is(kind(ct.types('win32').c_void_p), undefined)
  for (const type of [ct.c_bool, ct.c_char, ct.c_char_p, Point]) assert.is(kind(type), undefined)
})

test.run()
