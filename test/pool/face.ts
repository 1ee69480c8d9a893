/** What every pool promises, whether its sessions are in this program or on other machines. */
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  AccessViolationError,
  ArgumentError,
  BatchError,
  DllNotFoundError,
  type Pool,
  RoutineNotFoundError,
  SessionCrashedError,
  SessionTerminatedError,
} from 'zugbruecke'
import { dll, rejects, until } from '../session/support.js'

export interface WithPool {
  pool: Pool
  another(): Promise<Pool>
  close(): Promise<void>
}
export interface PoolUnderTest {
  readonly pool: Pool
  /** Another of two sessions. */
  another(): Promise<Pool>
  /** Ends it and what is behind it. */
  close(): Promise<void>
}

const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i)
const job = (name: string) => new URL(`../session/life/jobs/${name}.mjs`, import.meta.url)

/** Fills the suite; `open` gives a pool of two sessions without retries. */
export function poolFace(test: Test<WithPool>, open: () => Promise<PoolUnderTest>): void {
  test.before(async context => {
    try {
      Object.assign(context, await open())
    } catch (error) {
      console.error(error)
      throw error
    }
  })
  test.after(async ({ close }) => {
    await close?.()
  })

  test('map splits a batch, the results are in order', async ({ pool }) => {
    for (const rows of [1, 2, 1000, 300_000]) {
      const results = (await pool.map(dll('rows'), 'int add(int, int)', [count(rows), 5])) as Int32Array
      assert.instance(results, Int32Array)
      assert.is(results.length, rows)
      assert.ok(results.every((value, i) => value === i + 5))
    }
    const given = Array.from({ length: 1000 }, (_, i) => i)
    const chunked = (await pool.map(dll('rows'), 'double twice_double(double)', [given], { chunk: 7 })) as Float64Array
    assert.ok(chunked.every((value, i) => value === 2 * i))
    assert.equal(await pool.map(dll('rows'), 'int add(int, int)', [new Int32Array(0), 1]), new Int32Array(0))
  })

  test('texts there and back, out parameters, addresses', async ({ pool }) => {
    const texts = (await pool.map(dll('rows'), 'const wchar_t *wide_parity(int)', [count(5000)], {
      chunk: 640,
    })) as string[]
    texts.forEach((text, i) => assert.is(text, i & 1 ? 'üngerade' : 'gerade'))
    const narrow = (await pool.map(dll('rows'), 'const char *parity(int)', [count(50)], { chunk: 8 })) as unknown[]
    assert.is(narrow[49], 'odd')
    const words = ['', 'a', 'grün', null, 'x'.repeat(300), 'last']
    const lengths = await pool.map('msvcrt', 'size_t strlen(const char *)', [words.map(word => word ?? 'null')])
    assert.equal([...(lengths as BigUint64Array)].map(Number), [0, 1, 5, 4, 300, 4])
    const many = Array.from({ length: 20_000 }, (_, i) => 'z'.repeat(i % 37))
    const each = (await pool.map('msvcrt', 'size_t strlen(const char *)', [many])) as BigUint64Array
    each.forEach((length, i) => assert.is(Number(length), i % 37))
    const addresses = (await pool.map(dll('rows'), 'void *pointer_of(unsigned long long)', [count(1000)], {
      chunk: 64,
    })) as BigInt64Array
    assert.ok(addresses.every((address, i) => address === BigInt(i)))
    const out = (await pool.map('msvcrt', 'double modf(double, out(double))', [[1.5, 2.25]])) as unknown[]
    assert.equal(out, [Float64Array.of(0.5, 0.25), Float64Array.of(1, 2)])
  })

  test('memory of the caller is a column, and comes back changed', async ({ pool }) => {
    const numbers = count(200_000)
    assert.is(await pool.map(dll('rows'), 'void double_it(int *value)', [numbers]), undefined)
    assert.ok(numbers.every((value, i) => value === 2 * i))
  })

  test('rows that fail are those of one batch', async ({ pool }) => {
    const given = [count(40_000), 100]
    const options = { chunk: 7770, detail: true } as const
    const { results, errors, out } = await pool.map(dll('faults'), 'int maybe(int, int)', given, options)
    assert.equal(out, [])
    assert.is(errors.length, 400)
    errors.forEach(({ row, error }, i) => {
      assert.is(row, 100 * i)
      assert.instance(error, AccessViolationError)
      assert.match(error.message, 'maybe')
    })
    ;(results as Int32Array).forEach((value, row) => assert.is(value, row % 100 ? 2 * row : 0))
    const all = pool.map(dll('faults'), 'int maybe(int, int)', given)
    const error = (await rejects(all, BatchError, 'row 0', '399', 'maybe')) as BatchError
    assert.is(error.errors.at(-1)?.row, 39_900)
    assert.instance(error.cause, AccessViolationError)
    assert.is((error.results as Int32Array)[39_999], 79_998)
  })

  test('what cannot be is refused in the same words', async ({ pool }) => {
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [1, 2]), ArgumentError, 'rows')
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [count(3), count(4)]), ArgumentError, '3', '4')
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1, 'x'], 1]), ArgumentError, 'row 1')
    await rejects(pool.map(dll('rows'), 'int no_such(int)', [[1]]), RoutineNotFoundError, 'no_such')
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1], 1], { chunk: 0 }), ArgumentError, 'chunk')
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1]]), ArgumentError, '2 columns')
    await rejects(pool.map(5 as never, 'int add(int, int)', [[1]]), ArgumentError, '5')
    await rejects(pool.map(dll('rows'), 7 as never, [[1]]), ArgumentError, '7')
    await rejects(pool.map('./no-such.dll', 'int add(int, int)', [[1], 1]), DllNotFoundError, 'no-such.dll')
    await rejects(
      pool.map({ path: '/nowhere/no-such.dll' }, 'int add(int, int)', [[1], 1]),
      DllNotFoundError,
      'no-such.dll',
    )
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
    const stopped = pool.map(dll('rows'), 'int rest(int)', [new Int32Array(100_000).fill(1)], {
      chunk: 50,
      signal: controller.signal,
      onProgress: () => controller.abort(new RangeError('enough')),
    })
    const error = await rejects(stopped, AbortError, 'rest', '100000')
    assert.instance(error.cause, RangeError)
    assert.is(await pool.func<[number, number], number>(dll('rows'), 'int add(int, int)')(1, 2), 3)
  })

  test('a routine of the pool: calls, memory that changes, a stream', async ({ pool }) => {
    const add = pool.func<[number, number], number>(dll('rows'), 'int add(int, int)')
    assert.equal(await Promise.all([add(1, 2), add(3, 4), add.with({ timeout: 5000 })(5, 6)]), [3, 7, 11])
    const numbers = count(3)
    await pool.func(dll('rows'), 'void double_it(int *value)')(numbers)
    assert.equal(numbers, Int32Array.of(0, 1, 2))
    const one = Int32Array.of(21)
    await pool.func(dll('rows'), 'void double_it(int *value)')(one)
    assert.is(one[0], 42)
    const seen: number[] = []
    const sets = Array.from({ length: 5 }, (_, i) => [count(1000), i] as const)
    for await (const results of add.batch.stream(sets as never)) seen.push((results as Int32Array)[999])
    assert.equal(seen, [999, 1000, 1001, 1002, 1003])
  })

  test('a session that dies: the error is whole, and others go on', async ({ pool }) => {
    const exit = pool.map(dll('faults'), 'void exit_with(uint32_t)', [[9]])
    const error = (await rejects(exit, SessionCrashedError, 'exit_with')) as SessionCrashedError
    assert.is(error.exitCode, 9)
    assert.match(error.routine as string, 'exit_with')
    assert.is(error.row, 0)
    assert.equal(await pool.map(dll('rows'), 'int add(int, int)', [[1, 2], 1]), Int32Array.of(2, 3))
  })

  test('jobs: results, errors with their fields and causes, modules that are none', async ({ pool }) => {
    const { sum } = await pool.run<{ sum: number }>(job('sums'), { dll: dll('numbers'), count: 2000 })
    assert.is(sum, 1_999_000)
    assert.equal(await pool.run(job('returns'), 'bytes'), { bytes: Uint8Array.of(1, 2) })
    const thrown = await rejects(pool.run(job('fails'), { how: 'throw' }), RangeError, 'from the job')
    assert.is((thrown as Error & { more?: number }).more, 5)
    assert.equal((await rejects(pool.run(job('fails'), { how: 'cause' }), Error, 'outer')).cause, { plain: [1, 2] })
    const given = { how: 'argument', dll: dll('faults') }
    assert.is((await rejects(pool.run(job('fails'), given), ArgumentError, 'argument 1')).position, 1)
    await rejects(pool.run(job('no-default'), 1), ArgumentError, 'no-default', 'default export')
    await rejects(pool.run(job('not-there'), 1), ArgumentError, 'not-there')
    await rejects(pool.run(job('sums'), { f: () => {} }), ArgumentError, 'plain data')
  })

  test('a job that is aborted ends, and its session is replaced', async ({ pool }) => {
    const controller = new AbortController()
    const input = { how: 'hang', dll: dll('faults') }
    const running = pool.run(job('fails'), input, { signal: controller.signal })
    setTimeout(() => controller.abort(new RangeError('enough')), 500)
    assert.instance((await rejects(running, AbortError, 'fails.mjs')).cause, RangeError)
    const gone = pool.run(job('sums'), {}, { signal: AbortSignal.abort() })
    await rejects(gone, AbortError)
    assert.equal(await pool.map(dll('rows'), 'int add(int, int)', [[1, 2], 1]), Int32Array.of(2, 3))
  })

  test('its numbers', async ({ pool }) => {
    await until(() => pool.stats().size === 2 && pool.stats().idle === 2, 'both sessions are idle')
    const { state, health, busy, queued, spare, completed, failed, lastError } = pool.stats()
    assert.equal([state, health, busy, queued, spare], ['open', 'healthy', 0, 0, 0])
    assert.ok(completed > 20)
    assert.ok(failed > 3)
    assert.instance(lastError, Error)
    // a piece of work is what was asked for, however many sessions shared it
    await pool.map(dll('rows'), 'int add(int, int)', [count(300_000), 1])
    assert.is(pool.stats().completed, completed + 1)
  })

  test('work that comes in hundreds does not hold up other work', async ({ pool }) => {
    const many = 300
    let done = 0
    const rest = pool.func<[number], number>(dll('rows'), 'int rest(int)')
    const flood = Array.from({ length: many }, () => rest(2).then(() => done++))
    assert.equal(await pool.map(dll('rows'), 'int add(int, int)', [[1], 1]), Int32Array.of(2))
    assert.ok(done < many / 2, `${done} of ${many} went before`)
    assert.is(await pool.func<[number, number], number>(dll('rows'), 'int add(int, int)')(1, 2), 3)
    assert.ok(done < many, `${done} of ${many} went before`)
    await Promise.all(flood)
  })

  test('what waits can be taken back by its signal, at once', async ({ pool }) => {
    const rest = pool.func<[number], number>(dll('rows'), 'int rest(int)')
    const running = Array.from({ length: 20 }, () => rest(100))
    const controller = new AbortController()
    let ran = 0
    const all = Promise.all(running.map(one => one.then(() => ran++)))
    const waiting = rest.with({ signal: controller.signal })(1)
    controller.abort(new RangeError('enough'))
    assert.instance((await rejects(waiting, AbortError, 'waited')).cause, RangeError)
    assert.ok(ran < 20)
    await all
  })

  test('drained, it does what it has taken, and takes no more', async ({ another }) => {
    const pool = await another()
    const add = pool.func<[number, number], number>(dll('rows'), 'int add(int, int)')
    const long = pool.map(dll('rows'), 'int rest(int)', [new Int32Array(200).fill(2)], { chunk: 10 })
    const calls = Promise.all(Array.from({ length: 30 }, (_, i) => add(i, 1)))
    let drained = false
    const draining = pool.drain().then(() => {
      drained = true
    })
    assert.is(pool.stats().state, 'draining')
    await rejects(add(1, 2), SessionTerminatedError, 'drained')
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1], 1]), SessionTerminatedError, 'drained')
    await rejects(pool.run(job('sums'), {}), SessionTerminatedError, 'drained')
    assert.is(drained, false)
    assert.equal(
      await calls,
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
    assert.is(((await long) as Int32Array).length, 200)
    await draining
    assert.is(pool.stats().state, 'closed')
    await rejects(add(1, 2), SessionTerminatedError, 'closed')
    await pool.drain()
    await pool.close()
  })

  test('closed, it refuses, and what runs fails', async context => {
    const { pool } = context
    const running = pool.map(dll('rows'), 'int rest(int)', [new Int32Array(5000).fill(2)], { chunk: 50 })
    const settled = rejects(running, SessionTerminatedError)
    await new Promise(resolve => setTimeout(resolve, 300))
    await pool.close()
    await settled
    await rejects(pool.map(dll('rows'), 'int add(int, int)', [[1, 2], 1]), SessionTerminatedError, 'closed')
    await pool.close()
  })
}
