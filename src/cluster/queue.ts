/** What clients and workers of a queue agree on: the keys, what is in a job, and that both are of one version. */
import type { Redis } from 'ioredis'
import { type Check, type Checks, MILLISECONDS, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { hasMember, isRecord } from '../ctypes/given.js'
import { ArgumentError, ClusterError } from '../errors.js'
import type { Arch } from '../runtime/config.js'
import { packageVersion } from '../runtime/package.js'
import { MOST, type PayloadPlace } from './payload.js'

/** The version of the protocol, to be raised with every change of jobs and payloads. */
export const PROTOCOL = 1
/** A queue that nobody has used for so long, in seconds, is forgotten, and may be used by another version. */
export const FORGOTTEN = 86_400
/** How long (in seconds) and how many finished jobs are kept, for people to see. */
export const KEPT = { age: 3600, count: 500 }

export const KINDS = ['rows', 'call', 'run'] as const
export type Kind = (typeof KINDS)[number]

/** A DLL: by its path on the workers, or by its content and that of the DLLs that it needs. */
export type DllReference = { readonly path: string } | { readonly name: string; readonly files: readonly DllFile[] }
/** A file under its SHA-256. */
export interface DllFile {
  readonly name: string
  readonly sha256: string
}

/** A job, as BullMQ keeps it. */
export interface JobData {
  readonly protocol: number
  readonly client: string
  readonly kind: Kind
  readonly input: PayloadPlace
  readonly dll?: DllReference
  readonly prototype?: string
  readonly module?: string
  /** The rows of the job, for people who look at the board. */
  readonly rows?: string
  /** Milliseconds that the result is kept. */
  readonly ttl: number
}

const TEXT: Check = ['a string', value => typeof value === 'string']
const KIND: Check = [KINDS.join(', '), value => KINDS.includes(value as Kind)]
const DLL: Check = ['a DLL', isRecord]
const [, IS_BYTES] = wholeNumber(0, MOST)
const CARRIED: Check = [
  'what was carried',
  value =>
    (hasMember(value, 'inline') && typeof value.inline === 'string') ||
    (hasMember(value, 'bytes') && IS_BYTES(value.bytes)),
]
/** The members of a job of any version, and those that this version adds. */
const JOB = { protocol: wholeNumber(0, 1e6), ttl: wholeNumber(1, 86_400_000), input: CARRIED }
const OF_KIND: { readonly [kind in Kind]: Checks } = {
  rows: { client: TEXT, dll: DLL, prototype: TEXT },
  call: { client: TEXT, dll: DLL, prototype: TEXT },
  run: { client: TEXT, module: TEXT },
}

/** Why a job is not one of this package: whoever can write into Redis can put anything there. Other mistakes are found by the session. */
export function whyForeign(given: unknown): string | undefined {
  const data = isRecord(given) ? (given as JobData) : undefined
  const known = data?.protocol === PROTOCOL
  const checks = { ...JOB, ...(known ? { kind: KIND, ...OF_KIND[data.kind] } : {}) }
  const [wrong] = Object.entries(checks).find(([name, [, is]]) => !is(data?.[name as keyof JobData])) ?? []
  return wrong && `no job of zugbruecke: its "${wrong}" is missing, or not what it has to be`
}

/** Why a job was not begun, and may be given to another at no risk. */
export type NotBegun = 'input' | 'client' | 'dll'

/** Why a job failed, as it lies under a key of its own: a worker that died may have left a result that it told nobody of. */
export interface Failure {
  readonly error?: unknown
  readonly notBegun?: NotBegun
}

/** The result of a job, as BullMQ keeps it. */
export interface JobResult {
  readonly output: PayloadPlace
  /** Milliseconds that the session took. */
  readonly took: number
}

export const isResult = (given: unknown): given is JobResult =>
  isRecord(given) && CARRIED[1]((given as JobResult).output) && MILLISECONDS[1]((given as JobResult).took)

/** The facts that a worker publishes about itself. */
export interface WorkerFacts {
  readonly name: string
  /** Its sessions; none while there is `trouble`. */
  readonly size: number
  /** Why it takes no jobs. */
  readonly trouble?: string
  readonly uploads: boolean
  readonly version: string
}

/** The keys of this package; BullMQ's own begin with `bull:`. */
export const keysOf = (queue: string) => ({
  mark: `zugbruecke:${queue}:protocol`,
  input: (id: string) => `zugbruecke:${queue}:in:${id}`,
  output: (id: string) => `zugbruecke:${queue}:out:${id}`,
  failure: (id: string) => `zugbruecke:${queue}:error:${id}`,
  client: (id: string) => `zugbruecke:${queue}:client:${id}`,
  ends: (client: string) => `zugbruecke:${queue}:ends:${client}`,
  workers: `zugbruecke:${queue}:workers`,
  worker: (id: string) => `zugbruecke:${queue}:worker:${id}`,
  dll: (sha256: string) => `zugbruecke:${queue}:dll:${sha256}`,
  aborts: `zugbruecke:${queue}:aborts`,
})
export type Keys = ReturnType<typeof keysOf>

/** Throws ArgumentError. */
export function checkQueueName(queue: unknown): asserts queue is string {
  if (typeof queue !== 'string' || queue === '' || /[:\p{Cc}\p{Cs}]/u.test(queue))
    throw new ArgumentError(
      `a queue is named by a string without a colon and without control characters, not by ${describe(queue)}`,
    )
}

/** Throws ClusterError where the queue is another version's, or for another architecture. */
export async function claimQueue(redis: Redis, queue: string, arch: Arch): Promise<void> {
  const { mark } = keysOf(queue)
  const ours = `${PROTOCOL} ${arch} ${packageVersion()}`
  await redis.set(mark, ours, 'EX', FORGOTTEN, 'NX')
  const found = (await redis.get(mark)) ?? ours
  const [protocol, theirs, version = 'of an unknown version'] = found.split(' ')
  if (Number(protocol) !== PROTOCOL)
    throw new ClusterError(
      `the queue "${queue}" is of zugbruecke ${version} (protocol ${protocol}), this is ${packageVersion()} (protocol ${PROTOCOL}): use the same version on all machines, or another queue`,
    )
  if (theirs !== arch)
    throw new ClusterError(`the queue "${queue}" is for ${theirs}, not for ${arch}: use a queue for each architecture`)
}

/** BullMQ's keys of the queue itself. They get a time to live, because they would otherwise stay for ever in an abandoned queue. */
const OF_BULLMQ = ['wait', 'active', 'completed', 'failed', 'events', 'meta', 'id', 'marker', 'stalled', 'pc'] as const

/** A script: one write and one answer for many keys. A pipeline of ioredis first copies all of BullMQ's scripts into itself. */
const KEEP = `for i, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[i]) end`
/** The largest number of keys for one script, because Redis does nothing else while it runs. */
const KEEP_MOST = 1000

/** Sets the time to live of keys, in milliseconds. Keys that do not exist are not created. */
async function keep(redis: Redis, lives: readonly (readonly [key: string, life: number])[]): Promise<void> {
  for (let i = 0; i < lives.length; i += KEEP_MOST) {
    const some = lives.slice(i, i + KEEP_MOST)
    await redis.eval(KEEP, some.length, ...some.map(([key]) => key), ...some.map(([, life]) => life))
  }
}

/** Whoever uses the queue says so now and then: a day after the last of them nothing of it is left. */
export async function keepQueue(redis: Redis, queue: string): Promise<void> {
  const { mark, workers } = keysOf(queue)
  const keys = [mark, workers, ...OF_BULLMQ.map(name => `bull:${queue}:${name}`)]
  await keep(
    redis,
    keys.map(key => [key, FORGOTTEN * 1000]),
  )
}

/** Sets the time to live of jobs, in milliseconds, since BullMQ keeps a waiting job for ever. The lists that hold it get a day. */
export async function keepJobs(redis: Redis, queue: string, ids: Iterable<string>, life: number): Promise<void> {
  const jobs = [...ids].map(id => [`bull:${queue}:${id}`, life] as const)
  if (jobs.length === 0) return
  const lists = ['wait', 'active', 'marker'].map(name => [`bull:${queue}:${name}`, FORGOTTEN * 1000] as const)
  await keep(redis, [...jobs, ...lists])
}

/** Forgets that jobs were added: nobody is going to add them again. BullMQ remembers it by a key for each. */
export async function forgetAdding(redis: Redis, queue: string, ids: readonly string[]): Promise<void> {
  const keys = ids.map(id => `bull:${queue}:de:${id}`)
  for (let i = 0; i < keys.length; i += KEEP_MOST) await redis.unlink(keys.slice(i, i + KEEP_MOST))
}

/** Workers that have been heard of lately. */
export async function liveWorkers(redis: Redis, keys: Keys): Promise<WorkerFacts[]> {
  const ids = await redis.smembers(keys.workers)
  if (ids.length === 0) return []
  const told = await redis.mget(ids.map(keys.worker))
  const gone = ids.filter((_, i) => told[i] === null)
  if (gone.length > 0) await redis.srem(keys.workers, gone)
  return told.flatMap(factsIn)
}

/** The number of a worker's sessions. */
const [, IS_SIZE] = wholeNumber(0, 100_000)

/** Entries that do not describe a worker are left out. */
function factsIn(text: string | null): WorkerFacts[] {
  try {
    const facts = JSON.parse(text ?? 'null') as WorkerFacts | null
    return facts && typeof facts.name === 'string' && IS_SIZE(facts.size) ? [facts] : []
  } catch {
    return []
  }
}
