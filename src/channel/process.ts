/** What /proc tells of another process. */
import { readdirSync, readFileSync } from 'node:fs'

/** Whether any thread of a process lives. A process that has ended stays in /proc until its exit code is asked for. */
export function processLives(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(thread => runs(`/proc/${pid}/task/${thread}/stat`))
  } catch {
    return false
  }
}

/** Whether a process may use more than one core: the user may have pinned it to one, for instance with `taskset`. */
export function mayChangeCore(pid: number): boolean {
  try {
    return /^Cpus_allowed_list:\s*\d+[-,]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** Whether a debugger is attached to a process. */
export function isTraced(pid: number): boolean {
  try {
    return /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

function runs(stat: string): boolean {
  try {
    // the name before the state may contain anything, also brackets
    return !/^[ZX]/.test(readFileSync(stat, 'latin1').replace(/^.*\) /s, ''))
  } catch {
    // the thread has ended since its folder was listed
    return false
  }
}
