/** A call belongs to the callback that makes it, and to none if another flow of the program makes it meanwhile. */
// waits: twice until a callback that is held up is given up
import { AsyncLocalStorage } from 'node:async_hooks'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  CtypesSession,
  c_int,
  c_longlong,
  c_ulong,
  type Library,
  type Routine,
  ZugbrueckeError,
} from 'zugbruecke'
import { dll, sessionSuite, sleep, throws, until } from '../support.js'
import { CFUNCTYPE, POINTER } from '../types.js'

const test = sessionSuite('whose call it is')
const Unary = CFUNCTYPE(c_int, c_int)
let callbacks: Library
let thread: Routine<[], number>
let main: number
test.before(async ({ session }) => {
  callbacks = await session.cdll.LoadLibrary(dll('callbacks'))
  thread = session.windll.kernel32.func('GetCurrentThreadId', [], c_ulong)
  main = await thread()
})

/** Something that is waited for until somebody says so. */
function gate() {
  let open = () => {}
  const passed = new Promise<void>(resolve => {
    open = resolve
  })
  return { open, passed }
}

/** A callback that a thread of the DLL's own has called, and that stays open until it is told to go on. */
async function openOnThread(body: () => Promise<void>) {
  const later = callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)
  const sum = callbacks.func('later_sum', [], c_longlong)
  const [released, over] = [gate(), gate()]
  let begun = false
  let failure: unknown
  const callback = Unary(async () => {
    try {
      begun = true
      await released.passed
      await body()
    } catch (error) {
      failure = error
    }
    over.open()
    return 1
  })
  await later(callback, 0, 1, 1)
  await until(() => begun, 'the thread calls')
  return async () => {
    released.open()
    await over.passed
    assert.is(await sum(), 1n)
    callback.dispose()
    if (failure) throw failure
  }
}

test('what others do while a callback of a thread of the DLL is open, they do on the main thread', async ({
  session,
}) => {
  const own: number[] = []
  const close = await openOnThread(async () => {
    own.push(await thread(), thread.sync(), ...(await thread.batch([], { rows: 2 })), await thread())
    own.push(...thread.batch.sync([], { rows: 2 }))
  })
  assert.is(await thread(), main)
  assert.is(thread.sync(), main)
  assert.equal([...(await thread.batch([], { rows: 2 }))], [main, main])
  assert.equal([...thread.batch.sync([], { rows: 2 })], [main, main])
  assert.is((await thread.detail()).value, main)
  assert.is(await thread.with({ timeout: 60_000 })(), main)
  const where = session.CDLL(dll('where'))
  assert.is(await where.func('loaded_on', [], c_ulong)(), main)
  assert.is(where.func('loaded_on', [], c_ulong).sync(), main)
  const memory = await session.memory.alloc(8)
  await memory.free()
  assert.is(await new Promise<number>((resolve, reject) => setTimeout(() => thread().then(resolve, reject), 5)), main)
  await close()
  assert.is(new Set(own).size, 1)
  assert.is(own.length, 7)
  assert.is.not(own[0], main)
  assert.is(await thread(), main)
})

test('it does not stay open for what others have under way', async () => {
  const later = callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)
  const rest = callbacks.func('rest', [c_int], c_int)
  const released = gate()
  const order: string[] = []
  const callback = Unary(async value => {
    order.push(`callback ${value}`)
    await released.passed
    return 1
  })
  await later(callback, 1, 2, 1)
  await until(() => order.length === 1, 'the thread calls')
  const resting = rest(1000).then(() => order.push('rest'))
  released.open()
  await resting
  assert.equal(order, ['callback 1', 'callback 2', 'rest'])
  assert.is(await callbacks.func('later_sum', [], c_longlong)(), 2n)
  callback.dispose()
})

test('callbacks open on several threads keep apart', async () => {
  const on = callbacks.func('on_threads', [Unary, c_int, c_int], c_longlong)
  const all = gate()
  const threads: number[] = []
  const wrong: number[] = []
  const sum = await on(
    async () => {
      const own = thread.sync()
      if (threads.push(own) === 4) all.open()
      await all.passed
      for (let i = 0; i < 10; i++) {
        const seen = [await thread(), ...(await thread.batch([], { rows: 3 }))]
        if (i % 3 === 0) seen.push(thread.sync())
        if (i % 3 === 1) await sleep(1)
        wrong.push(...seen.filter(other => other !== own))
      }
      return 1
    },
    4,
    1,
  )
  assert.is(sum, 4n)
  assert.equal(wrong, [])
  assert.is(new Set(threads).size, 4)
  assert.not(threads.includes(main))
})

test('while the main thread is in a callback, calls of others wait, and those that block are refused', async ({
  session,
}) => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  const [begun, released] = [gate(), gate()]
  const order: string[] = []
  const outer = once(async value => {
    begun.open()
    await released.passed
    assert.is(await plus(value, 1), 2)
    order.push('own')
    assert.is(plus.sync(value, 2), 3)
    assert.equal([...plus.batch.sync([Int32Array.of(1, 2), 10])], [11, 12])
    return thread()
  }, 1).then(value => {
    order.push('outer')
    assert.is(value, main)
  })
  await begun.passed
  const others = [
    plus(1, 1).then(() => order.push('call')),
    plus.batch([[1, 2], 1]).then(() => order.push('batch')),
    session.cdll.LoadLibrary(dll('numbers')).then(() => order.push('load')),
  ]
  const words = ['for ever', 'Await']
  throws(() => plus.sync(1, 1), ZugbrueckeError, 'plus', ...words)
  throws(() => plus.with({ timeout: 1000 }).sync(1, 1), ZugbrueckeError, 'plus', ...words)
  throws(() => plus.detail.sync(1, 1), ZugbrueckeError, 'plus', ...words)
  throws(() => plus.batch.sync([[1], 1]), ZugbrueckeError, 'plus', ...words)
  throws(() => session.cdll.LoadLibrary.sync(dll('rows')), ZugbrueckeError, 'rows', ...words)
  throws(() => session.memory.alloc.sync(8), ZugbrueckeError, ...words)
  released.open()
  await Promise.all([outer, ...others])
  assert.equal(order.slice(0, 2), ['own', 'outer'])
  assert.equal(order.slice(2).sort(), ['batch', 'call', 'load'])
  assert.is(plus.sync(2, 2), 4)
})

test('a call that blocks is refused, too, where an inner callback needs the thread', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  const [begun, released] = [gate(), gate()]
  const outer = once(async value => {
    const inner = once(async () => {
      begun.open()
      await released.passed
      return plus.sync(4, 5)
    }, value)
    await begun.passed
    throws(() => plus.sync(1, 1), ZugbrueckeError, 'for ever')
    released.open()
    return (await inner) + plus.sync(1, 1)
  }, 1)
  assert.is(await outer, 11)
})

test('a call that blocks waits for its turn while a callback is open on another thread', async () => {
  const close = await openOnThread(async () => {})
  const rest = callbacks.func('rest', [c_int], c_int)
  const before = Promise.all([rest(20), rest(30)])
  assert.is(thread.sync(), main)
  assert.equal(await before, [20, 30])
  await close()
})

test('a call that blocks is refused where a routine waits for such a thread', async () => {
  const on = callbacks.func('on_thread', [Unary, c_int], c_longlong)
  const [begun, released] = [gate(), gate()]
  const outer = on(async value => {
    begun.open()
    await released.passed
    return value + 1
  }, 5)
  await begun.passed
  throws(() => thread.sync(), ZugbrueckeError, 'for ever', 'Await')
  const behind = thread()
  released.open()
  assert.is(await outer, 6n)
  assert.is(await behind, main)
})

test('an async callback of a thread of the DLL waits for a call that blocks, but not for ever', async ({ session }) => {
  const strays: Error[] = []
  const note = (error: Error) => strays.push(error)
  session.on('callbackError', note)
  const later = callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)
  const sum = callbacks.func('later_sum', [], c_longlong)
  const rest = callbacks.func('rest', [c_int], c_int)
  let begun = false
  const callback = Unary(async value => {
    begun = true
    await sleep(1)
    return value
  })
  await later(callback, 7, 1, 20)
  while (!begun) rest.sync(20)
  assert.is(await sum(), 7n)
  // here the routine that blocks waits for that thread itself
  const on = callbacks.func('on_thread', [Unary, c_int], c_longlong)
  assert.is(on.sync(callback as never, 7), 0n)
  assert.is(strays.length, 1)
  assert.instance(strays[0], ArgumentError)
  assert.match(strays[0].message, 'await')
  assert.is(await on(callback, 7), 7n)
  session.off('callbackError', note)
  callback.dispose()
})

test('what a callback leaves behind belongs to the callback around it, and then to none', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  const [left, last] = [gate(), gate()]
  let flow: Promise<number> | undefined
  const outer = once(async () => {
    await once(() => {
      flow = (async () => {
        await left.passed
        const value = await plus(20, 1)
        await last.passed
        return (await plus(value, 1)) + plus.sync(1, 1)
      })()
      return 1
    }, 1)
    left.open()
    // were its call to wait for the main thread, this would wait for ever
    await until(() => true, 'a turn')
    return plus(1, 2)
  }, 1)
  assert.is(await outer, 3)
  last.open()
  assert.is(await flow, 24)
})

test('a callback of one session inside a callback of another', async ({ session }) => {
  const other = await CtypesSession.start()
  try {
    const [here, there] = [session, other].map(({ cdll }) => cdll.LoadLibrary.sync(dll('callbacks')))
    const [onceHere, onceThere] = [here, there].map(library => library.func('call_once', [Unary, c_int], c_int))
    const plus = here.func('plus', [c_int, c_int], c_int)
    assert.is(
      await onceHere(async value => {
        await sleep(1)
        return onceThere(async inner => {
          await sleep(1)
          return (await plus(inner, 10)) + plus.sync(inner, 100)
        }, value + 1)
      }, 1),
      114,
    )
    assert.is(
      onceHere.sync(value => onceThere.sync(inner => plus.sync(inner, 10), value + 1), 1),
      12,
    )
  } finally {
    await other.terminate()
  }
})

test("the user's own asynchronous context", async () => {
  const storage = new AsyncLocalStorage<string>()
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const seen: (string | undefined)[] = []
  const look = async (value: number) => {
    seen.push(storage.getStore())
    await sleep(1)
    seen.push(storage.getStore())
    await thread()
    seen.push(storage.getStore())
    return value
  }
  // given for a call: the call's
  await storage.run('a', () => once(look, 1))
  storage.run('b', () => once.sync(() => seen.push(storage.getStore()), 1))
  assert.equal(seen.splice(0), ['a', 'a', 'a', 'b'])
  // made explicitly: where it was made
  const made = storage.run('made', () => Unary(look))
  await storage.run('called', () => once(made, 1))
  assert.equal(seen.splice(0), ['made', 'made', 'made'])
  await callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)(made, 0, 1, 1)
  await callbacks.func('later_sum', [], c_longlong)()
  await until(() => seen.length === 3, 'the callback ends')
  assert.equal(seen.splice(0), ['made', 'made', 'made'])
  made.dispose()
  assert.is(storage.getStore(), undefined)
})

test("the user's context where the call has to wait before it is sent", async () => {
  const storage = new AsyncLocalStorage<number>()
  const Compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
  const sort = callbacks.func('sort_of', [Compare, POINTER(c_int), c_int], c_int)
  const shared = Int32Array.of(3, 2, 1)
  const seen: [number, number | undefined][] = []
  await Promise.all(
    [0, 1, 2].map(i =>
      storage.run(i, () =>
        sort(
          (a, b) => {
            seen.push([i, storage.getStore()])
            return (a?.contents.value ?? 0) - (b?.contents.value ?? 0)
          },
          shared,
          3,
        ),
      ),
    ),
  )
  assert.ok(seen.length > 6)
  for (const [own, context] of seen) assert.is(context, own)
})

test('jobs: a callback that a job has left, and the caller, and other jobs', async ({ session }) => {
  const module = new URL('../life/jobs/callback-stays.mjs', import.meta.url)
  const run = (step: string) =>
    session.runJob<{ own: number[]; job: number[] }>(module, { step, callbacks: dll('callbacks') })
  await run('begin')
  await run('meanwhile')
  assert.is(await thread(), main)
  assert.is(thread.sync(), main)
  const { own, job } = await run('end')
  assert.equal(job, [main, main, main])
  assert.is(own.length, 4)
  assert.is(new Set(own).size, 1)
  assert.is.not(own[0], main)
})

test('jobs: a callback of the caller is open meanwhile', async ({ session }) => {
  const close = await openOnThread(async () => {
    assert.is.not(await thread(), main)
  })
  const { job } = await session.runJob<{ job: number[] }>(new URL('../life/jobs/callback-stays.mjs', import.meta.url), {
    step: 'meanwhile',
    callbacks: dll('callbacks'),
  })
  assert.ok(job.length > 0)
  for (const id of job) assert.is(id, main)
  await close()
})

test.run()
