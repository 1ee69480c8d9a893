/** Half a core, as a container has it: a group of its own (cgroup, version 2) with a quota, for a process and all that it starts. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Missing } from '../peers/workshop.js'

const ROOT = '/sys/fs/cgroup'
const QUOTA = '50000 100000'

/** `work` is given what puts a process there. Missing where this system has no such groups, or they are not ours to make. */
export async function halfACore<T>(work: (put: (pid: number) => void) => Promise<T>): Promise<T> {
  const group = `${ROOT}/zugbruecke-bench-${process.pid}`
  try {
    if (!readFileSync(`${ROOT}/cgroup.subtree_control`, 'latin1').includes('cpu'))
      throw new Missing('the cpu controller of cgroups (version 2) is not in use')
    mkdirSync(group)
    writeFileSync(`${group}/cpu.max`, QUOTA)
  } catch (cause) {
    if (cause instanceof Missing) throw cause
    throw new Missing(`no cgroup (version 2) with a quota can be made here: ${(cause as NodeJS.ErrnoException).code}`)
  }
  try {
    return await work(pid => writeFileSync(`${group}/cgroup.procs`, String(pid)))
  } finally {
    await remove(group)
  }
}

/** Once what was in it has ended. */
async function remove(group: string): Promise<void> {
  for (let left = 20; left > 0; left--) {
    try {
      rmdirSync(group)
      return
    } catch {
      await sleep(100)
    }
  }
}
