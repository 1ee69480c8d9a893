/** What a session writes down of its life: JSON lines, to stderr and to a file, from the level that the parameters say. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Logger } from 'pino'
import { ConfigError } from '../../errors.js'
import type { ResolvedConfig } from '../../runtime/config.js'

/** The levels of zugbruecke, which are those of Python's logging: 10 debug to 50 critical, 0 nothing. */
const NAMES = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof NAMES)[number]

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
  #logger: Promise<Logger> | undefined

  constructor(config: ResolvedConfig) {
    this.configure(config)
  }

  configure({ id, log_level, log_write, cwd }: ResolvedConfig): void {
    if (log_level === 0) {
      this.#logger = undefined
      return
    }
    // most sessions log nothing: the library is loaded when it is wanted
    this.#logger = import('pino').then(({ pino }) => {
      const level = levelOf(log_level)
      const streams = [{ level, stream: pino.destination({ dest: 2, sync: true }) }]
      const dest = logFile({ id, log_write, cwd })
      if (dest) streams.push({ level, stream: pino.destination({ dest, sync: true, mode: 0o600 }) })
      // a full disk, a reader that has gone: to log is not worth the program
      for (const { stream } of streams) stream.on('error', () => {})
      return pino({ level, base: { session: id } }, pino.multistream(streams as never))
    })
  }

  /** `fields` must hold nothing secret: arguments of calls are never logged. */
  write(level: LogLevel, message: string, fields: { readonly [key: string]: unknown } = {}): void {
    this.#logger?.then(logger => logger[level](fields, message)).catch(() => {})
  }
}
