/** Workers as programs: their options and their ends, who shares a Redis with whom, and DLLs that go along and change. */
// 64-bit only: the DLL that ends its process makes system calls of 64-bit Linux
// waits: for locks of workers that are gone to expire, and for workers to notice
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import * as assert from 'uvu/assert'
import { ClusterError, DllNotFoundError, SessionTerminatedError, WorkerLostError } from 'zugbruecke'
import { ClusterPool } from 'zugbruecke/cluster'
import { sandboxProblem } from '../../dist/src/runtime/sandbox.js'
import { makeDll } from '../dlls/build.js'
import { dll, rejects, until } from '../session/support.js'
import { OwnRedis, OwnWorker } from './redis.js'
import { redisSuite } from './suite.js'

const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i)
const ADD = 'int add(int, int)'

redisSuite({ name: 'a cluster: workers', atOnce: 3 }, test => {
  test('two clients of a queue, another queue, and another program with the same Redis', async ({ redis }) => {
    const { url: connection } = redis
    const [one, two] = await Promise.all(
      ['ours', 'theirs'].map(queue => OwnWorker.start(connection, queue, ['--size', '1'])),
    )
    const stranger = new Queue('strange', { connection: { url: connection } })
    const raw = new Queue('ours', { connection: { url: connection } })
    const pools = await Promise.all(['ours', 'ours', 'theirs'].map(queue => ClusterPool.connect({ connection, queue })))
    try {
      await stranger.add('work of another program', { own: true })
      // what is none of ours harms nobody
      const foreign = await raw.add('put there by hand', { nothing: 'that we know' })
      const own = await Promise.all(
        pools.map((pool, i) => pool.map({ path: dll('rows') }, ADD, [count(20_000), i], { chunk: 500 })),
      )
      own.forEach((results, i) => assert.ok((results as Int32Array).every((value, row) => value === row + i)))
      await until(() => foreign.isFailed(), 'the foreign job has failed')
      // one that closes takes back what is its own
      const [left, stays] = [0, 1].map(i =>
        pools[i].map({ path: dll('rows') }, 'int rest(int)', [new Int32Array(60).fill(5)], { chunk: 5 }),
      )
      const gone = left.catch((error: Error) => error)
      await pools[0].close()
      assert.instance(await gone, Error)
      assert.equal(await stays, new Int32Array(60).fill(5))
      assert.is(await stranger.getWaitingCount(), 1)
    } finally {
      await Promise.all(pools.map(pool => pool.close()))
      await Promise.all([stranger.close(), raw.close()])
      await Promise.all([one.kill(), two.kill()])
    }
  })

  test('a DLL and its neighbour go along, and again when either has changed', async ({ redis, folder }) => {
    const { url: connection } = redis
    const worker = await OwnWorker.start(connection, 'uploads', ['--size', '1', '--allow-upload', '--no-sandbox'])
    const pool = await ClusterPool.connect({ connection, queue: 'uploads' })
    const raw = new Redis(connection)
    const neighbour = join(folder, 'neighbour.dll')
    const main = join(folder, 'vendor.dll')
    const makeNeighbour = (value: number) =>
      makeDll(neighbour, `__declspec(dllexport) int number(void) { return ${value}; }`)
    const makeMain = (by: number) =>
      makeDll(
        main,
        `__declspec(dllimport) int number(void); __declspec(dllexport) int price(int x) { return ${by} * x + number(); }`,
        [neighbour],
      )
    const price = async () => [...((await pool.map(main, 'int price(int)', [count(3)])) as Int32Array)]
    try {
      makeNeighbour(10)
      makeMain(1)
      assert.equal(await price(), [10, 11, 12])
      const before = pool.func<[number], number>(main, 'int price(int)')
      makeNeighbour(20)
      assert.equal(await price(), [20, 21, 22])
      makeMain(2)
      assert.equal(await price(), [20, 22, 24])
      // a routine stays what it was as long as that is in Redis; what is gone cannot be read again
      assert.is(await before(1), 11)
      const kept = await raw.keys('zugbruecke:uploads:dll:*')
      assert.is(kept.length, 4)
      await raw.del(kept)
      await rejects(before(1), ClusterError, 'vendor.dll', 'has changed')
      assert.equal(await price(), [20, 22, 24])
      unlinkSync(main)
      await rejects(pool.map(main, 'int price(int)', [count(3)]), DllNotFoundError, 'vendor.dll')
    } finally {
      raw.disconnect()
      await pool.close()
      await worker.kill()
    }
  })

  test('an uploaded DLL sees files of the worker with --no-sandbox alone', async ({ redis, folder }) => {
    const there = (await sandboxProblem()) === undefined
    for (const options of [['--no-sandbox'], ...(there ? [[]] : [])]) {
      const queue = `files${options.length}`
      const worker = await OwnWorker.start(redis.url, queue, ['--size', '1', '--allow-upload', ...options])
      const pool = await ClusterPool.connect({ connection: redis.url, queue })
      try {
        const call = pool.func<unknown[], bigint>(
          dll('linux'),
          'int64_t linux_call(int64_t, void *, void *, void *, void *, void *)',
        )
        const access = 21
        const answer = await call(access, Buffer.from(`${folder}\0`), null, null, null, null)
        assert.is(Number(answer) === 0, options.length > 0)
      } finally {
        await pool.close()
        await worker.kill()
      }
    }
  })

  test('--health tells how it is, and that it takes no more', async ({ redis }) => {
    const worker = await OwnWorker.start(redis.url, 'health', ['--size', '1', '--health', '0'])
    const pool = await ClusterPool.connect({ connection: redis.url, queue: 'health' })
    try {
      const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(worker.said) ?? ['']
      const ask = async () => {
        const response = await fetch(url)
        return { status: response.status, ...((await response.json()) as { busy: number; completed: number }) }
      }
      assert.is(await pool.func<[number], number>({ path: dll('rows') }, 'int rest(int)')(1), 1)
      const idle = await ask()
      assert.is(idle.status, 200)
      assert.is(idle.busy, 0)
      assert.is(idle.completed, 1)
      const long = pool.func<[number], number>({ path: dll('rows') }, 'int rest(int)')(3000)
      await until(async () => (await ask()).busy === 1, 'it is busy')
      const ended = worker.kill('SIGTERM')
      await until(async () => (await ask()).status === 503, 'it takes no more')
      assert.is(await long, 3000)
      assert.is(await ended, 0)
    } finally {
      await pool.close()
      await worker.kill()
    }
  })

  test('on a terminal it says what it does in one line that changes', async ({ redis }) => {
    const terminal = ['python3', '-c', 'import pty, sys; pty.spawn(sys.argv[1:])']
    const worker = await OwnWorker.start(redis.url, 'shown', ['--size', '1'], {}, terminal)
    const pool = await ClusterPool.connect({ connection: redis.url, queue: 'shown' })
    try {
      const rest = pool.func<[number], number>({ path: dll('rows') }, 'int rest(int)')
      const again = '\r\x1b[Kworker '
      await until(() => worker.said.includes(again), 'a line')
      assert.is(await rest(1), 1)
      await until(() => /jobs: 0 under way, 1 done, 0 failed/.test(worker.said), 'the line has changed')
      assert.is(worker.said.split('\n').filter(line => line.includes('sessions: 1')).length, 1)
    } finally {
      await pool.close()
      await worker.kill()
    }
  })

  test('SIGTERM while Redis is gone: a worker ends by itself, and says whether it had work', async () => {
    const own = await OwnRedis.start()
    const start = (queue: string) => OwnWorker.start(own.url, queue, ['--size', '1', '--lock', '2'])
    const workers = await Promise.all(['idle', 'busy'].map(start))
    const pool = await ClusterPool.connect({ connection: own.url, queue: 'busy' })
    try {
      const long = pool.func<[number], number>({ path: dll('rows') }, 'int rest(int)')(120_000)
      const gone = rejects(long, SessionTerminatedError)
      const queue = new Queue('busy', { connection: { url: own.url } })
      queue.on('error', () => {})
      await until(async () => (await queue.getActiveCount()) === 1, 'the routine runs')
      await queue.close()
      await own.kill()
      await until(() => workers.every(({ said }) => said.includes('waiting for Redis')), 'they have missed it', 30)
      const codes = await Promise.all(workers.map(worker => worker.kill('SIGTERM')))
      assert.equal(codes, [0, 1])
      assert.match(workers[1].said, /without Redis.* it had 1 job/)
      await pool.close()
      await gone
    } finally {
      await pool.close()
      await Promise.all(workers.map(worker => worker.kill()))
      await own.end()
    }
  })

  test('a second SIGTERM ends a worker at once, and what it had is missed', async ({ redis }) => {
    const worker = await OwnWorker.start(redis.url, 'twice', ['--size', '1', '--lock', '2', '--health', '0'])
    const pool = await ClusterPool.connect({ connection: redis.url, queue: 'twice' })
    try {
      const long = pool.func<[number], number>({ path: dll('rows') }, 'int rest(int)')(120_000)
      const lost = rejects(long, WorkerLostError, 'rows.dll.rest')
      await until(() => pool.stats().workers === 1, 'the worker is heard of')
      const queue = new Queue('twice', { connection: { url: redis.url } })
      await until(async () => (await queue.getActiveCount()) === 1, 'the routine runs')
      await queue.close()
      const first = worker.kill('SIGTERM')
      const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(worker.said) ?? ['']
      // two signals at once may be one
      await until(async () => (await fetch(url)).status === 503, 'it finishes what it has')
      const again = worker.kill('SIGTERM')
      assert.is(await first, await again)
      assert.is(await again, 1)
      await lost
    } finally {
      await pool.close()
      await worker.kill()
    }
  })
})
