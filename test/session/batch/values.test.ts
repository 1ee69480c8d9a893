/** What rows leave, as what the caller gets of them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CType } from '../../../src/ctypes/data.js'
import * as ct from '../../../src/ctypes/index.js'
import { outColumn, type RowValues, rowValues } from '../../../src/session/batch/values.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('results of a batch')
class Point extends ct.Structure({ x: ct.c_int, y: ct.c_int }) {}
class Named extends ct.Structure({ id: ct.c_int, name: ct.c_char_p }) {}
const { memory } = windowsMemory()
const of = (type: unknown, rows: number, firstText = 0) => rowValues(type as CType, rows, firstText)
const text = (words: string | null) => (words === null ? null : Buffer.from(words))

/** Two chunks come back, the later rows first; `write` says what a row left. */
function fill(values: RowValues, rows: number, write: (view: DataView, at: number, row: number) => void): unknown {
  for (const [first, count] of [
    [2, rows - 2],
    [0, 2],
  ]) {
    const block = values.block(first, count)
    for (let i = 0; i < count; i++) write(block.whole, i * values.size, first + i)
    values.collect(block, first, count, memory, row => index => text(index === 1 ? `text of ${first + row}` : null))
  }
  return values.all
}

test('numbers and addresses come in a typed array, written in place', () => {
  const all = fill(of(ct.c_short, 4), 4, (view, at, row) => view.setInt16(at, -row, true))
  assert.equal(all, Int16Array.of(0, -1, -2, -3))
  assert.equal(
    fill(of(ct.c_void_p, 3), 3, (view, at, row) => view.setBigInt64(at, BigInt(row) << 40n, true)),
    BigInt64Array.of(0n, 1n << 40n, 2n << 40n),
  )
})

test('addresses of 32 bits are bigints, too, and none is below zero', () => {
  const values = of(ct.types('win32').c_void_p, 3)
  assert.is(values.size, 4)
  const all = fill(values, 3, (view, at, row) => view.setUint32(at, row === 2 ? 0xffff0000 : row, true))
  assert.equal(all, BigInt64Array.of(0n, 1n, 0xffff0000n))
})

test('the rest comes as single values do: booleans, characters, structures', () => {
  assert.equal(
    fill(of(ct.c_bool, 3), 3, (view, at, row) => view.setUint8(at, row)),
    [false, true, true],
  )
  assert.equal(
    fill(of(ct.c_wchar, 3), 3, (view, at, row) => view.setUint16(at, 0x61 + row, true)),
    ['a', 'b', 'c'],
  )
  const points = of(Point, 3)
  assert.is(points.kind, 'Q')
  const all = fill(points, 3, (view, at, row) => view.setInt32(at + 4, row, true)) as Point[]
  assert.equal(
    all.map(({ y }) => y),
    [0, 1, 2],
  )
  assert.instance(all[0], Point)
})

test('texts are those that were taken for their row, whatever their pointers are', () => {
  const all = fill(of(ct.c_char_p, 3, 1), 3, (view, at) => view.setBigUint64(at, 0x10n, true))
  assert.equal(all, ['text of 0', 'text of 1', 'text of 2'])
  assert.equal(
    fill(of(ct.c_char_p, 2, 0), 2, () => {}),
    [null, null],
  )
  const named = fill(of(Named, 2, 1), 2, (view, at) => view.setBigUint64(at + 8, 0x10n, true)) as Named[]
  assert.equal(
    named.map(({ name }) => name),
    ['text of 0', 'text of 1'],
  )
})

test('no result takes no room', () => {
  const values = rowValues(null, 5)
  assert.equal([values.kind, values.size, values.all], ['v', 0, undefined])
  assert.is(values.block(0, 5).size, 0)
})

test('an out parameter is a column of them that comes back', () => {
  const values = of(ct.c_bool, 5)
  const column = outColumn(values, 5, memory)
  assert.equal([column.length, column.kind, column.stride, column.rowSize], [5, '&', 1, 1])
  const chunk = column.chunk(1, 3)
  assert.is(chunk.back, true)
  chunk.bytes.set([1, 0, 1])
  chunk.copiedBack?.(undefined)
  assert.equal(values.all, [null, true, false, true, null])
})

test.run()
