import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arrange, padding, pieceAt } from '../../src/codec/pieces.js'
import { LocalBlock, POINTERS } from '../../src/ctypes/block.js'

const test = suite('pieces of an image')
const buffer = new ArrayBuffer(256)
const view = (from: number, to: number, writable = true) =>
  new LocalBlock(new Uint8Array(buffer, from, to - from), writable)

test('views that overlap are one piece, in the place of the one that came first', () => {
  const other = LocalBlock.allocate(4)
  const { pieces, offsets, size } = arrange([view(40, 60), other, view(20, 50), view(80, 90), view(55, 70)])
  assert.is(pieces.length, 3)
  assert.equal(pieces[0].blocks, [0, 2, 4])
  assert.is(pieces[0].bytes.byteOffset, 20)
  assert.is(pieces[0].bytes.length, 50)
  assert.equal(offsets, [20, 64, 0, 80, 35])
  assert.is(size, 96)
})

test('neighbours, constants and memory of others are pieces of their own', () => {
  const { pieces } = arrange([view(0, 8), view(8, 16), view(0, 16, false), new LocalBlock(new Uint8Array(16))])
  assert.is(pieces.length, 4)
})

test('a block with pointers has a byte behind it, where one may come to lead', () => {
  const holds = LocalBlock.allocate(16)
  holds.shape = { alignment: 8, [POINTERS]: [0] }
  assert.equal(arrange([holds, LocalBlock.allocate(1)]).offsets, [0, 32])
  assert.equal(arrange([LocalBlock.allocate(16), LocalBlock.allocate(1)]).offsets, [0, 16])
  assert.is(arrange([holds]).size, 32)
})

test('what is larger aligned aligns the whole', () => {
  const block = LocalBlock.allocate(8)
  block.shape = { alignment: 128, [POINTERS]: [] }
  const { offsets, alignment } = arrange([LocalBlock.allocate(3), block])
  assert.equal(offsets, [0, 128])
  assert.is(alignment, 128)
  assert.is(arrange([LocalBlock.allocate(3)]).alignment, 16)
})

test('nothing takes nothing', () => {
  assert.is(arrange([]).size, 0)
  assert.is(arrange([LocalBlock.allocate(0)]).size, 0)
})

test('which piece an offset is in, or at the end of', () => {
  const { pieces } = arrange([16, 5, 40].map(size => LocalBlock.allocate(size)))
  for (const [offset, number] of [
    [0, 0],
    [15, 0],
    [16, 1],
    [21, 1],
    [32, 2],
    [72, 2],
  ])
    assert.is(pieceAt(pieces, offset), pieces[number], String(offset))
  assert.is(pieceAt(pieces, -1), undefined)
})

test('what is read between pieces never shows up in what is written there', () => {
  padding(16, true).fill(7)
  for (const size of [0, 1, 15, 16, 100]) {
    const zeros = padding(size, false)
    assert.is(zeros.length, size)
    assert.ok(zeros.every(byte => byte === 0))
  }
})

test.run()
