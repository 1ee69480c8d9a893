/** How the Windows side of a session is started. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SpawnOptions } from '../../../workers/supervisor.js'
import type { Seen, Segment } from '../../channel/segment.js'
import { type SharedState, SharedWord } from '../../channel/shared.js'
import { THREADS } from '../../codec/layout.js'
import { SetupError } from '../../errors.js'
import type { ResolvedConfig } from '../../runtime/config.js'
import { wineEnvironment } from '../../runtime/environment.js'
import type { Installation } from '../../runtime/locate.js'
import { FIRST_PROCESS, type Sandbox } from '../../runtime/sandbox.js'

const hostFile = (name: string) => fileURLToPath(new URL(`../../../../wine-host/${name}`, import.meta.url))
/** The first descriptor behind the three standard ones. */
const FIRST = 3

/**
 * How to start the Windows process of a session, and by which numbers it opens the descriptors of this process. Throws
 * SetupError where the native bridge is missing.
 */
export function hostProcess(
  config: ResolvedConfig,
  installation: Installation,
  segment: Segment,
  state: SharedState,
  sandbox: Sandbox | undefined,
): { readonly options: SpawnOptions; readonly seen: Seen } {
  const bells = Array.from({ length: THREADS }, (_, thread) => Atomics.load(state.i32, SharedWord.bell + thread))
  const descriptors = [segment.file, segment.hostBell, segment.strandsBell, ...bells.filter(fd => fd > 0)]
  const seen: Seen = sandbox
    ? // the host opens them through /proc/<pid>/fd of a process that has them: in a sandbox that is the first one there
      { process: FIRST_PROCESS, descriptor: fd => FIRST + descriptors.indexOf(fd) }
    : { process: process.pid, descriptor: fd => fd }
  const shared = [segment.file, segment.hostBell, segment.strandsBell].map(seen.descriptor)
  const bridge = hostFile(`native/bridge-${config.arch}.dll`)
  if (!existsSync(bridge))
    throw new SetupError(
      `the native bridge ${bridge} is missing: install the package again, or, in a clone, run "npm run build:native"`,
    )
  const python = [installation.python, '-I', '-S', '-E', `Z:${hostFile('main.py').replaceAll('/', '\\')}`]
  const args = [...python, ...[seen.process, ...shared].map(String)]
  const common = {
    cwd: config.cwd,
    memory: state.memory,
    segment,
    show: { stdout: config.stdout, stderr: config.stderr },
  }
  if (!sandbox)
    return {
      options: { ...common, command: installation.wine, args, env: wineEnvironment(config, installation) },
      seen,
    }
  const inherited = [...descriptors, sandbox.filter]
  const around = sandbox.around(args, FIRST + descriptors.length, FIRST + inherited.length)
  return { options: { ...common, ...around, env: sandbox.environment, inherited }, seen }
}
