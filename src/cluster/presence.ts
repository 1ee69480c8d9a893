/** A client's presence in a queue: it shows that it lives, keeps what it has stored from expiring, and knows which workers live. */
import type { Redis } from 'ioredis'
import { type Keys, keepJobs, keepQueue, liveWorkers, type WorkerFacts } from './queue.js'

/** Milliseconds for which a sign of life counts: a client that loses its connection for a minute has not ended. */
export const LIFE = 90_000

export class Presence {
  /** The workers that lived at the last beat. */
  workers: readonly WorkerFacts[] = []
  /** Uploaded files whose time to live is renewed. */
  readonly held = new Set<string>()
  /** Since when Redis has been asked and has not answered. */
  silentSince: number | undefined
  /** Since when no worker takes jobs. */
  desertedSince: number | undefined

  constructor(
    private readonly redis: Redis,
    private readonly queue: string,
    private readonly keys: Keys,
    private readonly client: string,
    /** Milliseconds that payloads are kept. */
    private readonly ttl: number,
  ) {}

  /**
   * Says that this client and its `jobs` live, and asks which workers do; then runs `look`. Does nothing while an earlier
   * beat waits for Redis.
   */
  async beat(jobs: () => Iterable<string>, look: () => Promise<void>): Promise<void> {
    if (this.silentSince !== undefined) return
    const { redis, keys, queue } = this
    this.silentSince = performance.now()
    try {
      await redis.set(keys.client(this.client), '', 'PX', LIFE)
      for (const sha256 of this.held) await redis.pexpire(keys.dll(sha256), this.ttl)
      await keepJobs(redis, queue, jobs(), LIFE)
      await keepQueue(redis, queue)
      this.workers = await liveWorkers(redis, keys)
      // a worker that is broken takes no jobs
      const isServed = this.workers.some(({ size }) => size > 0)
      this.desertedSince = isServed ? undefined : (this.desertedSince ?? performance.now())
      await look()
    } finally {
      this.silentSince = undefined
    }
  }

  /** Says that this client is gone. */
  async end(): Promise<void> {
    await this.redis.del(this.keys.client(this.client)).catch(() => {})
  }
}
