/** How a pool keeps its sessions: spares, starts that fail, sessions that die without work. Real processes, which are killed. */
// waits: for pauses between tries to start a session
import * as assert from 'uvu/assert'
import {
  type CtypesSession,
  c_uint,
  SessionCrashedError,
  SessionPool,
  SessionStartError,
  SessionTerminatedError,
  SetupError,
} from 'zugbruecke'
import { suiteAtOnce } from '../at-once.js'
import { dll, rejects, until } from '../session/support.js'

const test = suiteAtOnce('sessions of a pool: how they are replaced', 3)
const crash = (pool: SessionPool) =>
  rejects(
    pool.use(session => session.CDLL(dll('faults')).func('exit_with', [c_uint], null)(9)),
    SessionCrashedError,
    'exit_with',
  )
const kill = (session: CtypesSession) => process.kill(session.pid as number, 'SIGKILL')

test('a spare session takes the place of one that died, and another is started', async () => {
  const made: CtypesSession[] = []
  const pool = await SessionPool.start({ size: 1, spare: 2, stderr: false, setup: session => void made.push(session) })
  try {
    const { size, idle, spare, health } = pool.stats()
    assert.equal([size, idle, spare, health], [1, 1, 2, 'healthy'])
    assert.is(made.length, 3)
    // the spare ones do not work beside the others
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 5))
      running--
    }
    await Promise.all(Array.from({ length: 6 }, () => pool.use(work)))
    assert.is(most, 1)
    for (let round = 0; round < 2; round++) {
      const known = made.map(({ id }) => id)
      await crash(pool)
      // there and idle as soon as the death is told
      assert.is(pool.stats().idle, 1)
      assert.ok(known.includes(await pool.use(session => session.id)))
      await until(() => pool.stats().spare === 2, 'another is started')
    }
    assert.is(made.length, 5)
    assert.is(pool.stats().replaced, 2)
    assert.equal([pool.stats().idle, pool.stats().health, pool.stats().failedStarts], [1, 'healthy', 0])
    assert.instance(pool.stats().lastError, SessionTerminatedError)
  } finally {
    await pool.close()
  }
  assert.ok(made.every(session => !session.up))
})

test('a spare session that dies is replaced, too', async () => {
  const made: CtypesSession[] = []
  const pool = await SessionPool.start({ size: 1, spare: 1, stderr: false, setup: session => void made.push(session) })
  try {
    const working = await pool.use(session => session)
    kill(made.find(session => session !== working) as CtypesSession)
    await until(() => made.length === 3 && pool.stats().spare === 1, 'another is started')
    assert.is(await pool.use(session => session.id), working.id)
    assert.is(pool.stats().replaced, 1)
  } finally {
    await pool.close()
  }
})

test('work may end its session, and the next has a new one: a DLL that leaks', async () => {
  const pool = await SessionPool.start({ size: 1, spare: 1 })
  try {
    const ids = new Set<string>()
    for (let i = 0; i < 3; i++)
      await pool.use(async session => {
        ids.add(session.id)
        await session.terminate()
      })
    assert.is(ids.size, 3)
    assert.is(await pool.func<[number, number], number>(dll('numbers'), 'int add(int, int)')(1, 2), 3)
  } finally {
    await pool.close()
  }
})

test('a start that fails is tried again, and work waits for it', async () => {
  let failures = 0
  const seen: number[] = []
  const pool = await SessionPool.start({
    size: 2,
    stderr: false,
    setup: () => {
      if (failures === 0) return
      seen.push(pool.stats().failedStarts)
      failures--
      throw new RangeError('not yet')
    },
  })
  try {
    failures = 3
    const sessions = await Promise.all(
      [1, 2].map(() =>
        pool.use(async session => {
          await wait(20)
          return session
        }),
      ),
    )
    assert.is(new Set(sessions).size, 2)
    for (const session of sessions) kill(session)
    await until(() => pool.stats().idle === 0 && pool.stats().replaced === 2, 'both are gone')
    const waiting = pool.use(() => 5)
    assert.is(await waiting, 5)
    await until(() => pool.stats().idle === 2, 'both are replaced', 20)
    assert.equal([pool.stats().failedStarts, pool.stats().health], [0, 'healthy'])
    assert.is(failures, 0)
    assert.ok(
      seen.some(count => count > 0),
      'the failures were counted',
    )
    assert.is((pool.stats().lastError as Error).message, 'not yet')
  } finally {
    await pool.close()
  }
})

test('where no session can be started, work that waits is told so, once and after some tries', async () => {
  let broken = false
  let tries = 0
  const boom = new RangeError('no licence')
  const pool = await SessionPool.start({
    size: 2,
    stderr: false,
    setup: () => {
      if (!broken) return
      tries++
      throw boom
    },
  })
  try {
    broken = true
    await Promise.all([crash(pool), crash(pool)])
    const errors = await Promise.all(
      [1, 2, 3].map(() =>
        rejects(
          pool.use(() => 1),
          SessionStartError,
          '5 times in a row',
          'no licence',
        ),
      ),
    )
    for (const { cause } of errors) assert.is(cause, boom)
    // two began together and failed as one; the rest one by one
    assert.ok(tries <= 6, `${tries} starts`)
    assert.equal([pool.stats().health, pool.stats().idle, pool.stats().failedStarts], ['down', 0, 5])
    assert.is(pool.stats().lastError, boom)
    // what comes later waits for the next try, and no longer
    await rejects(pool.func(dll('numbers'), 'int add(int, int)')(1, 2), SessionStartError, '6 times in a row')
    broken = false
    assert.is(await pool.use(() => 2), 2)
    await until(() => pool.stats().health === 'healthy', 'both are up again', 20)
  } finally {
    await pool.close()
  }
})

test('sessions that come up and die before they have worked are not started in a hot loop', async () => {
  let starts = 0
  let healthy = true
  const pool = await SessionPool.start({
    size: 1,
    stderr: false,
    setup: session => {
      starts++
      if (!healthy) setImmediate(() => kill(session))
    },
  })
  try {
    healthy = false
    await crash(pool)
    await until(() => pool.stats().replaced >= 4, 'some have died', 30)
    // each as one more try that failed: the pause before the next grows
    assert.ok(pool.stats().failedStarts >= 2, `${pool.stats().failedStarts} of ${starts}`)
    assert.instance(pool.stats().lastError, SessionTerminatedError)
    healthy = true
    await until(() => pool.stats().health === 'healthy' && pool.stats().failedStarts === 0, 'one stays', 30)
    assert.is(await pool.use(() => 3), 3)
  } finally {
    await pool.close()
  }
})

test('a session that dies while it is set up, in a setup that waits for something else', async () => {
  const hanging = (session: CtypesSession) => {
    setImmediate(() => kill(session))
    return new Promise<void>(() => {})
  }
  await rejects(SessionPool.start({ size: 1, stderr: false, setup: hanging }), SessionTerminatedError)
})

test('a pool can be closed while a session is set up that never will be', async () => {
  let begun = false
  let hangs = false
  const pool = await SessionPool.start({
    size: 1,
    stderr: false,
    setup: () => {
      begun = hangs
      return hangs ? new Promise<void>(() => {}) : undefined
    },
  })
  hangs = true
  await crash(pool)
  await until(() => begun, 'another is set up')
  assert.equal([pool.stats().starting, pool.stats().health], [1, 'down'])
  const waiting = rejects(
    pool.use(() => 1),
    SessionTerminatedError,
    'closed',
  )
  await pool.close()
  await waiting
})

// it changes the environment of whoever starts a session meanwhile
test.alone('what no other try can mend is told at once', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  try {
    process.env.ZUGBRUECKE_PYTHON = '/nonexistent/python.exe'
    await crash(pool)
    await rejects(
      pool.use(() => 1),
      SetupError,
      '/nonexistent',
    )
    delete process.env.ZUGBRUECKE_PYTHON
    assert.is(await pool.use(() => 2), 2)
  } finally {
    delete process.env.ZUGBRUECKE_PYTHON
    await pool.close()
  }
})

const wait = (milliseconds: number) => new Promise<void>(resolve => setTimeout(resolve, milliseconds))

test.run()
