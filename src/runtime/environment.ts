/**
 * Owns the environment of Windows processes: what Wine is started with, and what the DLLs see. The caller's own variables, among
 * them secrets, do not go along unless the parameter `env` says so.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.js'
import type { Installation } from './locate.js'

/** What always goes along: where files are, who the user is, which language and time zone, where libraries lie. Named in docs/configuration.md. */
const always = /^(HOME|USER|LOGNAME|PATH|LANG|LANGUAGE|LC_\w+|TZ|LD_LIBRARY_PATH)$/
/** Never handed to Windows, not even all together: they would change Python's or Wine's own start, and where its server is found. */
const scrubbed = /^(PYTHON|WINE|TMPDIR$|ZUGBRUECKE|WAYLAND_DISPLAY$|DISPLAY$|NODE_OPTIONS$|NODE_CHANNEL_FD$)/
/** These mean something else to Wine itself, as a program of Linux, than to the DLLs: what is given is for the DLLs. */
const forWindowsAlone = /^(PATH|HOME|PWD|USER|LOGNAME|TEMP|TMP|TMPDIR)$/i

type Environment = Record<string, string>

/** What this process has, without what would mislead Wine or Python; `all`: and not only what Wine needs. */
export function ownEnvironment(all = false): Environment {
  const environment: Environment = {}
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && (all ? !scrubbed.test(name) : always.test(name))) environment[name] = value
  // Wine refuses an empty or relative HOME; without one it asks the system.
  if (!environment.HOME?.startsWith('/')) delete environment.HOME
  return environment
}

/** The whole environment that Wine is started with for a Windows process of this prefix. */
export function wineEnvironment(
  config: Pick<Config, 'winedebug' | 'env'>,
  { wine, wineserver, prefix, display }: Pick<Installation, 'wine' | 'wineserver' | 'prefix' | 'display'>,
): Environment {
  const environment = ownEnvironment(config.env === 'inherit')
  // Wine reads and writes file names in the locale's encoding: in "C" it cannot name a file with an umlaut.
  if (!isUsable(environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '')) {
    delete environment.LC_ALL
    environment.LC_CTYPE = 'C.UTF-8'
  }
  const given = Object.entries(variables(config.env)).filter(([name]) => !forWindowsAlone.test(name))
  return {
    ...environment,
    WINEPREFIX: prefix,
    WINEARCH: 'win64',
    WINELOADER: wine,
    WINESERVER: wineserver,
    WINEDEBUG: config.winedebug,
    ...displayOf(display),
    ...Object.fromEntries(given),
    WINEDLLOVERRIDES: overrides(variables(config.env).WINEDLLOVERRIDES),
  }
}

/** Empty and not absent: Wine then starts without a display, and without looking for one. */
function displayOf(display: Config['display'] = 'none'): Environment {
  const { DISPLAY = '', XAUTHORITY } = process.env
  return display === 'none' ? { DISPLAY: '' } : { DISPLAY, ...(XAUTHORITY !== undefined && { XAUTHORITY }) }
}

/** No offer to download Mono and Gecko, which would wait for a click; no entries in the user's menus; no debugger that nobody asked for. */
const OVERRIDES = { mscoree: '', mshtml: '', 'winemenubuilder.exe': 'd', 'winedbg.exe': 'd' }

/** Wine's choices between its DLLs and others: ours, where the user says nothing else. */
function overrides(given = ''): string {
  const ours = Object.entries(OVERRIDES).filter(([name]) => !given.includes(name))
  return [...ours.map(([name, how]) => `${name}=${how}`), ...(given ? [given] : [])].join(';')
}

/**
 * What the Windows side sets for itself at its start. Wine keeps to itself, or makes anew, some two dozen variables that it is
 * started with (PATH, TEMP, USERNAME, windir, …), so what is given cannot go that way alone.
 */
export const variables = (env: Config['env']): Readonly<Environment> => (env === 'inherit' ? {} : env)

const LOCALES = '/usr/lib/locale'

/** Of UTF-8, and installed: with one that is not, the C library takes "C". */
function isUsable(locale: string): boolean {
  const [, name, codeset, variant = ''] = /^([^.]*)\.([^@]*)(@.*)?$/.exec(locale) ?? []
  if (!/^utf-?8$/i.test(codeset ?? '')) return false
  const installed = `${name}.utf8${variant}`
  return /^(C|POSIX)$/.test(name) || existsSync(join(LOCALES, installed)) || archived().includes(`\0${installed}\0`)
}

/** The names in the C library's archive of locales, between zeros (struct locarhead of glibc's locarchive.h says where). */
function archived(): string {
  let file: number | undefined
  try {
    file = openSync(join(LOCALES, 'locale-archive'), 'r')
    const head = new Uint32Array(8)
    readSync(file, head, 0, head.byteLength, 0)
    const [offset, size] = head.subarray(5)
    const names = Buffer.alloc(size + 1)
    readSync(file, names, 1, size, offset)
    return names.toString('latin1')
  } catch {
    return ''
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
