// Several sessions that share work. From a clone, after `npm run first-call`: node examples/pool/main.mjs
import { fileURLToPath } from 'node:url'
import { SessionPool } from 'zugbruecke'

const dll = fileURLToPath(new URL('../build/demo.dll', import.meta.url))
const pool = await SessionPool.start({ size: 2 })

// A routine that runs in whichever session is free.
const add = pool.func(dll, 'int add(int a, int b)')
console.log('func', await Promise.all([add(3, 4), add(5, 6)]))

// Borrow a session for calls that belong together.
const sum = pool.use(async session => {
  const own = session.CDLL(dll).func('int add(int a, int b)')
  return own(await own(1, 2), 3)
})
console.log('use', await sum)

// A batch, split over the sessions; the results are in order.
const numbers = Uint32Array.from({ length: 200_000 }, (_, i) => i + 1)
const steps = await pool.map(dll, 'int collatz(unsigned n)', [numbers])
console.log('map', steps.length, steps[26])

// A job runs in a session's own thread, where every call blocks: the fastest way to many small calls with logic between.
const job = new URL('job.mjs', import.meta.url)
const found = await Promise.all([1, 50_000].map(from => pool.run(job, { dll, from, to: from + 2_000 })))
console.log('jobs', found)

console.log('stats', pool.stats().completed >= 4, pool.stats().replaced)
await pool.close()
