/** Half a core, as a container has it: a cgroup of its own with a quota, for a process and all that it starts. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = '/sys/fs/cgroup'
const [QUOTA, PERIOD] = [50_000, 100_000]

/** `work` is given what puts a process there. Throws where this system has no such groups, or they are not ours to make. */
export async function halfACore<T>(work: (put: (pid: number) => void) => Promise<T>): Promise<T> {
  const name = `zugbruecke-bench-${process.pid}`
  let group = ''
  try {
    if (existsSync(`${ROOT}/cpu/cpu.cfs_quota_us`)) {
      group = make(`${ROOT}/cpu/${name}`)
      writeFileSync(`${group}/cpu.cfs_period_us`, String(PERIOD))
      writeFileSync(`${group}/cpu.cfs_quota_us`, String(QUOTA))
    } else if (readFileSync(`${ROOT}/cgroup.subtree_control`, 'latin1').includes('cpu')) {
      group = make(`${ROOT}/${name}`)
      writeFileSync(`${group}/cpu.max`, `${QUOTA} ${PERIOD}`)
    } else throw new Error('the cpu controller of cgroups is not in use')
  } catch (cause) {
    throw new Error(`no cgroup with a quota can be made here: ${(cause as Error).message}`, { cause })
  }
  try {
    return await work(pid => writeFileSync(`${group}/cgroup.procs`, String(pid)))
  } finally {
    await remove(group)
  }
}

function make(group: string): string {
  mkdirSync(group)
  return group
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
