/** A thread that has a view of a segment, and none, in turns, until the session has ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { SessionTerminatedError } from '../../dist/src/errors.js'

const { segment, memory, thread } = workerData as { segment: Segment; memory: SharedArrayBuffer; thread: number }
const state = new SharedState(memory)
parentPort?.postMessage('ready')
try {
  for (;;) {
    const { u8 } = new Mapping(segment, state, thread)
    for (let at = 0; at < u8.length; at += 65536) u8[at] = thread
    forgetView(segment, state, thread)
  }
} catch (error) {
  if (!(error instanceof SessionTerminatedError)) throw error
}
