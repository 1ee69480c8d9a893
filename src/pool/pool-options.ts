/** Options of a pool, their defaults and their checks. */

import { type Check, type Checks, checkOptions, FUNCTION, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { isRecord } from '../ctypes/given.js'
import { ArgumentError, ConfigError } from '../errors.js'
import type { Config } from '../runtime/config.js'
import { isParameter, unknownParameter } from '../runtime/parameters.js'
import { nearNames } from '../session/core/near-names.js'
import type { CtypesSession, OpenParameters } from '../session/life/session.js'

/** Options of a pool: its own, and the parameters of its sessions (all but `id`). */
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
   * A session that has been lent so often is ended and replaced, for DLLs that leak: for each call, job and `use`, and
   * for each part of a map that it does at a stretch. One session is replaced at a time; Infinity unless given.
   */
  readonly recycleAfterCalls?: number
  /** The same for a session whose Windows process has so many bytes resident when it is given back. */
  readonly recycleAfterBytes?: number
  /**
   * Runs with each new session, also with those that replace others, before it takes work. A session for which it
   * throws counts as one that could not start.
   */
  readonly setup?: (session: CtypesSession) => void | Promise<void>
}

/** Options for `open`: without `arch`, or with `'auto'`, the architecture is that of the DLL. */
export type PoolOpenOptions = Omit<PoolOptions, 'arch'> & Pick<OpenParameters, 'arch'>

/** The options that are the pool's own. */
type Own = Pick<
  PoolOptions,
  'size' | 'spare' | 'maxQueue' | 'retries' | 'recycleAfterCalls' | 'recycleAfterBytes' | 'setup'
>

/** The options of a pool, checked and with their defaults. */
export interface ResolvedPoolOptions extends Required<Omit<Own, 'setup'>>, Pick<Own, 'setup'> {
  /** Parameters that each session is started with. */
  readonly config: Partial<Config>
}

/** The check of a count, of which Infinity is no limit. */
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

/** The error for an unknown option. It suggests an option of the pool's own if one is near, otherwise a parameter. */
function unknownOption(name: string): ConfigError {
  const [near] = nearNames(name, Object.keys(OWN))
  if (near) return new ConfigError(`Options of the pool: unknown parameter "${name}". Did you mean "${near}"?`)
  return unknownParameter('Options of the pool', name)
}

/**
 * Checks the options of a pool, and adds defaults. Of the parameters of its sessions only the names are checked. Throws
 * ArgumentError, ConfigError.
 */
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
