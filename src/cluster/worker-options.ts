/** The options of a worker. */
import { statSync } from 'node:fs'
import { BOOLEAN, type Check, type Checks, checkOptions, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { ArgumentError } from '../errors.js'
import type { PoolOptions } from '../pool/pool-options.js'
import type { Connection } from './connection.js'
import { checkQueueName } from './queue.js'

/** The options of a worker: its place in the cluster, and those of its session pool. */
export interface WorkerOptions extends Omit<PoolOptions, 'maxQueue' | 'retries'> {
  readonly connection: Connection
  readonly queue: string
  /** Accepts DLLs that clients upload; all sessions of the worker then run in a sandbox unless `sandbox` says otherwise. */
  readonly allowUpload?: boolean
  /** The only folder that job modules may come from; by default the working folder. */
  readonly jobs?: string
  /** Seconds without a sign of life after which the worker's jobs are given to others; 10 by default. */
  readonly lock?: number
}

const isFolder = (path: unknown) =>
  typeof path === 'string' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
const FOLDER: Check = ['a folder that is there', isFolder]
const OPTIONS: Checks = { allowUpload: BOOLEAN, lock: wholeNumber(1, 3600), jobs: FOLDER }

/** Checks all options but those of the pool, and returns the latter. Throws ArgumentError. */
export function checkWorkerOptions(given: WorkerOptions): PoolOptions {
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError(`options of a worker are an object, not ${describe(given)}`)
  const { connection: _, queue, allowUpload, jobs, lock, ...rest } = given
  checkOptions('a worker', { allowUpload, lock, jobs }, OPTIONS)
  checkQueueName(queue)
  return rest
}
