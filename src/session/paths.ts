/** Paths of DLLs, as the two sides write them. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ArgumentError, DllNotFoundError } from '../errors.js'

/** What Windows takes without the prefix `\\?\`. */
const LONGEST = 260

const isWindowsPath = (path: string): boolean => /^[A-Za-z]:/.test(path) || path.includes('\\')

/** The Windows path of an absolute Unix path, over the drive that Wine has for it. */
const toWindowsPath = (path: string): string => `Z:${path.replaceAll('/', '\\')}`

export interface DllPath {
  /** What the Windows side is asked to load. */
  readonly windows: string
  /** The file, where Node can name it. */
  readonly unix: string | undefined
}

/** Settles a DLL's name: a Windows path and a bare name stay as they are, a path with slashes is a Unix path. Throws DllNotFoundError. */
export function dllPath(name: string, cwd: string): DllPath {
  if (typeof name !== 'string' || name.length === 0 || name.includes('\0'))
    throw new ArgumentError(
      `a DLL is named by a string, not by ${name === '' ? 'an empty one' : typeof name === 'string' ? 'one with a NUL inside' : String(name)}`,
    )
  if (isWindowsPath(name)) {
    checkLength(name)
    return { windows: name, unix: undefined }
  }
  if (!name.includes('/')) {
    const here = resolve(cwd, name)
    return { windows: name, unix: existsSync(here) ? here : undefined }
  }
  const unix = resolve(cwd, name)
  if (!existsSync(unix))
    throw new DllNotFoundError(`${name}: there is no such file${unix === name ? '' : ` (looked for ${unix})`}`, {
      dll: name,
    })
  const windows = toWindowsPath(unix)
  checkLength(windows)
  return { windows, unix }
}

function checkLength(path: string): void {
  if (path.length >= LONGEST && !path.startsWith('\\\\?\\'))
    throw new ArgumentError(
      `${path}: a Windows path has at most ${LONGEST - 1} characters, unless it begins with \\\\?\\`,
    )
}

/** The Unix path of a Windows path with a drive, through the prefix's drives; undefined for any other. The case of names may differ. */
export function toUnixPath(path: string, prefix: string): string | undefined {
  const match = /^([A-Za-z]):[\\/]*(.*)$/.exec(path)
  return match ? join(prefix, 'dosdevices', `${match[1].toLowerCase()}:`, match[2].replaceAll('\\', '/')) : undefined
}
