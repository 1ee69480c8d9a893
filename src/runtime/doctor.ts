/** Looks at everything a session needs and says, for each, what was found and the command that mends it. Changes nothing. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ResolvedConfig } from './config.js'
import {
  cacheFolder,
  findPython,
  findWine,
  findWineserver,
  locate,
  mend,
  prefixFolder,
  prefixProblem,
  quoted,
} from './locate.js'
import { openFilesProblem } from './open-files.js'
import { packageFile, packageVersion } from './package.js'
import { platformProblem } from './platform.js'
import { servicesRun } from './prefix.js'
import { findBubblewrap, sandboxProblem } from './sandbox.js'
import { startPython, wineVersion } from './setup.js'
import { isStopped, leftProcesses, nameOf, serverProcess } from './wine-processes.js'

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly found: string
  /** What to do about it, where it is not ok. */
  readonly mend?: string
  /** False for what a session can do without. */
  readonly needed: boolean
}

export interface Diagnosis {
  /** Whether a session can start. */
  readonly ok: boolean
  readonly checks: readonly Check[]
}

/** Milliseconds until a process of Wine's has started the server, if there was none. */
const STARTS = 1000

/** Starts a session and ends it; the command line gives it, for sessions stand above this floor. */
export type TrySession = (config: ResolvedConfig) => Promise<string>

type Finding = string | { readonly found: string; readonly mend: string }

const words = (error: unknown) => (error instanceof Error ? error.message : String(error))

export async function diagnose(
  config: ResolvedConfig,
  trySession?: TrySession,
  onCheck: (check: Check) => void = () => {},
): Promise<Diagnosis> {
  const checks: Check[] = []
  const check = async (name: string, look: () => Finding | Promise<Finding>, onError: string, needed = true) => {
    let finding: Finding
    try {
      finding = await look()
    } catch (error) {
      finding = { found: words(error), mend: onError }
    }
    const result: Check =
      typeof finding === 'string' ? { name, ok: true, found: finding, needed } : { name, ok: false, ...finding, needed }
    checks.push(result)
    onCheck(result)
  }
  const { arch } = config
  const setup = mend(config)
  const healthy = () => checks.every(({ ok, needed }) => ok || !needed)

  await check('platform', platform, 'Use Linux on x86-64 with Node.js 20 or later.')
  await check('open files', () => openFilesProblem() ?? 'as many as Wine needs', '')
  await check('shared memory', () => sharedMemory(), 'Run: npm install koffi @koromix/koffi-linux-x64')
  await check(
    'Wine',
    async () => {
      const wine = findWine(config)
      if (wine) return `${await wineVersion(wine)} (${wine})`
      const configured = config.wine === null ? 'not found' : `the configured one is no program: ${config.wine}`
      return { found: configured, mend: config.wine === null ? setup : 'Correct "wine" in the configuration.' }
    },
    setup,
  )
  await check(
    'wineserver',
    () => {
      const wine = findWine(config)
      return (wine && findWineserver(wine)) ?? { found: 'not found', mend: setup }
    },
    setup,
  )
  await check(
    'prefix',
    async () => {
      const prefix = prefixFolder(config)
      const problem = prefixProblem(prefix, arch)
      if (problem) return { found: problem, mend: setup }
      const server = serverProcess(prefix)
      const end = `Run: npx zugbruecke stop --arch ${arch}`
      if (server > 0 && isStopped(server))
        return {
          found: `${prefix}: its services are stopped (wineserver, process ${server})`,
          mend: `${end} (or kill -CONT ${server})`,
        }
      let left = leftProcesses(prefix)
      if (left.length > 0) {
        // a process that is just starting has no server yet, and starts one
        await sleep(STARTS)
        left = leftProcesses(prefix)
      }
      if (left.length > 0) {
        const named = left.map(({ pid }) => `${nameOf(pid)} (${pid})`).join(', ')
        return { found: `${prefix}: what a wineserver has left that was killed still runs: ${named}`, mend: end }
      }
      return `${prefix} (services ${(await servicesRun(prefix)) ? 'run' : 'do not run'})`
    },
    setup,
  )
  await check(
    'Windows Python',
    async () => {
      const python = findPython(config)
      if (python && healthy()) return `${await startPython(locate(config))} (${python.path})`
      if (python) return `${python.version} (${python.path}), not started`
      const where = config.python ?? cacheFolder()
      return { found: `not found: ${where}`, mend: config.python ? 'Correct "python" in the configuration.' : setup }
    },
    `Run: rm -r ${quoted(cacheFolder())}/python-* && ${setup.replace('Run: ', '')}`,
  )
  const rebuilt = existsSync(packageFile('src')) ? 'Run: npm run build' : 'Run: npm install zugbruecke'
  await check('encoder', () => own('dist/encoder.wasm', rebuilt), rebuilt)
  await check('host', () => hostFiles(rebuilt), rebuilt)
  const built = existsSync(packageFile('src')) ? 'Run: npm run build:native' : rebuilt
  await check('native bridge', () => own(`wine-host/native/bridge-${arch}.dll`, built), built)
  await check('memory access', memoryAccess, '', false)
  await check('sandbox', sandbox, '', config.sandbox !== false)
  await check(
    'session',
    async () => {
      if (!healthy()) return { found: 'not tried, for something is missing', mend: 'Mend the above first.' }
      if (!trySession) return { found: 'not tried', mend: setup }
      return trySession(config)
    },
    'Run: npx zugbruecke stop, then try again; ZUGBRUECKE_WINEDEBUG=err+all shows what Wine says.',
  )
  return { ok: healthy(), checks }
}

function platform(): Finding {
  const problem = platformProblem()
  if (problem) return { found: problem, mend: 'Use Linux on x86-64 with Node.js 20 or later.' }
  return `zugbruecke ${packageVersion()}, Node.js ${process.versions.node}, Linux x86-64`
}

/** The package that maps memory, whose machine code npm may have left out. */
function sharedMemory(): Finding {
  const { version, load } = createRequire(import.meta.url)('koffi') as { version: string; load(name: string): object }
  load('libc.so.6')
  return `mapped by koffi ${version}`
}

async function sandbox(): Promise<Finding> {
  return (await sandboxProblem()) ?? `can be made (${findBubblewrap()})`
}

const own = (path: string, rebuilt: string): Finding =>
  existsSync(packageFile(path)) ? packageFile(path) : { found: `${packageFile(path)} is missing`, mend: rebuilt }

function hostFiles(rebuilt: string): Finding {
  const folder = packageFile('wine-host')
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const count = names.filter(name => name.endsWith('.py')).length
  return count > 0 ? `${count} files in ${folder}` : { found: `no Python files in ${folder}`, mend: rebuilt }
}

/** Reads a byte of a child's memory, as sessions do. */
async function memoryAccess(): Promise<Finding> {
  const scope = existsSync('/proc/sys/kernel/yama/ptrace_scope')
    ? `, ptrace_scope ${readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8').trim()}`
    : ''
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  try {
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    const address = Number.parseInt(readFileSync(`/proc/${child.pid}/maps`, 'utf8').split('-')[0], 16)
    const memory = openSync(`/proc/${child.pid}/mem`, 'r')
    try {
      readSync(memory, Buffer.alloc(1), 0, 1, address)
    } finally {
      closeSync(memory)
    }
    return `/proc/<pid>/mem of a child can be read${scope}`
  } catch (error) {
    return `/proc/<pid>/mem is not permitted here (${(error as NodeJS.ErrnoException).code}${scope}): sessions read and write memory with the host's help, slower`
  } finally {
    child.kill('SIGKILL')
  }
}
