/** The program's one supervisor thread, started with the first session. */
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Supervisor } from '../../workers/supervisor.js'
import { type Remote, wrap } from './comlink.js'

let started: Remote<Supervisor> | undefined

/** Each thread that starts sessions has one; threads that only join a session need none. */
export function supervisor(): Remote<Supervisor> {
  if (!started) {
    const worker = new Worker(new URL('../../workers/supervisor.js', import.meta.url), {
      name: 'zugbruecke supervisor',
      execArgv: [],
      // its own output goes straight to the descriptors; nothing is to wait for this thread's event loop
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    const { port1, port2 } = new MessageChannel()
    worker.postMessage(port2, [port2])
    worker.unref()
    started = wrap<Supervisor>(port1)
  }
  return started
}
