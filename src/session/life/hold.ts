/** How a thread has a session: it has started it (`OwnedSession`), or joined it (`JoinedSession`). */
import type { SharedState } from '../../channel/shared.js'
import type { Config, ResolvedConfig, RuntimeConfig } from '../../runtime/config.js'
import type { SessionCore } from '../core/core.js'
import type { SessionFacts } from '../core/facts.js'
import type { JobOptions } from './job.js'
import type { Membership } from './joining.js'
import type { SessionLog } from './log.js'

export interface Hold {
  /** This thread's core, once the session is up. */
  readonly core: SessionCore | undefined
  /** It has been told to end. */
  readonly isEnding: boolean
  /** Gets it up. Once only. */
  begin(): Promise<SessionCore>
  /** Lets another thread join. Throws (rejects with) ZugbrueckeError where no more threads can. */
  welcome(core: SessionCore): Promise<Membership>
  /** Tells whoever else has parameters of `changes`, of which `checked` are right. */
  setParameter(core: SessionCore, changes: Partial<Config>, checked: Partial<RuntimeConfig>): Promise<void>
  /** Throws (rejects with) ArgumentError where this thread's hold allows no jobs. */
  runJob(core: SessionCore, module: string, input: unknown, options: JobOptions): Promise<unknown>
  /** Settles when the session is gone; `ready` when its start is over. */
  terminate(ready: Promise<SessionCore>): Promise<void>
  /** The core has died, by itself or not. */
  died(): void
}

/** The session object, as far as a hold needs it. */
export interface HeldSession {
  /** As they are now. */
  readonly config: ResolvedConfig
  readonly log: SessionLog
  /** The parameters are these, before there is a core. */
  adopt(config: ResolvedConfig): void
  configure(core: SessionCore, changes: Partial<RuntimeConfig>): void
  /** No thread joins any more. */
  closePorts(): void
  makeCore(facts: SessionFacts, thread: number, shared?: SharedState): SessionCore
}

/** Where threads that joined hear of changed parameters. */
export const channelName = (id: string) => `zugbruecke ${process.pid} ${id}`

/** Of a parameter in seconds. */
export const milliseconds = (seconds: number | null): number =>
  seconds === null ? Number.POSITIVE_INFINITY : seconds * 1000
