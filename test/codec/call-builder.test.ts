/** The message of a call, as it is built argument by argument. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CallBuilder } from '../../dist/src/codec/call-builder.js'
import { createEncoder } from '../../dist/src/codec/encoder.js'
import { Call } from '../../dist/src/codec/layout.js'
import { LocalBlock, type RemoteMemory } from '../../dist/src/ctypes/block.js'

const test = suite('call builder')
const BASE = 0x7f12_3456_0000
const memory: RemoteMemory = { sessionId: 'fake', read: () => assert.unreachable(), write: () => assert.unreachable() }
const encoder = createEncoder()
const argument = (i: number) => new DataView(encoder.message.buffer).getBigUint64(Call.arguments + 8 * i, true)

test('scalars are there at once, and the head names the routine and the number of arguments', () => {
  const builder = new CallBuilder(encoder, memory, 8)
  builder.begin()
  builder.int(0, -2, -1)
  builder.double(1, 0.5)
  builder.float(2, 0.5)
  builder.address(3, 2 ** 52 + 1)
  assert.is(builder.finish(77, 4), Call.arguments + 32)
  assert.equal([0, 1, 2, 3].map(argument), [2n ** 64n - 2n, 0x3fe0_0000_0000_0000n, 0x3f00_0000n, 2n ** 52n + 1n])
  const view = new DataView(encoder.message.buffer)
  assert.equal([view.getUint32(Call.routine, true), view.getUint32(Call.count, true)], [77, 4])
  builder.relocate(BASE)
  assert.is(argument(0), 2n ** 64n - 2n)
})

test('what a callback returns meanwhile leaves the arguments, and the head of the call is written after it', () => {
  const builder = new CallBuilder(encoder, memory, 8)
  builder.begin()
  builder.int(0, 40, 0)
  encoder.answer(-1, -1)
  builder.int(1, 2, 0)
  builder.finish(77, 2)
  const message = encoder.message.slice()
  builder.begin()
  builder.int(0, 40, 0)
  builder.int(1, 2, 0)
  assert.equal(encoder.message.slice(0, builder.finish(77, 2) / 4), message.slice(0, (Call.arguments + 16) / 4))
})

test('pointers among the arguments get their addresses; the next call starts afresh', () => {
  const builder = new CallBuilder(encoder, memory, 8)
  const [a, b] = [LocalBlock.allocate(10), LocalBlock.allocate(10)]
  const waiting = { thunk: () => undefined }
  builder.begin()
  builder.int(0, -1, -1)
  builder.block(1, b, 3)
  builder.block(2, a, 0)
  builder.block(3, b, 0)
  builder.callback(4, { thunk: () => 0x5555 })
  builder.callback(5, waiting)
  assert.is(builder.finish(2, 6), Call.arguments + 48)
  builder.relocate(BASE)
  assert.equal([0, 1, 2, 3, 4].map(argument), [
    2n ** 64n - 1n,
    BigInt(BASE + 3),
    BigInt(BASE + 16),
    BigInt(BASE),
    0x5555n,
  ])
  assert.is(builder.image?.size, 32)
  assert.equal(builder.image?.callbacks, [waiting])
  builder.begin()
  builder.int(1, 5, 0)
  assert.is(builder.image, undefined)
  builder.finish(2, 2)
  builder.relocate(BASE)
  assert.is(argument(1), 5n)
})

test('a block that lives on both sides has its address, and is no part of the image unless it is for this call alone', () => {
  const [lives, copied] = [LocalBlock.allocate(8), LocalBlock.allocate(8)]
  const objects = {
    addressOf: (block: LocalBlock) => (block === lives ? 0x9000 : undefined),
    addressFor(): never {
      throw new Error('a call asks by addressOf')
    },
  }
  const builder = new CallBuilder(encoder, { ...memory, objects }, 8)
  builder.begin()
  builder.block(0, lives, 4)
  assert.is(builder.image, undefined)
  assert.is(argument(0), 0x9004n)
  assert.equal(builder.moved, [lives])
  builder.block(1, copied, 4)
  builder.block(2, lives, 0, true)
  builder.relocate(BASE)
  assert.equal([argument(0), argument(1), argument(2)], [0x9004n, BigInt(BASE + 4), BigInt(BASE + 16)])
  assert.equal(builder.moved, [lives])
  builder.begin()
  assert.equal(builder.moved, [])
})

test('typed arrays are added to the small ones where that is asked for, and they are small', () => {
  const builder = new CallBuilder(encoder, memory, 8)
  builder.begin()
  const given = new Uint8Array(16)
  assert.not.ok(builder.buffer(0, given))
  builder.acceptsSmall = true
  assert.ok(builder.buffer(0, given))
  assert.not.ok(builder.buffer(1, new Uint8Array(1 << 20)))
  // the memory of an object that has moved is no copy
  const object = LocalBlock.allocate(16)
  object.move(object.whole, {
    memory,
    address: 0x9000,
    isFar: false,
    own: () => new ArrayBuffer(16),
    release: () => {},
  })
  assert.not.ok(builder.buffer(1, object.handOut()))
  assert.is(builder.small.count, 1)
})

test('the room for texts is in the head', () => {
  const builder = new CallBuilder(encoder, memory, 8)
  builder.begin()
  builder.finish(1, 0)
  builder.giveRoom(0x1_2345_6789, 4096)
  const view = new DataView(encoder.message.buffer)
  assert.is(view.getBigUint64(Call.texts, true), 0x1_2345_6789n)
  assert.is(view.getUint32(Call.textRoom, true), 4096)
})

test.run()
