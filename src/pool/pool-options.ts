/** Options of a pool, their defaults and their checks. */

import { type Check, type Checks, checkOptions, FUNCTION, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { isRecord } from '../ctypes/given.js'
import { ArgumentError, ConfigError } from '../errors.js'
import type { Config } from '../runtime/config.js'
import { isParameter, unknownParameter } from '../runtime/parameters.js'
import { nearNames } from '../session/core/near-names.js'
import type { CtypesSession, OpenParameters } from '../session/life/session.js'

/** What a pool is made of: its own parameters, and those of its sessions (all but `id`). */
export interface PoolOptions extends Partial<Omit<Config, 'id'>> {
  /** Sessions that work at the same time; 2 unless given. */
  readonly size?: number
  /** Sessions beyond `size` that are started, so that one that died is replaced at once; 0 unless given. */
  readonly spare?: number
  /** Work that may wait for a session; 10 000 unless given. One more is a QueueFullError. */
  readonly maxQueue?: number
  /** How often work is done again when its session died; 0 unless given. */
  readonly retries?: number
  /**
   * A session that has done so much is ended and replaced, for DLLs that leak: a call, a job, a `use` and a session's turn in a map count
   * as one. One session at a time; unlimited unless given.
   */
  readonly recycleAfterCalls?: number
  /** Likewise for a session whose Windows process has so many bytes resident after some work. */
  readonly recycleAfterBytes?: number
  /** Runs on each new session, those that replace others too, before it takes work. What it throws is why the session could not start. */
  readonly setup?: (session: CtypesSession) => void | Promise<void>
}

/** Options of a pool whose architecture is that of a DLL, unless it is given. */
export type PoolOpenOptions = Omit<PoolOptions, 'arch'> & Pick<OpenParameters, 'arch'>

type Own = Pick<
  PoolOptions,
  'size' | 'spare' | 'maxQueue' | 'retries' | 'recycleAfterCalls' | 'recycleAfterBytes' | 'setup'
>

/** The options of a pool, checked and with their defaults. */
export interface ResolvedPoolOptions extends Required<Omit<Own, 'setup'>>, Pick<Own, 'setup'> {
  /** Parameters that each session is started with. */
  readonly config: Partial<Config>
}

/** A count for options, of which Infinity is no limit. */
export const COUNT: Check = [
  'a whole number from 0, or Infinity',
  value => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 0),
]
const LIMIT: Check = ['a whole number from 1, or Infinity', value => COUNT[1](value) && value !== 0]
const SESSIONS = 1024
const OWN: Checks = {
  size: wholeNumber(1, SESSIONS),
  spare: wholeNumber(0, SESSIONS),
  maxQueue: COUNT,
  retries: COUNT,
  recycleAfterCalls: LIMIT,
  recycleAfterBytes: LIMIT,
  setup: FUNCTION,
}

/**
 * The error for an unknown option. Names of the pool's own options are suggested first: the check of a session's
 * parameters does not know them.
 */
function unknownOption(name: string): ConfigError {
  const [near] = nearNames(name, Object.keys(OWN))
  if (near) return new ConfigError(`Options of the pool: unknown parameter "${name}". Did you mean "${near}"?`)
  return unknownParameter('Options of the pool', name)
}

/** Checks the pool's own options; of parameters for its sessions only the names. Throws ArgumentError, ConfigError. */
export function poolOptions(options: PoolOptions): ResolvedPoolOptions {
  if (!isRecord(options)) throw new ArgumentError(`options of a pool are an object, not ${describe(options)}`)
  const {
    size = 2,
    spare = 0,
    maxQueue = 10_000,
    retries = 0,
    recycleAfterCalls = Number.POSITIVE_INFINITY,
    recycleAfterBytes = Number.POSITIVE_INFINITY,
    setup,
    ...config
  } = options
  if ('id' in config) throw new ConfigError('Options of the pool: each session has an "id" of its own: leave it out')
  for (const name of Object.keys(config)) if (!isParameter(name)) throw unknownOption(name)
  const limits = { size, spare, maxQueue, retries, recycleAfterCalls, recycleAfterBytes }
  const own = { ...limits, ...(setup === undefined ? {} : { setup }) }
  checkOptions('a pool', own, OWN)
  return { ...own, config }
}
