// Redis, two workers, a client and a board, all on this machine. From a clone, after `npm run first-call`, with redis-server installed:
//   cd examples/cluster && npm install --ignore-scripts && npm start
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import { Queue } from 'bullmq'
import express from 'express'
import { ClusterPool } from 'zugbruecke/cluster'

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    store: { type: 'string', default: '6390' },
    port: { type: 'string', default: '3000' },
  },
})
const file = path => fileURLToPath(new URL(path, import.meta.url))
const queue = 'numbers'
const redis = `redis://127.0.0.1:${given.store}`

// Ctrl-C is for this program alone, which ends the others in their order.
const own = { detached: true }

// The store: what it has acknowledged outlives it.
const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-cluster-'))
const stored = ['--port', given.store, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes']
const children = [spawn('redis-server', stored, { stdio: ['ignore', 'pipe', 'inherit'], ...own })]
const said = createInterface(children[0].stdout)
await new Promise((resolve, reject) => {
  said.on('line', line => line.includes('Ready to accept connections') && resolve())
  said.on('close', () => reject(new Error(`redis-server does not run; is port ${given.store} free ("--store")?`)))
})

// Two workers, where the DLL is. On other machines it would be the same command.
const cli = file('../../dist/src/cli/main.js')
for (let i = 0; i < 2; i++)
  children.push(
    spawn(process.execPath, [cli, 'worker', '--redis', redis, '--queue', queue, '--size', '1'], {
      cwd: file('../build'),
      stdio: 'inherit',
      ...own,
    }),
  )

// Workers first: they finish what they have.
const end = async () => {
  const [store, ...workers] = children
  const over = workers.map(worker => once(worker, 'exit'))
  for (const worker of workers) worker.kill()
  await Promise.all(over)
  store.kill()
  rmSync(folder, { recursive: true, force: true })
  process.exit()
}
process.on('SIGINT', end).on('SIGTERM', end)

// The board.
const adapter = new ExpressAdapter().setBasePath('/')
createBullBoard({
  queues: [new BullMQAdapter(new Queue(queue, { connection: { url: redis } }))],
  serverAdapter: adapter,
})
express().use('/', adapter.getRouter()).listen(Number(given.port), '127.0.0.1')
console.log(`board: http://127.0.0.1:${given.port}/queue/${queue}?status=completed`)

// The client: what it would be with a SessionPool, but for this line.
const pool = await ClusterPool.connect({ connection: redis, queue, retries: 2 })
const numbers = Uint32Array.from({ length: Number(given.rows) }, (_, i) => i + 1)
const from = performance.now()
let shown = 0
const steps = await pool.map({ path: './demo.dll' }, 'int collatz(unsigned n)', [numbers], {
  onProgress(done, total) {
    if (performance.now() - shown < 1000) return
    shown = performance.now()
    console.log(`${done} of ${total} rows, ${pool.stats().workers} workers`)
  },
})
console.log(
  `${steps.length} rows in ${((performance.now() - from) / 1000).toFixed(1)} s; row 26 gave ${steps[26]}. Ctrl-C ends it.`,
)
await pool.close()
