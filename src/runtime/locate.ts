/**
 * Owns the answer to "where are Wine, its prefix and Windows Python on this machine".
 * Runs on any thread, synchronously, from file names alone: no process is started, nothing is written.
 */
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { SetupError } from '../errors.js'
import type { Arch, Config } from './config.js'

/** Everything a session needs to start a Windows process. Plain data: crosses threads. */
export interface Installation {
  readonly arch: Arch
  /** The Wine loader: what is spawned, with a Windows program as its first argument. */
  readonly wine: string
  readonly wineserver: string
  /** The Wine prefix (WINEPREFIX). */
  readonly prefix: string
  /** What windows are drawn on; `none` where nothing is said. */
  readonly display?: Config['display']
  /** Unix path of python.exe; Wine takes it as it is. */
  readonly python: string
  /** For instance `3.13.0`; `3.13` where only the name of its DLL tells. */
  readonly pythonVersion: string
}

export type Wanted = Pick<Config, 'arch' | 'wine' | 'prefix' | 'python' | 'pythonversion'> &
  Partial<Pick<Config, 'display'>>

/** The folder that everything this library fetches or makes lives in. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME
  return join(xdg?.startsWith('/') ? xdg : join(process.env.HOME || homedir(), '.cache'), 'zugbruecke')
}

/** Where set-up puts a private Wine that has both halves (`private-wine.ts`). */
export const privateWine = (): string => join(cacheFolder(), 'wine-win32')

/** Its loader; earlier versions filled the folder in place, where only the file that is written last says that it is whole. */
const ownWine = () => (existsSync(join(privateWine(), 'ready')) ? [join(privateWine(), 'usr/lib/wine/wine')] : [])

export const quoted = (text: string) => (/^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** The command that brings what is missing, to the same place: set-up cannot see what a constructor was given. */
export function mend(wanted: Pick<Wanted, 'arch' | 'wine' | 'prefix' | 'pythonversion' | 'display'>): string {
  const { arch, wine, prefix, pythonversion, display } = wanted
  const variable = (name: string, value: string | null) =>
    value === null ? '' : `ZUGBRUECKE_${name}=${quoted(value)} `
  const given =
    variable('WINE', wine && resolve(wine)) +
    variable('PREFIX', prefix && resolve(prefix)) +
    variable('PYTHONVERSION', pythonversion) +
    variable('DISPLAY', display === 'inherit' ? display : null)
  return `Run: ${given}npx zugbruecke setup${arch === 'win64' ? '' : ` --arch ${arch}`}`
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function onPath(...names: string[]): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(folder => folder.startsWith('/'))
  return names.flatMap(name => folders.map(folder => join(folder, name)))
}

const packaged = (name: string) => ['stable', 'staging', 'devel'].map(kind => `/opt/wine-${kind}/bin/${name}`)

/** Whether a Wine has its 32-bit half: Debian, builds of WineHQ and private folders each keep it in another place. */
const runs32 = (wine: string): boolean =>
  [
    '../i386-linux-gnu/wine',
    '../x86_64-linux-gnu/wine',
    '../lib/i386-linux-gnu/wine',
    '../lib/wine',
    '../lib32/wine',
    '../lib64/wine',
  ].some(folder => existsSync(join(dirname(realpathSync(wine)), folder, 'i386-windows/ntdll.dll')))

/** The Wine loader for an architecture; `undefined` where there is none. */
export function findWine(wanted: Pick<Wanted, 'arch' | 'wine'>): string | undefined {
  if (wanted.wine !== null) return isProgram(wanted.wine) ? resolve(wanted.wine) : undefined
  const own = process.env.WINELOADER
  if (own && isProgram(own)) return own
  if (wanted.arch === 'win64')
    return ['/usr/lib/wine/wine64', ...onPath('wine64', 'wine'), ...packaged('wine64'), ...packaged('wine')].find(
      isProgram,
    )
  return [...ownWine(), '/usr/lib/wine/wine', ...onPath('wine'), ...packaged('wine')].find(
    wine => isProgram(wine) && runs32(wine),
  )
}

/** The wineserver that belongs to a loader: beside it, or on the PATH. */
export function findWineserver(wine: string): string | undefined {
  const own = process.env.WINESERVER
  const beside = [dirname(wine), dirname(realpathSync(wine))].flatMap(folder =>
    // Debian's `wineserver` is a script that passes -p0; in a private Wine only the program itself is sure to be right.
    [join(folder, 'wineserver'), join(folder, 'wineserver64')],
  )
  const places = [...beside, ...onPath('wineserver'), '/usr/lib/wine/wineserver']
  return (own ? [own, ...places] : places).find(isProgram)
}

/**
 * One prefix for both architectures where one Wine runs both, unless each has had its own before. Who has a display has a prefix
 * apart: what windows are drawn on belongs to the prefix.
 */
export function prefixFolder(wanted: Pick<Wanted, 'arch' | 'wine' | 'prefix' | 'display'>): string {
  if (wanted.prefix !== null) return resolve(wanted.prefix)
  const folder = (arch: Arch) => join(cacheFolder(), `prefix-${arch}${wanted.display === 'inherit' ? '-display' : ''}`)
  const own = folder(wanted.arch)
  if (wanted.arch === 'win64' || existsSync(own)) return own
  const wine = findWine(wanted)
  const wide = folder('win64')
  const isOne = wine !== undefined && wine === findWine({ ...wanted, arch: 'win64' })
  return isOne && !(existsSync(wide) && prefixProblem(wide, 'win32')) ? wide : own
}

/** A prefix is whole when its last-written registry and the system folder of the architecture are there. */
export function prefixProblem(prefix: string, arch: Arch): string | undefined {
  if (!existsSync(join(prefix, 'system.reg')) || !existsSync(join(prefix, 'drive_c/windows/system32/kernel32.dll')))
    return `There is no Wine prefix at ${prefix}`
  if (arch === 'win32' && !existsSync(join(prefix, 'drive_c/windows/syswow64/kernel32.dll')))
    return `The Wine prefix ${prefix} has no 32-bit side: the Wine that made it had none. Remove it (rm -r '${prefix}') and make a new one`
  return undefined
}

export const pythonFolder = (version: string, arch: Arch): string => join(cacheFolder(), `python-${version}-${arch}`)

/** Newest last, and 3.9 before 3.10. */
const byVersion = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })

/** Windows Pythons in the cache folder, newest first. */
export function cachedPythons(arch: Arch): { version: string; path: string }[] {
  let names: string[]
  try {
    names = readdirSync(cacheFolder())
  } catch {
    return []
  }
  return names
    .map(name => /^python-(3\.\d+\.\d+)-(win32|win64)$/.exec(name))
    .filter(match => match?.[2] === arch)
    .map(match => ({
      version: (match as RegExpExecArray)[1],
      path: join(cacheFolder(), match?.[0] ?? '', 'python.exe'),
    }))
    .filter(({ path }) => existsSync(path))
    .sort((a, b) => byVersion(b.version, a.version))
}

/** The version of a Python that is not ours: from its `python313.dll`, or unknown. */
function versionOf(python: string): string {
  const names = readdirSync(dirname(python))
  const dll = names.map(name => /^python(3)(\d+)\.dll$/i.exec(name)).find(match => match !== null)
  return dll ? `${dll[1]}.${dll[2]}` : 'unknown'
}

/** A Windows path as seen from Unix, through the drives of the prefix; a Unix path as it is. */
function toUnix(path: string, prefix: string): string {
  const drive = /^([A-Za-z]):[\\/]*(.*)$/.exec(path)
  if (!drive) return resolve(path)
  return join(prefix, 'dosdevices', `${drive[1].toLowerCase()}:`, drive[2].replaceAll('\\', '/'))
}

export function findPython(wanted: Wanted): { version: string; path: string } | undefined {
  if (wanted.python !== null) {
    const path = toUnix(wanted.python, prefixFolder(wanted))
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? { version: versionOf(path), path } : undefined
  }
  return cachedPythons(wanted.arch).find(({ version }) => (wanted.pythonversion ?? version) === version)
}

/** Finds everything, or throws `SetupError` naming the first thing that is missing and the command that mends it. */
export function locate(wanted: Wanted): Installation {
  const { arch } = wanted
  const wine = findWine(wanted)
  if (!wine)
    throw new SetupError(
      wanted.wine === null
        ? `Wine${arch === 'win32' ? ' with a 32-bit half' : ''} was not found. ${mend(wanted)}`
        : `The configured "wine" is not a program: ${wanted.wine}`,
    )
  const wineserver = findWineserver(wine)
  if (!wineserver) throw new SetupError(`wineserver was found neither beside ${wine} nor on the PATH. ${mend(wanted)}`)
  const prefix = prefixFolder(wanted)
  const broken = prefixProblem(prefix, arch)
  if (broken) throw new SetupError(`${broken}. ${mend(wanted)}`)
  const python = findPython(wanted)
  if (!python)
    throw new SetupError(
      wanted.python === null
        ? `Windows Python${wanted.pythonversion ? ` ${wanted.pythonversion}` : ''} (${arch}) was not found in ${cacheFolder()}. ${mend(wanted)}`
        : `The configured "python" does not exist: ${wanted.python}`,
    )
  if (basename(python.path).toLowerCase() !== 'python.exe')
    throw new SetupError(`The configured "python" must be a python.exe: ${python.path}`)
  const { display = 'none' } = wanted
  return { arch, wine, wineserver, prefix, display, python: python.path, pythonVersion: python.version }
}
