import { writeSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { takeLastReply } from '../../dist/src/channel/last-replies.js'
import { closeSegment, createSegment } from '../../dist/src/channel/segment.js'
import { EndReason, Shared, SharedState, SlotState } from '../../dist/src/channel/shared.js'
import { createSharedMemory } from '../../dist/src/codec/encoder.js'
import { REPLY_OFFSET, REPLY_SIZE, REQUEST_OFFSET, REQUEST_SIZE, SLOTS, SlotFlag } from '../../dist/src/codec/layout.js'

const test = suite('replies that the worker has not taken when the host is gone')
const segment = createSegment(1 << 16)

/** A request in slot `index` whose reply, number `sequence`, lies in the file alone. */
function answered(sequence: number, flags = 0): SharedState {
  const shared = new SharedState(createSharedMemory())
  const index = (sequence - 1) & (SLOTS - 1)
  const slot = REQUEST_OFFSET + index * REQUEST_SIZE
  shared.u8[slot + 10] = flags
  shared.view.setUint16(slot + 12, 64, true)
  shared.view.setUint16(slot + 14, 16, true)
  Atomics.store(shared.i32, Shared.slotState + index, SlotState.published)
  Atomics.store(shared.i32, Shared.endReason, EndReason.crashed)
  const reply = new Uint8Array(REPLY_SIZE).fill(7)
  new DataView(reply.buffer).setUint32(0, sequence, true)
  writeSync(segment.file, reply, 0, reply.length, REPLY_OFFSET + index * REPLY_SIZE)
  writeSync(segment.file, new Uint8Array(16).fill(9), 0, 16, slot + 64)
  return shared
}

test('is brought where the worker would have brought it', () => {
  for (const sequence of [1, SLOTS, SLOTS + 5, 0xfffffff0]) {
    const shared = answered(sequence)
    const index = (sequence - 1) & (SLOTS - 1)
    assert.ok(takeLastReply(shared, segment, sequence))
    assert.is(shared.u8[REPLY_OFFSET + index * REPLY_SIZE + 30], 7)
    assert.is(shared.u8[REQUEST_OFFSET + index * REQUEST_SIZE + 64], 0, 'there is no image in the slot')
    assert.is(Atomics.load(shared.i32, Shared.slotState + index), SlotState.replied)
  }
})

test('with the image that lies in the slot', () => {
  const shared = answered(3, SlotFlag.imageInSlot)
  assert.ok(takeLastReply(shared, segment, 3))
  assert.is(shared.u8[REQUEST_OFFSET + 2 * REQUEST_SIZE + 64 + 15], 9)
})

test('another round of the ring is not taken for it', () => {
  const shared = answered(5)
  assert.not.ok(takeLastReply(shared, segment, 5 + SLOTS))
  assert.is(Atomics.load(shared.i32, Shared.slotState + 4), SlotState.published)
})

test('who ended the session itself gets no more of it', () => {
  const shared = answered(6)
  Atomics.store(shared.i32, Shared.endReason, EndReason.terminated)
  assert.not.ok(takeLastReply(shared, segment, 6))
})

test('a closed segment has none', () => {
  const shared = answered(7)
  assert.not.ok(takeLastReply(shared, { ...segment, file: 1 << 20 }, 7))
})

test.after(() => {
  closeSegment(segment)
})

test.run()
