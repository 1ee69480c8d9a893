import { ClusterPool } from 'zugbruecke/cluster'
import { poolFace, type WithPool } from '../pool/face.js'
import { OwnRedis, OwnWorker } from './redis.js'
import { clusterSuite } from './suite.js'

clusterSuite<WithPool>('the face of a pool: two workers', test => {
  poolFace(test, async () => {
    const redis = await OwnRedis.start()
    const start = () => OwnWorker.start(redis.url, 'face', ['--size', '1', '--allow-upload'])
    const workers = await Promise.all([start(), start()])
    const connect = () => ClusterPool.connect({ connection: redis.url, queue: 'face' })
    const pools = [await connect()]
    return {
      pool: pools[0],
      async another() {
        const other = await connect()
        pools.push(other)
        return other
      },
      async close() {
        await Promise.all(pools.map(pool => pool.close()))
        await Promise.all(workers.map(worker => worker.kill('SIGTERM')))
        await redis.end()
      },
    }
  })
})
