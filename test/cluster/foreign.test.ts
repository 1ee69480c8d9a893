/** What others write into the Redis of a cluster: it is said, it harms nobody's work, and no result is taken from it. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { serialize } from 'node:v8'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import * as assert from 'uvu/assert'
import { ClusterError, WorkerLostError } from 'zugbruecke'
import { ClusterPool } from 'zugbruecke/cluster'
import { PROTOCOL } from '../../dist/src/cluster/queue.js'
import { dll, rejects, until } from '../session/support.js'
import { OwnWorker } from './redis.js'
import { redisSuite, type WithRedis } from './suite.js'

const ADD = 'int add(int, int)'
const vendor = { path: dll('rows') }

/** What this package packs: the length of a header, the header, and what is behind it. */
function packed(header: unknown, behind: Buffer = Buffer.alloc(0)): Buffer {
  const head = serialize(header)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([length, head, behind])
}

redisSuite<WithRedis & { raw: Redis }>({ name: 'a cluster: what others write', atOnce: 3 }, test => {
  test.before(async context => {
    context.raw = new Redis(context.redis.url)
  })
  test.after(({ raw }) => raw?.disconnect())

  test('jobs that are none, and what is no payload: each fails, and the worker goes on', async ({ redis, raw }) => {
    const { url: connection } = redis
    const worker = await OwnWorker.start(connection, 'jobs', ['--size', '1'])
    const pool = await ClusterPool.connect({ connection, queue: 'jobs' })
    const queue = new Queue('jobs', { connection: { url: connection } })
    try {
      const [client] = (await raw.keys('zugbruecke:jobs:client:*')).map(key => key.split(':').at(-1))
      const input = { inline: packed({ args: [1, 2] }).toString('base64') }
      const call = { protocol: PROTOCOL, client, kind: 'call', dll: vendor, prototype: ADD, input, ttl: 60_000 }
      const foreign = [
        null,
        5,
        'text',
        [],
        [call],
        { nothing: 'that we know' },
        JSON.parse('{"__proto__": {"ttl": 5}, "constructor": 1}'),
        { ...call, kind: 'constructor' },
        { ...call, kind: '__proto__' },
        { ...call, ttl: 1e308 },
        { ...call, ttl: '5' },
        { ...call, input: 'text' },
        { ...call, input: { bytes: 1e300 } },
        { ...call, input: { inline: 5 } },
        { ...call, dll: 'msvcrt' },
        { ...call, prototype: null },
        { ...call, kind: 'run', module: 5 },
      ]
      for (const data of foreign) {
        const job = await queue.add('by hand', data, { attempts: 1000 })
        await until(() => job.isFailed(), `${JSON.stringify(data)} has failed`)
        assert.match(
          (await queue.getJob(job.id as string))?.failedReason as string,
          /no job of zugbruecke|client is gone/,
        )
      }
      const rows = {
        range: { first: 0, count: 2 },
        columns: [
          { kind: 'int', stride: 4, rowSize: 4, same: false, bytes: 8, back: false, fill: false },
          { kind: 'int', stride: 4, rowSize: 4, same: true, bytes: 4, back: false, fill: false },
        ],
        result: { kind: 'int', size: 4 },
        texts: 0,
      }
      const columns = Buffer.alloc(12)
      const batch = { ...call, kind: 'rows' }
      const unreadable: [object, Buffer][] = [
        [call, Buffer.alloc(0)],
        [call, Buffer.from([1, 2])],
        [call, Buffer.from([255, 255, 255, 255, 1])],
        [call, Buffer.concat([Buffer.from([8, 0, 0, 0]), randomBytes(8)])],
        [batch, packed(rows, columns.subarray(1))],
        [batch, packed(null)],
        [batch, packed({ ...rows, range: { first: 0, count: 1e15 } }, columns)],
        [batch, packed({ ...rows, range: { first: -1, count: 2 } }, columns)],
        [batch, packed({ ...rows, range: { first: 0, count: Number.NaN } }, columns)],
        [batch, packed({ ...rows, range: { first: 0, count: 4 } }, columns)],
        [batch, packed({ ...rows, result: { kind: 'int', size: 1e12 } }, columns)],
        [batch, packed({ ...rows, columns: [{ ...rows.columns[0], bytes: -4 }] }, columns)],
        [batch, packed({ ...rows, columns: [null] }, columns)],
        [batch, packed({ ...rows, texts: 1e9 }, columns)],
      ]
      for (const [data, bytes] of unreadable) {
        const carried = { inline: bytes.toString('base64') }
        const job = await queue.add('by hand', { ...data, input: carried }, { attempts: 1000 })
        await until(() => job.isFailed(), 'what cannot be read has failed')
        assert.match((await queue.getJob(job.id as string))?.failedReason as string, 'cannot be read')
      }
      // of a length that is not what was said
      const cut = await queue.add('by hand', { ...batch, input: { bytes: 5000 } }, { delay: 300 })
      await raw.set(`zugbruecke:jobs:in:${cut.id}`, packed(rows, columns))
      await until(() => cut.isFailed(), 'what was cut has failed')
      // text that is no JSON: BullMQ's worker cannot read it, and goes on
      const broken = await queue.add('by hand', call, { delay: 300 })
      await raw.hset(`bull:jobs:${broken.id}`, 'data', '{')
      assert.equal(await pool.map(vendor, ADD, [[1, 2], 5]), Int32Array.of(6, 7))
      await sleep(500)
      assert.equal(await pool.map(vendor, ADD, [[1, 2], 6]), Int32Array.of(7, 8))
      assert.is(pool.stats().replaced, 0)
      assert.ok(worker.isRunning)
    } finally {
      await queue.close()
      await pool.close()
      await worker.kill()
    }
  })

  test('what is no result is an error and no row', async ({ redis, raw }) => {
    const { url: connection } = redis
    let answer: (id: string) => unknown = () => undefined
    const liar = new Worker('results', async job => answer(job.id as string), { connection: { url: connection } })
    const pool = await ClusterPool.connect({ connection, queue: 'results' })
    const result = (header: unknown, behind?: Buffer) => () => ({
      output: { inline: packed(header, behind).toString('base64') },
      took: 1,
    })
    const good = { errors: [], back: [], results: 8 }
    const error = { className: 'RangeError', message: 'of a row', fields: {}, ours: false }
    try {
      const map = () => pool.map(vendor, ADD, [Int32Array.of(1, 2), 5])
      answer = result(good, Buffer.from(Int32Array.of(6, 7).buffer))
      assert.equal(await map(), Int32Array.of(6, 7))
      const wrong = [
        () => null,
        () => 'text',
        () => ({ output: { inline: 5 }, took: 1 }),
        () => ({ output: { bytes: 1e300 }, took: 1 }),
        () => ({ output: { inline: '' }, took: 'long' }),
        result(null),
        result(good, Buffer.alloc(7)),
        result({ ...good, results: 4 }, Buffer.alloc(4)),
        result({ ...good, results: 1e12 }),
        result({ ...good, back: [8] }, Buffer.alloc(16)),
        result({ ...good, errors: 5 }, Buffer.alloc(8)),
        result({ ...good, errors: [{ row: 7, error }] }, Buffer.alloc(8)),
        async (id: string) => {
          await raw.set(`zugbruecke:results:out:${id}`, 'short')
          return { output: { bytes: 5000 }, took: 1 }
        },
      ]
      for (const one of wrong) {
        answer = one
        await rejects(map(), ClusterError, 'add', 'cannot be read')
      }
      // an error that is none, and one that would be another's child
      for (const encoded of [
        { className: '__proto__', message: '', fields: {}, ours: true },
        { className: 'constructor', message: '', fields: {}, ours: false },
        {
          className: 'ClusterError',
          message: 'told',
          fields: JSON.parse('{"__proto__": {"polluted": 1}}'),
          ours: true,
        },
      ]) {
        answer = async id => {
          await raw.set(`zugbruecke:results:error:${id}`, packed({ error: encoded }))
          throw new Error('failed')
        }
        const found = await map().catch((reason: unknown) => reason)
        assert.instance(found, Error)
        assert.is((found as { polluted?: number }).polluted, undefined)
      }
      assert.is(({} as { polluted?: number }).polluted, undefined)
      // a worker that died between the storing of a result and the telling of it: what is stored is no reason of a failure
      answer = async id => {
        await raw.set(`zugbruecke:results:out:${id}`, packed({ error: { className: 'RangeError', message: 'stored' } }))
        throw new Error('job stalled')
      }
      const lost = await rejects(map(), WorkerLostError, 'add', 'rows 0 to 1')
      assert.match((lost.cause as Error).message, 'stalled')
      // events and tidings that cannot be read; this worker tells none itself, and its ends are heard of all the same
      const [client] = (await raw.keys('zugbruecke:results:client:*')).map(key => key.split(':').at(-1) as string)
      const event = ['event', 'completed', 'jobId', `${client}-1`, 'returnvalue', '{']
      for (const fields of [event, ['event', 'completed'], ['jobId', `${client}-1`]])
        await raw.xadd('bull:results:events', '*', ...fields)
      for (const text of [
        '',
        '{',
        'null',
        '5',
        '[]',
        '{}',
        '{"id":5}',
        `{"id":"${client}-1"}`,
        '{"id":"none","failed":{}}',
      ])
        assert.is(await raw.publish(`zugbruecke:results:ends:${client}`, text), 1)
      answer = result(good, Buffer.from(Int32Array.of(6, 7).buffer))
      assert.equal(await map(), Int32Array.of(6, 7))
    } finally {
      await pool.close()
      await liar.close()
    }
  })

  test('keys that are something else', async ({ redis, raw }) => {
    const { url: connection } = redis
    await raw.sadd('zugbruecke:keys:workers', 'a', 'b', 'c', 'd')
    await raw.set('zugbruecke:keys:worker:a', '{')
    await raw.set('zugbruecke:keys:worker:b', 'null')
    await raw.set('zugbruecke:keys:worker:c', JSON.stringify({ name: 'c', size: 1e300 }))
    await raw.set('zugbruecke:keys:worker:d', JSON.stringify({ name: 'd', size: 3, uploads: false, version: '' }))
    const pool = await ClusterPool.connect({ connection, queue: 'keys' })
    assert.equal([pool.stats().workers, pool.stats().size], [1, 3])
    await pool.close()
    await raw.set('zugbruecke:text:protocol', 'not ours')
    await rejects(ClusterPool.connect({ connection, queue: 'text' }), ClusterError, 'protocol not', 'another queue')
    await raw.lpush('zugbruecke:list:protocol', 'not ours')
    await rejects(ClusterPool.connect({ connection, queue: 'list' }), ClusterError, '"list"', 'WRONGTYPE')
    await raw.set('zugbruecke:string:workers', 'not ours')
    await rejects(ClusterPool.connect({ connection, queue: 'string' }), ClusterError, '"string"', 'WRONGTYPE')
  })
})
