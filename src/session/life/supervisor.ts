/** The supervisor thread, and the last look at what it has to write. */
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Supervisor } from '../../../workers/supervisor.js'
import { SessionStartError } from '../../errors.js'
import { type Remote, wrap } from './comlink.js'
import { Waiting, writerTo } from './output.js'

let running: Remote<Supervisor> | undefined

/**
 * How long the end of the program waits while nothing of its sessions' output is taken, and how often it looks, in
 * milliseconds.
 */
const PATIENCE = 5000
const GLANCE = 50

/** Waits until the output of sessions has been taken, which would be lost with this program. */
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

/**
 * The supervisor of this thread's sessions, which is started with the first one. A thread that only joins sessions has
 * none.
 */
export function supervisor(): Remote<Supervisor> {
  if (!running) {
    const waiting = new Int32Array(new SharedArrayBuffer(8))
    process.on('exit', () => flush(waiting))
    const worker = new Worker(new URL('../../../workers/supervisor.js', import.meta.url), {
      name: 'zugbruecke supervisor',
      workerData: { waiting },
      execArgv: [],
      // without streams of Node's: it writes to the descriptors itself, and so does not wait for this thread's event
      // loop
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
    // the next session starts another one
    worker.once('exit', () => {
      running = undefined
    })
    running = wrap<Supervisor>(
      port1,
      () => new SessionStartError(`the thread that looks after the Windows processes failed: ${why}`),
    )
  }
  return running
}
