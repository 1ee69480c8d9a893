import type { SharedState } from '../../channel/shared.js'
import type { Config, ResolvedConfig, RuntimeConfig } from '../../runtime/config.js'
import type { SessionCore } from '../core/core.js'
import type { SessionFacts } from '../core/facts.js'
import type { JobOptions } from './job.js'
import type { Membership } from './joining.js'
import type { SessionLog } from './log.js'

/**
 * What a thread can do with the life of a session, which it has started (`OwnedSession`) or joined (`JoinedSession`).
 */
export interface Hold {
  /** This thread's core, once the session is up. */
  readonly core: SessionCore | undefined
  /** Whether the session has been told to end. */
  readonly isEnding: boolean
  /** Starts or joins the session. To be called once. */
  begin(): Promise<SessionCore>
  /** Admits another thread. Rejects with ZugbrueckeError where no more threads can join. */
  welcome(core: SessionCore): Promise<Membership>
  /**
   * Tells other threads that use the session, and the supervisor, of changed parameters; `checked` are those of
   * `changes` that have been checked.
   */
  setParameter(core: SessionCore, changes: Partial<Config>, checked: Partial<RuntimeConfig>): Promise<void>
  /**
   * Runs a job: see `CtypesSession.runJob`. Rejects with ArgumentError where this thread has joined the session, and so
   * can run none.
   */
  runJob(core: SessionCore, module: string, input: unknown, options: JobOptions): Promise<unknown>
  /** Ends the session. Settles when it is gone; `ready` settles when its start is over. */
  terminate(ready: Promise<SessionCore>): Promise<void>
  /** To be called when the session of this thread's core has ended, for whatever reason. */
  died(): void
}

/** What a hold uses of the session object. */
export interface HeldSession {
  /** The parameters as they are now. */
  readonly config: ResolvedConfig
  readonly log: SessionLog
  /** Takes over the parameters of the session that is joined, before there is a core. */
  adopt(config: ResolvedConfig): void
  /** Carries out changes of parameters that have been checked. */
  configure(core: SessionCore, changes: Partial<RuntimeConfig>): void
  /** No more threads can join from now on. */
  closePorts(): void
  /** Makes this thread's core. `shared` is given where this thread has it already. */
  makeCore(facts: SessionFacts, thread: number, shared?: SharedState): SessionCore
}

/** Name of the BroadcastChannel on which threads that joined are told of changed parameters. */
export const channelName = (id: string) => `zugbruecke ${process.pid} ${id}`

/** A parameter in seconds as milliseconds; `null` is no limit. */
export const milliseconds = (seconds: number | null): number =>
  seconds === null ? Number.POSITIVE_INFINITY : seconds * 1000
