/** The program's one supervisor thread, started with the first session. */
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Supervisor } from '../../../workers/supervisor.js'
import { SessionStartError } from '../../errors.js'
import { type Remote, wrap } from './comlink.js'
import { Waiting, writerTo } from './output.js'

let started: Remote<Supervisor> | undefined

/** How long a program that ends waits for who reads what its sessions have printed, if nothing of it is taken, in milliseconds; and how often it looks. */
const PATIENCE = 5000
const GLANCE = 50

/** What sessions have printed, and nobody has taken yet, would be lost with this program. */
function flush(waiting: Int32Array): void {
  let left = Atomics.load(waiting, Waiting.held)
  for (let since = performance.now(); left > 0 && performance.now() - since < PATIENCE; ) {
    Atomics.wait(waiting, Waiting.held, left, GLANCE)
    const now = Atomics.load(waiting, Waiting.held)
    if (now !== left) since = performance.now()
    left = now
  }
  const lost = left + Atomics.load(waiting, Waiting.dropped)
  if (lost > 0)
    writerTo(2)(Buffer.from(`zugbruecke: ${lost} bytes that sessions printed are lost, for nobody took them\n`))
}

/** Each thread that starts sessions has one; threads that only join a session need none. */
export function supervisor(): Remote<Supervisor> {
  if (!started) {
    const waiting = new Int32Array(new SharedArrayBuffer(8))
    process.on('exit', () => flush(waiting))
    const worker = new Worker(new URL('../../../workers/supervisor.js', import.meta.url), {
      name: 'zugbruecke supervisor',
      workerData: { waiting },
      execArgv: [],
      // its own output goes straight to the descriptors; nothing is to wait for this thread's event loop
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    const { port1, port2 } = new MessageChannel()
    worker.postMessage(port2, [port2])
    worker.unref()
    let why = 'it has ended'
    worker.once('error', error => {
      why = error.message
    })
    // the next session has another
    worker.once('exit', () => {
      started = undefined
    })
    started = wrap<Supervisor>(
      port1,
      () => new SessionStartError(`the thread that looks after the Windows processes failed: ${why}`),
    )
  }
  return started
}
