/** Runs jobs in a session's own thread, one after the other, from the thread that started the session. */

import type { JobTask } from '../../../workers/session.js'
import { EndReason } from '../../channel/shared.js'
import { AbortError, ArgumentError, decodeError, ZugbrueckeError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'
import type { JobOptions } from './job.js'
import type { SessionWorker } from './session-worker.js'

export class JobRunner {
  /** Settles when the latest job, and all before it, have ended. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly worker: SessionWorker,
    private readonly core: SessionCore,
  ) {}

  /** Settles when all jobs so far have ended. */
  get done(): Promise<unknown> {
    return this.#last
  }

  /**
   * Runs a job after those before it: see `runJob` of job.ts. Rejects also with AbortError, and with the end of the
   * session.
   */
  async run(module: string, input: unknown, { signal }: JobOptions): Promise<unknown> {
    const before = this.#last
    const turn = unlessAborted(before, signal, () => abortError(module, signal, 'it had not begun'))
    const job = turn.then(() => this.#run(module, input, signal))
    this.#last = Promise.allSettled([before, job])
    return job
  }

  async #run(module: string, input: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const { core } = this
    const { facts, encoding, timeoutCall } = core
    if (!core.alive) throw core.deathError(undefined)
    if (signal?.aborted) throw abortError(module, signal, 'it had not begun')
    const task: JobTask = { facts: { ...facts, encoding, timeoutCall }, url: module, input }
    try {
      // Piscina is not given the signal, for it would end the thread at once: see uninterrupted.ts
      const result = await unlessAborted(this.worker.run(task), signal, () => {
        const error = abortError(module, signal, 'its session has been ended')
        core.kill(EndReason.aborted, error)
        return error
      })
      if ('error' in result) throw decodeError(result.error)
      return result.value
    } catch (error) {
      if ((error as Error).name === 'DataCloneError')
        throw new ArgumentError(
          `the input of the job ${module} cannot be sent to it (${(error as Error).message}): give plain data`,
          { cause: error },
        )
      if (error instanceof ZugbrueckeError || core.alive) throw error
      throw core.deathError(undefined)
    }
  }
}

const abortError = (module: string, signal: AbortSignal | undefined, what: string) =>
  new AbortError(`the job ${module} was aborted; ${what}`, { cause: signal?.reason })

/** Settles as the work does, or rejects with what `abort` gives as soon as the signal aborts. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, abort: () => Error): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const stop = () => reject(abort())
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    work.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject)
  })
}
