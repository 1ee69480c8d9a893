/** Slots, claimed and published, without a host: what it would read is looked at, and what it would write is written, by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Mapping } from '../../dist/src/channel/mapping.js'
import { Ring } from '../../dist/src/channel/ring.js'
import { SharedWord } from '../../dist/src/channel/shared.js'
import {
  ControlWord,
  Header,
  Kind,
  MESSAGE,
  REPLIES_SIZE,
  REPLY_MESSAGE,
  REPLY_OFFSET,
  REPLY_SIZE,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  SLOTS,
} from '../../dist/src/codec/layout.js'
import { startThread } from './start-thread.js'
import { endSegment, type Made, makeSegment, withMapping } from './support.js'

const test = suite('ring')
const slotOf = (number: number) => REQUEST_OFFSET + ((number - 1) & (SLOTS - 1)) * REQUEST_SIZE
const replyOf = (thread: number, number: number) =>
  REPLY_OFFSET + thread * REPLIES_SIZE + ((number - 1) & (SLOTS - 1)) * REPLY_SIZE
const WORDS = Int32Array.of(11, 22, 33)

function within(first: number, act: (ring: (thread: number) => Ring, mapping: Mapping, made: Made) => void): void {
  const made = makeSegment()
  withMapping(made, mapping => {
    made.state.i32[SharedWord.tail] = first
    mapping.i32[ControlWord.done / 4] = first
    for (const thread of [0, 1]) made.state.i32[SharedWord.asked + thread] = first
    act(thread => new Ring(mapping, made.state, made.segment, thread), mapping, made)
  })
  endSegment(made)
}

for (const first of [0, 0x7fffff00, 0xffffff00 | 0]) {
  test(`a request stands in its slot, whole (from ${first})`, () => {
    within(first, (ring, { i32 }, { state }) => {
      const one = ring(0)
      const two = ring(1)
      for (let i = 1; i <= 2 * SLOTS; i++) {
        const [mine, thread] = i % 2 ? [one, 0] : [two, 1]
        assert.ok(mine.send(WORDS, 12, Kind.call))
        const number = (first + i) | 0
        const at = slotOf(number) / 4
        const replyNumber = (first + Math.ceil(i / 2)) | 0
        assert.equal([...i32.slice(at, at + 4)], [number, 12, Kind.call | (thread << 8), replyNumber])
        assert.equal([...i32.slice(at + MESSAGE / 4, at + MESSAGE / 4 + 3)], [11, 22, 33])
        assert.is(state.i32[SharedWord.intent + thread], 0)
        // the host is done with it, and says so
        i32[replyOf(thread, replyNumber) / 4] = replyNumber
        Atomics.store(i32, ControlWord.done / 4, number)
        assert.is(i32[mine.expectedAt], mine.expected)
        assert.is(mine.take(), replyOf(thread, replyNumber) + REPLY_MESSAGE)
        assert.is(mine.outstanding, 0)
      }
      assert.is(state.i32[SharedWord.tail], (first + 2 * SLOTS) | 0)
    })
  })

  test(`no more than there are slots, whoever has them (from ${first})`, () => {
    within(first, (ring, { i32 }, { state }) => {
      const [one, two] = [ring(0), ring(1)]
      for (let i = 0; i < SLOTS - 1; i++) assert.ok(one.send(WORDS, 12, Kind.call))
      assert.ok(two.send(WORDS, 12, Kind.call))
      for (const full of [one, two]) assert.not(full.send(WORDS, 12, Kind.call))
      assert.is(state.i32[SharedWord.intent], 0)
      assert.is(two.outstanding, 1)
      Atomics.store(i32, ControlWord.done / 4, first + 1)
      assert.ok(two.send(WORDS, 12, Kind.call))
      assert.not(one.send(WORDS, 12, Kind.call))
      // a thread has no more under way than its own ring holds, however many the host has done
      Atomics.store(i32, ControlWord.done / 4, first + SLOTS + 1)
      assert.ok(one.send(WORDS, 12, Kind.call))
      assert.is(one.outstanding, SLOTS)
      assert.not(one.send(WORDS, 12, Kind.call))
    })
  })
}

test('only so much of a message is copied as a slot holds', () => {
  within(0, (ring, { i32 }) => {
    const words = new Int32Array(1000).fill(-1)
    assert.ok(ring(0).send(words, 4000, Kind.call))
    assert.is(i32[(slotOf(1) + Header.length) / 4], 4000)
    assert.is(i32[slotOf(2) / 4], 0)
    assert.is(i32[slotOf(2) / 4 - 1], -1)
  })
})

test('who takes a number over begins where it ended', () => {
  within(0, (ring, { i32 }) => {
    const before = ring(0)
    for (let i = 0; i < 3; i++) before.send(WORDS, 12, Kind.call)
    // a reply that nobody took
    i32[replyOf(0, 3) / 4] = 3
    const after = ring(0)
    assert.is(after.outstanding, 0)
    assert.not.equal(i32[after.expectedAt], after.expected)
    after.send(WORDS, 12, Kind.call)
    assert.is(i32[(slotOf(4) + Header.reply) / 4], 4)
  })
})

test('it is broken if a reply, its request, or the one that the host is to take is gone, and not before', () => {
  const spoilt: ((i32: Int32Array) => void)[] = [
    i32 => Atomics.store(i32, ControlWord.done / 4, 2),
    i32 => Atomics.store(i32, ControlWord.done / 4, -2000),
    i32 => Atomics.store(i32, slotOf(1) / 4, 5),
    i32 => Atomics.store(i32, slotOf(2) / 4, 5),
  ]
  for (const spoil of spoilt)
    within(0, (ring, { i32 }) => {
      const other = ring(1)
      const mine = ring(0)
      assert.not(mine.isBroken)
      other.send(WORDS, 12, Kind.call)
      mine.send(WORDS, 12, Kind.call)
      assert.not(mine.isBroken)
      spoil(i32)
      assert.ok(mine.isBroken)
    })
  within(0, (ring, { i32 }, { state }) => {
    const mine = ring(0)
    // another is about to publish what the host waits for
    state.i32[SharedWord.tail] = 1
    state.i32[SharedWord.intent + 1] = 1
    mine.send(WORDS, 12, Kind.call)
    assert.not(mine.isBroken)
    state.i32[SharedWord.intent + 1] = 0
    assert.ok(mine.isBroken)
    i32[slotOf(1) / 4] = 1
    Atomics.store(i32, ControlWord.done / 4, 2)
    i32[replyOf(0, 1) / 4] = 1
    assert.not(mine.isBroken, 'the reply is there')
  })
})

test('several threads at once: each number once, and nothing torn', async () => {
  const made = makeSegment(1 << 20, [0, 1, 2, 3])
  // the numbers run over in the second lap: a slot that nobody has used yet has the number 0 from the start
  const first = -1.5 * SLOTS
  made.state.i32[SharedWord.tail] = first
  for (let thread = 0; thread < 4; thread++) made.state.i32[SharedWord.asked + thread] = first
  const each = 20_000
  await withMappingAsync(made, async ({ i32 }) => {
    i32[ControlWord.done / 4] = first
    const workerData = { segment: made.segment, memory: made.state.memory, each }
    const threads = [0, 1, 2, 3].map(thread => startThread('./claimer.ts', import.meta.url, { ...workerData, thread }))
    const ends = threads.map(thread => new Promise(resolve => thread.once('exit', resolve)))
    const taken = [0, 0, 0, 0]
    for (let count = 0, idle = 0; count < 4 * each; ) {
      const number = (first + count + 1) | 0
      const at = slotOf(number) / 4
      if (Atomics.load(i32, at) !== number) {
        if (++idle % 1000 === 0) await new Promise(resolve => setImmediate(resolve))
        continue
      }
      const thread = (i32[at + Header.tag / 4] >> 8) & 0xff
      taken[thread]++
      const [reply, a, b] = [i32[at + Header.reply / 4], i32[at + MESSAGE / 4], i32[at + MESSAGE / 4 + 1]]
      assert.is(reply, (first + taken[thread]) | 0, 'each thread’s come in its order')
      assert.is(a, taken[thread])
      assert.is(b, ~a ^ thread)
      i32[replyOf(thread, reply) / 4] = reply
      Atomics.store(i32, ControlWord.done / 4, number)
      count++
    }
    assert.equal(taken, [each, each, each, each])
    await Promise.all(ends)
  })
  endSegment(made)
})

async function withMappingAsync(made: Made, act: (mapping: Mapping) => Promise<void>): Promise<void> {
  let done: Promise<void> | undefined
  withMapping(made, mapping => {
    done = act(mapping)
  })
  await done
}

test.run()
