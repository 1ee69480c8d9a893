/** What a pool is told, and the words for what is wrong with it. */
import { type Check, type Checks, checkOptions, FUNCTION, wholeNumber } from '../ctypes/checks.js'
import { describe } from '../ctypes/data.js'
import { ArgumentError, ConfigError } from '../errors.js'
import type { Config } from '../runtime/config.js'
import { isParameter, unknownParameter } from '../runtime/parameters.js'
import { nearNames } from '../session/core/near-names.js'
import type { CtypesSession } from '../session/life/session.js'

/** What a pool is made of: its own parameters, and those of its sessions (all but `id`). */
export interface PoolOptions extends Partial<Omit<Config, 'id'>> {
  /** Sessions; 2 unless given. */
  readonly size?: number
  /** Work that may wait for a session; 10 000 unless given. One more is a QueueFullError. */
  readonly maxQueue?: number
  /** How often work is done again when its session died; 0 unless given. */
  readonly retries?: number
  /** Runs on each new session, those that replace others too, before it takes work. What it throws is why the session could not start. */
  readonly setup?: (session: CtypesSession) => void | Promise<void>
}

const COUNT: Check = ['a number from 0', value => typeof value === 'number' && value >= 0]
const OWN: Checks = { size: wholeNumber(1, 1024), maxQueue: COUNT, retries: COUNT, setup: FUNCTION }

/** Options of the pool's own come first: a session's check knows nothing of them. */
function unknownOption(name: string): ConfigError {
  const [near] = nearNames(name, Object.keys(OWN))
  if (near) return new ConfigError(`Options of the pool: unknown parameter "${name}". Did you mean "${near}"?`)
  return unknownParameter('Options of the pool', name)
}

/** The number of sessions, and the parameters that each is started with. Throws ArgumentError, ConfigError. */
export function poolOptions(options: PoolOptions): [size: number, config: Partial<Config>] {
  if (Object.prototype.toString.call(options) !== '[object Object]')
    throw new ArgumentError(`options of a pool are an object, not ${describe(options)}`)
  const { size, maxQueue, retries, setup, ...config } = options
  for (const name of Object.keys(config)) if (!isParameter(name)) throw unknownOption(name)
  checkOptions('a pool', { size, maxQueue, retries, setup }, OWN)
  return [size ?? 2, config]
}
