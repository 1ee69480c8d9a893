/**
 * Owns the names, types and defaults of a session's parameters, and the words for what is wrong with one.
 * Pure: reads no file and no environment (`config.ts` does).
 */
import { inspect } from 'node:util'
import { closest, distance } from 'fastest-levenshtein'
import { ConfigError } from '../errors.js'

/** The architecture of a session, and of the DLLs that it loads: 64-bit or 32-bit Windows. */
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
  /** Environment variables of the Windows side; `inherit`: all that this process has. */
  readonly env: Readonly<Record<string, string>> | 'inherit'
  /** Folders where DLLs, and what they need, are looked for, too: Unix or Windows paths. */
  readonly dll_directories: readonly string[]
  /** `none`: windows work, and nobody sees them; `inherit`: those of the user's display, in a prefix of their own. */
  readonly display: 'none' | 'inherit'
  /** Working folder of the Windows side. */
  readonly cwd: string
  /** bubblewrap; a list names the files and folders that may be written. */
  readonly sandbox: boolean | readonly string[]
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

const asNumber = (text: string) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text))
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

/** Also of another realm, and without a prototype. */
export const isPlain = (value: unknown): value is object => Object.prototype.toString.call(value) === '[object Object]'

const kib64 = 0x10000
const mib = 0x100000
/** Windows holds 32767 units, with `=` and the zero at the end. */
const longestVariable = 32_765
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
    wanted: `an object of strings of up to ${longestVariable} characters with their names (in a variable: as JSON), or "inherit"`,
    check: value =>
      value === 'inherit' ||
      (isPlain(value) &&
        Object.entries(value).every(
          ([name, value]) => /^[^=\0]+$/.test(name) && isText(value) && name.length + value.length <= longestVariable,
        )),
    read: asJson,
  },
  dll_directories: {
    wanted: 'a list of folders (in a variable: as JSON)',
    check: value => Array.isArray(value) && value.every(text.check),
    read: asJson,
  },
  display: {
    wanted: "'none' or 'inherit'",
    check: value => value === 'none' || value === 'inherit',
    read: text => text.toLowerCase(),
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
  memory: 256 * mib,
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
  dll_directories: Object.freeze([]),
  display: 'none',
  sandbox: false,
})

export const parameterNames = Object.keys(kinds) as readonly (keyof Config)[]

export const changeable: readonly string[] = [
  'stdout',
  'stderr',
  'log_level',
  'log_write',
  'timeout_stop',
  'timeout_call',
  'encoding',
] satisfies (keyof RuntimeConfig)[]

export const isParameter = (name: string): name is keyof Config => Object.hasOwn(kinds, name)

/** The names that a wrong one may have meant: the one that is spelled nearest, or those that share a whole word with it. */
function nearest(name: string): readonly string[] {
  const best = closest(name, parameterNames as string[])
  if (distance(name, best) <= Math.min(Math.max(2, name.length / 3), name.length - 1)) return [best]
  const words = (text: string) => text.split('_')
  return parameterNames.filter(known => words(known).some(word => words(name).includes(word) || name.endsWith(word)))
}

function guess(name: string, spell: (name: string) => string): string {
  const names = nearest(name.toLowerCase()).map(spell)
  if (names.length === 0) return `Known: ${parameterNames.map(spell).join(', ')}.`
  return `Did you mean ${names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`}?`
}

export const unknownParameter = (where: string, name: string, spell = (name: string) => `"${name}"`): ConfigError =>
  new ConfigError(`${where}: unknown parameter "${name}". ${guess(name, spell)}`)

/** As one would write it, but short. */
export function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return String(value)
  const text = written(value)
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`
}

/** As JSON, where that has words for it: not for what holds itself, a bigint, what is nested without end. */
function written(value: string | object): string {
  const asNodeDoes = () => inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, customInspect: false })
  try {
    return ArrayBuffer.isView(value) ? asNodeDoes() : (JSON.stringify(value) ?? asNodeDoes())
  } catch {
    return asNodeDoes()
  }
}

export function checkValue(where: string, name: keyof Config, value: unknown): void {
  if (!kinds[name].check(value))
    throw new ConfigError(`${where}: "${name}" must be ${kinds[name].wanted}, not ${show(value)}.`)
}

/** From the text of an environment variable; what cannot be read stays text, which `checkValue` then refuses. */
export const readValue = (name: keyof Config, text: string): unknown => kinds[name].read(text)
