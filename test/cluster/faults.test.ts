/** Machines that die: nothing is lost, and nothing done twice that nobody allowed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WorkerLostError } from 'zugbruecke'
import { ClusterPool } from 'zugbruecke/cluster'
import { dll, rejects, sleep, until } from '../session/support.js'
import { OwnRedis, OwnWorker, withoutRedis } from './redis.js'

const test = suite<{ redis: OwnRedis }>('a cluster: faults')
const LOCK = ['--lock', '2', '--size', '1']
const ROWS = 2000
const rest = () => Int32Array.from({ length: ROWS }, (_, i) => 1 + (i % 2))
const sum = (values: Int32Array) => values.reduce((total, value) => total + value, 0)

if (withoutRedis) {
  console.log(`skipped: ${withoutRedis}`)
  test.skip('everything')
} else {
  test.before(async context => {
    context.redis = await OwnRedis.start()
  })
  test.after(async ({ redis }) => {
    await redis?.end()
  })

  /** A map that `strike` happens to when a part of it is done; its rows, by checksum. */
  async function struck(redis: OwnRedis, queue: string, retries: number, strike: () => unknown): Promise<Int32Array> {
    const pool = await ClusterPool.connect({ connection: redis.url, queue, retries })
    try {
      let done = false
      const results = await pool.map({ path: dll('rows') }, 'int rest(int)', [rest()], {
        chunk: 100,
        onProgress() {
          if (!done) strike()
          done = true
        },
      })
      assert.ok(done)
      return results as Int32Array
    } finally {
      await pool.close()
    }
  }

  test('a worker that is killed: another does its rows where retries allow it, else they are named', async ({
    redis,
  }) => {
    const start = () => OwnWorker.start(redis.url, 'killed', LOCK)
    const [first, second] = await Promise.all([start(), start()])
    try {
      assert.is(sum(await struck(redis, 'killed', 1, () => first.kill())), sum(rest()))
      const error = await rejects(
        struck(redis, 'killed', 0, () => second.kill()),
        WorkerLostError,
        'rows',
        'retries',
      )
      assert.ok((error.rows?.count ?? 0) > 0)
      assert.is((error.rows?.first ?? 1) % 100, 0)
    } finally {
      await Promise.all([first.kill(), second.kill()])
    }
  })

  test('a worker that hangs is missed, and its rows go elsewhere', async ({ redis }) => {
    const start = () => OwnWorker.start(redis.url, 'hangs', LOCK)
    const [first, second] = await Promise.all([start(), start()])
    try {
      assert.is(sum(await struck(redis, 'hangs', 1, () => first.process.kill('SIGSTOP'))), sum(rest()))
    } finally {
      await Promise.all([first.kill(), second.kill()])
    }
  })

  test('Redis that is killed and comes again with its append-only file', async ({ redis }) => {
    const worker = await OwnWorker.start(redis.url, 'redis', LOCK)
    try {
      const strike = async () => {
        await redis.kill()
        await redis.start()
      }
      assert.is(sum(await struck(redis, 'redis', 1, strike)), sum(rest()))
    } finally {
      await worker.kill()
    }
  })

  test('SIGTERM: a worker finishes what it has, without any retry', async ({ redis }) => {
    const start = () => OwnWorker.start(redis.url, 'leaves', LOCK)
    const [first, second] = await Promise.all([start(), start()])
    try {
      let code: Promise<number | null> | undefined
      const results = await struck(redis, 'leaves', 0, () => {
        code = first.kill('SIGTERM')
      })
      assert.is(sum(results), sum(rest()))
      assert.is(await code, 0)
    } finally {
      await second.kill()
    }
  })

  test('a client that is killed leaves nothing but what expires', async ({ redis }) => {
    const worker = await OwnWorker.start(redis.url, 'client', LOCK)
    const program = `
      import { ClusterPool } from 'zugbruecke/cluster'
      const [connection, path] = process.argv.slice(1)
      const pool = await ClusterPool.connect({ connection, queue: 'client' })
      await pool.map({ path }, 'int rest(int)', [new Int32Array(100000).fill(1)], { chunk: 500, onProgress: () => console.log('row') })`
    const args = ['--input-type=module', '-e', program, redis.url, dll('rows')]
    const client = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const raw = new Redis(redis.url)
    try {
      await once(client.stdout, 'data')
      client.kill('SIGKILL')
      await sleep(3000)
      const keys = await raw.keys('zugbruecke:client:*')
      for (const key of keys) {
        if (key.endsWith(':workers')) continue
        assert.ok((await raw.pttl(key)) > 0, `${key} expires`)
      }
      await until(() => worker.process.exitCode === null, 'the worker lives')
      const pool = await ClusterPool.connect({ connection: redis.url, queue: 'client' })
      assert.equal(await pool.map({ path: dll('rows') }, 'int add(int, int)', [[1], 1]), Int32Array.of(2))
      await pool.close()
    } finally {
      client.kill('SIGKILL')
      raw.disconnect()
      await worker.kill()
    }
  })
}

test.run()
