/** Looking at a process from outside. */
import { readdirSync, readFileSync } from 'node:fs'

/** Whether any thread of a process runs. One that has ended stays as a zombie until someone asks for its exit code. */
export function processLives(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(thread => runs(`/proc/${pid}/task/${thread}/stat`))
  } catch {
    return false
  }
}

/** Whether a process may use more cores than one: somebody may have pinned it, with `taskset` for instance. */
export function mayMove(pid: number): boolean {
  try {
    return /^Cpus_allowed_list:\s*\d+[-,]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** Whether a debugger holds a process. */
export function isTraced(pid: number): boolean {
  try {
    return /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

function runs(stat: string): boolean {
  try {
    // the name before the state may hold anything, also brackets
    return !/^[ZX]/.test(readFileSync(stat, 'latin1').replace(/^.*\) /s, ''))
  } catch {
    // it ended between the two looks
    return false
  }
}
