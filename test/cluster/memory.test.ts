/** Memory of the client, a worker and Redis while a stream goes through that is larger than what any of them may have. */
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import * as assert from 'uvu/assert'
import { ClusterPool } from 'zugbruecke/cluster'
import { dll, full } from '../session/support.js'
import { OwnRedis, OwnWorker } from './redis.js'
import { clusterSuite } from './suite.js'

const MIB = 2 ** 20
const SET = 500_000
const ROWS = full ? 100_000_000 : 10_000_000
/** Chunks of up to 2 MiB each way: three under way, one that is read, and what Redis takes for itself. */
const OF_REDIS = 24 * MIB
/** Of what a program has at a tenth of the way: far less than the 12 bytes that each row has. */
const GROWTH = 80 * MIB

const resident = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
const mebibytes = (bytes: number) => `${Math.round(bytes / MIB)} MiB`

clusterSuite('a cluster: memory', test => {
  test(`${ROWS} rows leave all three as large as a tenth of them`, async () => {
    const redis = await OwnRedis.start(['--appendonly', 'no'])
    const worker = await OwnWorker.start(redis.url, 'memory', ['--size', '1'])
    const pool = await ClusterPool.connect({ connection: redis.url, queue: 'memory' })
    const raw = new Redis(redis.url)
    try {
      const stored = async () => Number(/^used_memory:(\d+)/m.exec(await raw.info('memory'))?.[1])
      const worked = async () => {
        const text = await raw.info('cpu')
        return ['sys', 'user'].reduce(
          (sum, kind) => sum + Number(new RegExp(`^used_cpu_${kind}:(.*)`, 'm').exec(text)?.[1]),
          0,
        )
      }
      const from = await worked()
      const empty = await stored()
      const column = Int32Array.from({ length: SET }, (_, i) => i)
      function* sets() {
        for (let i = 0; i < ROWS / SET; i++) yield [column, i] as const
      }
      const add = pool.func<[number, number], number>({ path: dll('rows') }, 'int add(int, int)')
      let set = 0
      let most = 0
      let before: number[] = []
      const now = () => [process.pid, worker.process.pid as number].map(resident)
      for await (const results of add.batch.stream(sets() as never)) {
        const found = results as Int32Array
        assert.is(found[SET - 1], SET - 1 + set)
        most = Math.max(most, await stored())
        if (++set === ROWS / SET / 10) before = now()
      }
      const after = now()
      assert.is(set, ROWS / SET)
      const said = [...before, ...after, empty, most].map(mebibytes)
      console.log(
        `client ${said[0]}, then ${said[2]}; worker ${said[1]}, then ${said[3]}; Redis ${said[4]}, ${said[5]} at the most, and ${((await worked()) - from).toFixed(1)} s of a processor`,
      )
      assert.ok(most - empty < OF_REDIS, 'Redis')
      after.forEach((bytes, i) => assert.ok(bytes - before[i] < GROWTH, ['client', 'worker'][i]))
    } finally {
      raw.disconnect()
      await pool.close()
      await worker.kill()
      await redis.end()
    }
  })
})
