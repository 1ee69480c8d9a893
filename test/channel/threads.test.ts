/** Threads that end in the middle of things, at any moment, and what the supervisor does about it. */
// long: threads start and end in it by the hundred
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import {
  claimNumber,
  DepartedThread,
  FIRST_THREADS,
  giveNumberBack,
  isNobody,
  postedAt,
} from '../../dist/src/channel/threads.js'
import {
  ControlWord,
  Header,
  Kind,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  SLOTS,
  STRAND_OFFSET,
  STRAND_SIZE,
  STRAND_TO_HOST,
  THREADS,
} from '../../dist/src/codec/layout.js'
import { Ask, FakeHost, makeLane, Order, Request, sleep, startMember, until } from './fake-host.js'

const test = suite('threads that end')
const slotOf = (number: number) => (REQUEST_OFFSET + ((number - 1) & (SLOTS - 1)) * REQUEST_SIZE) / 4
const add = (a: number, b: number) => new Request([Ask.add, a, b])

/** What the supervisor does, until nothing is left: of several together, for one may wait for what another has left. */
async function settle({ segment, state }: FakeHost, ...threads: number[]): Promise<void> {
  const left = new Set(threads.map(thread => new DepartedThread(segment, state, thread)))
  await until(() => {
    for (const departed of left) if (departed.settle()) left.delete(departed)
    return left.size === 0
  }, `nothing of threads ${threads} is left`)
}

async function withHost(act: (host: FakeHost) => Promise<void>, options = {}): Promise<void> {
  const host = await FakeHost.start(options)
  try {
    await act(host)
  } finally {
    await host.end()
  }
}

async function works(lane: ReturnType<typeof makeLane>): Promise<void> {
  const request = add(20, 3)
  lane.submit(request)
  assert.is(await request.done, 23)
}

test('numbers are given out once, and all of them', () => {
  const state = new SharedState()
  state.i32[SharedWord.threads] = FIRST_THREADS
  const taken = Array.from({ length: THREADS - 2 }, () => claimNumber(state))
  assert.equal(
    taken,
    Array.from({ length: THREADS - 2 }, (_, i) => i + 2),
  )
  assert.is(claimNumber(state), -1)
  assert.ok(taken.every(thread => !isNobody(state, thread)))
  giveNumberBack(state, 17)
  assert.ok(isNobody(state, 17))
  assert.is(claimNumber(state), 17)
})

test('one that leaves nothing gives its number and its pages back at once', async () => {
  await withHost(async host => {
    host.join(5)
    const lane = makeLane(host, 5)
    lane.arena.allocate(100_000)
    assert.ok(host.state.i32.includes(6, SharedWord.pages))
    await settle(host, 5)
    assert.ok(isNobody(host.state, 5))
    assert.not(host.state.i32.includes(6, SharedWord.pages))
  })
})

for (const first of [0, 0xffffff00]) {
  test(`a slot that was claimed and never published is filled (from ${first})`, async () => {
    await withHost(
      async host => {
        const lane = makeLane(host, 1)
        const { i32 } = host.state
        for (let i = 0; i < 3; i++) await works(lane)
        // as Ring claims, and no further
        host.join(4)
        const number = (Atomics.add(i32, SharedWord.tail, 1) + 1) | 0
        i32[SharedWord.intent + 4] = number
        i32[SharedWord.asked + 4]++
        const behind = [add(1, 2), add(3, 4)]
        for (const request of behind) lane.submit(request)
        await sleep(20)
        assert.is(behind[0].result, undefined, 'all wait behind it')
        await settle(host, 4)
        assert.equal(await Promise.all(behind.map(request => request.done)), [3, 7])
        assert.is(i32[SharedWord.intent + 4], 0)
      },
      { first },
    )
  })

  test(`one that never got the number it was about to claim fills nothing (from ${first})`, async () => {
    await withHost(
      async host => {
        const lane = makeLane(host, 1)
        const { i32 } = host.state
        host.join(4)
        const next = (Atomics.load(i32, SharedWord.tail) + 1) | 0
        i32[SharedWord.intent + 4] = next
        // another got it, and so many more that its slot is another's
        for (let i = 0; i < SLOTS; i++) await works(lane)
        host.order(Order.takeNothing)
        const waiting = add(5, 6)
        lane.submit(waiting)
        assert.is(Atomics.load(host.mapping.i32, slotOf(next)), (next + SLOTS) | 0)
        const departed = new DepartedThread(host.segment, host.state, 4)
        departed.settle()
        assert.is(Atomics.load(host.mapping.i32, slotOf(next)), (next + SLOTS) | 0)
        host.order(Order.takeNothing, 0)
        assert.is(await waiting.done, 11)
        await until(() => departed.settle(), 'nothing is left')
      },
      { first },
    )
  })
}

test('who else may have the number is waited for, while it lives', async () => {
  await withHost(async host => {
    const { i32 } = host.state
    host.join(4)
    host.join(5)
    const number = (Atomics.add(i32, SharedWord.tail, 1) + 1) | 0
    i32[SharedWord.intent + 4] = number
    i32[SharedWord.intent + 5] = number
    const gone = new DepartedThread(host.segment, host.state, 4)
    assert.not(gone.settle())
    assert.not.equal(Atomics.load(host.mapping.i32, slotOf(number)), number)
    // it has ended, too
    const other = new DepartedThread(host.segment, host.state, 5)
    await until(() => gone.settle(), 'the first')
    await until(() => other.settle(), 'the second')
    await works(makeLane(host, 1))
  })
})

test('a callback that was never seen goes to the thread that started the session', async () => {
  await withHost(async host => {
    const seen: number[] = []
    const lane = makeLane(host, 1, {
      onCallback: (frame, callback) => {
        seen.push(callback)
        frame.finish(0, 0)
      },
    })
    host.join(4)
    const request = new Request([Ask.callBack, 0x4000009, 1])
    lane.submit(request)
    await until(() => Atomics.load(host.mapping.i32, postedAt(4)) !== 0, 'it is posted')
    assert.is(request.result, undefined)
    await settle(host, 4)
    assert.is(await request.done, 0)
    assert.equal(seen, [0x4000009])
  })
})

test('so does one that is called when nothing of the thread is left', async () => {
  await withHost(async host => {
    const seen: number[] = []
    const lane = makeLane(host, 1, {
      onCallback: (frame, callback) => {
        seen.push(callback)
        frame.finish(0, 0)
      },
    })
    host.join(4)
    await settle(host, 4)
    for (const number of [0x4000009, 0x400000a]) {
      const request = new Request([Ask.callBack, number, 1])
      lane.submit(request)
      assert.is(await request.done, 0)
    }
    assert.equal(seen, [0x4000009, 0x400000a])
    // who has the number next has its own callbacks
    host.join(4)
    const next = makeLane(host, 4)
    const request = new Request([Ask.callBack, 0x400000b, 3])
    next.submit(request)
    assert.is(await request.done, 4)
    assert.is(seen.length, 2)
  })
})

test('one that had begun returns zero', async () => {
  await withHost(async host => {
    const lane = makeLane(host, 1)
    const request = new Request([Ask.callBack, 0x4000009, 1])
    const member = startMember(host, { thread: 4, act: 'call back and hang' })
    await new Promise(resolve => member.on('message', word => word === 'called back' && resolve(word)))
    lane.submit(request)
    await member.terminate()
    await settle(host, 4)
    assert.is(await request.done, 0)
    await works(lane)
  })
})

test('so does one whose answer had been counted, and not been sent', async () => {
  await withHost(async host => {
    const lane = makeLane(host, 1)
    host.join(4)
    const request = new Request([Ask.callBack, 0x4000009, 1])
    lane.submit(request)
    await until(() => Atomics.exchange(host.mapping.i32, postedAt(4), 0) !== 0, 'it was seen')
    // as answerStrand begins, and no further
    host.state.i32[SharedWord.answered] = 1
    const at = (STRAND_OFFSET + STRAND_TO_HOST) / 4
    host.mapping.i32[at + Header.tag / 4] = Kind.call
    await settle(host, 4)
    assert.is(await request.done, 0)
    await works(lane)
  })
})

test('and one whose answer was sent sends no other', async () => {
  await withHost(async host => {
    const other = makeLane(host, 1)
    host.join(4)
    const lane = makeLane(host, 4)
    const request = new Request([Ask.callBack, 0x4000009, 1])
    other.submit(request)
    await request.done
    assert.is(lane.frames.count, 0)
    const box = host.mapping.u8.slice(STRAND_OFFSET, STRAND_OFFSET + STRAND_SIZE)
    await settle(host, 4)
    assert.equal(host.mapping.u8.slice(STRAND_OFFSET, STRAND_OFFSET + STRAND_SIZE), box)
    await works(other)
  })
})

test('threads that are terminated at any moment: the others go on, and nothing is left', async () => {
  await withHost(
    async host => {
      const lane = makeLane(host, 1)
      const acts = ['storm', 'call back for ever'] as const
      for (let round = 0; round < 12; round++) {
        const threads = [2, 3, 4]
        const members = threads.map(thread => startMember(host, { thread, act: acts[(round + thread) % 2] }))
        await Promise.all(members.map(member => new Promise(resolve => member.once('message', resolve))))
        const calls = sleep(20 + 7 * round)
        let over = false
        calls.then(() => {
          over = true
        })
        while (!over) await works(lane)
        await Promise.all(members.map(member => member.terminate()))
        await settle(host, ...threads)
        await works(lane)
        assert.is(Atomics.load(host.state.i32, SharedWord.threads), 0b11)
        for (const thread of threads)
          assert.not(host.state.i32.includes(thread + 1, SharedWord.pages), 'pages are left')
      }
      assert.not(lane.frames.isBroken)
      assert.is(host.mapping.i32[ControlWord.hostState / 4], 1)
    },
    { first: 0xfffffc00, memory: 8 << 20 },
  )
})

test.run()
