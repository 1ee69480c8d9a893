// long: threads join sessions in it some forty times
import { once } from 'node:events'
import { queryObjects } from 'node:v8'
import { MessageChannel, MessagePort, Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import {
  CFUNCTYPE,
  CtypesSession,
  c_int,
  c_void_p,
  ZugbrueckeError as SessionEnded,
  SessionTerminatedError,
  SetupError,
} from 'zugbruecke'
import { SharedWord } from '../../../dist/src/channel/shared.js'
import { claimNumber, giveNumberBack } from '../../../dist/src/channel/threads.js'
import { dll, rejects, sessionSuite, sleep, throws, until } from '../support.js'

const test = sessionSuite('a session joined from another thread')

const source = `
  import { parentPort, workerData } from 'node:worker_threads'
  import { CtypesSession, c_int, c_void_p, CFUNCTYPE, DllNotFoundError } from 'zugbruecke'
  const session = await CtypesSession.attach(workerData.port)
  const numbers = session.CDLL(workerData.numbers)
  const callbacks = session.CDLL(workerData.callbacks)
  const add = numbers.func('add', [c_int, c_int], c_int)
  const faults = session.CDLL(workerData.faults)
  const Unary = CFUNCTYPE(c_int, c_int)
  const apply = callbacks.func('apply', [Unary, c_int], c_int)
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const sort = callbacks.func('sort_of', [c_void_p, c_void_p, c_int], c_int)
  let stray, kept
  const tasks = {
    id: () => session.id,
    up: () => session.up,
    add: async () => [await add(1, 2), add.sync(3, 4)],
    many: async n => {
      const values = await Promise.all(Array.from({ length: n }, (_, i) => add(i, i)))
      return values.every((value, i) => value === 2 * i)
    },
    sync: n => {
      for (let i = 0; i < n; i++) if (add.sync(i, 1) !== i + 1) return false
      return true
    },
    callbacks: async () => [await apply(i => i, 10), apply.sync(i => 2 * i, 10), await apply(async i => add(i, 1), 10)],
    batch: async () => [...(await add.batch([Int32Array.of(1, 2, 3), 10]))],
    missing: () => session.cdll.LoadLibrary('nix.dll').catch(error => [error instanceof DllNotFoundError, error.code, error.dll]),
    encoding: () => session.setParameter({ stdout: false }).then(() => session.getParameter('stdout')),
    afterwards: () => add(1, 2).catch(error => error.name),
    keep: () => callbacks.func('keep', [Unary], null)((kept = Unary(value => value * 2))),
    rest: milliseconds => void callbacks.func('rest', [c_int], c_int)(milliseconds),
    full: n => void Promise.all(Array.from({ length: n }, (_, i) => sort(null, new Int32Array(250_000), 1))),
    end: () => session.terminate().then(() => session.up),
    stop: () => process.exit(0),
    keepThrowing: () => {
      // listened for before anyone can call: an event nobody listens for is a warning
      stray = new Promise(resolve => session.on('callbackError', error => resolve(error.message)))
      return callbacks.func('keep', [Unary], null)((kept = Unary(() => { throw new RangeError('there') })))
    },
    stray: () => stray,
    burst: () => { for (let i = 0; i < 1000; i++) add(i, 1); process.exit(0) },
    loop: () => { for (;;) add.sync(1, 2) },
    compute: over => { while (Atomics.load(over, 0) === 0); return add(1, 2).catch(error => error.name) },
    hang: () => faults.func('hang', [c_int], c_int).sync(250),
    open: () => void once(async () => { await once(() => new Promise(() => {}), 1) }, 1),
    closed: () => once.sync(() => { for (;;); }, 1),
    parameters: () => [session.getParameter('timeout_call'), session.getParameter('encoding')],
  }
  parentPort.on('message', async ({ name, argument, reply }) => {
    try { reply.postMessage({ value: await tasks[name](argument) }) }
    catch (error) { reply.postMessage({ error: error.stack }) }
  })
  parentPort.postMessage('ready')
`

async function thread(session: CtypesSession) {
  const port = session.port()
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved(source))}`), {
    workerData: { port, numbers: dll('numbers'), callbacks: dll('callbacks'), faults: dll('faults') },
    transferList: [port],
    execArgv: [],
  })
  await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  return {
    ask(name: string, argument?: unknown): Promise<unknown> {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage({ name, argument, reply: port2 }, [port2])
      return new Promise((resolve, reject) => {
        port1.once('message', ({ value, error }) => {
          port1.close()
          if (error) reject(new Error(error))
          else resolve(value)
        })
      })
    },
    end: () => worker.terminate(),
  }
}
/** A module without a folder of its own cannot name a package. */
const resolved = (text: string) => text.replace("from 'zugbruecke'", `from '${import.meta.resolve('zugbruecke')}'`)

test('calls, callbacks, batches and errors work there as here', async ({ session }) => {
  const other = await thread(session)
  assert.is(await other.ask('id'), session.id)
  assert.is(await other.ask('up'), true)
  assert.equal(await other.ask('add'), [3, 7])
  assert.equal(await other.ask('callbacks'), [45, 90, 55])
  assert.equal(await other.ask('batch'), [11, 12, 13])
  assert.equal(await other.ask('missing'), [true, 'ERR_ZUGBRUECKE_DLL_NOT_FOUND', 'nix.dll'])
  assert.is(await other.ask('encoding'), false)
  assert.is(session.getParameter('stdout'), false)
  await other.end()
})

test('threads at once, awaited and blocking', async ({ session }) => {
  const threads = await Promise.all([thread(session), thread(session), thread(session)])
  const add = session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
  const apply = session.CDLL(dll('callbacks')).func('apply', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  const here = Promise.all(Array.from({ length: 2000 }, (_, i) => add(i, 1)))
  const there = Promise.all([
    threads[0].ask('many', 2000),
    threads[1].ask('sync', 1000),
    threads[2].ask('many', 500).then(() => threads[2].ask('callbacks')),
  ])
  const back = Promise.all(Array.from({ length: 20 }, () => apply(value => value, 10)))
  assert.ok((await here).every((value, i) => value === i + 1))
  assert.equal(await there, [true, true, [45, 90, 55]])
  assert.ok((await back).every(value => value === 45))
  await Promise.all(threads.map(({ end }) => end()))
  assert.is(await add(1, 2), 3)
})

test('a callback of a thread that is gone answers zero, and the session hears of it', async ({ session }) => {
  const other = await thread(session)
  await other.ask('keep')
  const kept = session.CDLL(dll('callbacks')).func('call_kept', [c_int], c_int)
  assert.is(await kept(4), 8)
  await other.end()
  const heard: Error[] = []
  const listen = (error: Error) => heard.push(error)
  session.on('callbackError', listen)
  // also when the callback is told to the thread that is just gone
  assert.is(await kept(5), 0)
  assert.is(await kept(6), 0)
  await until(() => heard.length === 2, 'the events')
  session.off('callbackError', listen)
  assert.match(heard[0].message, 'disposed')
})

test('what a thread held that is gone is free again', async ({ session }) => {
  const add = session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
  const sort = session.CDLL(dll('callbacks')).func('sort_of', [c_void_p, c_void_p, c_int], c_int)
  for (let times = 0; times < 3; times++) {
    const other = await thread(session)
    await other.ask('rest', 100)
    await other.ask('full', 12)
    await other.end()
    for (let i = 0; i < 3; i++) {
      const results = await Promise.all(Array.from({ length: 700 }, (_, k) => add(i, k)))
      results.forEach((value, k) => assert.is(value, i + k))
    }
  }
  // most of the arena at once: there is room for it
  const large = new Int32Array(1_900_000)
  await sort(null, large, 1)
})

test('the end of the session reaches every thread', async () => {
  const session = await CtypesSession.start()
  const [one, two] = await Promise.all([thread(session), thread(session)])
  await session.terminate()
  assert.is(await one.ask('up'), false)
  assert.is(await one.ask('afterwards'), 'SessionTerminatedError')
  assert.is(await two.ask('afterwards'), 'SessionTerminatedError')
  await one.end()
  await two.end()
})

test('a thread that joined may end it', async () => {
  const session = await CtypesSession.start()
  const one = await thread(session)
  assert.is(await one.ask('end'), false)
  assert.is(session.up, false)
  await rejects(session.windll.kernel32.GetCurrentProcessId(), SessionTerminatedError)
  await session.terminate()
  await one.end()
})

const Unary = CFUNCTYPE(c_int, c_int)

test('a callback of one thread inside a callback of another', async ({ session }) => {
  const other = await thread(session)
  await other.ask('keep')
  const callbacks = session.CDLL(dll('callbacks'))
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const kept = callbacks.func('call_kept', [c_int], c_int)
  assert.is(await once(async value => (await kept(value)) + 1000, 5), 1010)
  assert.is(
    once.sync(value => kept.sync(value) + 1000, 6),
    1012,
  )
  await other.end()
})

test('what a callback of one thread throws in a call of another is an event of its own', async ({ session }) => {
  const other = await thread(session)
  await other.ask('keepThrowing')
  assert.is(await session.CDLL(dll('callbacks')).func('call_kept', [c_int], c_int)(7), 0)
  assert.is(await other.ask('stray'), 'there')
  assert.equal(await other.ask('add'), [3, 7])
  await other.end()
})

for (const how of ['burst', 'loop', 'hang', 'open', 'closed'])
  test(`a thread that ends in the middle of things (${how}) holds nobody up`, async ({ session }) => {
    const add = session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
    for (const other of await Promise.all([thread(session), thread(session), thread(session)])) {
      void other.ask(how)
      await sleep(60)
      await other.end()
      assert.is(await add(1, 2), 3)
      // once around the ring
      const sums = await Promise.all(Array.from({ length: 1500 }, (_, i) => add(i, 1)))
      assert.is(sums[1499], 1500)
      for (let i = 0; i < 1100; i++) assert.is(add.sync(i, 1), i + 1)
    }
  })

test('their numbers are given back', async ({ session }) => {
  const shared = session.coreNow()?.shared
  assert.ok(shared)
  // all but three are somebody's
  const taken: number[] = []
  for (let thread = claimNumber(shared); thread >= 0; thread = claimNumber(shared)) taken.push(thread)
  for (const thread of taken.splice(-3)) giveNumberBack(shared, thread)
  try {
    const joinAndEnd = async () => (await thread(session)).end()
    for (let i = 0; i < 3; i++) await Promise.all([joinAndEnd(), joinAndEnd()])
    const other = await thread(session)
    assert.equal(await other.ask('add'), [3, 7])
    await other.end()
  } finally {
    for (const thread of taken) giveNumberBack(shared, thread)
  }
})

test('parameters that one thread changes are changed for all', async () => {
  const session = await CtypesSession.start({ timeout_call: 5 })
  const other = await thread(session)
  assert.equal(await other.ask('parameters'), [5, 'utf-8'])
  await session.setParameter({ timeout_call: 60, encoding: 'latin1' })
  await sleep(50)
  assert.equal(await other.ask('parameters'), [60, 'latin1'])
  await session.terminate()
  await other.end()
})

test('the session ends with the thread that started it, however that ends', async () => {
  const owner = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { CtypesSession } from 'zugbruecke'
    const session = await CtypesSession.start({ stderr: false })
    const port = session.port()
    parentPort.postMessage(port, [port])
    if (workerData === 'exit') parentPort.once('message', () => process.exit(0))
    // the thread ends when it listens no more
    else if (workerData === 'end') parentPort.once('message', () => {})
    else setInterval(() => {}, 1000)
  `
  const ends = async (how: string) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved(owner))}`), {
      workerData: how,
      execArgv: [],
    })
    const port = await new Promise<MessagePort>(resolve => worker.once('message', resolve))
    const session = await CtypesSession.attach(port)
    const hang = session.CDLL(dll('faults')).func('hang', [c_int], c_int)
    assert.is(await hang(1), 1)
    if (how === 'blocked') {
      const ended = worker.terminate()
      throws(() => hang.sync(60_000), SessionEnded)
      await ended
    } else {
      const pending = rejects(hang(60_000), SessionTerminatedError)
      if (how === 'terminate') await worker.terminate()
      else worker.postMessage('end now')
      await pending
    }
    assert.is(session.up, false)
    await rejects(hang(1), SessionTerminatedError)
    await session.terminate()
  }
  await Promise.all(['terminate', 'exit', 'end'].map(ends))
  await ends('blocked')
})

test('a thread that computes while the session ends has its view of it still, and gives it up with its own end', async () => {
  const session = await CtypesSession.start()
  const core = session.coreNow()
  assert.ok(core)
  const views = () => Atomics.load(core.shared.i32, SharedWord.views) & 0x3fff_fffc
  const other = await thread(session)
  assert.is(await other.ask('id'), session.id)
  const mine = views()
  assert.is.not(mine, 0)
  const over = new Int32Array(new SharedArrayBuffer(4))
  const answer = other.ask('compute', over)
  await sleep(50)
  await session.terminate()
  // it has not heard of the end, and would touch what is unmapped
  assert.is(views(), mine)
  Atomics.store(over, 0, 1)
  assert.is(await answer, 'SessionTerminatedError')
  await other.end()
  await until(() => views() === 0, 'its view is forgotten')
})

test('a thread that joined can let another join', async ({ session }) => {
  const joined = await CtypesSession.attach(session.port())
  const next = await CtypesSession.attach(joined.port())
  assert.is(next.id, session.id)
  assert.is(await next.CDLL('msvcrt').func('int abs(int)')(-7), 7)
  await joined.setParameter({ timeout_call: 30 })
  assert.is(session.getParameter('timeout_call'), 30)
  await joined.setParameter({ timeout_call: null })
})

test('a session that has ended cannot be joined', async () => {
  const session = await CtypesSession.start()
  const port = session.port()
  await session.terminate()
  await rejects(CtypesSession.attach(port), SessionTerminatedError)
  throws(() => session.port(), SessionTerminatedError)
})

test('a session that could not be started says so to whoever joins it', async () => {
  const session = new CtypesSession({ python: '/nonexistent' })
  const port = session.port()
  await rejects(CtypesSession.attach(port), SetupError, '/nonexistent')
  await rejects(session.ready, SetupError)
})

test('a thread that outlives the sessions it joined keeps no port of theirs', async () => {
  const guest = `
    import { MessagePort, parentPort } from 'node:worker_threads'
    import { queryObjects } from 'node:v8'
    import { CtypesSession } from 'zugbruecke'
    let kept
    const tasks = {
      join: async ({ port, keeps }) => {
        const session = await CtypesSession.attach(port)
        if (keeps) kept = session.memory.array(Int32Array, 4).fill(7)
        return await session.windll.kernel32.GetCurrentProcessId() > 0
      },
      ports: () => queryObjects(MessagePort, { format: 'count' }),
      values: () => [...kept],
      drop: () => { kept = undefined },
    }
    parentPort.on('message', async ({ name, argument }) => parentPort.postMessage(await tasks[name](argument)))
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved(guest))}`), { execArgv: [] })
  const ask = async (name: string, argument?: unknown, transfer: MessagePort[] = []) => {
    const answer = once(worker, 'message')
    worker.postMessage({ name, argument }, transfer)
    return (await answer)[0]
  }
  const join = async (keeps: boolean) => {
    const session = await CtypesSession.start()
    const port = session.port()
    assert.is(await ask('join', { port, keeps }, [port]), true)
    await session.terminate()
    return session.coreNow()?.shared.i32 as Int32Array
  }
  /** Collected objects are told of by and by. */
  const portsAre = async (count: number) => {
    let now: unknown
    for (let look = 0; look < 100 && now !== count; look++) {
      await sleep(50)
      now = await ask('ports')
    }
    assert.is(now, count)
  }
  const here = () => queryObjects(MessagePort, { format: 'count' })
  try {
    const before = (await ask('ports')) as number
    await join(false)
    const own = here()
    for (let i = 0; i < 3; i++) await join(false)
    await portsAre(before)
    assert.ok(here() <= own, 'nor does the thread that started them')
    // memory of the session's that is still in use
    const words = await join(true)
    assert.ok(((await ask('ports')) as number) > before)
    assert.is.not(Atomics.load(words, SharedWord.views) & 0x3fff_fffc, 0)
    assert.equal(await ask('values'), [7, 7, 7, 7])
    await ask('drop')
    await portsAre(before)
  } finally {
    await worker.terminate()
  }
})

test.run()
