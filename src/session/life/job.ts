/**
 * Jobs: a module of the user's, run in the session's own thread, every call synchronous and straight on the channel.
 */
import { Life, SharedState } from '../../channel/shared.js'
import { WORKER_THREAD } from '../../channel/threads.js'
import { uninterrupted } from '../../channel/uninterrupted.js'
import { isA } from '../../ctypes/given.js'
import { ArgumentError, encodeError, SessionTerminatedError } from '../../errors.js'
import { SessionCore } from '../core/core.js'
import type { SessionFacts } from '../core/facts.js'
import { lend } from '../memsync/loan.js'
import { SyncSession } from '../surface/sync-session.js'

/** What a job module exports by default. */
export type Job<I = unknown, O = unknown> = (session: SyncSession, input: I) => O | Promise<O>

/** Options of a job. */
export interface JobOptions {
  /** Aborting it ends the session of a job that runs: nothing else stops it. A job that waits is only withdrawn. */
  readonly signal?: AbortSignal
}

/** The core and session that all jobs of this worker share: a DLL may still call a callback of a job that has ended. */
let own: { readonly core: SessionCore; readonly session: SyncSession } | undefined

function openOwn(facts: SessionFacts): NonNullable<typeof own> {
  const shared = new SharedState(facts.memory)
  // the session may have ended meanwhile: who ends it marks it dead, and only then waits for `uninterrupted` threads
  if (shared.life() === Life.dead) throw new SessionTerminatedError(`session ${facts.id} has ended: start a new one`)
  const core = new SessionCore({
    facts,
    thread: WORKER_THREAD,
    shared,
    lend,
    // a job's session has no events
    onCallbackError: error => process.emitWarning(error),
  })
  return { core, session: new SyncSession(core) }
}

/**
 * Runs a job module in this thread, which is the session's worker. Gives what the module's function gives, which can be
 * cloned. Rejects with ArgumentError where the module cannot be loaded or its result not be cloned, and with what the
 * function throws.
 */
export async function runJob(facts: SessionFacts, url: string, input: unknown): Promise<unknown> {
  const module = await load(url)
  const job = module.default
  if (typeof job !== 'function') throw new ArgumentError(`the job module ${url} has no function as its default export`)
  own ??= uninterrupted(() => openOwn(facts))
  const { core, session } = own
  core.assertAlive()
  // these parameters may have changed since the last job
  core.encoding = facts.encoding
  core.timeoutCall = facts.timeoutCall
  return sendable(url, await (job as Job)(session, input))
}

/** Codes of Node's errors for a module that cannot be found or read. */
const NOT_LOADED =
  /^ERR_(MODULE_NOT_FOUND|INVALID_MODULE_SPECIFIER|UNSUPPORTED_\w+|UNKNOWN_\w+|INVALID_URL|PACKAGE_\w+)$/

async function load(url: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(url)) as { readonly default?: unknown }
  } catch (error) {
    // what the module's own code throws is passed on as it is
    if (!isA(error, Error) || !NOT_LOADED.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new ArgumentError(`the job module ${url} cannot be loaded (${error.message}): name it by its URL`, {
      cause: error,
    })
  }
}

/** Throws for a result that cannot be cloned: Piscina would end the worker over it, and with that the session. */
function sendable(url: string, value: unknown): unknown {
  // can be cloned, and may be too large to be copied for the question alone
  if (ArrayBuffer.isView(value)) return value
  try {
    structuredClone(value)
    return value
  } catch (error) {
    throw new ArgumentError(
      `what the job module ${url} returned cannot be sent to the caller (${encodeError(error).message}): return plain data`,
      { cause: error },
    )
  }
}
