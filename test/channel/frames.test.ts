/** Callbacks that are open: nested in each other, on several strands, and with what the other side may make of their mailboxes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Frame } from '../../dist/src/channel/frame.js'
import type { Lane } from '../../dist/src/channel/lane.js'
import { postedAt } from '../../dist/src/channel/threads.js'
import { Header, Kind, STRAND_OFFSET, STRAND_SIZE, Status } from '../../dist/src/codec/layout.js'
import { add, CALLBACK, callBack, inside, withFrames, withLane } from './callbacks.js'
import { Ask, Ended, FakeHost, makeLane, Request, sleep, until } from './fake-host.js'

const test = suite('callbacks')
test('calls inside a callback go ahead of the queue, in their order', async () => {
  const order: string[] = []
  await withLane(
    ({ lane }, frame) => {
      inside(frame, () => {
        for (const name of ['first', 'second', 'third']) {
          const request = add(1, 1)
          lane.submit(request)
          request.done.then(() => order.push(name))
        }
        frame.finish(7, 0)
      })
    },
    async ({ lane }) => {
      const outer = callBack()
      const behind = add(1, 2)
      lane.submit(outer)
      lane.submit(behind)
      behind.done.then(() => order.push('behind'))
      assert.is(await outer.done, 7)
      await behind.done
      assert.equal(order, ['first', 'second', 'third', 'behind'])
      assert.is(lane.frames.count, 0)
    },
  )
})

for (const blocking of [true, false]) {
  test(`callbacks in calls in callbacks, a hundred deep (${blocking ? 'blocking' : 'awaited'})`, async () => {
    let depth = 0
    let deepest = 0
    await withLane(
      ({ lane }, frame) => {
        deepest = Math.max(deepest, ++depth)
        const here = depth
        const leave = (result: number) => {
          depth--
          frame.finish(result + 1, 0)
        }
        if (here === 100) return leave(0)
        inside(frame, () => {
          const request = callBack()
          if (blocking) {
            lane.submitSync(request)
            leave(request.result as number)
          } else {
            lane.submit(request)
            request.done.then(leave)
          }
        })
      },
      async ({ lane }) => {
        const request = callBack()
        if (blocking) lane.submitSync(request)
        else lane.submit(request)
        assert.is(await request.done, 100)
        assert.is(deepest, 100)
        const after = add(1, 2)
        lane.submitSync(after)
        assert.is(after.result, 3)
      },
    )
  })
}

test('threads of the DLL’s own at the same time: each strand has its own answer, in any order', async () => {
  await withFrames(async ({ lane, host }, frames) => {
    const start = new Request([Ask.callBackFromThreads, CALLBACK, 7])
    lane.submit(start)
    const outer = callBack()
    lane.submit(outer)
    await until(() => frames.length === 8, 'all have called')
    assert.equal(frames.map(frame => frame.strand).sort(), [0, 1, 2, 3, 4, 5, 6, 7])
    // each makes calls, which its own strand carries out
    const sums = frames.map(frame => {
      const request = add(frame.strand, 100)
      inside(frame, () => lane.submit(request))
      return request
    })
    for (const [i, request] of sums.entries()) assert.is(await request.done, frames[i].strand + 100)
    for (const frame of frames.reverse()) frame.finish(frame.strand + 5, 0)
    assert.is(await outer.done, 5)
    await until(() => host.mapping.i32[(0x400 + 64 + 12) / 4] === 0, 'none is open')
    assert.is(lane.frames.count, 0)
  })
})

test('a bit that says that something was posted, and is wrong, does nothing', async () => {
  let calls = 0
  await withLane(
    (_, frame) => {
      calls++
      setTimeout(() => frame.finish(3, 0), 60)
    },
    async ({ lane, host }) => {
      const request = callBack()
      lane.submit(request)
      await until(() => calls === 1, 'it has called')
      for (let i = 0; i < 20; i++) {
        Atomics.store(host.mapping.i32, postedAt(1), -1)
        lane.heard()
        await sleep(1)
      }
      assert.is(await request.done, 3)
      assert.is(calls, 1)
      Atomics.store(host.mapping.i32, postedAt(1), -1)
      lane.heard()
      const after = callBack()
      lane.submit(after)
      assert.is(await after.done, 3)
      assert.is(calls, 2)
    },
  )
})

test('what nobody asked for ends the session', async () => {
  await withLane(
    () => {},
    async ({ lane, host }) => {
      const { i32, u8 } = host.mapping
      const box = STRAND_OFFSET + 3 * STRAND_SIZE
      u8[box + Header.tag] = Kind.reply
      u8[box + Header.tag + 1] = 1
      Atomics.store(i32, box / 4, 1)
      Atomics.or(i32, postedAt(1), 1 << 3)
      const request = add(1, 2)
      lane.submit(request)
      const never = new Request([Ask.wait, 600_000])
      lane.submit(never)
      await never.done.then(
        () => assert.unreachable(),
        error => assert.match(error.message, 'reason 7'),
      )
    },
  )
})

test('what is wrong inside a callback is an error of its own', async () => {
  const refused: Request[] = []
  await withLane(
    ({ lane }, frame) => {
      inside(frame, () => {
        const bad = new Request([Ask.add, 1, 2], 99)
        bad.done.then(() => refused.push(bad))
        // longer than the room
        const long = new Request(new Array(600).fill(1))
        long.done.then(() => refused.push(long))
        lane.submit(bad)
        lane.submit(long)
        frame.finish(4, 0)
      })
    },
    async ({ lane }) => {
      const request = callBack()
      lane.submit(request)
      assert.is(await request.done, 4)
      assert.equal(
        refused.map(({ status }) => status),
        [Status.done, Status.refused],
      )
    },
  )
})

test('the end of the session fails what runs inside callbacks, and their late answers go nowhere', async () => {
  const frames: Frame[] = []
  const inner: Request[] = []
  const host = await FakeHost.start()
  const lane: Lane = makeLane(host, 1, {
    onCallback: frame => {
      frames.push(frame)
      for (let i = 0; i < 3; i++) {
        const request = new Request([Ask.wait, 600_000])
        inner.push(request)
        inside(frame, () => lane.submit(request))
      }
    },
  })
  const outer = callBack()
  lane.submit(outer)
  await until(() => inner.length === 3, 'it has called')
  await host.end()
  for (const request of [outer, ...inner])
    await request.done.then(
      () => assert.unreachable(),
      error => assert.instance(error, Ended),
    )
  assert.is(lane.frames.count, 0)
  frames[0].finish(1, 0)
})

test.run()
