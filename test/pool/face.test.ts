import { SessionPool } from 'zugbruecke'
import { poolFace } from './face.js'

const test = poolFace('the face of a pool: sessions of this program', async () => {
  const pool = await SessionPool.start({ size: 2, stderr: false })
  return { pool, close: () => pool.close() }
})

test.run()
