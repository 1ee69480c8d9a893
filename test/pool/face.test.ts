import { SessionPool } from 'zugbruecke'
import { poolFace } from './face.js'

const test = poolFace('the face of a pool: sessions of this program', async () => {
  const pool = await SessionPool.start({ size: 2, stderr: false })
  const others: SessionPool[] = []
  return {
    pool,
    async another() {
      const other = await SessionPool.start({ size: 2, stderr: false })
      others.push(other)
      return other
    },
    async close() {
      await Promise.all([pool, ...others].map(one => one.close()))
    },
  }
})

test.run()
