/** What a pool is told, and the words for what is wrong with it. */
import { ArgumentError, ConfigError } from '../errors.js'
import type { Config } from '../runtime/config.js'
import { isParameter, unknownParameter } from '../runtime/parameters.js'
import { nearNames } from '../session/near-names.js'
import type { CtypesSession } from '../session/session.js'

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

/** Options of the pool's own come first: a session's check knows nothing of them. */
function unknownOption(name: string): ConfigError {
  const [near] = nearNames(name, ['size', 'maxQueue', 'retries', 'setup'])
  if (near) return new ConfigError(`Options of the pool: unknown parameter "${name}". Did you mean "${near}"?`)
  return unknownParameter('Options of the pool', name)
}

/** The number of sessions, and the parameters that each is started with. Throws ArgumentError, ConfigError. */
export function checkOptions(options: PoolOptions): [size: number, config: Partial<Config>] {
  const { size = 2, maxQueue = 0, retries = 0, setup, ...config } = options
  if (!Number.isInteger(size) || size < 1)
    throw new ArgumentError(`a pool has a whole number of sessions from 1, not ${String(size)}`)
  for (const [name, value] of Object.entries({ maxQueue, retries }))
    if (typeof value !== 'number' || !(value >= 0))
      throw new ArgumentError(`${name} of a pool is a number from 0, not ${String(value)}`)
  if (setup !== undefined && typeof setup !== 'function')
    throw new ArgumentError(`setup of a pool is a function of a session, not ${String(setup)}`)
  for (const name of Object.keys(config)) if (!isParameter(name)) throw unknownOption(name)
  return [size, config]
}
