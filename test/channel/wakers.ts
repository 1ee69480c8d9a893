/** A thread that wakes another, without an end. */
import { parentPort, workerData } from 'node:worker_threads'
import { SharedState } from '../../dist/src/channel/shared.js'

const state = new SharedState((workerData as { memory: SharedArrayBuffer }).memory)
parentPort?.postMessage('ready')
for (;;) state.wake(0)
