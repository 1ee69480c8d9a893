/**
 * How a client hears of the ends of its jobs. The worker tells it, on a channel of the client's own, before it tells BullMQ: to hear of them by
 * BullMQ's events alone took a fifth more for each short job, since these wake every client for every step of every job. But what is said on a
 * channel while a connection is broken nobody hears, and a worker that dies says nothing. So the events are read, too, now and then.
 */
import type { Redis } from 'ioredis'
import { isRecord } from '../ctypes/given.js'
import type { Keys } from './queue.js'

/** Milliseconds between two readings of BullMQ's events. */
const READ = 500
/** The number of events that are read at a time. */
const AT_A_TIME = 1000

/** Called for jobs of this client, for some of them more than once. */
export interface Listener {
  completed(id: string, result: unknown): void
  failed(id: string, reason: string): void
  lost(id: string): void
}

/** What a worker tells a client. */
export type Told = { readonly id: string; readonly result: unknown } | { readonly id: string; readonly failed: string }

/** Tells the client how its job has ended; it is no loss where that is not heard. */
export function tell(redis: Redis, keys: Keys, client: string, told: Told): void {
  redis.publish(keys.ends(client), JSON.stringify(told)).catch(() => {})
}

export class Hearing {
  readonly #channel: Redis
  #timer: NodeJS.Timeout | undefined
  #last = '0-0'
  #isReading = false
  #isOver = false

  constructor(
    private readonly redis: Redis,
    private readonly queue: string,
    private readonly client: string,
    private readonly listener: Listener,
  ) {
    this.#channel = redis.duplicate()
    // ioredis connects and subscribes again
    this.#channel.on('error', () => {})
    this.#channel.on('message', (_channel, text) => this.#hear(text))
  }

  /** Resolves when nothing is missed any more. */
  async begin(keys: Keys): Promise<void> {
    const [[newest]] = await Promise.all([
      this.redis.xrevrange(this.#events, '+', '-', 'COUNT', 1),
      this.#channel.subscribe(keys.ends(this.client)),
    ])
    if (newest) this.#last = newest[0]
    if (this.#isOver) return
    this.#timer = setInterval(() => void this.#read().catch(() => {}), READ)
  }

  end(): void {
    this.#isOver = true
    clearInterval(this.#timer)
    this.#channel.disconnect()
  }

  get #events(): string {
    return `bull:${this.queue}:events`
  }

  #hear(text: string): void {
    const told = parsed(text)
    if (!isRecord(told)) return
    const { id, result, failed } = told as {
      readonly id?: unknown
      readonly result?: unknown
      readonly failed?: unknown
    }
    if (typeof id !== 'string') return
    if (failed === undefined) this.listener.completed(id, result)
    else this.listener.failed(id, String(failed))
  }

  async #read(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      let count: number
      do {
        const [found] = (await this.redis.xread('COUNT', AT_A_TIME, 'STREAMS', this.#events, this.#last)) ?? []
        const events = found?.[1] ?? []
        for (const [at, fields] of events) {
          this.#last = at
          this.#take(fields)
        }
        count = events.length
      } while (count === AT_A_TIME)
    } finally {
      this.#isReading = false
    }
  }

  /** `fields` are names, each followed by its value. */
  #take(fields: readonly string[]): void {
    const event = new Map<string, string>()
    for (let i = 0; i + 1 < fields.length; i += 2) event.set(fields[i], fields[i + 1])
    const id = event.get('jobId')
    if (!id?.startsWith(this.client)) return
    const kind = event.get('event')
    if (kind === 'completed') this.listener.completed(id, parsed(event.get('returnvalue') ?? ''))
    else if (kind === 'failed') this.listener.failed(id, event.get('failedReason') ?? '')
    else if (kind === 'stalled') this.listener.lost(id)
  }
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
