/** A session that another thread has started, and that ends with that thread at the latest. */
import { BroadcastChannel, type MessagePort } from 'node:worker_threads'
import { EndReason } from '../../channel/shared.js'
import { ArgumentError } from '../../errors.js'
import type { Config, RuntimeConfig } from '../../runtime/config.js'
import type { SessionCore } from '../core/core.js'
import { transferred } from './comlink.js'
import { channelName, type HeldSession, type Hold, milliseconds } from './hold.js'
import { closeWith, type Membership, RemoteStarter } from './joining.js'

export class JoinedSession implements Hold {
  core: SessionCore | undefined
  isEnding = false
  readonly #starter: RemoteStarter

  constructor(
    private readonly session: HeldSession,
    port: MessagePort,
  ) {
    this.#starter = new RemoteStarter(port, milliseconds(session.config.timeout_start))
  }

  async begin(): Promise<SessionCore> {
    const { session } = this
    const { facts, thread, config, alive } = await this.#starter.join()
    session.adopt(config)
    const core = session.makeCore(facts, thread)
    this.core = core
    const channel = new BroadcastChannel(channelName(facts.id))
    channel.onmessage = event => session.configure(core, (event as { data: Partial<RuntimeConfig> }).data)
    channel.unref()
    // the supervisor tells of the session's end by this port, or closes it where it has ended itself
    const over = () => {
      alive.off('message', over).off('close', over)
      channel.close()
      // the thread that started the session may have ended without marking it dead
      core.shared.end(EndReason.ownerEnded)
      core.lane.heard()
      session.closePorts()
      closeWith(core.mapping.buffer, alive)
    }
    alive.on('message', over).on('close', over)
    alive.unref()
    return core
  }

  /** The thread that started the session admits threads; this one passes the request on. */
  async welcome(): Promise<Membership> {
    const membership = await this.#starter.join()
    return transferred(membership, membership.alive)
  }

  setParameter(_core: SessionCore, changes: Partial<Config>): Promise<void> {
    return this.#starter.setParameter(changes)
  }

  async runJob(): Promise<never> {
    throw new ArgumentError('jobs are run by the thread that started the session, not by one that joined it')
  }

  async terminate(): Promise<void> {
    this.isEnding = true
    await this.#starter.terminate()
  }

  died(): void {
    // the thread that started the session does what is left to do
  }
}
