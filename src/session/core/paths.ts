/** Paths of DLLs, as the two sides write them. */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { describe } from '../../ctypes/data.js'
import { ArgumentError, DllNotFoundError } from '../../errors.js'
import type { Arch, ResolvedConfig } from '../../runtime/config.js'
import { prefixFolder } from '../../runtime/locate.js'
import { readPeHeader, sessionArch } from '../../runtime/pe.js'

/** From this length on Windows refuses a path without the prefix `\\?\`. */
const LONGEST = 260

const isWindowsPath = (path: string): boolean => /^[A-Za-z]:/.test(path) || path.includes('\\')

/** The Windows path of an absolute Unix path: Wine's drive Z: is `/`. */
const toWindowsPath = (path: string): string => `Z:${path.replaceAll('/', '\\')}`

/** A DLL's name, resolved. */
export interface DllPath {
  /** What the Windows side is asked to load. */
  readonly windows: string
  /** The file, if the name is a Unix path; undefined where Windows searches for the DLL. */
  readonly unix: string | undefined
}

/** Throws ArgumentError for what is no text that can name a DLL. */
export const checkDllName = (name: unknown): void => checkNamed('a DLL', name)

function checkNamed(what: string, name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return
  const got = name === '' ? 'an empty one' : typeof name === 'string' ? 'one with a NUL inside' : describe(name)
  throw new ArgumentError(`${what} is named by a string, not by ${got}`)
}

/**
 * Resolves a DLL's name. A Windows path and a bare name stay as they are. A path with slashes is a Unix path, which
 * starts from `cwd` and is found as Windows finds files: in any case, and without the extension. Throws ArgumentError,
 * DllNotFoundError.
 */
export function dllPath(name: string, cwd: string): DllPath {
  if (isWindowsPath(name) || !name.includes('/')) {
    checkLength(name)
    return { windows: name, unix: undefined }
  }
  const wanted = resolve(cwd, name)
  // a dot at the end says that a name has no extension
  const unix = inAnyCase(wanted.replace(/\.$/, ''), isFile) ?? inAnyCase(`${wanted}.dll`, isFile)
  if (!unix)
    throw new DllNotFoundError(`${name}: there is no such file${wanted === name ? '' : ` (looked for ${wanted})`}`, {
      dll: name,
    })
  return { windows: windowsFile(unix), unix }
}

/**
 * What the Windows side is asked to load for a file; a dot at the end keeps Windows from adding an extension. Throws
 * ArgumentError for a path that is too long.
 */
export function windowsFile(unix: string): string {
  const windows = toWindowsPath(unix)
  checkLength(windows)
  return basename(unix).includes('.') ? windows : `${windows}.`
}

/**
 * The Windows path of a folder, given as a Windows path, or as a Unix path that starts from `cwd` and must exist.
 * Throws ArgumentError.
 */
export function folderPath(name: string, cwd: string): string {
  checkNamed('a folder of DLLs', name)
  if (isWindowsPath(name)) return name
  const unix = resolve(cwd, name)
  if (!isFolder(unix))
    throw new ArgumentError(`${name}: there is no such folder${unix === name ? '' : ` (looked for ${unix})`}`)
  return toWindowsPath(unix)
}

function checkLength(path: string): void {
  if (path.length >= LONGEST && !path.startsWith('\\\\?\\'))
    throw new ArgumentError(
      `${path}: a Windows path has at most ${LONGEST - 1} characters, unless it begins with \\\\?\\`,
    )
}

/**
 * The file (or what else `is` looks for) that a Windows path with a drive leads to, through the drives of the prefix;
 * undefined where there is none, and for a path without a drive.
 */
export function toUnixPath(path: string, prefix: string, arch: Arch, is = isFile): string | undefined {
  const [, drive, rest] = /^([A-Za-z]):[\\/]*(.*)$/.exec(path) ?? []
  if (!drive) return undefined
  // a 32-bit process sees another folder under this name
  const redirected = arch === 'win32' ? rest.replace(/^windows[\\/]system32(?=[\\/])/i, 'windows/syswow64') : rest
  return inAnyCase(join(prefix, 'dosdevices', `${drive.toLowerCase()}:`, redirected.replaceAll('\\', '/')), is)
}

/**
 * The architecture of sessions that can load a DLL, from the header of its file. That of `config` where the name leads
 * to no file that can be found from here, as for DLLs of Windows itself. Throws ArgumentError, DllNotFoundError,
 * WrongArchitectureError.
 */
export function archForDll(name: string, config: ResolvedConfig): Arch {
  const { arch, cwd } = config
  const near = (folder: string) => {
    const path = toUnixPath(`${folder}\\`, prefixFolder(config), arch, isFolder) ?? resolve(cwd, folder)
    return inAnyCase(join(path, name), isFile) ?? inAnyCase(join(path, `${name}.dll`), isFile)
  }
  const named = dllPath(name, cwd).unix ?? toUnixPath(name, prefixFolder(config), arch)
  const file = named ?? (isWindowsPath(name) ? undefined : [cwd, ...config.dll_directories].map(near).find(Boolean))
  return file ? sessionArch(name, readPeHeader(file)) : arch
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** The path for which `is` holds: this one, or one that differs from it in case alone; undefined if there is none. */
function inAnyCase(path: string, is: (path: string) => boolean): string | undefined {
  try {
    if (is(path)) return path
    const parent = dirname(path)
    const folder = parent === path ? undefined : inAnyCase(parent, isFolder)
    if (!folder) return undefined
    const name = basename(path).toLowerCase()
    return readdirSync(folder)
      .filter(entry => entry.toLowerCase() === name)
      .map(entry => join(folder, entry))
      .find(is)
  } catch {
    // a folder on the way may not be read, for instance
    return undefined
  }
}
