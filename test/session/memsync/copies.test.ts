/** Local copies of memory of a Windows process, and what of them goes back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalBlock, RemoteRange, type Target } from '../../../src/ctypes/block.js'
import * as ct from '../../../src/ctypes/index.js'
import { readCell, writeCell } from '../../../src/ctypes/reference.js'
import { ArgumentError, MemoryAccessError } from '../../../src/errors.js'
import { Copies } from '../../../src/session/memsync/copies.js'
import { throws } from '../../expect.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('copies of memsync')
const bytesOf = ({ block, offset }: Target, size: number) => [
  ...new Uint8Array(block.view(offset, size).buffer, (block as LocalBlock).bytes.byteOffset + offset, size),
]

function make(goBack = true) {
  const windows = windowsMemory()
  windows.put(0x11000, [1, 2, 3, 4, 5, 6, 7, 8, 0, 9])
  return { ...windows, copies: new Copies(windows.memory, 8, goBack) }
}

test('memory is copied once, a part of it is a place in the copy', () => {
  const { copies } = make()
  const whole = copies.of(0x11000n, 8)
  const part = copies.of(0x11002n, 4)
  assert.equal(bytesOf(whole, 8), [1, 2, 3, 4, 5, 6, 7, 8])
  assert.is(part.block, whole.block)
  assert.is(part.offset, 2)
  // what goes beyond it is another
  assert.is.not(copies.of(0x11006n, 4).block, whole.block)
})

test('texts are copied up to their zero, of one byte or two', () => {
  const { copies, put } = make()
  assert.equal(bytesOf(copies.ofText(0x11004n, false), 5), [5, 6, 7, 8, 0])
  put(0x12000, [1, 0, 0, 1, 0, 0, 7])
  assert.is(copies.ofText(0x12000n, true).block.size, 6)
})

test('of what was changed the changed stretch goes back, and of what was not, nothing', () => {
  const { copies, view, writes } = make()
  const first = copies.of(0x11000n, 8)
  copies.of(0x12000n, 100)
  const changed = first.block.view(0, 8)
  changed.setUint8(2, 30)
  changed.setUint8(5, 60)
  copies.giveBack()
  assert.equal(writes, [[0x11002, 4]])
  assert.equal([...new Uint8Array(view(0x11000, 8).buffer, 0x1000, 8)], [1, 2, 30, 4, 5, 60, 7, 8])
})

test('copies that are only looked at do not go back', () => {
  const { copies, writes } = make(false)
  copies.of(0x11000n, 8).block.view(0, 8).setUint8(0, 99)
  copies.giveBack()
  assert.equal(writes, [])
})

test('a pointer that leads to a copy leads to where that came from when it goes back', () => {
  const { copies, view } = make()
  view(0x12000, 8).setBigUint64(0, 0x11000n, true)
  const cell = copies.of(0x12000n, 8)
  const place = readCell(cell.block, 0, 8) as Target
  const target = copies.lead({ block: cell.block, offset: 0, size: 8 }, place, ct.c_ubyte as never, 8)
  assert.equal(bytesOf(target, 8), [1, 2, 3, 4, 5, 6, 7, 8])
  // the function moves it within
  writeCell(cell.block, 0, 8, { block: target.block, offset: 3 })
  copies.giveBack()
  assert.is(view(0x12000, 8).getBigUint64(0, true), 0x11003n)
})

test('a pointer to memory of JS cannot go back, one to memory of the Windows process can', () => {
  const { copies, memory, view } = make()
  const cell = copies.of(0x12000n, 8)
  writeCell(cell.block, 0, 8, { block: new RemoteRange(memory, 0x11000n), offset: 4 })
  copies.giveBack()
  assert.is(view(0x12000, 8).getBigUint64(0, true), 0x11004n)
  writeCell(cell.block, 0, 8, { block: LocalBlock.allocate(4), offset: 0 })
  throws(() => copies.giveBack(), ArgumentError, 'has no address of its own')
})

test('what is not there, or cannot be meant', () => {
  const { copies } = make()
  throws(() => copies.of(0x99999n, 8), MemoryAccessError, '0x99999')
  throws(() => copies.of(0x11000n, 2 ** 33), ArgumentError, 'more than can be copied')
})

test.run()
