// waits: for time limits to pass
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  ArgumentError,
  CallTimeoutError,
  CtypesSession,
  c_int,
  type Library,
  SessionTerminatedError,
} from 'zugbruecke'
import { dll, rejects, throws } from '../support.js'

const test = suite('time limits and signals')

async function withFaults(act: (faults: Library, session: CtypesSession) => Promise<void>, config = {}): Promise<void> {
  const session = await CtypesSession.start(config)
  try {
    await act(await session.cdll.LoadLibrary(dll('faults')), session)
  } finally {
    await session.terminate()
  }
}
const hang = (faults: Library) => faults.func('hang', [c_int], c_int)

test('a call that passes its limit ends the session', () =>
  withFaults(async (faults, session) => {
    const routine = hang(faults)
    assert.is(await routine.with({ timeout: 30_000 })(1), 1)
    const limited = routine.with({ timeout: 100 })(60_000)
    const behind = routine(1)
    behind.catch(() => {})
    const error = (await rejects(limited, CallTimeoutError, 'hang', '100 ms')) as CallTimeoutError
    assert.is(error.timeout, 100)
    assert.match(error.routine ?? '', /hang$/)
    await rejects(behind, SessionTerminatedError, 'time limit')
    const late = await rejects(routine(1), SessionTerminatedError, 'time limit')
    assert.is(late.cause, error)
    throws(() => routine.sync(1), SessionTerminatedError)
    assert.is(session.up, false)
  }))

test('timeout_call limits every call, awaited and blocking, in seconds', async () => {
  await withFaults(
    async faults => {
      assert.is(await hang(faults)(1), 1)
      await rejects(hang(faults)(60_000), CallTimeoutError, 'hang')
    },
    { timeout_call: 0.3 },
  )
  await withFaults(async (faults, session) => {
    await session.setParameter({ timeout_call: 0.3 })
    throws(() => hang(faults).sync(60_000), CallTimeoutError, 'hang')
    throws(() => hang(faults).sync(1), SessionTerminatedError)
  })
})

test('a limit of one blocking call', () =>
  withFaults(async (faults, session) => {
    const routine = hang(faults)
    assert.is(routine.with({ timeout: 30_000 }).sync(1), 1)
    throws(() => routine.with({ timeout: Number.NaN }).sync(1), ArgumentError, 'timeout')
    throws(() => routine.with({ signal: AbortSignal.abort() }).sync(1), AbortError, 'had not begun')
    assert.is(session.up, true)
    throws(() => routine.with({ timeout: 100 }).sync(60_000), CallTimeoutError, 'hang', '100 ms')
    assert.is(session.up, false)
  }))

test('an aborted call ends the session', () =>
  withFaults(async (faults, session) => {
    const controller = new AbortController()
    const call = hang(faults).with({ signal: controller.signal })(60_000)
    setTimeout(() => controller.abort(new RangeError('enough')), 100)
    const error = await rejects(call, AbortError, 'hang')
    assert.instance(error.cause, RangeError)
    await rejects(hang(faults)(1), SessionTerminatedError, 'aborted')
    assert.is(session.up, false)
  }))

test('a call that has settled is not ended by its signal or limit any more', () =>
  withFaults(async (faults, session) => {
    const controller = new AbortController()
    const routine = hang(faults).with({ signal: controller.signal, timeout: 150 })
    assert.is(await routine(1), 1)
    controller.abort()
    await new Promise(resolve => setTimeout(resolve, 250))
    assert.is(session.up, true)
    assert.is(await hang(faults)(1), 1)
    await rejects(routine(1), AbortError)
    assert.is(session.up, true)
  }))

test('what is no time limit is refused', () =>
  withFaults(async (faults, session) => {
    for (const bad of [-1, Number.NaN, '5'])
      await rejects(hang(faults).with({ timeout: bad as never })(1), ArgumentError, 'timeout')
    assert.is(session.up, true)
  }))

test.run()
