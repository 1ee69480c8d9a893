/** What a thread may block for while callbacks are open, and what happens to callbacks that it holds up. */
// waits: until a callback that is held up is given up
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Frame } from '../../dist/src/channel/frame.js'
import { ZugbrueckeError } from '../../dist/src/errors.js'
import { throws } from '../expect.js'
import { add, CALLBACK, callBack, inside, withFrames, withLane } from './callbacks.js'
import { Ask, Request, until } from './fake-host.js'

const test = suite('blocking')

test('a thread without callbacks may block, and tells for which strand it does', async () => {
  await withLane(
    () => {},
    async ({ lane }) => {
      const { blocking } = lane
      blocking.assertMayBlock('add')
      assert.not.ok(blocking.any)
      let seen: boolean[] = []
      lane.waitFor(() => {
        seen = [blocking.any, blocking.isFor(0), blocking.isFor(3)]
        return true
      })
      assert.equal(seen, [true, true, false])
      assert.not.ok(blocking.any)
    },
  )
})

test('a call outside an open callback is refused, one inside it is carried out', async () => {
  await withFrames(async ({ lane }, frames) => {
    const outer = callBack()
    lane.submit(outer)
    await until(() => frames.length === 1, 'it has called')
    throws(() => lane.blocking.assertMayBlock('add'), ZugbrueckeError, 'add would block this thread for ever')
    throws(() => lane.submitSync(add(1, 2)), ZugbrueckeError, 'Await the call instead of using .sync')
    const within = add(1, 2)
    inside(frames[0], () => {
      lane.blocking.assertMayBlock('add')
      lane.submitSync(within)
    })
    assert.is(within.result, 3)
    frames[0].finish(9, 0)
    assert.is(await outer.done, 9)
    lane.blocking.assertMayBlock('add')
  })
})

test('while threads of the DLL’s own wait in callbacks, a call that blocks is made where the host is free', async () => {
  await withFrames(async ({ lane }, frames) => {
    lane.submit(new Request([Ask.callBackFromThreads, CALLBACK, 2]))
    await until(() => frames.length === 2, 'both have called')
    const sum = add(20, 22)
    lane.submitSync(sum)
    assert.is(sum.result, 42)
    for (const frame of frames) frame.finish(0, 0)
  })
})

test('callbacks that a blocking call holds up fail after a while, and the call goes on', async () => {
  const frames: Frame[] = []
  const failed: number[] = []
  await withLane(
    (_, frame) => {
      frames.push(frame)
      frame.heldUp = () => {
        failed.push(frame.strand)
        frame.finish(0, 0)
      }
    },
    async ({ lane }) => {
      lane.submit(new Request([Ask.callBackFromThreads, CALLBACK, 2]))
      await until(() => frames.length === 2, 'both have called')
      lane.waitFor(() => failed.length === 2)
      assert.equal(failed.sort(), frames.map(({ strand }) => strand).sort())
      assert.not.ok(lane.blocking.any)
      await until(() => lane.frames.count === 0, 'none is open')
    },
  )
})

test.run()
