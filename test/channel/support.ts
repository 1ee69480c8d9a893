/** What the channel's tests share that have no need of a host. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { endMapping, forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import { closeSegment, createSegment, type Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'

/** What a descriptor of this process leads to, or undefined. Other threads open and close descriptors meanwhile. */
export function target(fd: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}
export const openFiles = (): (string | undefined)[] => readdirSync('/proc/self/fd').map(target)

/** What is mapped at an address: its line in the process's map. */
export function mappedAt(address: bigint): string | undefined {
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+)/.exec(line) ?? []
    if (from && address >= BigInt(`0x${from}`) && address < BigInt(`0x${to}`)) return line
  }
  return undefined
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
/** Collects garbage until `condition` holds; false if it never does. */
export async function collect(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    gc()
    await new Promise(resolve => setTimeout(resolve, 10))
    if (condition()) return true
  }
  return false
}

export interface Made {
  readonly state: SharedState
  readonly segment: Segment
}

export function makeSegment(memory = 1 << 20, threads: readonly number[] = [0, 1]): Made {
  const state = new SharedState()
  return { state, segment: createSegment(memory, state, threads) }
}

/** The end of a segment that nobody serves. */
export function endSegment({ state, segment }: Made): void {
  closeSegment(segment, state)
  endMapping(segment, state)
}

/** Does something with a view, and gives it up. */
export function withMapping<T>({ state, segment }: Made, act: (mapping: Mapping) => T, thread = 30): T {
  const mapping = new Mapping(segment, state, thread)
  try {
    return act(mapping)
  } finally {
    forgetView(segment, state, thread)
  }
}
