/**
 * How long a thread looks for an answer before it sleeps. A look takes a nanosecond, a wake-up some tens of
 * microseconds (bench rows "awaited" and "a call in a job"); but a thread that looks in vain keeps a core from others.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { libc } from './libc.js'

/**
 * Microseconds to look where answers have come that soon lately. A thread that blocks has nothing else to do, and looks
 * for as long as the host does; one that awaits keeps its event loop from the program's other work. Bench row "a call in
 * a job".
 */
const LONG = { blocked: 130, awaiting: 50 }
/** Microseconds to look where they have not. Bench row "a slow routine". */
const SHORT = 2
/** So many looks in a row without an answer make the next ones short. */
const MISSES = 4
/** One short look in so many is made long, to see whether answers come sooner again. */
const PROBE = 16
/** Looks between two readings of the clock, each of which takes as long as fifty looks. */
const STRIDE = 256
/**
 * Microseconds of looking after which this thread yields its core to others that are ready. Bench row "with another
 * program at work".
 */
const ALONE = 10

/** Replies that a thread settles before it lets its event loop run. Bench row "a thousand at once". */
export const TURN = 256
/** Milliseconds that a thread waits at the most before it checks that the other side lives. */
export const SLICE = 1000

/** Cores that this process may keep busy: a container's share of them may be less than there are. */
export const CORES = Math.max(0.1, Math.min(availableParallelism(), cgroupShare()))

/** With fewer than two cores only one side runs at a time, and a long look only delays the other side. */
const longest = CORES < 2 ? { blocked: SHORT, awaiting: SHORT } : LONG

export class Patience {
  #misses = 0
  /**
   * Whether this thread yielded its core during the last look: the answer may have come because the host got that core.
   */
  yielded = false

  /**
   * Looks until the word at `first` is `expected`, or the one at `second` is not zero. False if that took too long.
   * `blocked`: the thread is going to block otherwise.
   */
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

/** How many cores the quotas of this process's cgroup, and of the groups around it, allow: each of them limits it. */
function cgroupShare(): number {
  const groups = read('/proc/self/cgroup')
  const path = /^0::(.*)$/m.exec(groups)?.[1]
  // version 1 of cgroups, which older systems have
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

/** The paths of a group and of all groups around it. The last one, '', is the root: in a container, the container's. */
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
