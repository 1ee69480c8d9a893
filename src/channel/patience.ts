/**
 * How long a thread looks for an answer before it sleeps. A look costs a nanosecond, a wake-up some tens of
 * microseconds (bench rows "awaited" and "a call in a job"); but looking in vain takes a core from those that work.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { libc } from './libc.js'

/**
 * Microseconds to look where looking has paid lately. A thread that blocks has nothing else to do, and looks for as long as the host does;
 * one that awaits keeps its event loop from the program's other work.
 */
const LONG = { blocked: 130, awaiting: 50 }
/** Microseconds to look where it has not paid lately. */
const SHORT = 2
/**
 * Looking has not paid where it was in vain so many times in a row; then every so many times a long look is tried
 * again.
 */
const MISSES = 4
const PROBE = 16
/** Looks between two readings of the clock, each of which takes as long as fifty looks. */
const STRIDE = 256
/**
 * After so many microseconds this thread yields its core to others that are ready. Bench row "with another program at
 * work".
 */
const ALONE = 10

/** Replies that a thread settles before its event loop has a turn. Bench row "a thousand at once". */
export const TURN = 256
/** Longest sleep without a look at who still lives, in milliseconds. */
export const SLICE = 1000

/** Cores that this process may keep busy: a container's share of them may be less than there are. */
export const CORES = Math.max(0.1, Math.min(availableParallelism(), cgroupShare()))

/** Where only one side can run at a time, long looks gain nothing. */
const longest = CORES < 2 ? { blocked: SHORT, awaiting: SHORT } : LONG

export class Patience {
  #misses = 0
  /** The last look took so long that this thread yielded its core: what it looked for may have come from there. */
  yielded = false

  /** Looks until one of two words has changed: `first` to `expected`, or `second` from zero. False if that took too long. */
  look(i32: Int32Array, first: number, expected: number, second: number, blocked: boolean): boolean {
    const good = this.#misses < MISSES || this.#misses % PROBE === 0
    const budget = (good ? (blocked ? longest.blocked : longest.awaiting) : SHORT) / 1000
    let from = 0
    this.yielded = false
    for (let looks = 1; ; looks++) {
      // one Atomics.load is enough: see ring.ts
      if (Atomics.load(i32, first) === expected || i32[second] !== 0) {
        this.#misses = 0
        return true
      }
      if (looks % STRIDE !== 0) continue
      const now = performance.now()
      if (from === 0) from = now
      else if (now - from > budget) break
      else if (now - from > ALONE / 1000) {
        this.yielded = true
        libc().sched_yield()
      }
    }
    this.#misses++
    return false
  }
}

/** Cores by the quotas of this process's cgroup and of those around it: any of them limits it. */
function cgroupShare(): number {
  const groups = read('/proc/self/cgroup')
  const path = /^0::(.*)$/m.exec(groups)?.[1]
  // version 1, as older systems have it
  const path1 = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1]
  let share = Number.POSITIVE_INFINITY
  const limit = (quota: number, period: number) => {
    if (quota > 0 && period > 0) share = Math.min(share, quota / period)
  }
  for (const group of around(path)) {
    const [quota, period] = read(`/sys/fs/cgroup${group}/cpu.max`).split(' ').map(Number)
    limit(quota, period)
  }
  for (const group of around(path1)) {
    const of = (word: string) => Number(read(`/sys/fs/cgroup/cpu${group}/cpu.cfs_${word}_us`))
    limit(of('quota'), of('period'))
  }
  return share
}

/** A group and all around it; the last, '', is the root, which inside of a container is the container's own. */
function* around(path = '/'): Generator<string> {
  for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf('/'))) yield at
  yield ''
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim()
  } catch {
    return ''
  }
}
