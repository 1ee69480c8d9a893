import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import {
  AbortError,
  ArgumentError,
  c_int,
  DllNotFoundError,
  SessionCrashedError,
  SessionPool,
  SessionTerminatedError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, until } from '../support.js'

const test = sessionSuite('jobs in the session thread', { stderr: false })
const job = (name: string) => new URL(`./jobs/${name}.mjs`, import.meta.url)

test('a job runs there, every call synchronous', async ({ session }) => {
  const result = await session.runJob<{ sum: number; id: string }>(job('sums'), { dll: dll('numbers'), count: 2000 })
  assert.equal(result, { sum: 1999000, id: session.id })
})

test('a job is named as an import names a module: from the file that says so', async ({ session }) => {
  const input = { dll: dll('numbers'), count: 3 }
  assert.is((await session.runJob<{ sum: number }>('./jobs/sums.mjs', input)).sum, 3)
  await using pool = await SessionPool.start({ size: 1 })
  const later = async () => {
    await null
    return pool.run<{ sum: number }>('../life/jobs/sums.mjs', input)
  }
  assert.is((await later()).sum, 3)
  assert.is((await pool.run<{ sum: number }>(import.meta.resolve('./jobs/sums.mjs'), input)).sum, 3)
  await rejects(pool.run('./jobs/nowhere.mjs'), ArgumentError, '/session/life/jobs/nowhere.mjs cannot be loaded')
})

test('batches, memory, callbacks, texts and errors inside a job', async () => {
  const { CtypesSession } = await import('zugbruecke')
  await using session = await CtypesSession.start({ cwd: dirname(dll('numbers')) })
  const relative = `./${basename(dll('numbers'))}`
  const input = { numbers: dll('numbers'), texts: dll('texts'), callbacks: dll('callbacks'), relative }
  assert.equal(await session.runJob(job('everything'), input), {
    batch: [11, 12, 13],
    text: 'grün',
    filled: true,
    applied: 55n,
    memory: [1, 2, 0],
    six: 6,
    freed: 'MemoryAccessError',
    detail: 3,
    made: 3,
    missing: 'RoutineNotFoundError',
    words: true,
    value: 3,
    arch: session.getParameter('arch'),
    path: 'Z:\\tmp',
    kernel: 'c:\\windows\\system32\\kernel32.dll',
    relative: 3,
  })
})

test('calls of the caller and a job go on at the same time', async ({ session }) => {
  const add = session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
  const running = session.runJob<{ sum: number }>(job('sums'), { dll: dll('numbers'), count: 3000 })
  for (let i = 0; i < 300; i++) assert.is(await add(i, 1), i + 1)
  for (let i = 0; i < 300; i++) assert.is(add.sync(i, 1), i + 1)
  assert.is((await running).sum, 4498500)
})

test('its errors cross whole', async ({ session }) => {
  const thrown = await rejects(session.runJob(job('fails'), { how: 'throw' }), RangeError, 'from the job')
  assert.is((thrown as Error & { more?: number }).more, 5)
  const argument = await rejects(
    session.runJob(job('fails'), { how: 'argument', dll: dll('faults') }),
    ArgumentError,
    'argument 1',
  )
  assert.is(argument.position, 1)
  const missing = await rejects(session.runJob(job('fails'), { how: 'missing' }), DllNotFoundError, 'no-such.dll')
  assert.is(missing.code, 'ERR_ZUGBRUECKE_DLL_NOT_FOUND')
  assert.is(await session.runJob(job('fails'), { how: 'nothing' }), 'nothing')
})

test('causes of any kind, fields that cannot be cloned, and names that are also ours', async ({ session }) => {
  const caused = await rejects(session.runJob(job('fails'), { how: 'cause' }), Error, 'outer')
  assert.equal(caused.cause, { plain: [1, 2] })
  const theirs = await rejects(session.runJob(job('fails'), { how: 'abort' }), Error, 'theirs')
  assert.is(theirs.name, 'AbortError')
  assert.not.instance(theirs, AbortError)
})

test('a job that ends its thread ends the session: nothing waits for ever', async () => {
  const { CtypesSession } = await import('zugbruecke')
  for (const how of ['leave', 'later']) {
    const session = await CtypesSession.start({ stderr: false })
    const add = session.CDLL(dll('faults')).func('add', [c_int, c_int], c_int)
    const running = session.runJob(job('fails'), { how })
    if (how === 'leave') {
      const error = await rejects(running, SessionTerminatedError, 'worker thread')
      assert.match((error.cause as Error).message, 'exit code 3')
    } else assert.is(await running, 'later')
    await until(() => !session.up, 'the session ends')
    const error = await rejects(add(1, 2), SessionTerminatedError, 'worker thread')
    if (how === 'later') assert.is((error.cause as Error).message, 'too late')
    await session.terminate()
  }
})

test('jobs run one after the other; aborting one that waits takes it back', async () => {
  const { CtypesSession } = await import('zugbruecke')
  const session = await CtypesSession.start({ stderr: false })
  const controller = new AbortController()
  const first = session.runJob<{ sum: number }>(job('sums'), { dll: dll('numbers'), count: 5000 })
  const second = session.runJob(job('fails'), { how: 'nothing' }, { signal: controller.signal })
  controller.abort()
  await rejects(second, AbortError, 'not begun')
  await rejects(session.runJob(job('fails'), { how: 'nothing' }, { signal: AbortSignal.abort() }), AbortError)
  assert.is((await first).sum, 12497500)
  assert.is(session.up, true)
  await session.terminate()
})

test('what a callback throws where no call fails with it is a warning', async ({ session }) => {
  assert.equal(await session.runJob(job('warns'), { callbacks: dll('callbacks') }), {
    sum: 0n,
    warning: 'nobody waits for this',
  })
})

test('a result that cannot be sent is an error, and the session lives', async ({ session }) => {
  for (const how of ['function', 'functions', 'promise', 'symbol', 'getter']) {
    await rejects(session.runJob(job('returns'), how), ArgumentError, 'returns.mjs', 'plain data')
    assert.is(session.up, true)
  }
  assert.equal(await session.runJob(job('returns'), 'bytes'), { bytes: Uint8Array.of(1, 2) })
  assert.is(await session.runJob(job('returns'), 'later'), 5)
})

test('a module that is none, or has no function', async ({ session }) => {
  await rejects(session.runJob(job('no-default'), 1), ArgumentError, 'no-default', 'default export')
  await rejects(session.runJob(job('not-there'), 1), Error, 'not-there')
  await rejects(session.runJob(job('throws'), 1), Error, /^null$/)
  await rejects(session.runJob(job('sums'), { f: () => {} }), Error)
})

test('a crash inside a job', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  try {
    const error = await rejects(
      pool.run(job('fails'), { how: 'exit', dll: dll('faults') }),
      SessionCrashedError,
      'exit_with',
    )
    assert.is((error as SessionCrashedError).exitCode, 4)
    await until(() => pool.stats().idle === 1, 'the session is replaced')
    const { sum } = await pool.run<{ sum: number }>(job('sums'), { dll: dll('numbers'), count: 10 })
    assert.is(sum, 45)
  } finally {
    await pool.close()
  }
})

test('aborting a job ends its session, and the pool replaces it', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  try {
    const controller = new AbortController()
    const running = pool.run(job('fails'), { how: 'hang', dll: dll('faults') }, { signal: controller.signal })
    setTimeout(() => controller.abort(new RangeError('enough')), 200)
    const error = await rejects(running, AbortError, 'fails.mjs')
    assert.instance(error.cause, RangeError)
    await until(() => pool.stats().idle === 1, 'the session is replaced')
    assert.is(pool.stats().replaced, 1)
  } finally {
    await pool.close()
  }
})

test('a session that ends takes its job with it', async () => {
  const { CtypesSession } = await import('zugbruecke')
  const session = await CtypesSession.start({ stderr: false })
  const running = session.runJob(job('fails'), { how: 'hang', dll: dll('faults') })
  const settled = rejects(running, Error)
  setTimeout(() => void session.terminate(), 200)
  const error = await settled
  assert.ok(error instanceof SessionTerminatedError || error instanceof SessionCrashedError, String(error))
  await session.terminate()
  await rejects(session.runJob(job('sums'), {}), SessionTerminatedError)
})

test('a session may end while its thread loads what its first job needs', async () => {
  const { CtypesSession } = await import('zugbruecke')
  for (const milliseconds of [0, 10, 25, 50]) {
    const session = await CtypesSession.start({ stderr: false })
    const running = session.runJob<{ sum: number }>(job('sums'), { dll: dll('numbers'), count: 10 })
    const settled = running.then(
      ({ sum }) => assert.is(sum, 45),
      error => assert.instance(error, SessionTerminatedError),
    )
    await sleep(milliseconds)
    await session.terminate()
    await settled
  }
})

test.run()
