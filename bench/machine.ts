/** The machine and the versions that a result belongs to. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Machine } from './model.js'
import { BENCH, wineLoader } from './peers/workshop.js'

export function describeMachine(): Machine {
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${name}, Linux ${release()}`,
  }
}

/**
 * Begins to count; the function gives what share of the processor time that was wanted since then a hypervisor has given to other machines
 * (`steal` in /proc/stat). Where that is more than a little, single figures say more of those than of us.
 */
export function countStolen(): () => number {
  const read = () => {
    const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
      .split('\n')[0]
      .split(/\s+/)
      .slice(1)
      .map(Number)
    return { busy: user + nice + system + irq + softirq + steal, stolen: steal }
  }
  const before = read()
  return () => {
    const now = read()
    return (now.stolen - before.stolen) / Math.max(1, now.busy - before.busy)
  }
}

export async function describeVersions(): Promise<Record<string, string>> {
  const { version } = JSON.parse(readFileSync(join(BENCH, '../package.json'), 'utf8')) as { version: string }
  const versions: Record<string, string> = { zugbruecke: version, Node: process.versions.node }
  try {
    const wine = execFileSync(await wineLoader(), ['--version'], {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    versions.Wine = wine.trim().replace(/^wine-/, '')
  } catch {
    // the peers that need it say so
  }
  return versions
}

/** The result that was committed last, as text. */
export function committed(path: string): string | undefined {
  try {
    return execFileSync('git', ['show', `HEAD:./${path}`], {
      cwd: join(BENCH, '..'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}
