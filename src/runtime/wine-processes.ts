/**
 * The processes of a Wine prefix, as Linux has them: its server, and whatever runs there, also after the server has been killed,
 * which leaves Wine's services behind that nobody ends.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A process is older than the server that it belongs to by no more than this, in hundredths of a second: the first of them starts it. */
const STARTS_SERVER = 500

export interface WineProcess {
  readonly pid: number
  /** When it began, in hundredths of a second. */
  readonly began: number
}

/** Where the wineserver of a prefix listens: Debian notes a folder in the prefix, all others use one per user. */
export function serverFolder(prefix: string): string | undefined {
  const stat = statSync(prefix, { bigint: true, throwIfNoEntry: false })
  if (!stat) return undefined
  let folder = `.wine-${process.getuid?.() ?? 0}`
  try {
    folder = readFileSync(join(prefix, 'wineserver'), 'latin1').trim() || folder
  } catch {
    // No such file: not Debian's Wine.
  }
  return join('/tmp', folder, `server-${stat.dev.toString(16)}-${stat.ino.toString(16)}`)
}

/** The wineserver of a prefix, by the lock that it holds; 0 if none runs, or the system does not say. */
export function serverProcess(prefix: string): number {
  const folder = serverFolder(prefix)
  const lock = folder && statSync(join(folder, 'lock'), { bigint: true, throwIfNoEntry: false })
  if (!lock) return 0
  for (const [, pid, inode] of read('/proc/locks').matchAll(/POSIX\s+ADVISORY\s+WRITE (\d+) \w+:\w+:(\d+) /g))
    if (BigInt(inode) === lock.ino && /^wineserver/.test(read(`/proc/${pid}/comm`))) return Number(pid)
  return 0
}

/** All processes of a prefix but its server. */
export function wineProcesses(prefix: string): WineProcess[] {
  const real = realPath(prefix)
  const found: WineProcess[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const folder = `/proc/${name}`
    // a shell of the user's may have the same variable
    if (!/^wine(?!server)/.test(basename(linkOf(`${folder}/exe`)))) continue
    const own = /(?:^|\0)WINEPREFIX=([^\0]*)/.exec(read(`${folder}/environ`))?.[1]
    if (own === undefined || (own !== prefix && realPath(own) !== real)) continue
    const { state, began } = statusOf(name)
    if (/[^ZX]/.test(state)) found.push({ pid: Number(name), began })
  }
  return found
}

/** Those of them whose server has been killed. */
export function leftProcesses(prefix: string): WineProcess[] {
  const server = serverProcess(prefix)
  const all = wineProcesses(prefix)
  if (server === 0) return all
  const { began } = statusOf(server)
  return all.filter(one => one.began < began - STARTS_SERVER)
}

/** The letter that says what a process does (none: it is gone), and when it began. */
function statusOf(pid: number | string): { state: string; began: number } {
  // behind its name, which may hold brackets and spaces
  const words = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return { state: words[0], began: Number(words[19]) }
}

/** What a process calls itself, for people to read. */
export function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim()
}

/** Whether a process has been stopped by a signal, and not by a debugger. */
export function isStopped(pid: number): boolean {
  return statusOf(pid).state === 'T'
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // it has ended, or is another user's
    return ''
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
