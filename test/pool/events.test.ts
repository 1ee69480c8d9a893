/** What a pool tells of its sessions, and sessions that are replaced because they have done enough. */
import * as assert from 'uvu/assert'
import { ArgumentError, type CtypesSession, c_int, c_uint, SessionCrashedError, SessionPool } from 'zugbruecke'
import { suiteAtOnce } from '../at-once.js'
import { dll, rejects, throws, until } from '../session/support.js'

const test = suiteAtOnce('a pool: events and recycling', 3)
const add = (pool: SessionPool) => pool.func(dll('numbers'), 'add', [c_int, c_int], c_int)

/** All events of a pool, in order: their names, and the sessions that they are about. */
function heard(pool: SessionPool): [event: string, session: string, before?: string][] {
  const events: [string, string, string?][] = []
  pool.on('sessionStart', ({ id }) => void events.push(['sessionStart', id]))
  pool.on('sessionDeath', ({ id }) => void events.push(['sessionDeath', id]))
  pool.on('replaced', ({ id }, before) => void events.push(['replaced', id, before.id]))
  return events
}

test('a session that dies is told of, and the one that takes its place', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  try {
    const events = heard(pool)
    const errors: Error[] = []
    const listener = (_: CtypesSession, error: Error) => void errors.push(error)
    assert.is(pool.on('sessionDeath', listener), pool)
    const first = await pool.use(session => session.id)
    await rejects(pool.func(dll('faults'), 'exit_with', [c_uint], null)(9), SessionCrashedError)
    const second = await pool.use(session => session.id)
    assert.equal(events, [
      ['sessionDeath', first],
      ['sessionStart', second],
      ['replaced', second, first],
    ])
    assert.is(errors.length, 1)
    assert.match((errors[0].cause as Error).message, 'exit_with')
    pool.off('sessionDeath', listener)
    await rejects(pool.func(dll('faults'), 'exit_with', [c_uint], null)(9), SessionCrashedError)
    await until(() => events.length === 6, 'another takes its place')
    assert.is(errors.length, 1)
  } finally {
    await pool.close()
  }
})

test('sessions that end with the pool have not died', async () => {
  const pool = await SessionPool.start({ size: 2, stderr: false })
  const events = heard(pool)
  await pool.close()
  assert.equal(events, [])
})

test('there are no other events, and only functions hear of them', async () => {
  const pool = await SessionPool.start({ size: 1, stderr: false })
  try {
    throws(() => pool.on('end' as never, () => {}), ArgumentError, 'sessionStart', 'sessionDeath', 'replaced', "'end'")
    throws(() => pool.on('replaced', 5 as never), ArgumentError, 'replaced', 'a function')
    throws(() => pool.off('replaced', 'x' as never), ArgumentError, 'a function')
  } finally {
    await pool.close()
  }
})

test('sessions that have done enough are replaced one after the other, and no work is lost', async () => {
  const pool = await SessionPool.start({ size: 2, recycleAfterCalls: 10, stderr: false })
  try {
    const events = heard(pool)
    // while one is replaced the other goes on, so it takes some rounds until each has had its turn
    for (let round = 0; round < 1000 && pool.stats().replaced < 2; round++) {
      const sums = await Promise.all(Array.from({ length: 100 }, (_, i) => add(pool)(i, 1)))
      assert.equal(
        sums,
        sums.map((_, i) => i + 1),
      )
    }
    await until(() => pool.stats().idle === 2, 'the last one is replaced')
    const replaced = events.filter(([event]) => event === 'replaced')
    assert.ok(replaced.length >= 2)
    assert.is(pool.stats().replaced, replaced.length)
    assert.is(pool.stats().failed, 0)
    assert.not(events.some(([event]) => event === 'sessionDeath'))
    // whose place is taken has gone before, and another goes only then
    assert.equal(
      events.map(([event]) => event),
      replaced.flatMap(() => ['sessionStart', 'replaced']),
    )
  } finally {
    await pool.close()
  }
})

test('a spare session takes the place of one that has done enough', async () => {
  const pool = await SessionPool.start({ size: 1, spare: 1, recycleAfterCalls: 1, stderr: false })
  try {
    const one = await pool.use(session => session.id)
    assert.is(pool.stats().idle, 1)
    assert.is.not(await pool.use(session => session.id), one)
  } finally {
    await pool.close()
  }
})

test('a session whose memory has grown is replaced', async () => {
  const limit = 256 * 1024 * 1024
  const pool = await SessionPool.start({ size: 1, recycleAfterBytes: limit, stderr: false })
  try {
    const first = await pool.use(session => session.id)
    assert.is(await pool.use(session => session.id), first)
    await pool.use(async session => {
      const leaked = await session.memory.alloc(limit)
      leaked.write(new Uint8Array(limit).fill(1))
    })
    assert.is.not(await pool.use(session => session.id), first)
  } finally {
    await pool.close()
  }
})

test('what is no limit is refused', async () => {
  for (const option of ['recycleAfterCalls', 'recycleAfterBytes'])
    for (const bad of [0, -1, 1.5, '5', null])
      await rejects(SessionPool.start({ [option]: bad } as never), ArgumentError, option, 'whole number from 1')
})

test.run()
