/** What `map` of a SessionPool does beyond what every pool promises (face.ts). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AbortError, c_int, QueueFullError, SessionCrashedError, SessionPool } from 'zugbruecke'
import { dll, rejects, sleep, until } from '../session/support.js'

const test = suite<{ pool: SessionPool }>('map')
test.before(async context => {
  context.pool = await SessionPool.start({ size: 2, stderr: false })
})
test.after(async ({ pool }) => {
  await pool.close()
})

test('memory that is a column: objects of ctypes, and bytes', async ({ pool }) => {
  const cells = new (c_int.array(5000))(...Array.from({ length: 5000 }, (_, i) => i))
  await pool.map(dll('rows'), 'void double_it(int *value)', [cells], { chunk: 100 })
  assert.is(cells[4999], 9998)
  // four make a row
  const bytes = new Uint8Array(Int32Array.from({ length: 3000 }, (_, i) => i).buffer)
  await pool.map(dll('rows'), 'void double_it(int *value)', [bytes], { chunk: 100 })
  assert.is(new Int32Array(bytes.buffer)[2999], 5998)
})

test('a map that is stopped leaves its sessions idle', async ({ pool }) => {
  const controller = new AbortController()
  const stopped = pool.map(dll('rows'), 'int add(int, int)', [new Int32Array(1_000_000), 1], {
    chunk: 1000,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  await rejects(stopped, AbortError, 'add', '1000000')
  await until(() => pool.stats().idle === 2, 'both sessions are idle again')
})

/** Kills a session of the pool as soon as rows of a map are done, and gives what became of the map. */
async function killedMidway(pool: SessionPool): Promise<Int32Array> {
  const pids = new Set<number>()
  await Promise.all(
    [1, 2].map(() =>
      pool.use(async session => {
        pids.add(session.pid as number)
        // both have loaded it: what ends midway is a call
        await session.CDLL(dll('rows')).func('int rest(int)')(20)
      }),
    ),
  )
  const [victim] = pids
  let killed = false
  const results = await pool.map(dll('rows'), 'int rest(int)', [new Int32Array(300).fill(1)], {
    chunk: 5,
    onProgress() {
      if (!killed) process.kill(victim, 'SIGKILL')
      killed = true
    },
  })
  return results as Int32Array
}

test('a session that dies midway: what it had is done by another, where retries allow it', async () => {
  const pool = await SessionPool.start({ size: 2, stderr: false, retries: 1 })
  try {
    const results = await killedMidway(pool)
    assert.is(results.length, 300)
    assert.ok(results.every(value => value === 1))
    await until(() => pool.stats().replaced === 1, 'another took its place')
  } finally {
    await pool.close()
  }
})

test('a session that dies midway ends the map, where they do not', async () => {
  const pool = await SessionPool.start({ size: 2, stderr: false })
  try {
    await rejects(killedMidway(pool), SessionCrashedError, 'rest')
    await until(() => pool.stats().idle === 2, 'two sessions are idle again')
    assert.equal(await pool.map(dll('rows'), 'int add(int, int)', [[1, 2], 1]), Int32Array.of(2, 3))
  } finally {
    await pool.close()
  }
})

test('other work gets its turn during a long map', async ({ pool }) => {
  let ended = false
  const long = pool.map(dll('rows'), 'int rest(int)', [new Int32Array(400).fill(2)], { chunk: 1 }).finally(() => {
    ended = true
  })
  await sleep(50)
  assert.is(await pool.use(() => 7), 7)
  assert.is(ended, false)
  await long
})

test('a full queue refuses a map, and never one that is under way', async () => {
  const pool = await SessionPool.start({ size: 1, maxQueue: 1 })
  try {
    const long = pool.map(dll('rows'), 'int rest(int)', [new Int32Array(100).fill(2)], { chunk: 1 })
    await sleep(30)
    const waiting = [pool.use(() => 1)]
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1], 1]), QueueFullError)
    assert.equal(await Promise.all(waiting), [1])
    assert.is(((await long) as Int32Array).length, 100)
  } finally {
    await pool.close()
  }
})

test.run()
