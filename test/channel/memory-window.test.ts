/** Memory that the host copies, piece by piece, and what may go wrong between. The fake host's bytes say their own addresses. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Mapping } from '../../dist/src/channel/mapping.js'
import { MemoryWindow } from '../../dist/src/channel/memory-window.js'
import { Life, SharedWord } from '../../dist/src/channel/shared.js'
import { Window } from '../../dist/src/codec/layout.js'
import { FakeHost, Order, until } from './fake-host.js'
import { startThread } from './start-thread.js'

const test = suite('memory window')

function windowOf(host: FakeHost, thread = 1): MemoryWindow {
  const { segment, state } = host
  return new MemoryWindow(new Mapping(segment, state, thread), state, segment, thread, () => {
    if (state.life() === Life.dead) throw new Error('it is dead')
  })
}
async function withHost(act: (host: FakeHost) => Promise<void> | void): Promise<void> {
  const host = await FakeHost.start()
  try {
    await act(host)
  } finally {
    await host.end()
  }
}
const isRight = (bytes: Uint8Array, address: number) => bytes.every((byte, i) => byte === ((address + i) & 0xff))

test('reads and writes, in as many pieces as it takes, and nothing is nothing', async () => {
  await withHost(host => {
    const window = windowOf(host)
    for (const size of [0, 1, 1000, Window.room, Window.room + 1, 200_000]) {
      const bytes = new Uint8Array(size)
      assert.ok(window.read(0x5003n, bytes))
      assert.ok(isRight(bytes, 0x5003))
      assert.ok(window.write(0x5003n, bytes))
    }
    assert.ok(window.read(2n ** 63n, new Uint8Array(8)))
  })
})

test('what the host refuses is refused', async () => {
  await withHost(host => {
    const window = windowOf(host)
    assert.not(window.read(0x10n, new Uint8Array(8)))
    assert.not(window.write(0x10n, new Uint8Array(8)))
    assert.ok(window.read(0x5000n, new Uint8Array(8)))
  })
})

test('a bell that somebody drained, or a request that somebody wrote over, is made up for', async () => {
  await withHost(async host => {
    const window = windowOf(host)
    const spoil = startThread('./spoiler.ts', import.meta.url, {
      segment: host.segment,
      memory: host.state.memory,
      orders: host.orders,
    })
    await new Promise(resolve => spoil.once('message', resolve))
    for (let i = 0; i < 3; i++) {
      const bytes = new Uint8Array(100)
      assert.ok(window.read(0x7000n, bytes))
      assert.ok(isRight(bytes, 0x7000))
    }
    await spoil.terminate()
  })
})

test('one thread at a time', async () => {
  await withHost(async host => {
    host.order(Order.slowWindow, 1)
    const readers = [2, 3, 4].map(thread => {
      host.join(thread)
      const { segment, state } = host
      return startThread('./reader.ts', import.meta.url, { segment, memory: state.memory, thread })
    })
    const codes = await Promise.all(readers.map(reader => new Promise(resolve => reader.once('exit', resolve))))
    assert.equal(codes, [0, 0, 0])
  })
})

test('the window of a thread that has ended in the middle is another’s', async () => {
  await withHost(async host => {
    const { i32 } = host.state
    // nobody has this number
    i32[SharedWord.windowOwner] = 8
    host.mapping.i32[Window.offset / 4] = 0x7777
    const bytes = new Uint8Array(10)
    assert.ok(windowOf(host).read(0x5000n, bytes))
    assert.ok(isRight(bytes, 0x5000))
    assert.is(i32[SharedWord.windowOwner], 0)
  })
})

test('the end of the session ends the waiting, and leaves the window free', async () => {
  const host = await FakeHost.start()
  host.order(Order.deafWindow)
  const { segment, state } = host
  host.join(2)
  const reader = startThread('./reader.ts', import.meta.url, { segment, memory: state.memory, thread: 2 })
  const failed = new Promise<Error>(resolve => reader.once('error', resolve))
  await until(() => Atomics.load(state.i32, SharedWord.windowOwner) === 3, 'it waits')
  await host.end()
  assert.match((await failed).message, 'it is dead')
  assert.is(state.i32[SharedWord.windowOwner], 0)
})

test.run()
