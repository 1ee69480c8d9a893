/** Where nobody is there: no worker, no Redis, no client. Needs no Wine. */
// 64-bit only: no session is started, here or elsewhere
// waits: for time limits of those who wait for nobody
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import * as assert from 'uvu/assert'
import { AbortError, ArgumentError, ClusterError, NoWorkerError } from 'zugbruecke'
import { ClusterPool } from 'zugbruecke/cluster'
import { rejects, until } from '../session/support.js'
import { OwnRedis, staying } from './redis.js'
import { clusterSuite } from './suite.js'

const ADD = 'int add(int, int)'
const vendor = { path: '/opt/vendor.dll' }

clusterSuite<{ redis: OwnRedis }>('a cluster: nobody there', test => {
  test.before.each(async context => {
    context.redis = await OwnRedis.start()
  })
  test.after.each(async ({ redis }) => {
    await redis?.end()
  })

  test('no worker for as long as waitTimeout: one error, and nothing is left in the queue', async ({ redis }) => {
    const { url: connection } = redis
    await rejects(ClusterPool.connect({ connection, queue: 'idle', waitTimeout: 0 }), ArgumentError, 'waitTimeout')
    const pool = await ClusterPool.connect({ connection, queue: 'idle', waitTimeout: 1 })
    const queue = new Queue('idle', { connection: { url: connection } })
    const raw = new Redis(connection)
    try {
      const add = pool.func<[number, number], number>(vendor, ADD)
      const all = [add(1, 2), pool.map(vendor, ADD, [new Int32Array(500), 1]), pool.run('file:///opt/job.mjs')]
      await Promise.all(all.map(one => rejects(one, NoWorkerError, 'zugbruecke worker --queue idle', '1 s')))
      assert.is(await queue.getWaitingCount(), 0)
      assert.equal(await raw.keys('zugbruecke:idle:in:*'), [])
    } finally {
      raw.disconnect()
      await queue.close()
      await pool.close()
    }
  })

  test('no Redis any more: waitTimeout, and a signal at once', async ({ redis }) => {
    const { url: connection } = redis
    const pool = await ClusterPool.connect({ connection, queue: 'idle', waitTimeout: 5 })
    try {
      const add = pool.func<[number, number], number>(vendor, ADD)
      const stopping = new AbortController()
      const stopped = add.with({ signal: stopping.signal })(1, 2)
      const running = pool.map(vendor, ADD, [new Int32Array(500), 1], { signal: stopping.signal })
      await redis.kill()
      const late = rejects(add(1, 2), ClusterError, 'Redis has not answered for 5 s')
      setTimeout(() => stopping.abort(), 100)
      await rejects(stopped, AbortError)
      await rejects(running, AbortError)
      await late
    } finally {
      await pool.close()
    }
  })

  test('a client that is killed while its work waits: all that it leaves expires, and who comes later is not disturbed', async ({
    redis,
  }) => {
    const raw = new Redis(redis.url)
    const program = fileURLToPath(new URL('client.mjs', import.meta.url))
    const client = spawn(process.execPath, [program, redis.url, 'left', vendor.path, '500', '0'], { stdio: 'inherit' })
    const ended = once(client, 'exit')
    try {
      // as many as go to a cluster of no sessions
      await until(async () => (await raw.llen('bull:left:wait')) === 3, 'its work waits')
      // BullMQ's answer to the adding comes first
      await until(async () => (await staying(raw)).length === 0, 'all has a time to live')
      client.kill('SIGKILL')
      await ended
      assert.equal(await staying(raw), [])
      // that a job was added is remembered for as long as it could be added again
      for (const key of await raw.keys('bull:left:*-*-*'))
        assert.ok((await raw.pttl(key)) <= (key.includes(':de:') ? 120_000 + 90_000 : 90_000), key)
    } finally {
      client.kill('SIGKILL')
      raw.disconnect()
    }
  })
})
