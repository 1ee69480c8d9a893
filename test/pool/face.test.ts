import { suite } from 'uvu'
import { SessionPool } from 'zugbruecke'
import { poolFace, type WithPool } from './face.js'

const test = suite<WithPool>('the face of a pool: sessions of this program')
poolFace(test, async () => {
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
