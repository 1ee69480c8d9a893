/** The same batch by workers of a cluster and by a pool in this program, and what a job costs that does nothing. */
import type { ClusterPool } from '../../src/cluster/index.js'
import type { Pool, SessionPool } from '../../src/index.js'
import { OwnRedis, OwnWorker, withoutRedis } from '../../test/cluster/redis.js'
import type { Measure } from '../model.js'
import { BENCH, Missing } from '../peers/workshop.js'
import { sliceAsync } from './slice.mjs'

const NOTHING = new URL('../jobs/nothing.mjs', import.meta.url)
const ITERATE = 'double iterate(double x, int steps)'
const STEPS = 500

interface Cluster {
  /** Of one worker, and of two: each has one session. */
  readonly pools: readonly [ClusterPool, ClusterPool]
  end(): Promise<void>
}

async function startCluster(): Promise<Cluster> {
  if (withoutRedis) throw new Missing(withoutRedis)
  const name: string = 'zugbruecke/cluster' // as in library.ts
  const { ClusterPool } = (await import(name)) as typeof import('../../src/cluster/index.js')
  const redis = await OwnRedis.start()
  const queues = ['one', 'two', 'two']
  const options = ['--size', '1', '--jobs', BENCH]
  const workers = await Promise.all(queues.map(queue => OwnWorker.start(redis.url, queue, options)))
  const connect = (queue: string) => ClusterPool.connect({ connection: redis.url, queue })
  const pools = [await connect('one'), await connect('two')] as const
  return {
    pools,
    async end() {
      await Promise.all(pools.map(pool => pool.close()))
      await Promise.all(workers.map(worker => worker.kill('SIGTERM')))
      await redis.end()
    },
  }
}

/** It is started when it is first wanted. `own` are pools in this program, of one session and of two. */
export function clusterMeasures(dll: string, quick: boolean, own: readonly [SessionPool, SessionPool]) {
  let cluster: Promise<Cluster> | undefined
  const started = () => {
    cluster ??= startCluster()
    return cluster
  }
  const rows = quick ? 1_000_000 : 10_000_000
  const seeds = () => Float64Array.from({ length: rows }, (_, i) => (i + 0.5) / rows)
  let given: Float64Array | undefined
  let right: Float64Array | undefined
  const map = async (pool: Pool, seconds: number) => {
    given ??= seeds()
    const column = given
    return sliceAsync(
      async () => {
        const results = (await pool.map({ path: dll }, ITERATE, [column, STEPS])) as Float64Array
        right ??= results
        if (!results.every((value, i) => value === (right as Float64Array)[i])) throw new Error('iterate is wrong')
      },
      seconds,
      rows,
    )
  }
  const measure = (id: string, label: string, run: Measure['run'], rounds?: number): Measure => ({
    id: `cluster-${id}`,
    group: 'cluster',
    side: 'zugbruecke',
    label,
    unit: 'us',
    ...(rounds ? { rounds } : {}),
    run,
  })
  const measures = [
    measure('job', 'a job that does nothing', async seconds => {
      const [pool] = (await started()).pools
      await pool.run(NOTHING)
      return sliceAsync(() => pool.run(NOTHING), seconds)
    }),
    ...[0, 1].flatMap(i => {
      const size = i + 1
      const sessions = `${size} session${i ? 's' : ''}`
      return [
        measure(`pool-${size}`, `pool.map here, ${sessions}, a row`, seconds => map(own[i], seconds), 3),
        measure(
          `map-${size}`,
          `pool.map, ${size} worker${i ? 's' : ''}, a row`,
          async seconds => map((await started()).pools[i], seconds),
          3,
        ),
      ]
    }),
  ]
  return { measures, end: async () => (await cluster?.catch(() => undefined))?.end() }
}
