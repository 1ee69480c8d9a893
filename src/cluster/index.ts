/** `zugbruecke/cluster`: needs the packages `bullmq` and `ioredis`, which are optional. */
import '../runtime/node-version.js'

export { type ClusterOptions, ClusterPool, type ClusterStats } from './cluster-pool.js'
export type { Connection } from './connection.js'
export { ClusterWorker, type WorkerStats } from './worker.js'
export type { WorkerOptions } from './worker-options.js'
