/**
 * Bubblewrap around the Windows side of one session: no network, no process of others, only the files that `sandbox-files.ts` lists,
 * and a Wine prefix of its own, for Wine's server opens the files of all Windows processes of a prefix, and so has to be inside.
 * The prefix is made of the installed one: the registry is copied, what is installed in it is lent to be read.
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { ConfigError, SetupError } from '../errors.js'
import type { Config } from './config.js'
import { chooseDriver } from './display.js'
import { wineEnvironment } from './environment.js'
import { cacheFolder, type Installation } from './locate.js'
import { type SandboxView, sessionFiles, systemFiles } from './sandbox-files.js'
import { syscallFilter } from './syscall-filter.js'

/** Services that look for devices: without a network namespace of the machine's they crash (Wine 8.0), and Wine waits for them. */
const DEVICES = /^\[System\\\\CurrentControlSet\\\\Services\\\\(winebus|wineusb|winehid|winexinput)\][^[]*/gm
const DISABLED = '"Start"=dword:00000004'
/** Not the note of Debian's Wine that says where the wineserver listens: the sandbox's own wineserver makes itself a folder in its own /tmp. */
const REGISTRY = ['system.reg', 'user.reg', 'userdef.reg', '.update-timestamp']
export type SandboxConfig = Pick<Config, 'arch' | 'sandbox' | 'cwd' | 'winedebug' | 'env' | 'dll_directories'>

/** The program; `undefined` where it is not installed. */
export const findBubblewrap = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter(folder => folder.startsWith('/'))
    .map(folder => join(folder, 'bwrap'))
    .find(existsSync)

/** All processes end with the first, which is the session's. */
const FLAGS = ['--unshare-all', '--as-pid-1', '--cap-drop', 'ALL', '--die-with-parent']
/** Its number inside. */
export const FIRST_PROCESS = 1
/** Wine's services are started with no pipe of the session's. $0 is Wine. */
const SERVICES_FIRST = '"$0" wineboot </dev/null >/dev/null 2>&1; exec "$0" "$@"'
/** Why a sandbox cannot be made here; `undefined` where it can. */
export async function sandboxProblem(
  bwrap = findBubblewrap(),
): Promise<{ readonly found: string; readonly mend: string } | undefined> {
  if (!bwrap) return { found: 'bubblewrap is not installed', mend: 'Run: sudo apt-get install bubblewrap' }
  const { code, words } = await run(bwrap, [...FLAGS, ...systemFiles(), '--', '/bin/true'])
  if (code === 0) return undefined
  return {
    found: `bubblewrap is not permitted here (${words.trim() || `exit code ${code}`})`,
    mend: 'Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; in a container: its security profile), or leave "sandbox" out.',
  }
}

export class Sandbox {
  private constructor(
    /** The installation with the sandbox's own prefix. */
    readonly installation: Installation,
    /** What it sees. */
    readonly view: SandboxView,
    private readonly options: readonly string[],
    private readonly config: SandboxConfig,
    private readonly home: string,
    private readonly lock: number,
    /** Descriptor of its filter of system calls, for bubblewrap to read. */
    readonly filter: number,
    private readonly bwrap: string,
  ) {}

  /** Makes the prefix. Throws SetupError, ConfigError. */
  static async make(installation: Installation, config: SandboxConfig, tryLock: Lock): Promise<Sandbox> {
    if (installation.display === 'inherit')
      throw new ConfigError('the parameter "display": a sandbox has no display, so it cannot be "inherit" there')
    const bwrap = findBubblewrap() ?? ''
    const problem = await sandboxProblem(bwrap)
    if (problem) throw new SetupError(`the parameter "sandbox": ${problem.found}. ${problem.mend}`)
    sweep(tryLock)
    const { home, lock } = ownFolder(tryLock)
    try {
      const [prefix, dlls] = [join(home, 'prefix'), join(home, 'dlls')]
      mkdirSync(dlls)
      const lent = copyPrefix(installation.prefix, prefix)
      chooseDriver(prefix, 'none')
      const { options, view } = sessionFiles(installation, config, dlls)
      const all = [
        ...FLAGS,
        ...systemFiles(),
        ...options,
        ...['--bind', prefix, prefix],
        ...lent.flatMap(([from, to]) => ['--ro-bind', from, to]),
        ...['--remount-ro', '/', '--chdir', config.cwd, '--'],
      ]
      const filter = join(home, 'filter')
      writeFileSync(filter, syscallFilter(config.arch))
      return new Sandbox({ ...installation, prefix }, view, all, config, home, lock, openSync(filter, 'r'), bwrap)
    } catch (error) {
      takeAway(home)
      closeSync(lock)
      throw error
    }
  }

  /** The command that runs Wine inside, by the numbers that descriptors have there: of the filter, and of who is told its process's number outside. */
  around(args: readonly string[], filter: number, info: number): { command: string; args: string[] } {
    const { options, installation, bwrap } = this
    const inside = ['/bin/sh', '-c', SERVICES_FIRST, installation.wine, ...args]
    return { command: bwrap, args: ['--info-fd', `${info}`, '--seccomp', `${filter}`, ...options, ...inside] }
  }

  get environment(): Record<string, string> {
    return wineEnvironment(this.config, this.installation)
  }

  /** Takes its prefix away. */
  remove(): void {
    takeAway(this.home)
    closeSync(this.filter)
    closeSync(this.lock)
  }
}

const sandboxes = (): string => {
  const folder = join(cacheFolder(), 'sandboxes')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Makes the sandbox's prefix; gives what is to be lent to it, by where it lies and where it is to lie. */
function copyPrefix(from: string, to: string): [string, string][] {
  mkdirSync(join(to, 'drive_c'), { recursive: true, mode: 0o700 })
  for (const name of REGISTRY) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
  const system = join(to, REGISTRY[0])
  const quiet = (section: string) => section.replace(/^"Start"=dword:\w+/m, DISABLED)
  writeFileSync(system, readFileSync(system, 'latin1').replace(DEVICES, quiet), 'latin1')
  cpSync(join(from, 'dosdevices'), join(to, 'dosdevices'), { recursive: true, verbatimSymlinks: true })
  const lent: [string, string][] = []
  for (const name of readdirSync(join(from, 'drive_c'))) {
    const [there, here] = [join(from, 'drive_c', name), join(to, 'drive_c', name)]
    if (statSync(there).isDirectory()) mkdirSync(here)
    else writeFileSync(here, '')
    // the user's own folders are the sandbox's own
    if (name !== 'users') lent.push([there, here])
  }
  return lent
}

/** Locks an open file for whoever has opened it, if nobody else has it locked. */
export type Lock = (descriptor: number) => boolean
const takeAway = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })

/** Locks a folder for as long as this thread lives: Node closes what a thread has opened when that ends, however it ends. */
function lockFolder(folder: string, tryLock: Lock): number | undefined {
  const lock = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  if (tryLock(lock)) return lock
  closeSync(lock)
  return undefined
}

/** A new folder, which nobody sweeps away. */
function ownFolder(tryLock: Lock): { home: string; lock: number } {
  for (;;) {
    const home = mkdtempSync(join(sandboxes(), 'of-'))
    try {
      const lock = lockFolder(home, tryLock)
      if (lock !== undefined && existsSync(home)) return { home, lock }
      if (lock !== undefined) closeSync(lock)
    } catch {
      // swept away before it was locked
    }
  }
}

/** Takes away what programs and threads have left that were killed: nobody has it locked. */
function sweep(tryLock: Lock): void {
  for (const name of readdirSync(sandboxes())) {
    if (!name.startsWith('of-')) continue
    const folder = join(sandboxes(), name)
    try {
      const lock = lockFolder(folder, tryLock)
      if (lock === undefined) continue
      takeAway(folder)
      closeSync(lock)
    } catch {
      // another was quicker, or what used it still writes there: the next sandbox may take it
    }
  }
}

function run(program: string, args: readonly string[]): Promise<{ code: number | null; words: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: {}, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 })
    let words = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      words += text
    })
    child.once('error', cause => reject(new SetupError(`${program} could not be started: ${cause.message}`, { cause })))
    child.once('close', code => resolve({ code, words }))
  })
}
