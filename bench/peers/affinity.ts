/** Puts processes on one core and back, with all their threads. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { PREFIX } from './workshop.js'

function setCores(pid: number, cores: string): void {
  execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
}

export async function onOneCore<T>(pids: readonly number[], work: () => Promise<T>): Promise<T> {
  for (const pid of pids) setCores(pid, '0')
  try {
    return await work()
  } finally {
    for (const pid of pids) setCores(pid, `0-${cpus().length - 1}`)
  }
}

/** The wineserver of the peers' prefix. */
export function wineServers(): number[] {
  return readdirSync('/proc').flatMap(entry => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const named = readFileSync(`/proc/${entry}/comm`, 'latin1').startsWith('wineserver')
      const ours =
        named && readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').includes(`WINEPREFIX=${PREFIX}`)
      return ours ? [Number(entry)] : []
    } catch {
      return [] // gone meanwhile, or somebody else's
    }
  })
}
