/** Runs jobs in a session's own thread, one after the other, from the thread that started the session. */

import type { JobTask } from '../../../workers/session.js'
import { EndReason } from '../../channel/shared.js'
import { AbortError, ArgumentError, decodeError, ZugbrueckeError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'
import type { JobOptions } from './job.js'
import type { SessionWorker } from './session-worker.js'

export class JobRunner {
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly piscina: SessionWorker,
    private readonly core: SessionCore,
  ) {}

  /** Settles when all jobs so far have ended. */
  get done(): Promise<unknown> {
    return this.#last
  }

  /** Aborting a job that runs ends its session: nothing else stops it. A job that still waits is only withdrawn. */
  async run(module: string, input: unknown, { signal }: JobOptions): Promise<unknown> {
    const before = this.#last
    const begins = unlessAborted(before, signal, () => abortError(module, signal, 'it had not begun'))
    const job = begins.then(() => this.#run(module, input, signal))
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
      // not by Piscina, which would end the thread at once: see uninterrupted.ts
      const result = await unlessAborted(this.piscina.run(task), signal, () => {
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
