/** How the Windows side of a session is started. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SpawnOptions } from '../../workers/supervisor.js'
import type { SegmentDescriptors } from '../channel/segment.js'
import type { SharedMemory } from '../codec/webassembly.js'
import { SetupError } from '../errors.js'
import type { ResolvedConfig } from '../runtime/config.js'
import { wineEnvironment } from '../runtime/environment.js'
import type { Installation } from '../runtime/locate.js'
import { FIRST_PROCESS, type Sandbox } from '../runtime/sandbox.js'

const hostFile = (name: string) => fileURLToPath(new URL(`../../../wine-host/${name}`, import.meta.url))
/** Descriptors below are the three that every process has. */
const FIRST = 3
export function hostProcess(
  config: ResolvedConfig,
  installation: Installation,
  segment: SegmentDescriptors,
  memory: SharedMemory,
  sandbox: Sandbox | undefined,
): SpawnOptions {
  const descriptors = [segment.file, segment.nodeDoorbell, segment.idleDoorbell, ...segment.hostDoorbells]
  const bridge = hostFile(`native/bridge-${config.arch}.dll`)
  if (!existsSync(bridge))
    throw new SetupError(
      `the native bridge ${bridge} is missing: install the package again, or, in a clone, run "npm run build:native"`,
    )
  const python = [installation.python, '-I', '-S', '-E', `Z:${hostFile('main.py').replaceAll('/', '\\')}`]
  const common = {
    cwd: config.cwd,
    memory,
    nodeDoorbell: segment.nodeDoorbell,
    segment: segment.file,
    show: { stdout: config.stdout, stderr: config.stderr },
  }
  if (!sandbox) {
    const args = [...python, ...[process.pid, ...descriptors].map(String)]
    return { ...common, command: installation.wine, args, env: wineEnvironment(config, installation) }
  }
  // the host opens what it shares with Node through a process that has it: in a sandbox that is itself
  const numbers = [FIRST_PROCESS, ...descriptors.map((_, i) => FIRST + i)].map(String)
  return {
    ...common,
    ...sandbox.around([...python, ...numbers], FIRST + descriptors.length),
    env: sandbox.environment,
    inherited: descriptors,
  }
}
