/** Machines of a network that can be cut: namespaces of the kernel, each joined with that of the store by a cable of its own. */
import { spawnSync } from 'node:child_process'

function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** Why suites that cut a network are skipped; undefined where it can be done. */
export function withoutNamespaces(): string | undefined {
  const name = `zb-try-${process.pid}`
  try {
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return undefined
  } catch (error) {
    return `network namespaces cannot be made (root, and the package iproute2, are needed): ${(error as Error).message}`
  }
}

let networks = 0

/** The store's is the first; the others reach it, and not one another. */
export class Machines {
  private constructor(private readonly names: readonly string[]) {}

  static build(count: number): Machines {
    const network = networks++
    const names = Array.from({ length: count }, (_, i) => `zb-${process.pid}-${network}-${i}`)
    const [store, ...others] = names
    for (const name of names) {
      ip('netns', 'add', name)
      ip('-n', name, 'link', 'set', 'lo', 'up')
    }
    others.forEach((name, i) => {
      ip('-n', store, 'link', 'add', `to${i + 1}`, 'type', 'veth', 'peer', 'name', 'net', 'netns', name)
      ip('-n', store, 'addr', 'add', `10.0.${i + 1}.1/30`, 'dev', `to${i + 1}`)
      ip('-n', name, 'addr', 'add', `10.0.${i + 1}.2/30`, 'dev', 'net')
      ip('-n', name, 'link', 'set', 'net', 'up')
      ip('-n', store, 'link', 'set', `to${i + 1}`, 'up')
    })
    return new Machines(names)
  }

  /** What a command is put behind to run there. */
  on(machine: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.names[machine]]
  }
  /** The store, as that machine sees it. */
  storeFrom(machine: number): string {
    return `10.0.${machine}.1`
  }
  cut(machine: number): void {
    ip('-n', this.names[0], 'link', 'set', `to${machine}`, 'down')
  }
  mend(machine: number): void {
    ip('-n', this.names[0], 'link', 'set', `to${machine}`, 'up')
  }
  end(): void {
    for (const name of this.names) ip('netns', 'del', name)
  }
}
