import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  ArgumentError,
  ConfigError,
  type CtypesSession,
  c_int,
  c_uint,
  DllNotFoundError,
  QueueFullError,
  SessionCrashedError,
  SessionPool,
  SessionTerminatedError,
  SetupError,
} from 'zugbruecke'
import { dll, rejects, sleep, throws, until } from '../session/support.js'

const test = suite<{ pool: SessionPool }>('pool')
test.before(async context => {
  context.pool = await SessionPool.start({ size: 2, stderr: false })
})
test.after(async ({ pool }) => {
  await pool.close()
})

test('its sessions are up, and idle', ({ pool }) => {
  const { size, idle, busy, starting, queued } = pool.stats()
  assert.equal({ size, idle, busy, starting, queued }, { size: 2, idle: 2, busy: 0, starting: 0, queued: 0 })
})

test('use borrows a session for as long as the work takes', async ({ pool }) => {
  const ids = new Set<string>()
  let running = 0
  let most = 0
  const values = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      pool.use(async session => {
        ids.add(session.id)
        most = Math.max(most, ++running)
        const sum = await session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)(i, 1)
        running--
        return sum
      }),
    ),
  )
  values.forEach((value, i) => assert.is(value, i + 1))
  assert.is(ids.size, 2)
  assert.is(most, 2)
  assert.is(await pool.use(() => 5), 5)
})

test('an error of the work is its own, and the session stays', async ({ pool }) => {
  const boom = new RangeError('boom')
  const { failed, replaced } = pool.stats()
  assert.is(
    await rejects(
      pool.use(() => Promise.reject(boom)),
      RangeError,
    ),
    boom,
  )
  await rejects(
    pool.use(() => {
      throw boom
    }),
    RangeError,
  )
  assert.is(pool.stats().failed, failed + 2)
  assert.is(pool.stats().replaced, replaced)
  assert.is(pool.stats().idle, 2)
})

test('a session that dies is replaced, its work rejected', async ({ pool }) => {
  const { replaced } = pool.stats()
  const crash = pool.use(session => session.CDLL(dll('faults')).func('exit_with', [c_uint], null)(9))
  const error = (await rejects(crash, SessionCrashedError, 'exit_with')) as SessionCrashedError
  assert.is(error.exitCode, 9)
  await until(() => pool.stats().replaced === replaced + 1 && pool.stats().idle === 2, 'another takes its place')
  const sums = await Promise.all(
    [1, 2, 3, 4].map(i => pool.use(session => session.CDLL(dll('faults')).func('add', [c_int, c_int], c_int)(i, i))),
  )
  assert.equal(sums, [2, 4, 6, 8])
})

test('work is done again where retries allow it', async () => {
  const pool = await SessionPool.start({ size: 1, retries: 2, stderr: false })
  try {
    let tries = 0
    const value = await pool.use(async session => {
      tries++
      const faults = session.CDLL(dll('faults'))
      if (tries < 3) await faults.func('exit_with', [c_uint], null)(1)
      return faults.func('add', [c_int, c_int], c_int)(40, 2)
    })
    assert.is(value, 42)
    assert.is(tries, 3)
    tries = 0
    const never = pool.use(async session => {
      tries++
      await session.CDLL(dll('faults')).func('exit_with', [c_uint], null)(1)
    })
    await rejects(never, SessionCrashedError)
    assert.is(tries, 3)
    await rejects(
      pool.use(() => {
        tries++
        throw new RangeError('not a death')
      }),
      RangeError,
    )
    assert.is(tries, 4)
  } finally {
    await pool.close()
  }
})

test('waiting work is bounded', async () => {
  const pool = await SessionPool.start({ size: 1, maxQueue: 2 })
  try {
    let release = () => {}
    const held = pool.use(() => new Promise<void>(resolve => (release = resolve)))
    const waiting = [pool.use(() => 1), pool.use(() => 2)]
    await rejects(
      pool.use(() => 3),
      QueueFullError,
      'maxQueue',
    )
    assert.is(pool.stats().queued, 2)
    release()
    await held
    assert.equal(await Promise.all(waiting), [1, 2])
    assert.is(await pool.use(() => 4), 4)
  } finally {
    await pool.close()
  }
})

test('work whose signal is aborted while it waits does not run', async () => {
  const pool = await SessionPool.start({ size: 1 })
  try {
    const controller = new AbortController()
    let ran = false
    const held = pool.use(() => sleep(50))
    const waiting = pool.use(
      () => {
        ran = true
      },
      { signal: controller.signal },
    )
    const gone = pool.use(() => 1, { signal: AbortSignal.abort(new RangeError('before')) })
    assert.instance((await rejects(gone, AbortError)).cause, RangeError)
    assert.is(pool.stats().queued, 1)
    let over = false
    void held.then(() => {
      over = true
    })
    controller.abort()
    assert.is(pool.stats().queued, 0)
    await rejects(waiting, AbortError, 'waited')
    assert.is(over, false, 'at once')
    await held
    assert.is(ran, false)
  } finally {
    await pool.close()
  }
})

test('a closed pool refuses, and what waits or runs fails', async () => {
  const pool = await SessionPool.start({ size: 1, timeout_stop: 0.5 })
  const running = pool.use(session => session.CDLL(dll('faults')).func('hang', [c_int], c_int)(60_000))
  const waiting = pool.use(() => 1)
  const settled = Promise.allSettled([running, waiting])
  await pool.close()
  for (const { status, reason } of (await settled) as PromiseRejectedResult[]) {
    assert.is(status, 'rejected')
    assert.instance(reason, SessionTerminatedError)
  }
  await rejects(
    pool.use(() => 1),
    SessionTerminatedError,
    'closed',
  )
  await pool.close()
})

test('a pool that lost its sessions tries again when there is work', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  const crash = () => pool.use(session => session.CDLL(dll('faults')).func('exit_with', [c_uint], null)(9))
  try {
    process.env.ZUGBRUECKE_PYTHON = '/nonexistent/python.exe'
    await rejects(crash(), SessionCrashedError)
    await until(() => pool.stats().replaced === 1 && pool.stats().starting === 0, 'the replacement fails')
    await rejects(
      pool.use(() => 1),
      SetupError,
    )
    delete process.env.ZUGBRUECKE_PYTHON
    assert.is(await pool.use(() => 2), 2)
    assert.is(pool.stats().idle, 1)
  } finally {
    delete process.env.ZUGBRUECKE_PYTHON
    await pool.close()
  }
})

test('closing waits for sessions that are being started', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  await rejects(
    pool.use(session => session.CDLL(dll('faults')).func('exit_with', [c_uint], null)(9)),
    SessionCrashedError,
  )
  await until(() => pool.stats().starting === 1, 'another is started')
  await pool.close()
  assert.is(pool.stats().starting, 0)
})

test('what a pool cannot be', async () => {
  for (const size of [0, -1, 1.5, '2']) await rejects(SessionPool.start({ size: size as never }), ArgumentError)
  for (const bad of [{ maxQueue: -1 }, { maxQueue: 0.5 }, { retries: Number.NaN }, { spare: -1 }, { spare: 2000 }])
    for (const start of [SessionPool.start, (given: object) => SessionPool.open(dll('numbers'), given)])
      await rejects(start(bad as never), ArgumentError, `"${Object.keys(bad)[0]}"`, 'pool')
  await rejects(SessionPool.open('./no-such.dll'), DllNotFoundError, 'no-such.dll')
  await rejects(SessionPool.open(dll('numbers'), { spares: 1 } as never), ConfigError, 'Did you mean "spare"?')
  await rejects(SessionPool.start({ id: 'mine' } as never), ConfigError, '"id"')
  await rejects(SessionPool.start({ arch: 'arm' } as never), ConfigError, 'arm')
  await rejects(SessionPool.start({ sizes: 2 } as never), ConfigError, 'pool', '"sizes"', 'Did you mean "size"?')
  await rejects(SessionPool.start({ maxqueue: 2 } as never), ConfigError, 'Did you mean "maxQueue"?')
  await rejects(SessionPool.start({ archh: 'win64' } as never), ConfigError, 'archh')
  await rejects(SessionPool.start({ size: 2, python: '/nonexistent' }), SetupError)
  assert.instance(new AbortError('x'), Error)
})

test('a routine of the pool runs in whichever session is free', async ({ pool }) => {
  const add = pool.func(dll('numbers'), 'add', [c_int, c_int], c_int)
  const values: readonly number[] = await Promise.all(Array.from({ length: 50 }, (_, i) => add(i, 1)))
  values.forEach((value, i) => assert.is(value, i + 1))
  assert.is(await pool.func<[number, number], number>(dll('numbers'), 'int add(int, int)')(3, 4), 7)
  const columns = [Int32Array.of(1, 2, 3), 10] as const
  const rows: Int32Array = await add.batch(columns)
  assert.equal([...rows], [11, 12, 13])
  const detail = await add.batch(columns, { detail: true })
  assert.equal([...detail.results], [11, 12, 13])
  assert.is(await add.with({ timeout: 5000 })(1, 2), 3)
  await rejects(add.with({ signal: AbortSignal.abort() })(1, 2), AbortError)
  await rejects(add('x' as never, 2), ArgumentError, 'numbers')
  throws(() => pool.func(dll('numbers'), 'int add(int, nonsense)'), ArgumentError, 'nonsense')
  await rejects(pool.func('no-such.dll', 'int add(int, int)')(1, 2), DllNotFoundError, 'no-such.dll')
})

test('a routine of the pool outlives the sessions that it ran in', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  try {
    const add = pool.func(dll('numbers'), 'add', [c_int, c_int], c_int)
    assert.is(await add(1, 2), 3)
    await rejects(pool.func(dll('faults'), 'void exit_with(unsigned)')(3), SessionCrashedError)
    assert.is(await add(1, 2), 3)
    assert.equal([...(await add.batch([[1, 2], 3]))], [4, 5])
  } finally {
    await pool.close()
  }
})

test('each new session is set up before it takes work', async () => {
  const seen: string[] = []
  const pool = await SessionPool.start({
    size: 2,
    stderr: false,
    setup: async session => {
      assert.is(await session.CDLL(dll('numbers')).add(1, 2), 3)
      seen.push(session.id)
    },
  })
  try {
    assert.is(new Set(seen).size, 2)
    await rejects(pool.func(dll('faults'), 'void exit_with(unsigned)')(3), SessionCrashedError)
    await until(() => pool.stats().idle === 2, 'a new session')
    assert.is(new Set(seen).size, 3)
  } finally {
    await pool.close()
  }
  const boom = new RangeError('not set up')
  const refuse = () => Promise.reject(boom)
  assert.is(await rejects(SessionPool.start({ size: 1, setup: refuse }), RangeError), boom)
  const crash = (session: CtypesSession) => session.CDLL(dll('faults')).exit_with(3) as Promise<void>
  await rejects(SessionPool.start({ size: 1, setup: crash, stderr: false }), SessionCrashedError)
})

test.run()
