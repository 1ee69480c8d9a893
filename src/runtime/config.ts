/**
 * Owns where parameters come from: environment, constructor, files, defaults.
 * Runs on the caller's thread, synchronously, before anything is started.
 * Never looks for Wine or Python (`locate.ts` does) and never writes anything.
 */
import { randomBytes } from 'node:crypto'
import { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ConfigError } from '../errors.js'
import {
  type Config,
  changeable,
  checkValue,
  defaults,
  isParameter,
  isPlain,
  type RuntimeConfig,
  readValue,
  show,
  unknownParameter,
} from './parameters.js'

export { type Arch, type Config, parameterNames, type RuntimeConfig } from './parameters.js'

/** All parameters settled, and for each the place it came from. Plain data: crosses threads. */
export interface ResolvedConfig extends Config {
  readonly sources: Readonly<Record<keyof Config, string>>
}

/** Variables of ours that are no parameters of a session: sources for set-up, switches for tests, and the mark of what a session's DLLs start. */
const otherVariables = /^ZUGBRUECKE_(PYTHON_URL|PYTHON_SHA256|MEMORY_ACCESS|SESSION|TEST_\w+|BENCH_\w+)$/

const fromConstructor = 'Parameters of the session'

type Layer = readonly [where: (name: string) => string, values: Readonly<Record<string, unknown>>]

function checkObject(where: string, values: unknown): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  for (const [name, value] of entriesOf(where, values)) {
    if (value === undefined) continue
    if (!isParameter(name)) throw unknownParameter(where, name)
    checkValue(where, name, value)
    given[name] = value
  }
  return given
}

/** Copies, read once: a getter, or a proxy, may give something else the next time, or throw. */
function entriesOf(where: string, values: unknown): [name: string, value: unknown][] {
  try {
    if (isPlain(values))
      return Object.entries(values).map(([name, value]) => [
        name,
        Array.isArray(value) ? [...value] : isPlain(value) ? { ...value } : value,
      ])
  } catch (cause) {
    throw new ConfigError(`${where}: the parameters cannot be read: ${(cause as Error)?.message ?? cause}.`, { cause })
  }
  throw new ConfigError(`${where}: expected an object of parameters, not ${show(values)}.`)
}

function fromEnvironment(): Layer {
  const where = (name: string) => `Environment variable ZUGBRUECKE_${name.toUpperCase()}`
  const given: Record<string, unknown> = {}
  for (const [variable, text] of Object.entries(process.env)) {
    if (!variable.startsWith('ZUGBRUECKE_') || text === undefined || otherVariables.test(variable)) continue
    const name = variable.slice('ZUGBRUECKE_'.length).toLowerCase()
    if (!isParameter(name) || variable !== variable.toUpperCase())
      throw unknownParameter(`Environment variable ${variable}`, name, known => `ZUGBRUECKE_${known.toUpperCase()}`)
    given[name] = readValue(name, text)
    checkValue(where(name), name, given[name])
  }
  return [where, given]
}

/** Whether it can be entered, too. */
function isFolder(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)]
    return a.ino === b.ino && a.dev === b.dev
  } catch {
    return false
  }
}

/** More than any has, in bytes. */
const LONGEST_FILE = 1 << 20

/** A name may lead to a pipe that nobody writes to, or to a device that has no end. */
function contentOf(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new ConfigError(`${path}: is not a file.`)
    if (stat.size > LONGEST_FILE) throw new ConfigError(`${path}: is longer than ${LONGEST_FILE} bytes.`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function fromFile(path: string): Layer | undefined {
  let content: string
  try {
    content = contentOf(path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'EACCES' && !isFolder(dirname(path))) return undefined // another user's home: there is no telling
    throw new ConfigError(`${path}: cannot be read (${code}).`, { cause: error })
  }
  let values: unknown
  try {
    values = JSON.parse(content.replace(/^\uFEFF/, '')) // some editors begin a file with a mark of its byte order
  } catch (error) {
    throw new ConfigError(`${path}: not valid JSON: ${(error as Error).message}`, { cause: error })
  }
  return [() => path, checkObject(path, values)]
}

const fileName = '.zugbruecke.json'
/** The default of `memory` there, in bytes. */
const MEMORY_WIN32 = 64 << 20

function currentFolder(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new ConfigError('The current folder does not exist any more: change into one that does.', { cause })
  }
}

/** What a file that came with a folder must not say: it would choose what runs as this user, or what that may do. */
const notForFolders: readonly (keyof Config)[] = ['wine', 'python', 'prefix', 'env', 'dll_directories', 'sandbox']

/** Whoever can write into the current folder is not the user: a file there may be somebody else's. */
function fromFolder(path: string): Layer | undefined {
  const layer = fromFile(path)
  const name = notForFolders.find(name => layer && Object.hasOwn(layer[1], name))
  if (!name) return layer
  const own = join(homeFolder(), fileName)
  throw new ConfigError(
    `${path}: "${name}" is not taken from a file of the current folder, which anybody may have made. Name it in ${own}, in the constructor, or as ZUGBRUECKE_${name.toUpperCase()}; ZUGBRUECKE=${path} takes the whole file.`,
  )
}

const homeFolder = () => process.env.HOME || homedir()

function files(): Layer[] {
  const here = join(currentFolder(), fileName)
  const home = join(homeFolder(), fileName)
  const layers: (Layer | undefined)[] = []
  const named = process.env.ZUGBRUECKE
  const chosen = named && resolve(isFolder(named) ? join(named, fileName) : named)
  if (chosen) {
    const layer = fromFile(chosen)
    if (!layer) throw new ConfigError(`Environment variable ZUGBRUECKE: there is no file ${chosen}.`)
    layers.push(layer)
  }
  if (!isSameFile(here, home) && here !== chosen) layers.push(fromFolder(here))
  layers.push(fromFile(home), fromFile('/etc/zugbruecke.json'))
  return layers.filter(layer => layer !== undefined)
}

/** Environment, then what the constructor was given, then files, then defaults. Throws `ConfigError`. */
export function resolveConfig(given: Partial<Config> = {}): ResolvedConfig {
  const layers: Layer[] = [
    fromEnvironment(),
    [() => 'constructor', checkObject(fromConstructor, given)],
    ...files(),
    [() => 'default', { ...defaults, cwd: currentFolder(), id: randomBytes(8).toString('hex') }],
  ]
  const config: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const [where, values] of layers)
    for (const [name, value] of Object.entries(values))
      if (!Object.hasOwn(config, name)) {
        config[name] = value
        sources[name] = where(name)
      }
  // a 32-bit process has less room for addresses
  if (sources.memory === 'default' && config.arch === 'win32') config.memory = MEMORY_WIN32
  config.cwd = resolve(config.cwd as string)
  if (!isFolder(config.cwd as string))
    throw new ConfigError(
      `${sources.cwd === 'constructor' ? fromConstructor : sources.cwd}: "cwd" must be a folder that exists and may be entered, not ${config.cwd}.`,
    )
  return Object.freeze({ ...config, sources }) as unknown as ResolvedConfig
}

/** Throws `ConfigError` for a name that is no parameter's. */
export function checkParameterName(where: string, name: unknown): void {
  if (typeof name !== 'string')
    throw new ConfigError(`${where}: a parameter is named by a string, not by ${show(name)}.`)
  if (!isParameter(name)) throw unknownParameter(where, name)
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
