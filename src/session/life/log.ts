/**
 * What a session tells of its life: on a diagnostics channel, to the program's own logger, and, from the level on that
 * `log_level` says, as lines of JSON on stderr and in a file.
 */
import { channel } from 'node:diagnostics_channel'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Logger as Pino } from 'pino'
import { describe } from '../../ctypes/data.js'
import { hasMember } from '../../ctypes/given.js'
import { ArgumentError, ConfigError } from '../../errors.js'
import type { ResolvedConfig } from '../../runtime/config.js'

/** The methods for the numbers 10 to 50 of `log_level`, which are those of Python's logging. */
const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
/** The methods of a logger, and levels of its messages. */
export type LogLevel = (typeof LEVELS)[number]

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** A logger as pino and bunyan have it: the fields first, then the message. */
export type Logger = { readonly [level in LogLevel]: Write }

/**
 * What is published on the diagnostics channel `zugbruecke:session`. Some messages have more fields, none of which is
 * an argument of a call.
 */
export interface SessionMessage {
  /** The session's id. */
  readonly session: string
  readonly level: LogLevel
  readonly message: string
  readonly [field: string]: unknown
}

const messages = channel('zugbruecke:session')
let programLogger: Logger | undefined

/**
 * From now on the sessions of this thread report to this logger, whose own level decides what it writes; `null` ends
 * that. It does not change what `log_level` and `log_write` do. What the logger throws is an uncaught error of the
 * program. Throws ArgumentError for an object that lacks one of the methods.
 */
export function useLogger(logger: Logger | null): void {
  const missing =
    logger === null ? undefined : LEVELS.find(name => !hasMember(logger, name) || typeof logger[name] !== 'function')
  if (missing)
    throw new ArgumentError(`a logger has the methods ${LEVELS.join(', ')}; ${describe(logger)} has no ${missing}`)
  programLogger = logger ?? undefined
}

const levelOf = (number: number): LogLevel | 'silent' =>
  number === 0 ? 'silent' : LEVELS[Math.min(4, Math.max(0, Math.ceil(number / 10) - 1))]

type LogConfig = Pick<ResolvedConfig, 'id' | 'log_write' | 'cwd'>

const logFile = ({ id, log_write, cwd }: LogConfig): string | undefined =>
  log_write ? resolve(cwd, typeof log_write === 'string' ? log_write : `zugbruecke-${id}.jsonl`) : undefined

/** Throws ConfigError for a file that cannot be written. */
export function checkLogFile(config: LogConfig): void {
  const file = logFile(config)
  if (!file) return
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder')
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new ConfigError(`the parameter "log_write": ${file} cannot be written (${code ?? message})`, { cause })
  }
}

export class SessionLog {
  #id = ''
  #lines: Promise<Pino> | undefined

  constructor(config: ResolvedConfig) {
    this.configure(config)
  }

  /** Takes over changed parameters. */
  configure({ id, log_level, log_write, cwd }: ResolvedConfig): void {
    this.#id = id
    if (log_level === 0) {
      this.#lines = undefined
      return
    }
    // loaded only where something is to be logged: most sessions log nothing
    this.#lines = import('pino').then(({ pino }) => {
      const level = levelOf(log_level)
      const streams = [{ level, stream: pino.destination({ dest: 2, sync: true }) }]
      const dest = logFile({ id, log_write, cwd })
      if (dest) streams.push({ level, stream: pino.destination({ dest, sync: true, mode: 0o600 }) })
      // a full disk, or a closed pipe, must not end the program
      for (const { stream } of streams) stream.on('error', () => {})
      return pino({ level, base: { session: id } }, pino.multistream(streams as never))
    })
  }

  /** Writes a message. `fields` must hold nothing secret: arguments of calls are never logged. */
  write(level: LogLevel, message: string, fields: { readonly [key: string]: unknown } = {}): void {
    const session = this.#id
    if (messages.hasSubscribers) messages.publish({ ...fields, session, level, message })
    if (programLogger) tell(programLogger, level, { ...fields, session }, message)
    this.#lines?.then(lines => lines[level](fields, message)).catch(() => {})
  }
}

/** Calls the program's logger; what it throws must not stop what is under way in the session. */
function tell(logger: Logger, level: LogLevel, fields: Readonly<Record<string, unknown>>, message: string): void {
  try {
    logger[level](fields, message)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
