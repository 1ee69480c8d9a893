/**
 * Bubblewrap around the Windows side of one session: no network, files to be read only but for those that are named, and a Wine
 * prefix of its own, for Wine's server opens the files of all Windows processes of a prefix, and so has to be inside.
 * The prefix is made of the installed one: the registry is copied, what is installed in it is lent to be read.
 */
import { spawn } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, delimiter, join, resolve } from 'node:path'
import { ConfigError, SetupError } from '../errors.js'
import type { Config } from './config.js'
import { wineEnvironment } from './environment.js'
import { cacheFolder, type Installation } from './locate.js'

/** Services that look for devices: without a network namespace of the machine's they crash (Wine 8.0), and Wine waits for them. */
const DEVICES = /^\[System\\\\CurrentControlSet\\\\Services\\\\(winebus|wineusb|winehid|winexinput)\][^[]*/gm
const DISABLED = '"Start"=dword:00000004'
/** Where each user's wineserver listens; Debian's has a folder for each prefix, whose name the prefix has in this file. */
const SERVERS = '/tmp'
const DEBIAN_NOTE = 'wineserver'
const REGISTRY = ['system.reg', 'user.reg', 'userdef.reg', '.update-timestamp']
export type SandboxConfig = Pick<Config, 'sandbox' | 'cwd' | 'winedebug' | 'env'>

/** The program; `undefined` where it is not installed. */
export const findBubblewrap = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter(folder => folder.startsWith('/'))
    .map(folder => join(folder, 'bwrap'))
    .find(existsSync)

/** All processes end with the first, which is the session's. */
const FLAGS = [
  ...['--unshare-user-try', '--unshare-net', '--unshare-ipc', '--unshare-pid', '--as-pid-1'],
  ...['--cap-drop', 'ALL', '--die-with-parent'],
]
/** Its number inside. */
export const FIRST_PROCESS = 1
/** Wine's services are started with no pipe of the session's. $0 is Wine. */
const SERVICES_FIRST = '"$0" wineboot </dev/null >/dev/null 2>&1; exec "$0" "$@"'
/** What is mounted later lies over what was mounted before. */
const files = (writable: readonly string[]) => [
  ...['--ro-bind', '/', '/'],
  ...writable.flatMap(path => ['--bind', path, path]),
  ...['--dev', '/dev', '--proc', '/proc'],
]

/** Why a sandbox cannot be made here; `undefined` where it can. */
export async function sandboxProblem(): Promise<{ readonly found: string; readonly mend: string } | undefined> {
  const bwrap = findBubblewrap()
  if (!bwrap) return { found: 'bubblewrap is not installed', mend: 'Run: sudo apt-get install bubblewrap' }
  const { code, words } = await run(bwrap, [...FLAGS, ...files([]), '--', '/bin/true'])
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
    private readonly bwrap: string,
    private readonly options: readonly string[],
    private readonly config: SandboxConfig,
    private readonly folders: readonly string[],
  ) {}

  /** Makes the prefix. Throws SetupError, ConfigError. */
  static async make(installation: Installation, config: SandboxConfig): Promise<Sandbox> {
    const problem = await sandboxProblem()
    if (problem) throw new SetupError(`the parameter "sandbox": ${problem.found}. ${problem.mend}`)
    const writable = writableFolders(config)
    sweep()
    const home = mkdtempSync(join(sandboxes(), `${process.pid}-`))
    const server = mkdtempSync(join(SERVERS, 'wine-'))
    const folders = [home, server]
    try {
      const { prefix } = installation
      const own = join(home, 'prefix')
      const lent = copyPrefix(prefix, own)
      writeFileSync(join(own, DEBIAN_NOTE), basename(server), { mode: 0o400 })
      writeFileSync(join(home, 'server'), server)
      const shared = join(SERVERS, `.wine-${process.getuid?.() ?? 0}`)
      mkdirSync(shared, { recursive: true, mode: 0o700 })
      const options = [
        ...FLAGS,
        ...files(writable),
        ...['--bind', server, server, '--bind', server, shared, '--bind', home, home],
        ...lent.flatMap(([from, to]) => ['--ro-bind', from, to]),
        ...['--chdir', config.cwd, '--'],
      ]
      return new Sandbox({ ...installation, prefix: own }, findBubblewrap() as string, options, config, folders)
    } catch (error) {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** The command that runs Wine inside; the descriptor is told the number that its process has outside. */
  around(args: readonly string[], infoDescriptor: number): { command: string; args: string[] } {
    const { bwrap, options, installation } = this
    const inside = ['/bin/sh', '-c', SERVICES_FIRST, installation.wine, ...args]
    return { command: bwrap, args: ['--info-fd', `${infoDescriptor}`, ...options, ...inside] }
  }

  get environment(): Record<string, string> {
    return wineEnvironment(this.config, this.installation)
  }

  /** Takes its prefix away. */
  remove(): void {
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

function writableFolders({ sandbox, cwd }: SandboxConfig): string[] {
  const paths = Array.isArray(sandbox) ? sandbox.map(path => resolve(cwd, path)) : []
  for (const path of paths)
    if (!existsSync(path))
      throw new ConfigError(`the parameter "sandbox" names ${path} to be written, which does not exist: make it first`)
  return paths
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

/** Takes away what programs left that were killed. */
function sweep(): void {
  for (const name of readdirSync(sandboxes())) {
    const pid = /^(\d+)-/.exec(name)?.[1]
    if (!pid || existsSync(`/proc/${pid}`)) continue
    const home = join(sandboxes(), name)
    for (const folder of [serverOf(home), home]) if (folder) rmSync(folder, { recursive: true, force: true })
  }
}

function serverOf(home: string): string | undefined {
  try {
    const server = readFileSync(join(home, 'server'), 'utf8')
    return /^\/tmp\/wine-\w{6}$/.test(server) ? server : undefined
  } catch {
    return undefined
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
