// waits: for time limits to pass
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AbortError, CallTimeoutError, CtypesSession, c_int, SessionTerminatedError } from 'zugbruecke'
import { dll, rejects, throws } from '../support.js'
import { CFUNCTYPE } from '../types.js'

const test = suite('time limits')

async function start(timeout_call: number | null = null) {
  const session = await CtypesSession.start({ stderr: false, timeout_call })
  const faults = session.CDLL(dll('faults'))
  return {
    session,
    hang: faults.func('hang', [c_int], c_int),
    add: faults.func('add', [c_int, c_int], c_int),
  }
}

/** Milliseconds that a routine takes which a limit of less than a second is to end. */
const LONG = 20_000
/** Does what a limit is to end, and shows that it has ended before the routine would. */
const ends = async (act: () => Promise<unknown>) => {
  const from = performance.now()
  await act()
  const milliseconds = performance.now() - from
  assert.ok(milliseconds < LONG, `${milliseconds} ms`)
}

test('one passes while the thread is blocked by another call', async () => {
  const { session, hang, add } = await start()
  const late = hang.with({ timeout: 200 })(LONG)
  late.catch(() => {})
  await ends(async () => {
    const error = throws(() => add.sync(1, 2), SessionTerminatedError)
    assert.instance(error.cause, CallTimeoutError)
  })
  await rejects(late, CallTimeoutError, 'hang')
  assert.is(session.up, false)
  await session.terminate()
})

test('it holds for detail, too', async () => {
  const { session, hang } = await start(0.2)
  await ends(() => rejects(hang.detail(LONG), CallTimeoutError, 'hang'))
  await session.terminate()
})

test('in a batch it is that of a row, and starts anew with each', async () => {
  const { session, hang } = await start(0.4)
  assert.equal([...(await hang.batch([new Int32Array(10).fill(100)]))], Array(10).fill(100))
  await ends(async () => {
    const error = await rejects(hang.batch([[0, 1, LONG, 2]]), CallTimeoutError, 'row 2')
    assert.is(error.row, 2)
    assert.is(error.timeout, 400)
  })
  assert.is(session.up, false)
  await session.terminate()
})

test('in a batch that blocks, likewise', async () => {
  const { session, hang } = await start(0.3)
  await ends(async () => {
    throws(() => hang.batch.sync([[0, LONG]]), CallTimeoutError, 'row 1')
  })
  await session.terminate()
})

test('a DLL whose loading does not end', async () => {
  const { session } = await start(0.3)
  await ends(() => rejects(session.cdll.LoadLibrary(dll('hang-loading')), CallTimeoutError, 'hang-loading'))
  await session.terminate()
})

test('a job is woken when its time is over', async () => {
  const { session } = await start(0.3)
  const job = new URL('../life/jobs/fails.mjs', import.meta.url)
  await ends(() => rejects(session.runJob(job, { how: 'long', dll: dll('faults') }), CallTimeoutError, 'hang'))
  await session.terminate()
})

test('a job knows the parameters as they are now', async () => {
  const { session } = await start()
  const job = new URL('../life/jobs/fails.mjs', import.meta.url)
  assert.is(await session.runJob(job, { how: 'nothing' }), 'nothing')
  await session.setParameter({ timeout_call: 0.3 })
  await ends(() => rejects(session.runJob(job, { how: 'long', dll: dll('faults') }), CallTimeoutError))
  await session.terminate()
})

test('what still waits for its turn is taken back, and the session lives', async () => {
  const { session, hang } = await start()
  const texts = session.CDLL(dll('texts'))
  const fill = texts.func('fill', [session.types.c_void_p, c_int, c_int], null)
  const buffer = new Uint8Array(16)
  const busy = hang(300)
  const first = fill(buffer, 16, 1)
  // the same memory: it waits for the call before
  const late = fill.with({ timeout: 50 })
  const stopped = rejects(late(buffer, 16, 2), CallTimeoutError, 'its turn had not come')
  const controller = new AbortController()
  const aborted = rejects(fill.with({ signal: controller.signal })(buffer, 16, 3), AbortError, 'its turn had not come')
  controller.abort()
  await Promise.all([busy, first, stopped, aborted])
  assert.is(session.up, true)
  assert.is(buffer[0], 1)
  await session.terminate()
})

test('so is what waits in a callback, behind a call that the callback has made before', async () => {
  const { session, hang, add } = await start()
  const once = session.CDLL(dll('callbacks')).func('call_once', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  const sum = await once(async x => {
    const before = hang(50)
    const controller = new AbortController()
    const aborted = rejects(add.with({ signal: controller.signal })(1, 2), AbortError, 'its turn had not come')
    controller.abort()
    await Promise.all([before, aborted])
    return x + (await add(3, 4))
  }, 5)
  assert.is(sum, 12)
  assert.is(session.up, true)
  await session.terminate()
})

test('a session that may take for ever to stop is not killed for it', async () => {
  const session = await CtypesSession.start({ timeout_stop: null })
  await session.terminate()
})

test.run()
