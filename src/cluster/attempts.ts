/** How often a job is done: again where it was not begun, which is no risk, and where it was lost as often as is allowed. */
import type { Redis } from 'ioredis'
import { ClusterError, SessionCrashedError, SessionTerminatedError, WorkerLostError } from '../errors.js'
import { closedError } from '../pool/face.js'
import { asClusterError } from './connection.js'
import { type LocalDll, upload } from './dlls.js'
import { type Answer, type Jobs, NotBegunError, type Stops } from './jobs.js'
import type { Payload } from './payload.js'
import type { JobData } from './queue.js'

/** Milliseconds until what was not begun is tried again. */
const PAUSE = 200
/** How often a DLL is uploaded anew for one job. */
const UPLOADS = 3

/** What is to be done, without what each job has of its own. */
export type Work = Omit<JobData, 'protocol' | 'client' | 'input' | 'ttl'>

export class Attempts {
  /** Sessions and workers that were lost with work of this client's, and what the last of them told. */
  replaced = 0
  lastError: Error | undefined

  constructor(
    private readonly redis: Redis,
    private readonly jobs: Jobs,
    private readonly retries: number,
    private readonly isClosed: () => boolean,
  ) {}

  /** Rejects with what the last one failed with, ClusterError, or SessionTerminatedError when the pool is closed. `packed` is called for each attempt. */
  async run(name: string, work: Work, packed: () => Payload, stops: Stops, dll: LocalDll | undefined): Promise<Answer> {
    let { retries } = this
    let uploads = UPLOADS
    const isStopped = () => stops.signal?.aborted === true || stops.withdraw?.aborted === true
    for (;;) {
      try {
        if (dll) await this.#upload(dll)
        return await this.jobs.run(name, work, packed(), stops)
      } catch (error) {
        const notBegun = error instanceof NotBegunError && !isStopped()
        if (notBegun && (error.why !== 'dll' || uploads-- > 0)) {
          await new Promise(resolve => setTimeout(resolve, PAUSE))
          if (!this.isClosed()) continue
        }
        const died = error instanceof SessionCrashedError || error instanceof SessionTerminatedError
        if (died || error instanceof WorkerLostError) {
          this.replaced++
          this.lastError = error
          if (retries-- > 0 && !this.isClosed() && !isStopped()) continue
        }
        if (error instanceof NotBegunError && error.why === 'dll')
          throw new ClusterError(
            `${name}: its DLL is gone from Redis as soon as it is uploaded: has it too little memory?`,
          )
        throw this.isClosed() ? closedError() : asClusterError(name, error as Error)
      }
    }
  }

  async #upload(dll: LocalDll): Promise<void> {
    if (dll.files.size === 0) return
    const { redis, jobs } = this
    await upload(redis, jobs.keys, dll, jobs.ttl)
    for (const sha256 of dll.files.keys()) jobs.presence.held.add(sha256)
  }
}
