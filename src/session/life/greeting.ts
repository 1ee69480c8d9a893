/**
 * The first messages of a session: both sides compare versions, and Node learns how to reach the memory of the Windows
 * process. Runs on the thread that starts the session.
 */

import { createRequire } from 'node:module'
import { isMemoryPermitted } from '../../channel/remote-memory.js'
import { Life, SharedWord } from '../../channel/shared.js'
import { numberOf, textOf } from '../../codec/control.js'
import { Op, WIRE_VERSION } from '../../codec/layout.js'
import { ArgumentError, ConfigError, SessionStartError } from '../../errors.js'
import type { Config } from '../../runtime/config.js'
import { variables } from '../../runtime/environment.js'
import type { SessionCore } from '../core/core.js'

const { version } = createRequire(import.meta.url)('../../../../package.json') as { version: string }

/**
 * All that a Windows process prints that Wine's services turn away, because they are about to end or have just ended.
 */
const TURNED_AWAY = /^(wine client error[^\n]*)?$/

/** Wine's services have turned the process away. The start may be tried again: nothing of the program's has run yet. */
export class TurnedAwayError extends SessionStartError {
  // after the last try the program gets this error
  override name = 'SessionStartError'
}

/**
 * Sends HELLO with the version and the environment variables for DLLs, then the folders to search for DLLs, and marks
 * the session as up. Rejects with SessionStartError or ConfigError, with what `late` rejects with, and with any error
 * where `hasStopped` says that the program has ended the session meanwhile.
 */
export async function greet(
  core: SessionCore,
  env: Config['env'],
  folders: readonly string[],
  late: Promise<never>,
  hasStopped: () => boolean,
): Promise<void> {
  const { facts, shared } = core
  try {
    const environment = Object.entries(variables(env)).flat()
    const hello = core.control.request('start', Op.hello, [WIRE_VERSION], [version, ...environment])
    const answer = await Promise.race([hello, late])
    const base = Number(numberOf(answer, 3))
    const memoryByHost = process.env.ZUGBRUECKE_MEMORY_ACCESS === 'host' || !isMemoryPermitted(facts.pid, base)
    core.facts = {
      ...facts,
      base,
      memoryByHost,
      pointerSize: Number(numberOf(answer, 2)),
      pythonVersion: textOf(answer),
    }
    if (memoryByHost) core.lookThroughHost()
    const searched = folders.map(folder => core.control.request('"dll_directories"', Op.addDllDirectory, [], [folder]))
    if (searched.length > 0) await Promise.race([Promise.all(searched), late])
    Atomics.store(shared.i32, SharedWord.life, Life.up)
  } catch (error) {
    if (error instanceof SessionStartError || hasStopped()) throw error
    if (error instanceof ArgumentError) throw new ConfigError(`the parameter ${error.message}`)
    const words = shared.stderrTail().trim()
    const code = Atomics.load(shared.i32, SharedWord.exitCode)
    const text = `the Windows side of session ${facts.id} ended while it started (exit code ${code})`
    const Reason = core.facts.base === 0 && TURNED_AWAY.test(words) ? TurnedAwayError : SessionStartError
    throw new Reason(`${text}${words ? `; its last words: ${words}` : ''}: see what "npx zugbruecke doctor" says`, {
      cause: error,
    })
  }
}
