import { Piscina } from 'piscina'
import type { JobTask, TaskResult } from '../../../workers/session.js'

/** The one worker of a session, as a pool of Piscina's: jobs are its tasks. */
export type SessionWorker = Piscina<JobTask, TaskResult>

/** Starts the worker's thread. */
export function makeWorker(): SessionWorker {
  return new Piscina<JobTask, TaskResult>({
    filename: new URL('../../../workers/session.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // otherwise an idle worker would be blocked in Atomics.wait, and not hear callbacks of jobs that have ended
    atomics: 'disabled',
    // descriptors are closed by the thread that started the session, and must not be closed a second time
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
