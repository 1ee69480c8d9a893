/** A thread that says of each view it is told of, at the moment it is told, that it is gone. */
import { parentPort, workerData } from 'node:worker_threads'
import { forgetView } from '../../dist/src/channel/mapping.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'

const now = new Int32Array(workerData as SharedArrayBuffer)
parentPort?.on(
  'message',
  ({ segment, memory, round }: { segment: Segment; memory: SharedArrayBuffer; round: number }) => {
    Atomics.store(now, 1, round)
    while (Atomics.load(now, 0) !== round);
    forgetView(segment, new SharedState(memory), 1)
    parentPort?.postMessage(round)
  },
)
