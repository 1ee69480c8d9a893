/**
 * Joining a session that another thread has started: what the starting thread offers, and how the joining thread asks
 * for it.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { decodeError, type EncodedError, encodeError, SessionStartError, SessionTerminatedError } from '../../errors.js'
import type { Config, ResolvedConfig } from '../../runtime/config.js'
import type { SessionFacts } from '../core/facts.js'
import { expose, type Remote, wrap } from './comlink.js'

/** What a thread needs to use the session. */
export interface Membership {
  readonly facts: SessionFacts
  readonly thread: number
  readonly config: ResolvedConfig
  /**
   * A port to the supervisor, which tells of the session's end by it. Its closing tells either side that the other's
   * thread has ended.
   */
  readonly alive: MessagePort
}

/** What the starting thread offers to threads that join. */
export interface Host {
  join(): Promise<Membership>
  terminate(): Promise<void>
  setParameter(changes: Partial<Config>): Promise<void>
}

/**
 * Closes a thread's `alive` port once the session has ended and nothing in the thread can reach its view of the
 * session's memory. Not before: the supervisor takes the closing as the end of the view, and the addresses are given
 * to others then.
 */
const unseen = new FinalizationRegistry<MessagePort>(alive => alive.close())

/** The last message of a port: why the session has ended. */
interface Over {
  readonly over: EncodedError
}

/** To be called when the session has ended: closes `alive` once `view` is unreachable. */
export function closeWith(view: ArrayBuffer, alive: MessagePort): void {
  unseen.register(view, alive)
}

/** The ports of a session by which other threads join it, in the thread that started it. */
export class HostPorts {
  readonly #ports = new Set<MessagePort>()
  #over: Over | undefined

  /** A port for another thread. */
  open(host: Host): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#ports.add(port1)
    port1.once('close', () => this.#ports.delete(port1))
    expose(host as Host & { readonly [name: string]: never }, port1)
    this.#close()
    return port2
  }

  /** Closes all ports. Answers that have been sent still arrive; a port that is used later tells why it is closed. */
  close(why: Error): void {
    this.#over = { over: encodeError(why) }
    this.#close()
  }

  #close(): void {
    if (!this.#over) return
    for (const port of this.#ports) {
      port.postMessage(this.#over)
      port.close()
    }
  }
}

interface End {
  why: Error | undefined
  isGone: boolean
}

/**
 * Keeps what a port tells of its end. A function of its own: what listens to a port must not lead to the object that
 * uses the port (see `wrap`).
 */
function endOf(port: MessagePort): End {
  const end: End = { why: undefined, isGone: false }
  port.on('message', (message: Partial<Over>) => {
    if (message.over) end.why = decodeError(message.over)
  })
  port.once('close', () => {
    end.isGone = true
  })
  return end
}
const reasonOf = (end: End) => () =>
  end.why ?? new SessionTerminatedError('the session cannot be joined: the thread that started it has ended')

/**
 * The starting thread, as seen from a thread that joined. All calls reject with SessionTerminatedError once that
 * thread or the session has ended.
 */
export class HostThread implements Host {
  readonly #host: Remote<Host>
  readonly #end: End

  constructor(
    private readonly port: MessagePort,
    /** How long it may take to answer `join`, in milliseconds. */
    private readonly patience: number,
  ) {
    this.#end = endOf(port)
    this.#host = wrap<Host>(port, reasonOf(this.#end))
  }

  /** Rejects with SessionStartError where no answer comes in time. */
  async join(): Promise<Membership> {
    const { patience } = this
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const text = `the session did not answer within ${patience / 1000} s: is its thread gone, or busy?`
      if (patience !== Number.POSITIVE_INFINITY) timer = setTimeout(() => reject(new SessionStartError(text)), patience)
    })
    try {
      return await Promise.race([this.#host.join(), late])
    } catch (error) {
      // an answer that comes later is not received, and the number that it assigns is given back
      this.port.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Does nothing where the session, or the thread that started it, has ended. */
  async terminate(): Promise<void> {
    await this.#host.terminate().catch(error => {
      if (!this.#end.isGone) throw error
    })
  }

  setParameter(changes: Partial<Config>): Promise<void> {
    return this.#host.setParameter(changes)
  }
}
