/** How the Windows side of a session is started. */
import { fileURLToPath } from 'node:url'
import type { SpawnOptions } from '../../workers/supervisor.js'
import type { SegmentDescriptors } from '../channel/segment.js'
import type { SharedMemory } from '../codec/webassembly.js'
import type { ResolvedConfig } from '../runtime/config.js'
import { wineEnvironment } from '../runtime/environment.js'
import type { Installation } from '../runtime/locate.js'
import { FIRST_PROCESS, type Sandbox } from '../runtime/sandbox.js'

const main = fileURLToPath(new URL('../../../wine-host/main.py', import.meta.url))
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
  const python = [installation.python, '-I', '-S', '-E', `Z:${main.replaceAll('/', '\\')}`]
  const flags = process.env.ZUGBRUECKE_BRIDGE === 'none' ? ['--no-bridge'] : []
  const common = {
    cwd: config.cwd,
    memory,
    nodeDoorbell: segment.nodeDoorbell,
    segment: segment.file,
    show: { stdout: config.stdout, stderr: config.stderr },
  }
  if (!sandbox) {
    const args = [...python, ...[process.pid, ...descriptors].map(String), ...flags]
    return { ...common, command: installation.wine, args, env: wineEnvironment(config, installation) }
  }
  // the host opens what it shares with Node through a process that has it: in a sandbox that is itself
  const numbers = [FIRST_PROCESS, ...descriptors.map((_, i) => FIRST + i)].map(String)
  return {
    ...common,
    ...sandbox.around([...python, ...numbers, ...flags], FIRST + descriptors.length),
    env: sandbox.environment,
    inherited: descriptors,
  }
}
