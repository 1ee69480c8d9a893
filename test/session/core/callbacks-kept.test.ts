// waits: until the host gives up callbacks
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  CFUNCTYPE,
  CtypesSession,
  c_char_p,
  c_int,
  c_longlong,
  type Library,
  SessionTerminatedError,
  ZugbrueckeError,
} from 'zugbruecke'
import { dll, full, rejects, sessionSuite, until } from '../support.js'

const test = sessionSuite('callbacks that a DLL keeps')
const Unary = CFUNCTYPE(c_int, c_int)
let callbacks: Library
const strays: Error[] = []
const note = (error: Error) => strays.push(error)
test.before(async ({ session }) => {
  callbacks = await session.cdll.LoadLibrary(dll('callbacks'))
  session.on('callbackError', note)
})
test.before.each(() => {
  strays.length = 0
})

/** More threads than can have a callback open. */
const CROWD = 40
/** Each waits for all the others, which is what they would do for ever. The host gives up by and by: the other tests run meanwhile. */
let crowded: Promise<{ stdout: string; stderr: string }>
test.before(() => {
  const program = `
    import { CFUNCTYPE, CtypesSession, c_int, c_longlong } from 'zugbruecke'
    const session = await CtypesSession.start()
    const Unary = CFUNCTYPE(c_int, c_int)
    const on = session.CDLL(${JSON.stringify(dll('callbacks'))}).func('on_threads', [Unary, c_int, c_int], c_longlong)
    let open = 0
    let go
    const all = new Promise(resolve => { go = resolve })
    const sum = on(async () => {
      if (++open === ${CROWD}) go()
      await all
      return 1
    }, ${CROWD}, 1)
    setTimeout(go, 12_000)
    console.log(await sum, open)
    await session.terminate()`
  const args = ['--input-type=module', '--eval', program]
  crowded = promisify(execFile)(process.execPath, args, { timeout: 120_000 })
  // told by the test that waits for it
  crowded.catch(() => {})
})

test('kept and called later, until it is disposed', async () => {
  const keep = callbacks.func('keep', [Unary], null)
  const call = callbacks.func('call_kept', [c_int], c_int)
  const callback = Unary(value => value * 10)
  await keep(callback)
  for (let i = 0; i < 100; i++) assert.is(await call(i), i * 10)
  assert.is(call.sync(7), 70)
  callback.dispose()
  assert.is(callback.disposed, true)
  assert.is(await call(7), 0)
  await rejects(keep(callback), ArgumentError, 'disposed')
  assert.is(strays.length, 1)
  assert.match(strays[0].message, 'disposed')
  callback.dispose()
})

test('from a thread of the DLL that the routine waits for', async () => {
  const on = callbacks.func('on_thread', [Unary, c_int], c_longlong)
  assert.is(await on(value => value + 1, 5), 6n)
  assert.is(
    on.sync(value => value + 2, 5),
    7n,
  )
})

test('from several threads at once', async () => {
  const on = callbacks.func('on_threads', [Unary, c_int, c_int], c_longlong)
  for (const threads of [2, 8, 20]) {
    let count = 0
    const sum = await on(
      () => {
        count++
        return 3
      },
      threads,
      50,
    )
    assert.is(sum, BigInt(150 * threads))
    assert.is(count, threads * 50)
  }
  assert.is(
    on.sync(() => 1, 4, 25),
    100n,
  )
})

test('from a thread, while the session is idle', async () => {
  const later = callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)
  const sum = callbacks.func('later_sum', [], c_longlong)
  const seen: number[] = []
  const callback = Unary(value => {
    seen.push(value)
    return 1
  })
  await later(callback, 100, 5, 200)
  await until(() => seen.length === 5, 'five callbacks come')
  assert.equal(seen, [100, 101, 102, 103, 104])
  assert.is(await sum(), 5n)
  callback.dispose()
})

test('from a thread, while calls and batches are under way', async () => {
  const later = callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)
  const sum = callbacks.func('later_sum', [], c_longlong)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  let count = 0
  const callback = Unary(() => {
    count++
    return 2
  })
  await later(callback, 0, 200, 1)
  let wrong = 0
  while (count < 200) {
    const values = await Promise.all(Array.from({ length: 50 }, (_, i) => plus(i, 1)))
    values.forEach((value, i) => {
      if (value !== i + 1) wrong++
    })
    const results = await plus.batch([Int32Array.from({ length: 5000 }, (_, i) => i), 1])
    if (results[4999] !== 5000) wrong++
    if (plus.sync(1, 1) !== 2) wrong++
  }
  assert.is(wrong, 0)
  assert.is(await sum(), 400n)
  callback.dispose()
})

test('a callback on a thread may call, too', async () => {
  const on = callbacks.func('on_threads', [Unary, c_int, c_int], c_longlong)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  assert.is(await on(async () => plus(2, 3), 3, 10), 150n)
  assert.is(await on(() => plus.sync(2, 3), 3, 10), 150n)
  assert.is(
    on.sync(() => plus.sync(2, 3), 3, 10),
    150n,
  )
})

test('what it throws outside any call is an event of the session', async () => {
  const later = callbacks.func('on_thread_later', [Unary, c_int, c_int, c_int], null)
  const callback = Unary(value => {
    throw new RangeError(`stray ${value}`)
  })
  await later(callback, 1, 2, 20)
  await until(() => strays.length === 2, 'two events come')
  assert.equal(
    strays.map(({ message }) => message),
    ['stray 1', 'stray 2'],
  )
  assert.is(await callbacks.func('later_sum', [], c_longlong)(), 0n)
  callback.dispose()
})

test('what is thrown where no call fails with it need not be an error', async ({ session }) => {
  const on = callbacks.func('on_thread', [Unary, c_int], c_longlong)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const throwAll = async () => {
    for (const thrown of [5, 0n, undefined, {}, proxy]) {
      const sum = await on(() => {
        throw thrown
      }, 1)
      assert.is(sum, 0n)
    }
  }
  await throwAll()
  assert.is(strays.length, 5)
  for (const error of strays) assert.instance(error, ZugbrueckeError)
  assert.is(strays[0].cause, 5)
  assert.match(strays[1].message, 'threw bigint 0n')
  // where nobody listens each is a warning of the process
  session.off('callbackError', note)
  process.on('warning', note)
  try {
    await throwAll()
    await until(() => strays.length === 10, 'five warnings come')
  } finally {
    process.off('warning', note)
    session.on('callbackError', note)
  }
})

test('a callback given for one call is not kept beyond it', async () => {
  const keep = callbacks.func('keep', [Unary], null)
  await keep(() => 5)
  assert.is(await callbacks.func('call_kept', [c_int], c_int)(1), 0)
  assert.is(strays.length, 1)
})

/** What the clean-up of goodbye.c got, in a session that `before` does something with before it is terminated. */
async function goodbye(before: (session: CtypesSession, library: Library, callback: CallbackObject) => unknown) {
  const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-goodbye-'))
  const notes = join(folder, 'notes')
  const session = await CtypesSession.start({ timeout_stop: 10 })
  try {
    session.on('callbackError', () => {})
    const library = await session.cdll.LoadLibrary(dll('goodbye'))
    const callback = Unary(value => value + 1)
    await library.func('keep', [Unary, c_char_p], null)(callback, await session.pathUnixToWine(notes))
    assert.is(await library.func('call', [c_int], c_int)(5), 6)
    await before(session, library, callback)
    await session.terminate()
    return readFileSync(notes, 'utf8').trim().split(/\r?\n/).sort()
  } finally {
    await session.terminate()
    rmSync(folder, { recursive: true })
  }
}
type CallbackObject = ReturnType<typeof Unary>

const zeros = ['atexit 0', 'detach 0']
test("a DLL's clean-up that calls back gets zero when the session ends", async () => {
  assert.equal(await goodbye(() => {}), zeros)
})
test('so does one whose callback is disposed', async () => {
  assert.equal(await goodbye((_, __, callback) => callback.dispose()), zeros)
})
test('so does one whose callback is open', async () => {
  const over: unknown[] = []
  const values = await goodbye(async (_, library) => {
    let begun = false
    const open = library.func(
      'call_other',
      [Unary],
      c_int,
    )(async () => {
      begun = true
      return new Promise<number>(() => {})
    })
    open.catch(error => over.push(error))
    await until(() => begun, 'the callback is called')
  })
  assert.equal(values, zeros)
  await until(() => over.length === 1, 'the call fails')
  assert.instance(over[0], SessionTerminatedError)
})

const resident = (pid: number | undefined) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

const many = full ? 100_000 : 10_000
test(`${many} made, called and disposed: the Windows process does not grow`, async () => {
  const session = await CtypesSession.start()
  try {
    const library = await session.cdll.LoadLibrary(dll('callbacks'))
    const once = library.func('call_once', [Unary, c_int], c_int)
    const round = async (count: number) => {
      for (let done = 0; done < count; done += 100) {
        const some = Array.from({ length: 100 }, (_, i) => Unary(value => value + i))
        const values = await Promise.all(some.map(callback => once(callback, 1)))
        values.forEach((value, i) => assert.is(value, i + 1))
        for (const callback of some) callback.dispose()
      }
    }
    await round(5000)
    const before = resident(session.pid)
    await round(many)
    const grown = resident(session.pid) - before
    assert.ok(grown < 4096, `it grew by ${grown} KiB`)
  } finally {
    await session.terminate()
  }
})

test(`${many} functions given for one call each: no growth either`, async ({ session }) => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  for (let i = 0; i < 1000; i++) await once(value => value + i, 1)
  const before = resident(session.pid)
  for (let done = 0; done < many; done += 100)
    await Promise.all(Array.from({ length: 100 }, (_, i) => once(value => value + i, 1)))
  const grown = resident(session.pid) - before
  assert.ok(grown < 4096, `it grew by ${grown} KiB`)
})

test('from more threads than can have one open: those that get none in time are told of, and nobody waits for ever', async () => {
  const { stdout, stderr } = await crowded
  const [, sum, open] = /(\d+)n (\d+)/.exec(stdout) ?? []
  assert.ok(sum, stdout)
  assert.is(sum, open)
  assert.ok(Number(open) >= 15)
  const refused = stderr.match(/got zero from a callback: too many other threads have one open/g)?.length ?? 0
  assert.is(Number(open) + refused, CROWD)
})

test.run()
