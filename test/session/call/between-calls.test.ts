/**
 * Many calls are under way, and something comes between: it must take nothing from them, and lose nothing of its own. Nothing depends
 * on how long anything takes.
 */
import { availableParallelism } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CallTimeoutError,
  CFUNCTYPE,
  CtypesSession,
  c_int,
  SessionCrashedError,
  SessionTerminatedError,
} from 'zugbruecke'
import { sleepsAt } from '../../../dist/src/channel/threads.js'
import { dll, rejects, sleep, until } from '../support.js'

type Started = Awaited<ReturnType<typeof start>>
/** Those that neither end their session nor give it more threads or callbacks share one. */
const test = suite<Started>('between calls')
test.before(async context => void Object.assign(context, await start()))
test.after(({ session }) => session.terminate())

const BURST = 1500

async function start() {
  const session = await CtypesSession.start({ stderr: false })
  const numbers = await session.cdll.LoadLibrary(dll('numbers'))
  const faults = await session.cdll.LoadLibrary(dll('faults'))
  const next = numbers.func('next_place', [], c_int)
  const hang = faults.func('hang', [c_int], c_int)
  const add = numbers.func('add', [c_int, c_int], c_int)
  await Promise.all([numbers.reset_place(), hang(0), add(1, 2)])
  return { session, next, hang, add, faults }
}

/** More calls than there are slots, none of which has a reply yet. */
const burst = (next: () => Promise<number>) => Array.from({ length: BURST }, () => next())

function inOrder(places: readonly number[]): void {
  places.forEach((place, i) => assert.is(place, places[0] + i))
}

test('a burst, and single calls after it', async ({ next }) => {
  inOrder([...(await Promise.all(burst(next))), await next(), await next()])
})

test('however many are under way, the thread sleeps until it is rung', async ({ session, hang, add }) => {
  const core = session.coreNow()
  assert.ok(core)
  for (const count of [1, 255, 256, 257, 512, BURST]) {
    // nothing is answered before the first, so that nothing but the bell can be waited for
    const calls = Array.from({ length: count }, (_, i) => (i === 0 ? hang(300) : add(i, 4)))
    await until(() => Atomics.load(core.mapping.i32, sleepsAt(core.thread)) === 1, `${count} at once`)
    await Promise.all(calls)
  }
})

test('calls one after the other, or many at a time, leave the event loop its turns', async ({ add }) => {
  const once = () => add(3, 4)
  const many = () => Promise.all(Array.from({ length: 300 }, (_, i) => add(i, 4)))
  for (const call of [once, many]) {
    let turns = 0
    const count = () => {
      turns++
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    // far more than it takes, and yet it ends
    for (let calls = 0; turns < 100; calls++) {
      assert.ok(calls < 1_000_000, 'nothing else had its turn')
      await call()
    }
    clearImmediate(immediate)
  }
})

test('routines slow and quick in turns, blocking and awaited', async ({ next, hang }) => {
  const places: number[] = []
  for (let i = 0; i < 60; i++) {
    const slow = i % 3 === 0 ? hang(i % 2) : undefined
    places.push(i % 4 < 2 ? next.sync() : await next())
    if (i % 5 === 0) hang.sync(1)
    await slow
  }
  inOrder(places)
})

test('as many at once as are settled in a turn, or as there are slots, or one more or less', async ({ next }) => {
  for (const count of [1, 2, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2048]) {
    for (let i = 0; i < 5; i++) inOrder(await Promise.all(Array.from({ length: count }, () => next())))
  }
})

test('a blocking call in the middle of it keeps its place, again and again', async ({ next }) => {
  for (let i = 0; i < 20; i++) {
    const calls = burst(next)
    const blocking = next.sync()
    inOrder([...(await Promise.all(calls)), blocking])
  }
})

test('blocking and awaited calls in turns', async ({ next }) => {
  const places: number[] = []
  for (let i = 0; i < 200; i++) {
    const calls = Array.from({ length: i % 2 ? 300 : 1 }, () => next())
    if (i % 3 === 0) await sleep(0)
    const blocking = i % 5 ? next.sync() : await next()
    places.push(...(await Promise.all(calls)), blocking)
  }
  inOrder(places)
})

test('a callback in the middle of it', async () => {
  const { session, next } = await start()
  const apply = session.CDLL(dll('callbacks')).func('apply', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  const calls = burst(next)
  assert.is(await apply(i => i, 10), 45)
  inOrder(await Promise.all(calls))
  // from now on the session has a callback
  inOrder(await Promise.all(Array.from({ length: BURST }, () => next())))
  await session.terminate()
})

test('a job in the middle of it', async () => {
  const { session, next } = await start()
  const calls = burst(next)
  const job = session.runJob<{ sum: number }>(new URL('../life/jobs/sums.mjs', import.meta.url), {
    dll: dll('numbers'),
    count: 2000,
  })
  const more = Array.from({ length: BURST }, () => next())
  assert.is((await job).sum, 1999000)
  inOrder([...(await Promise.all(calls)), ...(await Promise.all(more))])
  inOrder(await Promise.all(burst(next)))
  await session.terminate()
})

test('another thread of the session in the middle of it', async () => {
  const { session, next } = await start()
  const joined = await CtypesSession.attach(session.port())
  const add = joined.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
  assert.is(await add(1, 2), 3)
  const calls = burst(next)
  assert.is(add.sync(3, 4), 7)
  assert.equal(await Promise.all([add(1, 1), add(2, 2)]), [2, 4])
  inOrder(await Promise.all(calls))
  await session.terminate()
})

test('a slow call behind it is heard of when it ends', async ({ next, hang }) => {
  const calls = burst(next)
  const slow = hang(300)
  inOrder(await Promise.all(calls))
  await slow
})

test('a time limit passes', async () => {
  const { session, next, hang } = await start()
  const calls = burst(next)
  const slow = hang.with({ timeout: 300 })(60_000)
  slow.catch(() => {})
  inOrder(await Promise.all(calls))
  await rejects(slow, CallTimeoutError, 'hang')
  await session.terminate()
})

test('the DLL ends its process in the middle of it', async () => {
  const { session, next, faults } = await start()
  const exit = faults.func('exit_with', [c_int], null)
  const calls = burst(next)
  const end = exit(3)
  const after = Array.from({ length: BURST }, () => next())
  const settled = await Promise.allSettled([end, ...after])
  // what came before has its values, also where they were never taken from the segment
  inOrder(await Promise.all(calls))
  await rejects(end, SessionCrashedError, 'exit_with')
  for (const one of settled.slice(1)) {
    assert.is(one.status, 'rejected')
    assert.instance((one as PromiseRejectedResult).reason, SessionTerminatedError)
  }
  await session.terminate()
})

test('it is terminated in the middle of it: each call has a value or an error', async () => {
  const { session, next } = await start()
  const calls = burst(next)
  const settled = Promise.allSettled(calls)
  await session.terminate()
  const places: number[] = []
  for (const one of await settled) {
    if (one.status === 'fulfilled') places.push(one.value)
    else assert.instance(one.reason, SessionTerminatedError)
  }
  inOrder(places)
})

test('killed in the middle of it', async () => {
  const { session, next, hang } = await start()
  const calls = burst(next)
  const slow = hang(60_000)
  slow.catch(() => {})
  inOrder(await Promise.all(calls))
  process.kill(session.pid as number, 'SIGKILL')
  await rejects(slow, SessionCrashedError, 'hang')
  await until(() => !session.up, 'the session is down')
  await session.terminate()
})

test('more sessions than cores, one call after the other in each', async () => {
  const count = Math.min(8, Math.max(3, (availableParallelism() >> 1) + 2))
  const all = await Promise.all(Array.from({ length: count }, () => start()))
  await Promise.all(
    all.map(async ({ add, next }, s) => {
      for (let i = 0; i < 1000; i++) {
        assert.is(await add(i, s), i + s)
        if (i % 100 === 99) next.sync()
      }
      assert.is(await next(), 10)
    }),
  )
  await Promise.all(all.map(({ session }) => session.terminate()))
})

test.run()
