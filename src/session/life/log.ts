/**
 * What a session tells of its life: on a diagnostics channel, to the program's own logger, and as JSON lines to stderr and a file, from
 * the level that the parameters say.
 */
import { channel } from 'node:diagnostics_channel'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Logger as Pino } from 'pino'
import { describe } from '../../ctypes/data.js'
import { hasMember } from '../../ctypes/given.js'
import { ArgumentError, ConfigError } from '../../errors.js'
import type { ResolvedConfig } from '../../runtime/config.js'

/** The levels of zugbruecke, which are those of Python's logging: 10 debug to 50 critical, 0 nothing. */
const NAMES = ['debug', 'info', 'warn', 'error', 'fatal'] as const
/** The methods of a logger, and levels of its messages. */
export type LogLevel = (typeof NAMES)[number]

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** A logger as pino and bunyan have it: the fields first, then the message. */
export type Logger = { readonly [level in LogLevel]: Write }

/** What is published on the diagnostics channel `zugbruecke:session`; some messages have more fields, none of which is an argument of a call. */
export interface SessionMessage {
  /** The session's id. */
  readonly session: string
  readonly level: LogLevel
  readonly message: string
  readonly [field: string]: unknown
}

const messages = channel('zugbruecke:session')
let programs: Logger | undefined

/**
 * From now on the sessions of this thread tell what happens to them to this logger, whose own level decides what becomes of it; `null`:
 * not any more. `log_level` and `log_write` are not touched by it. What the logger throws is the program's uncaught error. Throws
 * ArgumentError for an object that lacks one of its methods.
 */
export function useLogger(logger: Logger | null): void {
  const missing =
    logger === null ? undefined : NAMES.find(name => !hasMember(logger, name) || typeof logger[name] !== 'function')
  if (missing)
    throw new ArgumentError(`a logger has the methods ${NAMES.join(', ')}; ${describe(logger)} has no ${missing}`)
  programs = logger ?? undefined
}

const levelOf = (number: number): LogLevel | 'silent' =>
  number === 0 ? 'silent' : NAMES[Math.min(4, Math.max(0, Math.ceil(number / 10) - 1))]

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

  /** `fields` must hold nothing secret: arguments of calls are never logged. */
  write(level: LogLevel, message: string, fields: { readonly [key: string]: unknown } = {}): void {
    const session = this.#id
    if (messages.hasSubscribers) messages.publish({ ...fields, session, level, message })
    if (programs) tell(programs, level, { ...fields, session }, message)
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
