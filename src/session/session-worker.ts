/** The one worker of a session, as a pool of Piscina: a start leaves its loop behind there, and jobs are further tasks of it. */
import { Piscina } from 'piscina'
import type { JobTask, StartTask, TaskResult } from '../../workers/session.js'

export type SessionWorker = Piscina<StartTask | JobTask, TaskResult>

export function makeWorker(): SessionWorker {
  return new Piscina<StartTask | JobTask, TaskResult>({
    filename: new URL('../../workers/session.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // it would block an idle worker in Atomics.wait, and with it what a start leaves behind
    atomics: 'disabled',
    // the session's descriptors are closed by the thread that started it, once, when nobody uses them any more
    trackUnmanagedFds: false,
    execArgv: [],
  })
}
