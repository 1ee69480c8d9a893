/** One thread's way to the host and back, against a host that does as it is told. Nothing depends on how long anything takes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Port, Sender } from '../../dist/src/channel/exchange.js'
import type { Frame } from '../../dist/src/channel/frame.js'
import { EndReason, SharedWord } from '../../dist/src/channel/shared.js'
import { sleepsAt } from '../../dist/src/channel/threads.js'
import { TimeLimit } from '../../dist/src/channel/time-limit.js'
import { ControlWord, SLOTS, Status } from '../../dist/src/codec/layout.js'
import { ArenaRequest, Ask, Ended, FakeHost, makeLane, Order, Request, sleep, startMember, until } from './fake-host.js'

const test = suite('lane')
const add = (a: number, b: number) => new Request([Ask.add, a, b])
const CALLBACK = 0x1000001

async function withLane(
  act: (lane: ReturnType<typeof makeLane>, host: FakeHost) => Promise<void>,
  options: Parameters<typeof FakeHost.start>[0] = {},
  laneOptions: Parameters<typeof makeLane>[2] = {},
): Promise<void> {
  const host = await FakeHost.start(options)
  try {
    await act(makeLane(host, 1, laneOptions), host)
  } finally {
    await host.end()
  }
}

/** Rejects with what the lane says of a session that is dead. */
async function fails(request: Request, words: string): Promise<void> {
  await request.done.then(
    value => assert.unreachable(`it gave ${value}`),
    error => {
      assert.instance(error, Ended)
      assert.match((error as Error).message, words)
    },
  )
}

/** Turns that the event loop has while something else goes on. */
function countTurns(): { readonly turns: number; stop(): void } {
  const counted = { turns: 0, stop: () => clearImmediate(immediate) }
  const count = () => {
    counted.turns++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  return counted
}

for (const first of [0, 0x7fffff00, 0xffffff00]) {
  test(`replies belong to their requests, awaited and blocking, and numbers run over (from ${first})`, async () => {
    await withLane(
      async lane => {
        for (let round = 0; round < 5; round++) {
          const many = Array.from({ length: 3 * SLOTS + round }, (_, i) => add(i, round))
          for (const request of many) lane.submit(request)
          const blocking = add(-1, -round)
          lane.submitSync(blocking)
          assert.is(blocking.result, -1 - round)
          // it kept its place: all before it are settled
          assert.ok(many.every((request, i) => request.result === i + round))
        }
      },
      { first },
    )
  })
}

test('what the host cannot read is refused', async () => {
  await withLane(async lane => {
    const bad = new Request([Ask.add, 1, 2], 77)
    lane.submitSync(bad)
    assert.is(bad.status, Status.refused)
  })
})

test('what waits is sent in order as room comes, and what waits may be taken back', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.takeNothing)
    const all = Array.from({ length: 2 * SLOTS }, (_, i) => add(i, 0))
    for (const request of all) lane.submit(request)
    assert.is(lane.load, 2 * SLOTS)
    const why = new Error('no longer wanted')
    assert.not(lane.withdraw(all[0], why), 'it is under way')
    assert.ok(lane.withdraw(all[SLOTS + 5], why))
    assert.is(all[SLOTS + 5].error, why)
    assert.not(lane.withdraw(all[SLOTS + 5], why))
    host.order(Order.takeNothing, 0)
    for (const [i, request] of all.entries()) if (i !== SLOTS + 5) assert.is(await request.done, i)
    assert.is(lane.load, 0)
  })
})

test('what is being sent, or has just been, is not taken back, and nothing that waits behind it is lost', async () => {
  await withLane(async (lane, host) => {
    /** A request that is put together by code of the program's. */
    class Reading extends Request {
      tries = 0
      constructor(private readonly read: () => void) {
        super([Ask.add, 1, 0])
      }
      override attempt(sender: Sender, port: Port): boolean {
        if (this.tries++ === 0) this.read()
        return super.attempt(sender, port)
      }
    }
    host.order(Order.takeNothing)
    const why = new Error('no longer wanted')
    const taken: boolean[] = []
    const filled = Array.from({ length: SLOTS }, (_, i) => add(i, 0))
    const first = add(0, 0)
    const reading: Reading = new Reading(() => {
      for (const request of [first, reading, third]) taken.push(lane.withdraw(request, why))
    })
    const third = add(2, 0)
    const last = [3, 4, 5].map(i => add(i, 0))
    for (const request of [...filled, first, reading, third, ...last]) lane.submit(request)
    host.order(Order.takeNothing, 0)
    // the host is done with all of them before this thread looks, and then has room for all that wait
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    for (const [i, request] of [first, reading].entries()) assert.is(await request.done, i)
    for (const [i, request] of last.entries()) assert.is(await request.done, i + 3)
    assert.equal(taken, [false, false, true])
    assert.is(third.error, why)
    assert.is(lane.load, 0)
  })
})

test('what is larger than the arena’s room waits for it', async () => {
  await withLane(async lane => {
    const each = 300_000
    const all = Array.from({ length: 20 }, (_, i) => new ArenaRequest([Ask.add, i, 1], each))
    for (const request of all) lane.submit(request)
    const last = new ArenaRequest([Ask.add, 100, 1], each)
    lane.submitSync(last)
    assert.is(last.result, 101)
    for (const [i, request] of all.entries()) assert.is(request.result, i + 1)
  })
})

test('an error of one request is its own, whenever it shows', async () => {
  await withLane(async lane => {
    class Bad extends Request {
      override attempt(): boolean {
        throw new RangeError('bad')
      }
    }
    assert.throws(() => lane.submit(new Bad([])), /bad/)
    const filled = Array.from({ length: SLOTS + 1 }, (_, i) => add(i, 0))
    for (const request of filled) lane.submit(request)
    const bad = new Bad([])
    lane.submit(bad)
    const behind = add(1, 1)
    lane.submit(behind)
    assert.is(await behind.done, 2)
    assert.instance(bad.error, RangeError)
    assert.ok(bad.settled)
  })
})

test('the event loop has its turns, however quickly replies come', async () => {
  await withLane(async lane => {
    const counted = countTurns()
    for (let calls = 0; counted.turns < 50; calls++) {
      assert.ok(calls < 1_000_000, 'nothing else had its turn')
      const request = add(calls, 1)
      lane.submit(request)
      await request.done
    }
    counted.stop()
  })
})

test('the event loop has its turns while a routine calls back without an end', async () => {
  let called = 0
  const options = {
    onCallback: (frame: Frame) => {
      called++
      frame.finish(0, 0)
    },
  }
  const FAR = 1_000_000
  await withLane(
    async lane => {
      const counted = countTurns()
      lane.submit(new Request([Ask.callBack, CALLBACK, FAR]))
      await until(() => called > 1000 && counted.turns > 20, 'turns')
      counted.stop()
      assert.ok(called < FAR, 'it had none before the end')
    },
    {},
    options,
  )
})

test('a thread that waits for room that others take leaves the processor alone', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.takeNothing)
    const other = makeLane(host, 0)
    for (let i = 0; i < SLOTS; i++) other.submit(add(i, 0), true)
    const waiting = add(1, 2)
    lane.submit(waiting)
    const counted = countTurns()
    await sleep(100)
    counted.stop()
    // what looks in each turn of the event loop leaves none of them idle
    const looks = performance.eventLoopUtilization()
    await sleep(500)
    const { utilization } = performance.eventLoopUtilization(looks)
    assert.ok(utilization < 0.5, `${utilization} of the time`)
    assert.is(lane.load, 1)
    host.order(Order.takeNothing, 0)
    assert.is(await waiting.done, 3)
  })
})

test('a late reply is waited for, asleep, without harm to those behind it', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.delay, 30)
    const asked = Array.from({ length: 10 }, (_, i) => add(i, 1))
    for (const request of asked) lane.submit(request)
    await until(() => Atomics.load(lane.mapping.i32, sleepsAt(1)) === 1, 'asleep')
    lane.submitSync(add(1, 1))
    for (const [i, request] of asked.entries()) assert.is(request.result, i + 1)
  })
})

test('a bell that is never rung costs a while, and no more', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.neverRing)
    host.order(Order.delay, 20)
    const awaited = add(1, 2)
    lane.submit(awaited)
    assert.is(await awaited.done, 3)
    const blocking = add(3, 4)
    lane.submitSync(blocking)
    assert.is(blocking.result, 7)
  })
})

test('nor does one that is rung all the time, or whose pipe is full', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.ringAlways)
    for (let i = 0; i < 2000; i++) {
      const request = add(i, 1)
      if (i % 2) lane.submit(request)
      else lane.submitSync(request)
      assert.is(await request.done, i + 1)
    }
  })
})

for (const blocking of [false, true]) {
  test(`a host that sleeps and does not say so any more is woken all the same (${blocking ? 'blocking' : 'awaited'})`, async () => {
    await withLane(async (lane, host) => {
      lane.submitSync(add(1, 1))
      await until(() => Atomics.load(host.mapping.i32, ControlWord.hostSleeps / 4) === 1, 'the host sleeps')
      Atomics.store(host.mapping.i32, ControlWord.hostSleeps / 4, 0)
      const request = add(1, 2)
      if (blocking) lane.submitSync(request)
      else lane.submit(request)
      assert.is(await request.done, 3)
    })
  })
}

test('so is a strand of it that waits in a callback', async () => {
  const frames: Frame[] = []
  await withLane(
    async (lane, host) => {
      const { i32 } = host.mapping
      const sleeps = [ControlWord.hostSleeps, ...[0, 1, 2].map(strand => ControlWord.strandSleeps + 4 * strand)]
      const request = new Request([Ask.callBack, CALLBACK, 1])
      lane.submit(new Request([Ask.callBackFromThreads, CALLBACK, 2]))
      lane.submit(request)
      await until(() => frames.length === 3, 'all call back')
      for (const frame of frames) {
        await until(() => Atomics.load(i32, sleeps[0] / 4) === 1, 'the host sleeps')
        for (const word of sleeps) Atomics.store(i32, word / 4, 0)
        frame.finish(5, 0)
      }
      assert.is(await request.done, 5)
    },
    {},
    { onCallback: (frame: Frame) => frames.push(frame) },
  )
})

test('a callback of which nobody was told is found', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.losePosts)
    for (const blocking of [true, false]) {
      const request = new Request([Ask.callBack, CALLBACK, 2])
      if (blocking) lane.submitSync(request)
      else lane.submit(request)
      assert.is(await request.done, 2)
    }
  })
})

for (const blocking of [false, true]) {
  const how = blocking ? 'blocking' : 'awaited'
  const submit = (lane: ReturnType<typeof makeLane>, request: Request) =>
    blocking ? lane.submitSync(request) : lane.submit(request)

  test(`a reply that is gone ends the session (${how})`, async () => {
    await withLane(async (lane, host) => {
      host.order(Order.loseReplies, 1)
      const lost = add(1, 2)
      submit(lane, lost)
      await fails(lost, 'reason 7')
    })
  })

  test(`a reply with another's number is not taken for it (${how})`, async () => {
    await withLane(async (lane, host) => {
      host.order(Order.wrongNumbers, 1)
      const lost = add(1, 2)
      submit(lane, lost)
      await fails(lost, 'reason 7')
    })
  })

  test(`a request that is gone ends the session (${how})`, async () => {
    await withLane(async (lane, host) => {
      host.order(Order.takeNothing)
      const first = add(1, 2)
      lane.submit(first)
      // as a DLL may write anything anywhere
      host.mapping.i32[0x30000 / 4] = 0x12345
      host.order(Order.takeNothing, 0)
      const second = add(3, 4)
      submit(lane, second)
      for (const request of [first, second]) await fails(request, 'reason 7')
    })
  })

  test(`requests that overtook the host, which had been told to be further, end the session (${how})`, async () => {
    await withLane(async (lane, host) => {
      host.order(Order.takeNothing)
      for (let i = 0; i < SLOTS; i++) lane.submit(add(i, 0))
      const other = makeLane(host, 0)
      Atomics.store(host.mapping.i32, ControlWord.done / 4, SLOTS)
      const far = add(1, 2)
      other.submit(far)
      host.order(Order.takeNothing, 0)
      const last = add(3, 4)
      submit(lane, last)
      for (const request of [far, last]) await fails(request, 'reason 7')
    })
  })

  test(`a host that is gone without a word is noticed (${how})`, async () => {
    await withLane(async (lane, host) => {
      await host.kill()
      Atomics.store(host.state.i32, SharedWord.process, 0)
      const request = add(1, 2)
      submit(lane, request)
      await fails(request, 'reason 2')
    })
  })
}

test('the end of the session fails all that is under way or waits, each once, wherever the thread sleeps', async () => {
  const host = await FakeHost.start()
  let deaths = 0
  const lane = makeLane(host, 1, { onDeath: () => deaths++ })
  const member = startMember(host, { thread: 2, act: 'wait', count: 600_000 })
  const said: string[] = []
  member.on('message', word => said.push(word))
  await until(() => said.length === 1, 'the member blocks')
  const all = [new Request([Ask.wait, 600_000]), ...Array.from({ length: 2 * SLOTS }, (_, i) => add(i, 0))]
  for (const request of all) lane.submit(request)
  await sleep(50)
  await host.end()
  for (const request of all) await fails(request, 'reason')
  assert.is(deaths, 1)
  assert.is(lane.load, 0)
  const late = add(1, 2)
  lane.submit(late)
  lane.submitSync(add(1, 2))
  assert.instance(late.error, Ended)
  await until(() => said.length === 2, 'the member has failed')
  assert.is(said[1], 'failed')
  await member.terminate()
})

test('a session that crashed has given the replies that were there before', async () => {
  const host = await FakeHost.start()
  const lane = makeLane(host, 1)
  const done = add(1, 2)
  lane.submit(done)
  const never = new Request([Ask.wait, 600_000])
  lane.submit(never)
  await until(() => host.orders[Order.served] === 1, 'served')
  host.state.end(EndReason.crashed, 3, new Uint8Array())
  await fails(never, 'reason 2')
  assert.is(await done.done, 3)
  await host.end()
})

test('limits are looked at while the thread blocks, and by a timer while it does not', async () => {
  await withLane(async lane => {
    const passed: string[] = []
    const limit = (name: string, milliseconds: number, more?: number) =>
      new TimeLimit(lane.limits, milliseconds, () => {
        passed.push(name)
        return passed.filter(one => one === name).length === 1 ? more : undefined
      })
    limit('short', 20)
    limit('twice', 20, 20)
    const ended = limit('ended', 10)
    ended.end()
    lane.submitSync(new Request([Ask.wait, 200]))
    assert.equal(passed, ['short', 'twice', 'twice'])
    assert.is(lane.limits.size, 0)
    limit('later', 10)
    await until(() => passed.includes('later'), 'a timer')
  })
})

test('a limit may end what this thread blocks for', async () => {
  await withLane(async (lane, host) => {
    host.order(Order.takeNothing)
    for (let i = 0; i < SLOTS; i++) lane.submit(add(i, 0))
    const waiting = add(1, 2)
    const why = new Error('late')
    new TimeLimit(lane.limits, 30, () => {
      lane.withdraw(waiting, why)
      return undefined
    })
    lane.submitSync(waiting)
    assert.is(waiting.error, why)
  })
})

test('several threads at once: each gets its own replies', async () => {
  await withLane(
    async (lane, host) => {
      const said: unknown[] = []
      const members = [2, 3, 4].map(thread => {
        const member = startMember(host, { thread, act: 'sum', count: 60 })
        member.on('message', word => said.push(word))
        member.on('error', error => said.push(error))
        return member
      })
      for (let i = 0; said.length < 6; i++) {
        const request = add(i, -i)
        lane.submit(request)
        assert.is(await request.done, 0)
        assert.not(
          said.some(word => word instanceof Error),
          String(said),
        )
      }
      assert.equal(said.filter(word => word === 'done').length, 3)
      for (const member of members) await member.terminate()
    },
    { first: 0xffffff00 },
  )
})

test('a DLL that writes over everything ends its session at the most', async () => {
  for (let round = 0; round < 3; round++) {
    const host = await FakeHost.start()
    const lane = makeLane(host, 1)
    lane.submit(new Request([Ask.scribble, 300]))
    const all = Array.from({ length: 50 }, (_, i) => add(i, 1))
    for (const request of all) lane.submit(request)
    let settled = 0
    const settle = Promise.allSettled(all.map(request => request.done)).then(() => settled++)
    const end = Date.now() + 15_000
    while (settled === 0 && Date.now() < end) await sleep(20)
    // replies may be anything, and they come, or the session ends
    if (settled === 0) assert.unreachable('it hangs')
    await settle
    // it may have failed at what it wrote, and may do so at the very last
    await host.kill()
    host.fault = undefined
    await host.end()
  }
})

test('nothing under way is held, and the thread says that it sleeps', async () => {
  await withLane(async lane => {
    const held = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = held()
    const request = new Request([Ask.wait, 50])
    lane.submit(request)
    await sleep(0)
    assert.is(held(), before + 1)
    await request.done
    await until(() => Atomics.load(lane.mapping.i32, sleepsAt(1)) === 1, 'it sleeps')
    assert.is(held(), before)
  })
})

test.run()
