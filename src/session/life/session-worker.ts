/** The one worker of a session, as a pool of Piscina: jobs are its tasks. */
import { Piscina } from 'piscina'
import type { JobTask, TaskResult } from '../../../workers/session.js'

export type SessionWorker = Piscina<JobTask, TaskResult>

export function makeWorker(): SessionWorker {
  return new Piscina<JobTask, TaskResult>({
    filename: new URL('../../../workers/session.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // otherwise Piscina would block an idle worker in Atomics.wait, where callbacks of jobs that have ended could not
    // be heard
    atomics: 'disabled',
    // the thread that started the session closes its descriptors, once
    trackUnmanagedFds: false,
    execArgv: [],
  })
}

/**
 * Settles when the worker's thread has loaded its modules, or has ended. Until then it must not be ended: Piscina has
 * the thread `require` a module, and Node 20 ends the whole program (`v8::Module::IsGraphAsync`) where that is cut
 * short.
 */
export function untilLoaded(worker: SessionWorker): Promise<void> {
  return new Promise(resolve => {
    const [thread] = worker.threads
    // the first message is Piscina's own, that it is ready
    if (thread) thread.once('message', () => resolve()).once('exit', () => resolve())
    else resolve()
  })
}
