import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  AccessViolationError,
  ArgumentError,
  BatchError,
  c_int,
  QueueFullError,
  SessionCrashedError,
  SessionPool,
} from 'zugbruecke'
import { dll, rejects, sleep, until } from '../session/support.js'

const test = suite<{ pool: SessionPool }>('map')
test.before(async context => {
  context.pool = await SessionPool.start({ size: 2, stderr: false })
})
test.after(async ({ pool }) => {
  await pool.close()
})
const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i)

test('map splits a batch, the results are in order', async ({ pool }) => {
  for (const rows of [1, 2, 1000, 300_000]) {
    const results = (await pool.map(dll('rows'), 'int add(int, int)', [count(rows), 5])) as Int32Array
    assert.instance(results, Int32Array)
    assert.is(results.length, rows)
    assert.ok(results.every((value, i) => value === i + 5))
  }
  const chunked = (await pool.map(
    dll('rows'),
    'double twice_double(double)',
    [Array.from({ length: 1000 }, (_, i) => i)],
    {
      chunk: 7,
    },
  )) as Float64Array
  assert.ok(chunked.every((value, i) => value === 2 * i))
  const texts = (await pool.map(dll('rows'), 'const char *parity(int)', [count(50)], { chunk: 8 })) as unknown[]
  assert.is(texts[49], 'odd')
  assert.is(texts.length, 50)
})

test('map over no rows is an empty result', async ({ pool }) => {
  assert.equal(await pool.map(dll('rows'), 'int add(int, int)', [new Int32Array(0), 1]), new Int32Array(0))
})

test('map refuses what batch refuses', async ({ pool }) => {
  await rejects(pool.map(dll('rows'), 'int add(int, int)', [1, 2]), ArgumentError, 'rows')
  await rejects(pool.map(dll('rows'), 'int add(int, int)', [count(3), count(4)]), ArgumentError, '3', '4')
  await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1, 'x']]), ArgumentError)
  await rejects(pool.map(dll('rows'), 'int no_such(int)', [[1]]), Error, 'no_such')
  await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1], 1], { chunk: 0 }), ArgumentError, 'chunk')
  await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1]]), ArgumentError, '2 columns')
})

test('map tells its progress, and stops by its signal', async ({ pool }) => {
  let last = 0
  await pool.map(dll('rows'), 'int add(int, int)', [count(100_000), 1], {
    chunk: 10_000,
    onProgress: (done, total) => {
      assert.is(total, 100_000)
      assert.ok(done > last)
      last = done
    },
  })
  assert.is(last, 100_000)
  const controller = new AbortController()
  const stopped = pool.map(dll('rows'), 'int add(int, int)', [count(1_000_000), 1], {
    chunk: 1000,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  await rejects(stopped, AbortError, 'add', '1000000')
  await until(() => pool.stats().idle === 2, 'both sessions are idle again')
})

test('memory of the caller is a column, and comes back changed', async ({ pool }) => {
  const numbers = count(200_000)
  assert.is(await pool.map(dll('rows'), 'void double_it(int *value)', [numbers], { chunk: 1000 }), undefined)
  assert.ok(numbers.every((value, i) => value === 2 * i))
  const cells = new (c_int.array(5000))(...Array.from({ length: 5000 }, (_, i) => i))
  await pool.map(dll('rows'), 'void double_it(int *value)', [cells], { chunk: 100 })
  assert.is(cells[4999], 9998)
  // as bytes: four make a row
  const bytes = new Uint8Array(count(3000).buffer)
  await pool.map(dll('rows'), 'void double_it(int *value)', [bytes], { chunk: 100 })
  assert.is(new Int32Array(bytes.buffer)[2999], 5998)
})

test('out parameters, addresses and texts, from whichever session', async ({ pool }) => {
  const texts = (await pool.map(dll('rows'), 'const wchar_t *wide_parity(int)', [count(5000)], {
    chunk: 64,
  })) as string[]
  texts.forEach((text, i) => assert.is(text, i & 1 ? 'üngerade' : 'gerade'))
  const addresses = (await pool.map(dll('rows'), 'void *pointer_of(unsigned long long)', [count(1000)], {
    chunk: 64,
  })) as BigInt64Array
  assert.ok(addresses.every((address, i) => address === BigInt(i)))
})

test('rows that fail are those of one batch', async ({ pool }) => {
  const given = [count(40_000), 100]
  const { results, errors, out } = await pool.map(dll('faults'), 'int maybe(int, int)', given, {
    chunk: 777,
    detail: true,
  })
  assert.equal(out, [])
  assert.is(errors.length, 400)
  errors.forEach(({ row, error }, i) => {
    assert.is(row, 100 * i)
    assert.instance(error, AccessViolationError)
  })
  ;(results as Int32Array).forEach((value, row) => assert.is(value, row % 100 ? 2 * row : 0))
  const error = (await rejects(
    pool.map(dll('faults'), 'int maybe(int, int)', given),
    BatchError,
    'row 0',
    '399',
  )) as BatchError
  assert.is(error.errors.at(-1)?.row, 39_900)
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
