import * as assert from 'uvu/assert'
import {
  CFUNCTYPE,
  CtypesSession,
  c_int,
  c_uint,
  type Library,
  SessionCrashedError,
  SessionTerminatedError,
} from 'zugbruecke'
import { suiteAtOnce } from '../../at-once.js'
import { dll, rejects, throws } from '../support.js'

const test = suiteAtOnce('crashes that end a session', 3)

async function withFaults(act: (faults: Library, session: CtypesSession) => Promise<void>): Promise<void> {
  const session = await CtypesSession.start({ stderr: false })
  try {
    await act(await session.cdll.LoadLibrary(dll('faults')), session)
  } finally {
    await session.terminate()
  }
}

const gone = (pid: number | undefined) => {
  try {
    process.kill(pid as number, 0)
    return false
  } catch {
    return true
  }
}

test('ExitProcess in a routine: its exit code, its name, and nothing hangs', () =>
  withFaults(async (faults, session) => {
    let ended = 0
    session.on('end', () => ended++)
    const exit = faults.func('exit_with', [c_uint], null)
    const add = faults.func('add', [c_int, c_int], c_int)
    const before = add(1, 2)
    const crash = exit(3)
    const after = [add(1, 2), add(3, 4), session.FormatError(2), add.batch([Int32Array.of(1), 2])]
    const settled = Promise.allSettled(after)
    const error = (await rejects(crash, SessionCrashedError, 'exit_with', '3')) as SessionCrashedError
    assert.is(await before, 3)
    assert.is(error.exitCode, 3)
    assert.match(error.routine ?? '', /exit_with$/)
    for (const result of await settled) {
      assert.is(result.status, 'rejected')
      assert.instance((result as PromiseRejectedResult).reason, SessionTerminatedError)
    }
    assert.is(session.up, false)
    const late = await rejects(add(1, 2), SessionTerminatedError)
    assert.is(late.cause, error)
    throws(() => add.sync(1, 2), SessionTerminatedError)
    await session.terminate()
    assert.is(ended, 1)
    assert.ok(gone(session.pid))
  }))

test('what was answered before the crash has its answer, however soon the end is seen', () =>
  withFaults(async (faults, session) => {
    const exit = faults.func('exit_with', [c_uint], null)
    const add = faults.func('add', [c_int, c_int], c_int)
    await add(0, 0)
    const before = Array.from({ length: 200 }, (_, i) => add(i, 1))
    const crash = rejects(exit(3), SessionCrashedError, 'exit_with')
    // this thread does not look until all is over
    const pid = session.pid as number
    await new Promise(resolve => setImmediate(resolve))
    for (const end = Date.now() + 20_000; !gone(pid) && Date.now() < end; );
    assert.equal(
      await Promise.all(before),
      before.map((_, i) => i + 1),
    )
    await crash
  }))

test('in a call that a callback makes: that call names its routine, and so does the one around it', () =>
  withFaults(async (faults, session) => {
    const exit = faults.func('exit_with', [c_uint], null)
    const once = session.CDLL(dll('callbacks')).func('call_once', [CFUNCTYPE(c_int, c_int), c_int], c_int)
    let inner: unknown
    const outer = once(async value => {
      await exit(9).catch((error: unknown) => {
        inner = error
      })
      return value
    }, 1)
    const error = await rejects(outer, SessionTerminatedError, 'exit_with')
    assert.instance(inner, SessionCrashedError)
    assert.match((inner as SessionCrashedError).routine ?? '', 'exit_with')
    assert.is(error.cause, inner)
  }))

test('the same in a blocking call', () =>
  withFaults(async (faults, session) => {
    const error = throws(() => faults.func('exit_with', [c_uint], null).sync(7), SessionCrashedError, 'exit_with')
    assert.is((error as SessionCrashedError).exitCode, 7)
    assert.is(session.up, false)
    throws(() => faults.add.sync(1, 2), SessionTerminatedError)
  }))

test('TerminateProcess', () =>
  withFaults(async faults => {
    const error = await rejects(faults.func('terminate_with', [c_uint], null)(5), SessionCrashedError)
    assert.is((error as SessionCrashedError).exitCode, 5)
  }))

test('the last words of the Windows side are in the error', () =>
  withFaults(async faults => {
    await faults.func('print_error', [c_int], c_int)(2000)
    const error = await rejects(faults.func('exit_with', [c_uint], null)(1), SessionCrashedError)
    assert.match((error as SessionCrashedError).stderr ?? '', /eeee\n/)
  }))

test('the Windows process killed from outside, idle and busy', async () => {
  await withFaults(async (faults, session) => {
    process.kill(session.pid as number, 'SIGKILL')
    const error = await faults.add(1, 2).then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    assert.ok(error instanceof SessionCrashedError || error instanceof SessionTerminatedError, String(error))
  })
  await withFaults(async (faults, session) => {
    const hang = faults.func('hang', [c_int], c_int)(60_000)
    setTimeout(() => process.kill(session.pid as number, 'SIGKILL'), 100)
    await rejects(hang, SessionCrashedError, 'hang')
  })
})

test('other sessions live on', () =>
  withFaults(async (faults, session) => {
    await withFaults(async other => {
      await rejects(other.func('exit_with', [c_uint], null)(3), SessionCrashedError)
    })
    assert.is(session.up, true)
    assert.is(await faults.add(5, 6), 11)
  }))

test.run()
