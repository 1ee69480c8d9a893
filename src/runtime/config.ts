/**
 * Owns the parameters of a session: their names, types, defaults and where they may come from.
 * Runs on the caller's thread, synchronously, before anything is started.
 * Never looks for Wine or Python (`locate.ts` does) and never writes anything.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { ConfigError } from '../errors.js'

export type Arch = 'win32' | 'win64'

/** Every parameter; `resolveConfig` takes any part of it. */
export interface Config {
  /** Name of the session; a random hash unless given. */
  readonly id: string
  readonly arch: Arch
  /** Version of Windows Python; `null` is the newest one that set-up brought. */
  readonly pythonversion: string | null
  /** Path of an own python.exe (Unix or Windows); `null`: the one in the cache folder. */
  readonly python: string | null
  /** Path of an own Wine loader; `null`: the one that is found. */
  readonly wine: string | null
  /** Wine prefix; `null`: one in the user's cache folder, shared by sessions. */
  readonly prefix: string | null
  /** Bytes shared with the Windows side. */
  readonly memory: number
  /** Show what the Windows side prints. */
  readonly stdout: boolean
  readonly stderr: boolean
  /** 0–50 as in zugbruecke; 0 is silent. */
  readonly log_level: number
  /** JSON lines to a file: its path, or true for one in the current folder. */
  readonly log_write: boolean | string
  /** Seconds; `null` is no limit. */
  readonly timeout_start: number | null
  readonly timeout_stop: number | null
  readonly timeout_call: number | null
  /** Of `char *`. */
  readonly encoding: string
  readonly winedebug: string
  /** Further environment variables of the Windows side. */
  readonly env: Readonly<Record<string, string>>
  /** Working folder of the Windows side. */
  readonly cwd: string
  /** bubblewrap; a list names the files and folders that may be written. */
  readonly sandbox: boolean | readonly string[]
}

/** All parameters settled, and for each the place it came from. Plain data: crosses threads. */
export interface ResolvedConfig extends Config {
  readonly sources: Readonly<Record<keyof Config, string>>
}

/** The parameters that may change while a session runs. */
export type RuntimeConfig = Pick<
  Config,
  'stdout' | 'stderr' | 'log_level' | 'log_write' | 'timeout_stop' | 'timeout_call' | 'encoding'
>

/** What a value must be. `check` answers whether it is; `read` makes it from the text of an environment variable. */
interface Kind {
  readonly wanted: string
  check(value: unknown): boolean
  read(text: string): unknown
}

const asNumber = (text: string) => (text.trim() === '' ? text : Number(text))
const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
const asBoolean = (text: string) =>
  ({ true: true, yes: true, on: true, '1': true, false: false, no: false, off: false, '0': false })[
    text.toLowerCase()
  ] ?? text
const orNone = (kind: Kind): Kind => ({
  wanted: `${kind.wanted}, or null for none`,
  check: value => value === null || kind.check(value),
  read: text => (['', 'none', 'null'].includes(text.toLowerCase()) ? null : kind.read(text)),
})
const isNumber = (value: unknown, from: number, to: number) =>
  typeof value === 'number' && Number.isFinite(value) && value >= from && value <= to
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')

const kib64 = 0x10000
const mib = 0x100000
/** A timer of Node holds 2³¹-1 milliseconds at most. */
const longest = 2_147_483

const text: Kind = { wanted: 'a non-empty string', check: value => isText(value) && value !== '', read: text => text }
const boolean: Kind = { wanted: 'true or false', check: value => typeof value === 'boolean', read: asBoolean }
const seconds: Kind = {
  wanted: `a number of seconds above 0 and up to ${longest}`,
  check: value => isNumber(value, Number.MIN_VALUE, longest),
  read: asNumber,
}

const kinds: Readonly<Record<keyof Config, Kind>> = {
  id: {
    wanted: 'a string of 1 to 64 letters, digits, "-", "_" and "."',
    check: value => typeof value === 'string' && /^[\w.-]{1,64}$/.test(value),
    read: text => text,
  },
  arch: {
    wanted: '"win64" or "win32"',
    check: value => value === 'win64' || value === 'win32',
    read: text => text,
  },
  pythonversion: orNone({
    wanted: 'a version such as "3.13.0"',
    check: value => typeof value === 'string' && /^3\.\d+\.\d+$/.test(value),
    read: text => text,
  }),
  python: orNone(text),
  wine: orNone(text),
  prefix: orNone(text),
  memory: {
    wanted: 'a number of bytes: a multiple of 65536, from 1048576 (1 MiB) to 4293918720 (4095 MiB)',
    check: value => isNumber(value, mib, 4095 * mib) && (value as number) % kib64 === 0,
    read: asNumber,
  },
  stdout: boolean,
  stderr: boolean,
  log_level: {
    wanted: 'a whole number from 0 to 50',
    check: value => isNumber(value, 0, 50) && Number.isInteger(value),
    read: asNumber,
  },
  log_write: {
    wanted: 'true, false or the path of a file',
    check: value => boolean.check(value) || text.check(value),
    read: asBoolean,
  },
  timeout_start: orNone(seconds),
  timeout_stop: orNone(seconds),
  timeout_call: orNone(seconds),
  encoding: { wanted: 'the name of a text encoding that Node knows', check: isEncoding, read: text => text },
  winedebug: { wanted: 'a string', check: isText, read: text => text },
  env: {
    wanted: 'an object of strings (in a variable: as JSON)',
    check: value =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.entries(value).every(([name, value]) => /^[^=\0]+$/.test(name) && isText(value)),
    read: asJson,
  },
  cwd: text,
  sandbox: {
    wanted: 'true, false or a list of paths that may be written (in a variable: as JSON)',
    check: value => boolean.check(value) || (Array.isArray(value) && value.every(text.check)),
    read: text => (text.startsWith('[') ? asJson(text) : asBoolean(text)),
  },
}

function isEncoding(value: unknown): boolean {
  if (typeof value !== 'string') return false
  try {
    return Boolean(new TextDecoder(value))
  } catch {
    return false
  }
}

/** What holds where nobody says otherwise; `id` and `cwd` are made anew for each session. */
export const defaults: Readonly<Omit<Config, 'id' | 'cwd'>> = Object.freeze({
  arch: 'win64',
  pythonversion: null,
  python: null,
  wine: null,
  prefix: null,
  memory: 16 * mib,
  stdout: true,
  stderr: true,
  log_level: 0,
  log_write: false,
  timeout_start: 30,
  timeout_stop: 30,
  timeout_call: null,
  encoding: 'utf-8',
  winedebug: '-all',
  env: Object.freeze({}),
  sandbox: false,
})

export const parameterNames = Object.keys(kinds) as readonly (keyof Config)[]

const changeable: readonly string[] = [
  'stdout',
  'stderr',
  'log_level',
  'log_write',
  'timeout_stop',
  'timeout_call',
  'encoding',
] satisfies (keyof RuntimeConfig)[]

/** Variables of ours that are no parameters of a session: sources for set-up, and switches for tests. */
const otherVariables = /^ZUGBRUECKE_(PYTHON_URL|PYTHON_SHA256|BRIDGE|SHM|TEST_\w+|BENCH_\w+)$/

const isParameter = (name: string): name is keyof Config => Object.hasOwn(kinds, name)

function near(name: string, names: readonly string[], spell = (name: string) => name): string {
  const best = closest(name.toLowerCase(), names as string[])
  return distance(name.toLowerCase(), best) <= Math.max(2, name.length / 3)
    ? `Did you mean ${spell(best)}?`
    : `Known: ${names.map(spell).join(', ')}.`
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

function checkValue(where: string, name: keyof Config, value: unknown): void {
  if (!kinds[name].check(value))
    throw new ConfigError(`${where}: "${name}" must be ${kinds[name].wanted}, not ${show(value)}.`)
}

type Layer = readonly [where: (name: string) => string, values: Readonly<Record<string, unknown>>]

function checkObject(where: string, values: unknown): Record<string, unknown> {
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new ConfigError(`${where}: expected an object of parameters, not ${show(values)}.`)
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (!isParameter(name))
      throw new ConfigError(`${where}: unknown parameter "${name}". ${near(name, parameterNames, name => `"${name}"`)}`)
    checkValue(where, name, value)
    given[name] = value
  }
  return given
}

function fromEnvironment(): Layer {
  const where = (name: string) => `Environment variable ZUGBRUECKE_${name.toUpperCase()}`
  const given: Record<string, unknown> = {}
  for (const [variable, text] of Object.entries(process.env)) {
    if (!variable.startsWith('ZUGBRUECKE_') || text === undefined || otherVariables.test(variable)) continue
    const name = variable.slice('ZUGBRUECKE_'.length).toLowerCase()
    if (!isParameter(name) || variable !== variable.toUpperCase())
      throw new ConfigError(
        `Environment variable ${variable}: unknown parameter "${name}". ${near(name, parameterNames, name => `ZUGBRUECKE_${name.toUpperCase()}`)}`,
      )
    given[name] = kinds[name].read(text)
    checkValue(where(name), name, given[name])
  }
  return [where, given]
}

function fromFile(path: string): Layer | undefined {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError(`${path}: cannot be read (${code}).`, { cause: error })
  }
  let values: unknown
  try {
    values = JSON.parse(content)
  } catch (error) {
    throw new ConfigError(`${path}: not valid JSON: ${(error as Error).message}`, { cause: error })
  }
  return [() => path, checkObject(path, values)]
}

const fileName = '.zugbruecke.json'

function files(): Layer[] {
  const paths = [join(process.cwd(), fileName), join(process.env.HOME || homedir(), fileName), '/etc/zugbruecke.json']
  const layers: (Layer | undefined)[] = []
  const named = process.env.ZUGBRUECKE
  if (named) {
    const folder = statSync(named, { throwIfNoEntry: false })?.isDirectory() ?? false
    const layer = fromFile(folder ? join(named, fileName) : named)
    if (!layer)
      throw new ConfigError(`Environment variable ZUGBRUECKE: no file "${named}"${folder ? ` / ${fileName}` : ''}.`)
    layers.push(layer)
  }
  layers.push(...paths.map(fromFile))
  return layers.filter(layer => layer !== undefined)
}

/** Environment, then what the constructor was given, then files, then defaults. Throws `ConfigError`. */
export function resolveConfig(given: Partial<Config> = {}): ResolvedConfig {
  const layers: Layer[] = [
    fromEnvironment(),
    [() => 'constructor', checkObject('Parameters of the session', given)],
    ...files(),
    [() => 'default', { ...defaults, cwd: process.cwd(), id: randomBytes(8).toString('hex') }],
  ]
  const config: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const [where, values] of layers)
    for (const [name, value] of Object.entries(values))
      if (!Object.hasOwn(config, name)) {
        config[name] = typeof value === 'object' && value !== null ? structuredClone(value) : value
        sources[name] = where(name)
      }
  return Object.freeze({ ...config, sources }) as unknown as ResolvedConfig
}

/** Checks a change made while the session runs; throws `ConfigError` for what is unknown, ill-typed or settled at start. */
export function checkParameterChange(changes: Partial<Config>): Partial<RuntimeConfig> {
  const checked = checkObject('setParameter', changes)
  for (const name of Object.keys(checked))
    if (!changeable.includes(name))
      throw new ConfigError(
        `setParameter: "${name}" is settled when a session starts; at run time: ${changeable.join(', ')}.`,
      )
  return checked
}
