/** A thread that has a view of a segment, and none, in turns, until the session has ended; or one that it keeps. */
import { parentPort, workerData } from 'node:worker_threads'
import { forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { SessionTerminatedError } from '../../dist/src/errors.js'

const {
  segment,
  memory,
  thread,
  once = false,
} = workerData as { segment: Segment; memory: SharedArrayBuffer; thread: number; once?: boolean }
const state = new SharedState(memory)
const kept = once ? new Mapping(segment, state, thread) : undefined
parentPort?.postMessage('ready')
if (kept) await new Promise(resolve => setInterval(resolve, 2 ** 30))
try {
  for (;;) {
    const { u8 } = new Mapping(segment, state, thread)
    for (let at = 0; at < u8.length; at += 65536) u8[at] = thread
    forgetView(segment, state, thread)
  }
} catch (error) {
  if (!(error instanceof SessionTerminatedError)) throw error
}
