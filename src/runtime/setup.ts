/**
 * Brings everything a session needs: Wine, its prefix, Windows Python. Each step looks first, does nothing that is done,
 * works aside and renames; so it can be interrupted at any moment and run again. One set-up at a time per cache folder.
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SetupError } from '../errors.js'
import { aptInstall } from './apt.js'
import type { ResolvedConfig } from './config.js'
import { ownEnvironment, wineEnvironment } from './environment.js'
import {
  cacheFolder,
  findPython,
  findWine,
  findWineserver,
  type Installation,
  locate,
  prefixFolder,
  prefixProblem,
  privateWine,
  quoted,
} from './locate.js'
import { withLock } from './lock.js'
import { openFilesProblem } from './open-files.js'
import { assertPlatform } from './platform.js'
import { ensureServices, makePrefix } from './prefix.js'
import { makePrivateWine } from './private-wine.js'
import { noProgress, type Progress } from './progress.js'
import { fetchPython } from './python.js'
import { needRoom } from './room.js'
import { run, tail } from './run.js'

export interface SetupResult {
  readonly installation: Installation
  /** As Windows Python itself says it. */
  readonly python: string
  readonly wine: string
  readonly seconds: number
}

/** Makes this machine ready for sessions of `config.arch`; throws `SetupError` with the command that mends what it cannot. */
export async function setUp(config: ResolvedConfig, progress: Progress = noProgress): Promise<SetupResult> {
  assertPlatform()
  const problem = openFilesProblem()
  if (problem) throw new SetupError(`${problem.found}: ${problem.mend}`)
  const from = performance.now()
  const cache = cacheFolder()
  const waiting = () => progress.line('Another set-up is at work; waiting for it to end.')
  try {
    await mkdir(cache, { recursive: true, mode: 0o700 })
    return await withLock(join(cache, 'setup.lock'), waiting, async () => {
      await needWineAndPrefix(config, progress)
      await needPython(config, progress)
      const installation = locate(config)
      const wine = await wineVersion(installation.wine)
      const python = await startPython(installation, progress)
      return { installation, python, wine, seconds: (performance.now() - from) / 1000 }
    })
  } catch (error) {
    throw inWords(error, cache)
  }
}

/** Set-up writes in one place, so an error of the file system says what is wrong with that. */
function inWords(error: unknown, cache: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof SetupError || typeof code !== 'string') return error
  const advice =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'Free about 1 GB there, or'
      : `Everything is kept in ${cache}, which must be writable; or`
  return new SetupError(`${message}. ${advice} name another folder in XDG_CACHE_HOME.`, { cause: error })
}

/** What looks like a Wine that runs 32-bit programs need not be one: to make a prefix shows it. */
async function needWineAndPrefix(config: ResolvedConfig, progress: Progress): Promise<void> {
  const wine = await needWine(config, progress)
  try {
    await needPrefix(config, wine, progress)
  } catch (error) {
    if (config.arch === 'win64' || config.wine !== null || wine.startsWith(privateWine())) throw error
    progress.line(`Passed over ${wine}: ${(error as Error).message}`)
    await makePrivateWine(progress)
    await needPrefix(config, findWine(config) as string, progress)
  }
}

async function needWine(config: ResolvedConfig, progress: Progress): Promise<string> {
  const found = findWine(config)
  if (found && findWineserver(found)) {
    progress.line(`Wine: ${found}`)
    return found
  }
  if (config.wine !== null) throw new SetupError(`The configured "wine" is not a usable Wine: ${config.wine}`)
  // the private one needs the libraries of the system's
  if (!findWine({ arch: 'win64', wine: null })) await aptInstall(['wine64', 'wine'], 'Wine', progress)
  if (config.arch === 'win32') await makePrivateWine(progress)
  const installed = findWine(config)
  if (!installed) throw new SetupError('Wine was installed, but no loader is at /usr/lib/wine/wine64 or on the PATH.')
  return installed
}

async function needPrefix(config: ResolvedConfig, wine: string, progress: Progress): Promise<void> {
  const prefix = prefixFolder(config)
  if (!prefixProblem(prefix, config.arch)) {
    progress.line(`Prefix: ${prefix}`)
    return
  }
  const wineserver = findWineserver(wine)
  if (!wineserver) throw new SetupError(`wineserver was found neither beside ${wine} nor on the PATH.`)
  const size = config.arch === 'win32' ? 0.4 : 0.7
  await needRoom('A Wine prefix', size, prefix)
  const step = progress.step(`Wine prefix (${size} GB): ${prefix}`, 'steps')
  try {
    await makePrefix({ wine, wineserver, prefix }, config.arch, (done, total) => step.advance(done, total))
  } catch (error) {
    step.end('failed')
    throw error
  }
  step.end('made')
}

async function needPython(config: ResolvedConfig, progress: Progress): Promise<void> {
  const found = findPython(config)
  if (found) progress.line(`Windows Python ${found.version}: ${found.path}`)
  else if (config.python !== null) throw new SetupError(`The configured "python" does not exist: ${config.python}`)
  else {
    await needRoom('Windows Python', 0.2, cacheFolder())
    await fetchPython(config.arch, config.pythonversion, progress)
  }
}

export async function wineVersion(wine: string): Promise<string> {
  const { code, output } = await run(wine, ['--version'], { seconds: 20, env: ownEnvironment() })
  if (code !== 0) throw new SetupError(`${wine} does not run:\n${tail(output)}`)
  return output.trim()
}

/** What a session's host imports, so that its compiled modules are in the cache before the first session. */
const modules =
  'sys, os, struct, ctypes, ctypes.wintypes, ctypes.util, mmap, msvcrt, threading, traceback, json, time, re, importlib.util'

/** What to do about a Python that is there and does not run: ours can be had again. */
const anew = (python: string) =>
  python.startsWith(cacheFolder())
    ? `Remove it (rm -r ${quoted(dirname(python))}) and run set-up again.`
    : 'Correct "python" in the configuration.'

/** Starts Windows Python once and gives its version; throws `SetupError` where it does not run or is of the other architecture. */
export async function startPython(installation: Installation, progress: Progress = noProgress): Promise<string> {
  const step = progress.step('First start of Windows Python', 'steps')
  try {
    const hold = setInterval(() => {}, 1000)
    await ensureServices(installation).finally(() => clearInterval(hold))
    const program = `import ${modules}; print(struct.calcsize('P') * 8, sys.version.split()[0])`
    const { code, stdout, output } = await run(
      installation.wine,
      [installation.python, '-I', '-S', '-E', '-c', program],
      { seconds: 60, env: wineEnvironment({ winedebug: '-all', env: {} }, installation) },
    )
    const [bits, version] = stdout.trim().split(' ')
    if (code !== 0 || version === undefined)
      throw new SetupError(
        `Windows Python does not start (${installation.python}, exit code ${code}):\n${tail(output)}\n${anew(installation.python)}`,
      )
    if (bits !== installation.arch.slice(3))
      throw new SetupError(`${installation.python} is a ${bits}-bit Python; arch is ${installation.arch}.`)
    step.end(`Windows Python ${version}, ${bits} bits`)
    return version
  } catch (error) {
    step.end('failed')
    throw error
  }
}
