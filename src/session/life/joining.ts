/** How a thread uses a session that another has started: what that one offers, and this one's end of it. */
import type { MessagePort } from 'node:worker_threads'
import { SessionStartError, SessionTerminatedError } from '../../errors.js'
import type { Config, ResolvedConfig } from '../../runtime/config.js'
import type { SessionFacts } from '../core/facts.js'
import { type Remote, wrap } from './comlink.js'

/** What a thread needs to use the session. */
export interface Membership {
  readonly facts: SessionFacts
  readonly thread: number
  readonly config: ResolvedConfig
  /** Closed by the end of either side, and told of the session's; the thread's is seen by the supervisor. */
  readonly alive: MessagePort
}

/** What the starting thread offers to threads that join. */
export interface Host {
  join(): Promise<Membership>
  terminate(): Promise<void>
  setParameter(changes: Partial<Config>): Promise<void>
}

/** The starting thread, as a thread that joined asks it. Everything rejects with SessionTerminatedError once that thread has ended. */
export class HostThread implements Host {
  readonly #host: Remote<Host>

  constructor(
    port: MessagePort,
    /** Milliseconds that it may take to answer a thread that joins. */
    private readonly patience: number,
  ) {
    this.#host = wrap<Host>(
      port,
      () => new SessionTerminatedError('the session cannot be joined: the thread that started it has ended'),
    )
  }

  /** Rejects with SessionStartError where no answer comes. */
  async join(): Promise<Membership> {
    const { patience } = this
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const text = `the session did not answer within ${patience / 1000} s: is its thread gone, or busy?`
      if (patience !== Number.POSITIVE_INFINITY) timer = setTimeout(() => reject(new SessionStartError(text)), patience)
    })
    try {
      return await Promise.race([this.#host.join(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A thread that has ended has ended its session. */
  async terminate(): Promise<void> {
    await this.#host.terminate().catch(error => {
      if (!(error instanceof SessionTerminatedError)) throw error
    })
  }

  setParameter(changes: Partial<Config>): Promise<void> {
    return this.#host.setParameter(changes)
  }
}
