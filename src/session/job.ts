/** Jobs: a module of the user's, run in the session's own thread, every call synchronous and straight on the channel. */
import { ArgumentError } from '../errors.js'
import type { SessionFacts } from './facts.js'
import { SyncSession } from './sync-session.js'
import { WorkerSession } from './worker-session.js'

export { WorkerSession }

/** What a job module exports by default. */
export type Job<I = unknown, O = unknown> = (session: SyncSession, input: I) => O | Promise<O>

export interface JobOptions {
  readonly signal?: AbortSignal
}

const sessions = new WeakMap<WorkerSession, SyncSession>()

export async function runJob(
  worker: WorkerSession,
  facts: SessionFacts,
  url: string,
  input: unknown,
): Promise<unknown> {
  const module = (await import(url)) as { readonly default?: unknown }
  const job = module.default
  if (typeof job !== 'function') throw new ArgumentError(`the job module ${url} has no function as its default export`)
  const core = worker.core(facts)
  core.assertAlive()
  // they may have been changed since the last job
  core.encoding = facts.encoding
  core.timeoutCall = facts.timeoutCall
  let session = sessions.get(worker)
  if (!session) {
    session = new SyncSession(core)
    sessions.set(worker, session)
  }
  return sendable(url, await (job as Job)(session, input))
}

/** Piscina ends a worker, and with it the session, over a result that cannot be cloned: such a result is refused before. */
function sendable(url: string, value: unknown): unknown {
  // a column of results, perhaps: not to be copied for a question
  if (ArrayBuffer.isView(value)) return value
  try {
    structuredClone(value)
    return value
  } catch (error) {
    throw new ArgumentError(
      `what the job module ${url} returned cannot be sent to the caller (${(error as Error).message}): return plain data`,
      { cause: error },
    )
  }
}
