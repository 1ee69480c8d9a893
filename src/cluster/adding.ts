/** How a job comes into the queue: once, and with a time to live, whatever becomes of the client and its connection meanwhile. */
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { LIFE } from './presence.js'
import { forgetAdding, type JobData, type JobResult, KEPT, keepJobs, keepQueue } from './queue.js'

export class Adding {
  /** Jobs that Redis has said it has, since they were last forgotten. */
  #answered: string[] = []
  #isFirst = true

  constructor(
    private readonly redis: Redis,
    private readonly queue: Queue<JobData, JobResult>,
    /** Milliseconds until a job that Redis has not answered for is given up. */
    private readonly patience: number,
  ) {}

  /** Resolves when Redis has the job, however long Redis is away. */
  async add(id: string, name: string, data: JobData): Promise<void> {
    const added = this.queue.add(name, data, {
      jobId: id,
      // ioredis sends again what was not answered when the connection broke; the job may be done by then, and no longer be kept
      deduplication: { id, ttl: this.patience + LIFE },
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    })
    this.#keep(id)
    await added
    this.#answered.push(id)
  }

  /** Sends the time to live in one piece with the job, which BullMQ sends within this turn of the event loop: Redis has both or neither. */
  #keep(id: string): void {
    const { redis, queue } = this
    const { stream } = redis
    stream.cork()
    setImmediate(() => {
      const kept = [keepJobs(redis, queue.name, [id], LIFE)]
      if (this.#isFirst) kept.push(keepQueue(redis, queue.name))
      this.#isFirst = false
      stream.uncork()
      Promise.all(kept).catch(() => {})
    })
  }

  /** To be called now and then: nobody adds again what Redis has answered for. */
  async forget(): Promise<void> {
    await forgetAdding(this.redis, this.queue.name, this.#answered.splice(0))
  }
}
