/** A thread that stores what another looks for. */
import { workerData } from 'node:worker_threads'

Atomics.store((workerData as { i32: Int32Array }).i32, 0, 1)
