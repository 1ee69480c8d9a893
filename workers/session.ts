/** A session's worker thread: a Piscina worker in which the session's jobs run, one after the other, straight on the channel. */

import { type EncodedError, encodeError } from '../src/errors.js'
import type { SessionFacts } from '../src/session/core/facts.js'

export interface JobTask {
  readonly facts: SessionFacts
  readonly url: string
  readonly input: unknown
}

/** What a task throws crosses as data: Piscina carries only what structured clone carries. */
export type TaskResult = { readonly value: unknown } | { readonly error: EncodedError }

export default async function run({ facts, url, input }: JobTask): Promise<TaskResult> {
  try {
    // everything that jobs need, types above all, is loaded by the first of them: most workers never run one
    const { runJob } = await import('../src/session/life/job.js')
    return { value: await runJob(facts, url, input) }
  } catch (error) {
    return { error: encodeError(error) }
  }
}
