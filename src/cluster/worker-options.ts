/** What a worker is told. */
import { statSync } from 'node:fs'
import { BOOLEAN, type Check, type Checks, checkOptions, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { ArgumentError } from '../errors.js'
import type { PoolOptions } from '../pool/pool-options.js'
import { type Connection, checkQueueName } from './queue.js'

/** What a worker is made of: its place in a cluster, and the options of the pool that it has. */
export interface WorkerOptions extends Omit<PoolOptions, 'maxQueue' | 'retries'> {
  readonly connection: Connection
  readonly queue: string
  /** Takes DLLs that clients upload, and runs all of its sessions in a sandbox unless `sandbox` says otherwise. */
  readonly allowUpload?: boolean
  /** Job modules are taken from this folder alone; the working folder unless given. */
  readonly jobs?: string
  /** Seconds without a sign of life after which what it had goes elsewhere; 10 unless given. */
  readonly lock?: number
}

const isFolder = (path: unknown) =>
  typeof path === 'string' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
const FOLDER: Check = ['a folder that is there', isFolder]
const OPTIONS: Checks = { allowUpload: BOOLEAN, lock: wholeNumber(1, 3600), jobs: FOLDER }

/** Looks at all but the options of its pool, which it gives. Throws ArgumentError. */
export function checkWorkerOptions(given: WorkerOptions): PoolOptions {
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError(`options of a worker are an object, not ${describe(given)}`)
  const { connection: _, queue, allowUpload, jobs, lock, ...rest } = given
  checkOptions('a worker', { allowUpload, lock, jobs }, OPTIONS)
  checkQueueName(queue)
  return rest
}
