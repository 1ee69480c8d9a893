/** What is wrong is one clear error, at the client or at the worker that starts. */
// 64-bit only: ZUGBRUECKE_ARCH has the last word over the architectures that it asks for
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import * as assert from 'uvu/assert'
import { ArgumentError, ClusterError, ConfigError, DllNotFoundError, QueueFullError, WorkerLostError } from 'zugbruecke'
import { ClusterPool, ClusterWorker } from 'zugbruecke/cluster'
import { checkServer } from '../../dist/src/cluster/connection.js'
import { dll, rejects, throws, until } from '../session/support.js'
import { freePort, listen, OwnRedis, OwnWorker } from './redis.js'
import { redisSuite, type WithRedis } from './suite.js'

const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const jobs = new URL('../session/life/jobs/', import.meta.url)

redisSuite<WithRedis & { worker: OwnWorker; pool: ClusterPool }>('a cluster: what is wrong', test => {
  test.before(async context => {
    const options = ['--size', '1', '--jobs', fileURLToPath(jobs)]
    context.worker = await OwnWorker.start(context.redis.url, 'bad', options)
    context.pool = await ClusterPool.connect({ connection: context.redis.url, queue: 'bad' })
  })
  test.after(async ({ pool, worker }) => {
    await pool?.close()
    await worker?.kill()
  })

  test('no Redis, something else, a wrong password, options that are none', async ({ redis }) => {
    const nobody = `redis://127.0.0.1:${await freePort()}`
    await rejects(ClusterPool.connect({ connection: nobody, queue: 'bad' }), ClusterError, 'ECONNREFUSED')
    const locked = await OwnRedis.start(['--requirepass', 'right'])
    try {
      const wrong = `redis://:wrong@127.0.0.1:${locked.port}`
      await rejects(ClusterPool.connect({ connection: wrong, queue: 'bad' }), ClusterError, 'refuses', 'password')
      await rejects(ClusterPool.connect({ connection: locked.url, queue: 'bad' }), ClusterError, 'refuses')
      const right = await ClusterPool.connect({
        connection: { host: '127.0.0.1', port: locked.port, password: 'right' },
        queue: 'bad',
      })
      await right.close()
    } finally {
      await locked.end()
    }
    const others = [
      createServer(),
      createServer(socket => socket.end()),
      createServer(socket => socket.end('HTTP/1.1')),
    ]
    try {
      for (const other of others) {
        const url = `redis://127.0.0.1:${await listen(other)}`
        await rejects(
          ClusterPool.connect({ connection: url, queue: 'bad' }),
          ClusterError,
          'as Redis does',
          'rediss://',
        )
      }
    } finally {
      for (const other of others) other.close()
    }
    const { url: connection } = redis
    for (const bad of ['http://127.0.0.1', 'not a URL', 'redis://:a:b:c', '', [], null])
      await rejects(ClusterPool.connect({ connection: bad as never, queue: 'bad' }), ArgumentError, 'a connection is')
    for (const bad of [`${connection}/x`, { port: redis.port, db: 'x' }, { port: redis.port, keyPrefix: 'x' }])
      await rejects(ClusterPool.connect({ connection: bad as never, queue: 'bad' }), ArgumentError, 'a connection')
    const strange = { port: redis.port, enableOfflineQueue: false, commandTimeout: 1, stringNumbers: true }
    await (await ClusterPool.connect({ connection: strange, queue: 'bad' })).close()
    const sentinels = { sentinels: [{ host: '127.0.0.1', port: redis.port }], name: 'none' }
    await rejects(
      ClusterPool.connect({ connection: sentinels, queue: 'bad' }),
      ClusterError,
      'cannot be used',
      'sentinel',
    )
    await rejects(ClusterPool.connect({ connection: `${connection}/99`, queue: 'bad' }), ClusterError, 'out of range')
    for (const bad of ['a:b', '', 'a\nb', 'a\0', '\ud800', 5, null])
      await rejects(ClusterPool.connect({ connection, queue: bad as never }), ArgumentError, 'a queue is named by')
    await rejects(ClusterPool.connect({ connection, queue: 'bad', retries: -1 }), ArgumentError, 'retries')
    await rejects(ClusterPool.connect({ connection, queue: 'bad', arch: 'arm' as never }), ConfigError, 'arm')
    for (const bad of [{ retries: 0.5 }, { maxQueue: 0 }, { ttl: '5' }, { spare: 1 }, { queue: undefined }])
      await rejects(ClusterPool.connect({ connection, queue: 'bad', ...bad } as never), ArgumentError)
    for (const bad of [null, undefined, 5]) await rejects(ClusterPool.connect(bad as never), ArgumentError, 'options')
  })

  test('a worker that cannot be', async ({ redis }) => {
    const { url: connection } = redis
    const start = (bad: object) => ClusterWorker.start({ connection, queue: 'bad', ...bad } as never)
    for (const bad of [null, undefined, 5]) await rejects(ClusterWorker.start(bad as never), ArgumentError, 'options')
    await rejects(start({ jobs: '/nowhere' }), ArgumentError, '/nowhere', 'folder')
    await rejects(start({ jobs: 5 }), ArgumentError, 'jobs')
    await rejects(start({ allowUpload: 'yes' }), ArgumentError, 'allowUpload')
    await rejects(start({ lock: 0 }), ArgumentError, 'lock')
    await rejects(start({ size: 0 }), ArgumentError, 'size')
    await rejects(start({ spare: 'one' }), ArgumentError, 'spare')
    await rejects(start({ sizes: 2 }), ConfigError, 'Did you mean "size"?')
    await rejects(start({ connection: 5 }), ArgumentError, 'connection')
    for (const [code, option, value, ...words] of [
      [1, '--jobs', '/nowhere', '/nowhere'],
      [1, '--health', String(redis.port), '--health', 'EADDRINUSE'],
      [2, '--health', '70000', '65535'],
      [1, '--redis', 'not a URL', 'a connection is'],
    ] as const) {
      const args = [main, 'worker', '--redis', connection, '--queue', 'bad', '--size', '1', option, value]
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
      assert.is(status, code)
      for (const word of words) assert.match(stderr, word)
    }
  })

  test('an old Redis, or a node of a cluster, by what it says of itself', () => {
    throws(() => checkServer('# Server\r\nredis_version:6.0.16\r\n'), ClusterError, '6.0.16', '6.2')
    checkServer('# Server\r\nredis_version:6.2.0\r\n')
    checkServer('# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n')
    const full = (limit: number) => `redis_version:7.2.4\r\nmaxmemory:${limit}\r\nmaxmemory_policy:allkeys-lru\r\n`
    throws(() => checkServer(full(1)), ClusterError, 'allkeys-lru')
    // where no limit is set nothing is ever removed
    checkServer(full(0))
    throws(() => checkServer('redis_version:7.2.4\r\ncluster_enabled:1\r\n'), ClusterError, 'Redis Cluster')
    checkServer('redis_version:7.2.4\r\ncluster_enabled:0\r\n')
    for (const none of ['', '# Server\r\nredis_version:new\r\n']) throws(() => checkServer(none), ClusterError, '6.2')
  })

  test('a Redis that removes keys is refused; one that is full is said, and used again when it is not', async () => {
    const evicting = await OwnRedis.start(['--maxmemory', '50mb', '--maxmemory-policy', 'volatile-lru'])
    const { url } = evicting
    const raw = new Redis(url)
    let own: OwnWorker | undefined
    let pool: ClusterPool | undefined
    try {
      await rejects(ClusterPool.connect({ connection: url, queue: 'full' }), ClusterError, 'volatile-lru', 'noeviction')
      await rejects(ClusterWorker.start({ connection: url, queue: 'full' }), ClusterError, 'noeviction')
      await raw.config('SET', 'maxmemory-policy', 'noeviction')
      own = await OwnWorker.start(url, 'full', ['--size', '1'])
      pool = await ClusterPool.connect({ connection: url, queue: 'full' })
      const column = Int32Array.from({ length: 100_000 }, (_, i) => i)
      const add = () => (pool as ClusterPool).map({ path: dll('rows') }, 'int add(int, int)', [column, 1])
      const expected = column.map(value => value + 1)
      assert.equal(await add(), expected)
      // results find no place: it is taken away while rows are carried out
      const resting = pool.map({ path: dll('rows') }, 'int rest(int)', [Int32Array.of(1000, ...new Int32Array(500))], {
        chunk: 501,
      })
      const lost = rejects(resting, WorkerLostError, 'rest', 'rows 0 to 500')
      await until(async () => (await raw.llen('bull:full:active')) === 1, 'it is carried out')
      await new Promise(resolve => setTimeout(resolve, 300))
      await raw.config('SET', 'maxmemory', '1mb')
      await rejects(add(), ClusterError, 'add', 'no memory left')
      await rejects(ClusterPool.connect({ connection: url, queue: 'other' }), ClusterError, '"other"', 'no memory left')
      assert.match(((await lost).cause as Error).message, 'found no place in Redis: OOM')
      await raw.config('SET', 'maxmemory', '0')
      assert.equal(await add(), expected)
    } finally {
      raw.disconnect()
      await pool?.close()
      await own?.kill()
      await evicting.end()
    }
  })

  test('a queue of another version, or for another architecture', async ({ redis }) => {
    const { url: connection } = redis
    const raw = new Redis(connection)
    await raw.set('zugbruecke:older:protocol', '0 win64 0.0.9')
    await raw.quit()
    await rejects(ClusterPool.connect({ connection, queue: 'older' }), ClusterError, '0.0.9', 'same version')
    await rejects(ClusterPool.connect({ connection, queue: 'bad', arch: 'win32' }), ClusterError, 'win64', 'win32')
    const args = [main, 'worker', '--redis', connection, '--queue', 'older']
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.is(status, 1)
    assert.match(stderr, '0.0.9')
  })

  test('a DLL that the worker lacks, one that it refuses, a module that it lacks or may not take', async ({ pool }) => {
    const lacking = pool.map({ path: '/nowhere/vendor.dll' }, 'int add(int, int)', [[1], 1])
    const error = await rejects(lacking, DllNotFoundError, '/nowhere/vendor.dll')
    assert.match(error.worker as string, /:\d+$/)
    const refused = pool.map(dll('rows'), 'int add(int, int)', [[1], 1])
    await rejects(refused, ClusterError, '--allow-upload', 'rows')
    assert.equal(await pool.map({ path: dll('rows') }, 'int add(int, int)', [[1], 1]), Int32Array.of(2))
    await rejects(pool.run(new URL('not-there.mjs', jobs)), ArgumentError, 'not-there.mjs', 'not on this machine')
    await rejects(pool.run(new URL('../../core/joined-objects.mjs', jobs)), ArgumentError, 'outside', '--jobs')
    await rejects(pool.run('data:text/javascript,export default () => 1'), ArgumentError, 'no file')
    assert.is(await pool.run(new URL('fails.mjs', jobs), { how: 'fine' }), 'fine')
  })

  test('too large a chunk, a full queue', async ({ pool, redis }) => {
    const large = new Uint8Array(65 * 2 ** 20)
    await rejects(pool.run(new URL('fails.mjs', jobs), large), ArgumentError, 'the most that one job carries')
    const text = 'x'.repeat(65 * 2 ** 20)
    await rejects(pool.map('msvcrt', 'size_t strlen(const char *)', [[text]]), ArgumentError, 'row 0', 'the most')
    const small = await ClusterPool.connect({ connection: redis.url, queue: 'bad', maxQueue: 1 })
    try {
      const rest = small.func<[number], number>({ path: dll('rows') }, 'int rest(int)')
      const first = rest(200)
      await rejects(rest(1), QueueFullError, 'maxQueue')
      assert.is(await first, 200)
    } finally {
      await small.close()
    }
  })
})
