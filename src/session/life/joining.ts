/**
 * Joining a session that another thread has started: what that thread (the starter) offers, and how the thread that
 * joins asks for it.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { decodeError, type EncodedError, encodeError, SessionStartError, SessionTerminatedError } from '../../errors.js'
import type { Config, ResolvedConfig } from '../../runtime/config.js'
import type { SessionFacts } from '../core/facts.js'
import { expose, type Remote, wrap } from './comlink.js'

/** What a thread that joins needs to use the session. */
export interface Membership {
  readonly facts: SessionFacts
  readonly thread: number
  readonly config: ResolvedConfig
  /**
   * A port to the supervisor, which sends a message at the session's end. That it closes tells either side that the
   * thread of the other has ended.
   */
  readonly alive: MessagePort
}

/** What the thread that started a session offers to threads that join it. */
export interface Starter {
  /** Rejects with ZugbrueckeError where no more threads can join, and with the error of a start that failed. */
  join(): Promise<Membership>
  terminate(): Promise<void>
  setParameter(changes: Partial<Config>): Promise<void>
}

/**
 * Closes a thread's `alive` port when its view of the session's memory has been collected. Not before: when the port
 * closes the supervisor takes the view as gone, and its addresses are used for other memory.
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

/**
 * The ports by which other threads join a session, in the thread that holds them out: the starter, or one that joined.
 */
export class JoinPorts {
  readonly #ports = new Set<MessagePort>()
  #over: Over | undefined

  /** A port for another thread. */
  open(starter: Starter): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#ports.add(port1)
    port1.once('close', () => this.#ports.delete(port1))
    expose(starter as Starter & { readonly [name: string]: never }, port1)
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
 * Notes what a port tells of its end. A function of its own: what listens to a port must not refer to the object that
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
 * The starter, as a thread that joins sees it. All calls reject with SessionTerminatedError once the session or the
 * starter has ended.
 */
export class RemoteStarter implements Starter {
  readonly #starter: Remote<Starter>
  readonly #end: End

  constructor(
    private readonly port: MessagePort,
    /** How long it may take to answer `join`, in milliseconds. */
    private readonly patience: number,
  ) {
    this.#end = endOf(port)
    this.#starter = wrap<Starter>(port, reasonOf(this.#end))
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
      return await Promise.race([this.#starter.join(), late])
    } catch (error) {
      // where an answer comes later nobody receives it, and the thread's number in it is given back
      this.port.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Does nothing where the session, or the thread that started it, has ended. */
  async terminate(): Promise<void> {
    await this.#starter.terminate().catch(error => {
      if (!this.#end.isGone) throw error
    })
  }

  setParameter(changes: Partial<Config>): Promise<void> {
    return this.#starter.setParameter(changes)
  }
}
