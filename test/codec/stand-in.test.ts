import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StandIn } from '../../src/codec/stand-in.js'
import { type Home, LocalBlock, POINTERS, type RemoteMemory, type Target } from '../../src/ctypes/block.js'
import { ARCH } from '../../src/ctypes/data.js'
import { readCell } from '../../src/ctypes/reference.js'

const test = suite('copies for another session')
const memoryOf = (sessionId: string): RemoteMemory => ({
  sessionId,
  read: () => assert.unreachable(),
  write: () => assert.unreachable(),
})
const [own, other] = ['own', 'other'].map(memoryOf)

/** An object that lives in memory of the session `own`, with pointers at 0 and 8 and a number at 16. */
function moved(address: number, arch: 'win64' | 'win32' = 'win64'): LocalBlock {
  const block = LocalBlock.allocate(24)
  block.shape = { alignment: 8, [POINTERS]: arch === 'win64' ? [0, 8] : [0, 4], [ARCH]: arch } as LocalBlock['shape']
  const home: Home = { memory: own, address, isFar: false, own: () => new ArrayBuffer(24), release() {} }
  block.move(new DataView(new ArrayBuffer(24)), home)
  return block
}

test('numbers go there and come back, and where pointers of the object’s session lead stays as it was', () => {
  const object = moved(0x1000)
  object.whole.setBigUint64(0, 0x2000n, true)
  object.whole.setInt32(16, 5, true)
  const stand = new StandIn(object)
  assert.is(stand.whole.getInt32(16, true), 5)
  stand.whole.setInt32(16, 6, true)
  // the routine of the other session may have put anything there
  stand.whole.setBigUint64(0, 0x7777n, true)
  stand.whole.setBigUint64(8, 0x8888n, true)
  assert.is(object.whole.getInt32(16, true), 5, 'the object is not touched before the call has come back')
  stand.settled(other)
  assert.is(object.whole.getInt32(16, true), 6)
  assert.is(object.whole.getBigUint64(0, true), 0x2000n)
  assert.is(object.whole.getBigUint64(8, true), 0n)
})

test('a pointer to an object leads there in the copy, and stays, or is NULL where the routine says so', () => {
  for (const isNull of [false, true]) {
    const [object, target] = [moved(0x1000), moved(0x3000)]
    object.refs = new Map([[8, { block: target, offset: 4 }]])
    object.whole.setBigUint64(8, 0x3004n, true)
    const stand = new StandIn(object)
    assert.equal([...(stand.refs ?? [])], [[8, { block: target, offset: 4 }]])
    if (isNull) {
      stand.refs?.delete(8)
      stand.whole.setBigUint64(8, 0n, true)
    }
    stand.settled(other)
    const now = readCell(object, 8, 8)
    if (isNull) assert.is(now, null)
    else assert.is((now as Target).block, target)
  }
})

test('a pointer that the routine made lead to another object leads to it, not to its copy', () => {
  const [object, second] = [moved(0x1000), moved(0x5000)]
  const stand = new StandIn(object)
  const standOfSecond = new StandIn(second)
  stand.refs?.set(0, { block: standOfSecond, offset: 8 })
  stand.settled(other)
  assert.is(object.whole.getBigUint64(0, true), 0x5008n)
  assert.is((readCell(object, 0, 8) as Target).block, second)
})

test('pointers of 32 bits have four bytes', () => {
  const object = moved(0x1000, 'win32')
  object.whole.setUint32(0, 0x2000, true)
  const stand = new StandIn(object)
  stand.whole.setUint32(0, 0x7777, true)
  stand.whole.setUint32(4, 0x8888, true)
  stand.whole.setUint32(8, 9, true)
  stand.settled(other)
  assert.equal(
    [0, 4, 8].map(at => object.whole.getUint32(at, true)),
    [0x2000, 0, 9],
  )
})

test.run()
