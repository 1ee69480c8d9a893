/**
 * Owns the Wine prefix: making it, the environment of every Windows process, and the services that belong to it.
 * Runs on any thread; starts Wine apart from the caller's pipes, and never ends a process that is not of this prefix.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from '../errors.js'
import type { Arch } from './config.js'
import { chooseDriver } from './display.js'
import { wineEnvironment } from './environment.js'
import { type Installation, prefixProblem } from './locate.js'
import { isStopped, leftProcesses, serverFolder, serverProcess, wineProcesses } from './wine-processes.js'

type Wine = Pick<Installation, 'wine' | 'wineserver' | 'prefix' | 'display'>

const quiet = { winedebug: '-all', env: {} } as const

/**
 * Runs a program of Wine with no pipe of ours in it: what it starts in the background keeps what it inherits. So what it says goes
 * to a file without a name, of which the end is read should it fail.
 */
async function runApart(program: string, args: string[], wine: Wine, seconds: number, keepsNode = true): Promise<void> {
  const said = await namelessFile().catch(() => undefined) // no room, say: then without its words
  try {
    const problem = await outcome(program, args, wine, seconds, said?.fd ?? 'ignore', keepsNode)
    if (problem === undefined) return
    const words = (await said?.read(Buffer.alloc(2000), 0, 2000, 0))?.buffer.toString('utf8').replace(/\0+$/, '').trim()
    throw new SetupError(
      `${program} ${args.join(' ')} ${problem} (prefix ${wine.prefix})${words ? `:\n${words}` : '.'}`,
    )
  } finally {
    await said?.close()
  }
}

async function namelessFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'zugbruecke-'))
  try {
    return await open(join(folder, 'said'), 'w+')
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Resolves to what went wrong, in words, or nothing. */
function outcome(
  program: string,
  args: string[],
  wine: Wine,
  seconds: number,
  output: number | 'ignore',
  keepsNode: boolean,
): Promise<string | undefined> {
  return new Promise(resolve => {
    const child: ChildProcess = spawn(program, args, {
      env: wineEnvironment(quiet, wine),
      stdio: ['ignore', output, output],
      detached: true,
      cwd: '/',
    })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve(`did not end within ${seconds} s`)
    }, seconds * 1000)
    if (!keepsNode) {
      child.unref()
      timer.unref()
    }
    child.once('error', error => {
      clearTimeout(timer)
      resolve(`could not be started: ${error.message}`)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve(code === 0 ? undefined : `failed with ${signal ?? `exit code ${code}`}`)
    })
  })
}

/** Whether the wineserver of a prefix answers; well under a millisecond. */
export function servicesRun(prefix: string): Promise<boolean> {
  const folder = serverFolder(prefix)
  if (!folder) return Promise.resolve(false)
  return new Promise(resolve => {
    const socket = connect(join(folder, 'socket'))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** How often, and after how many milliseconds, starting the services is tried again. */
const TRIES = 4
const PAUSE = 500

/** A wineserver that is about to go, or that another program starts at this very moment, turns away who comes: they try again. */
async function startServices(installation: Wine): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await runApart(installation.wine, ['wineboot'], installation, 120, false)
    } catch (error) {
      if (left === 0 || !/failed with exit code/.test((error as Error).message)) throw error
      await sleep(PAUSE)
    }
  }
}

const starting = new Map<string, Promise<void>>()

/**
 * Starts wineserver and Wine's services where they do not run, so that no later process starts them and hands them its
 * pipes. They go by themselves about 1.5 s after the last Windows process of the prefix (Wine 8.0), so: ask right before spawning.
 * Does not keep Node alive: who waits for it may give up earlier.
 */
export async function ensureServices(installation: Wine): Promise<void> {
  const { prefix, display = 'none' } = installation
  const underway = starting.get(prefix)
  if (underway) return underway
  if (await servicesRun(prefix)) return
  // Two callers may both have found nothing.
  const known = starting.get(prefix)
  if (!known) chooseDriver(prefix, display)
  const start = known ?? startServices(installation)
  starting.set(prefix, start)
  try {
    await start
  } finally {
    starting.delete(prefix)
  }
}

/** How long processes that were killed may take to be gone, and how often to look, in milliseconds. */
const END = 5000
const GLANCE = 20

/** Ends every Windows process of the prefix, and the services, at once. False where none ran. */
export async function stopServices(installation: Wine): Promise<boolean> {
  const { prefix } = installation
  const before = wineProcesses(prefix)
  const server = serverProcess(prefix)
  if (before.length === 0 && server === 0 && !(await servicesRun(prefix))) return false
  // what has been stopped does not hear, and the server would wait for it
  for (const { pid } of before) if (isStopped(pid)) kill(pid)
  if (server > 0 && isStopped(server)) kill(server)
  else if (await servicesRun(prefix)) {
    await runApart(installation.wineserver, ['-k'], installation, 30).catch(error => {
      if (!/exit code/.test(String(error))) throw error // it went by itself meanwhile
    })
    await runApart(installation.wineserver, ['-w'], installation, 30)
  }
  for (let tries = END / GLANCE; tries > 0; tries--) {
    const left = leftProcesses(prefix)
    if (left.length === 0) break
    for (const { pid } of left) kill(pid)
    await sleep(GLANCE)
  }
  return true
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already
  }
}

/** Files of drive_c in a fresh prefix of Wine 8.0: what progress is measured against. */
const filesExpected = 920

/** Of 32 bits, and Wine's own. */
const NARROW_PROGRAM = ['C:\\windows\\syswow64\\cmd.exe', '/c', 'exit']

/** Makes a prefix, and sees whether programs of the architecture run: aside first, then renamed, so that a prefix that exists is whole. */
export async function makePrefix(
  wine: Wine,
  arch: Arch,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  const aside = `${wine.prefix}.making`
  // Never delete what may be somebody's: an empty folder is all that a prefix may take the place of.
  const present = await readdir(wine.prefix).catch(() => [])
  if (present.length > 0)
    throw new SetupError(
      `${wine.prefix} exists and is no usable Wine prefix. Remove it (rm -r '${wine.prefix}') or choose another.`,
    )
  const there = { ...wine, prefix: aside }
  await stopServices(there)
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { recursive: true, mode: 0o700 })
  const tick = setInterval(async () => {
    const files = await readdir(join(aside, 'drive_c'), { recursive: true }).catch(() => [])
    onProgress(Math.min(files.length, filesExpected - 1), filesExpected)
  }, 500)
  try {
    await runApart(wine.wine, ['wineboot', '-i'], there, 180)
    if (arch === 'win32') await runApart(wine.wine, NARROW_PROGRAM, there, 60)
    // The registry is written when the last process has gone; only then may the folder move.
    await runApart(wine.wineserver, ['-w'], there, 60)
  } finally {
    clearInterval(tick)
  }
  const problem = prefixProblem(aside, arch)
  if (problem) throw new SetupError(`${wine.wine} made a prefix that cannot be used. ${problem}.`)
  await rename(aside, wine.prefix)
}
