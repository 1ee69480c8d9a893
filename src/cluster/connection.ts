/** How Redis is reached, which one will do, and what is said where it refuses. */
import { Redis, type RedisOptions } from 'ioredis'
import { describe } from '../ctypes/data.js'
import { isRecord } from '../ctypes/given.js'
import { ArgumentError, ClusterError } from '../errors.js'

/** The oldest version of Redis that will do. */
const OLDEST = [6, 2] as const
const NO_EVICTION = 'noeviction'
/** Milliseconds without a word from Redis after which a connection that awaits one is made anew; longer than any command blocks. */
const SILENCE = 15_000
/** The same for the first connection. */
const FIRST_SILENCE = 5000

/** How to reach Redis: a URL (`redis://:password@host:6379/0`, `rediss://` for TLS), or options of ioredis. */
export type Connection = string | RedisOptions

const isAddress = (text: string) => text.startsWith('/') || (/^rediss?:\/\//.test(text) && URL.canParse(text))

/** A connection that is there, and that is made anew for as long as it takes when it breaks. Throws ClusterError. */
export async function connect(connection: Connection): Promise<Redis> {
  let isUp = false
  const retryStrategy = (times: number) => (isUp ? Math.min(100 * times, 1000) : null)
  const options = {
    maxRetriesPerRequest: null,
    connectTimeout: FIRST_SILENCE,
    socketTimeout: FIRST_SILENCE,
    keepAlive: 5000,
    lazyConnect: true,
    // some commands wait for long, all of them for a connection that is made anew, and BullMQ and we compare numbers
    stringNumbers: false,
    commandTimeout: undefined,
    enableOfflineQueue: true,
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
  }
  if (!isRecord(connection) && !(typeof connection === 'string' && isAddress(connection)))
    throw new ArgumentError(
      `a connection is a URL of Redis (redis://host:6379, rediss://), the path of its socket, or options of ioredis, not ${describe(connection)}`,
    )
  const redis =
    typeof connection === 'string' ? new Redis(connection, options) : new Redis({ ...connection, ...options } as never)
  checkOwn(redis.options)
  let why: Error | undefined
  // the promise below tells of a failure; a later break is mended by reconnecting
  redis.on('error', (error: Error) => {
    why = error
  })
  try {
    await redis.connect()
    // ioredis silently uses database 0 if the given one does not exist
    await redis.select(redis.options.db ?? 0)
    checkServer(await redis.info())
    isUp = true
    redis.options.socketTimeout = SILENCE
    return redis
  } catch (error) {
    redis.disconnect()
    if (error instanceof ClusterError) throw error
    throw refused(redis, why ?? (error as Error))
  }
}

/** Throws ArgumentError for options that BullMQ refuses, or that ioredis would stumble over later. */
function checkOwn({ db = 0, keyPrefix }: RedisOptions): void {
  if (!(Number.isSafeInteger(db) && db >= 0))
    throw new ArgumentError('a connection is to a database of Redis by its number, such as redis://host:6379/0')
  if (keyPrefix)
    throw new ArgumentError(
      'a connection takes no "keyPrefix", which BullMQ refuses: name another queue to keep work apart',
    )
}

function refused({ options }: Redis, cause: Error): ClusterError {
  const where = options.path ?? `${options.host}:${options.port}`
  const { message } = cause
  if (/WRONGPASS|NOAUTH|invalid password|AUTH/i.test(message))
    return new ClusterError(`Redis at ${where} refuses the user or password: ${message}`, { cause })
  if (
    /RESP type|Socket timeout|Connection is closed/.test(message) ||
    (options.tls && /connect ETIMEDOUT/.test(message))
  ) {
    const tls = options.tls ? 'it may be one without TLS (redis://)' : 'it may be none, or one with TLS (rediss://)'
    return new ClusterError(`what listens at ${where} does not answer as Redis does (${message}): ${tls}`, { cause })
  }
  return new ClusterError(`Redis at ${where} cannot be used: ${message || (cause as NodeJS.ErrnoException).code}`, {
    cause,
  })
}

/**
 * Throws ClusterError for what is older than 6.2, by what INFO says, for a node of a Redis Cluster, and for what removes keys as it likes;
 * Valkey says the version of Redis that it stands for.
 */
export function checkServer(info: string): void {
  const said = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
  const version = said('redis_version') ?? 'unknown'
  const [major, minor] = version.split('.').map(Number)
  if (!(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])))
    throw new ClusterError(`Redis is of version ${version}: ${OLDEST.join('.')} or newer is needed, or Valkey`)
  if (said('cluster_enabled') === '1')
    throw new ClusterError(
      'Redis is a node of a Redis Cluster, over which the keys of a queue would be spread: use a Redis of its own',
    )
  const policy = said('maxmemory_policy') ?? NO_EVICTION
  if (policy !== NO_EVICTION && said('maxmemory') !== '0')
    throw new ClusterError(
      `Redis removes keys when its memory is full ("maxmemory-policy ${policy}"), and with them work that nobody has done yet: set it to ${NO_EVICTION}`,
    )
}

/** Words an error of Redis as a ClusterError. */
export function asClusterError(what: string, error: Error): Error {
  if (error.name !== 'ReplyError' && error.name !== 'MaxRetriesPerRequestError') return error
  const full = /OOM /.test(error.message) ? '; it has no memory left: lower "maxQueue", or give it more' : ''
  return new ClusterError(`${what}: Redis refused it: ${error.message}${full}`, { cause: error })
}
