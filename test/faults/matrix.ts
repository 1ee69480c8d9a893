/** Rounds of faults, each in a session of its own that has other calls under way, and what they leave in this process. */
import { readdirSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Arch, type Config, CtypesSession, c_int, type Library } from 'zugbruecke'
import { dll } from '../dlls/build.js'
import type { Fault, Round } from './faults.js'
import { Tally } from './outcome.js'
import { Random } from './random.js'

/** Calls under way before a fault, and behind it. */
const AROUND = 20
const ROWS = 500
/** How long what a session had may take to go, in milliseconds. */
const PATIENCE = 8000

/** One round. Notes in the tally how each call came out, and what became of the session if that was not as it should be. */
export async function round(fault: Fault, arch: Arch, seed: number, config: Partial<Config> = {}): Promise<Tally> {
  const tally = new Tally()
  const random = new Random(seed)
  const started = await CtypesSession.start({
    sandbox: false,
    stdout: false,
    stderr: false,
    timeout_start: 60,
    timeout_stop: 2,
    arch,
    ...config,
  }).catch((error: Error) => error)
  if (started instanceof Error) {
    tally.add('never', `the start before "${fault.name}", round of seed ${seed}: ${started.message}`)
    return tally
  }
  const session = started
  session.on('callbackError', () => {})
  const libraries = new Map<string, Library>()
  const library = (name: string) => {
    const known = libraries.get(name) ?? session.CDLL(dll(name, arch))
    libraries.set(name, known)
    return known
  }
  const settling: Promise<void>[] = []
  const settle: Round['settle'] = (promise, expected) =>
    void settling.push(
      tally.settle(
        `"${fault.name}", round of seed ${seed}`,
        promise,
        expected === undefined || fault.spoils ? undefined : value => value === expected,
      ),
    )
  const add = library('faults').func('add', [c_int, c_int], c_int)
  const load = () => {
    for (let i = random.below(AROUND); i >= 0; i--) {
      const [a, b] = [random.below(1000), random.below(1000)]
      settle(add(a, b), a + b)
    }
    const rows = Int32Array.from({ length: random.below(ROWS) + 1 }, (_, i) => i)
    const sums = add.batch([rows, 1]) as Promise<Int32Array>
    settle(
      sums.then(results => results.length === rows.length && results.every((sum, i) => sum === i + 1)),
      true,
    )
  }
  load()
  if (random.below(2) > 0) await Promise.all(settling)
  try {
    await fault.act({ session, random, library, settle })
  } catch (error) {
    settle(Promise.reject(error))
  }
  if (session.up) load()
  for (let settled = 0; settled < settling.length; ) {
    settled = settling.length
    await Promise.all(settling)
  }
  // one more call tells whether it is as it should be
  const lives = await add(1, 2).then(
    sum => sum === 3 || fault.spoils,
    () => false,
  )
  if (fault.becomes !== 'either' && lives !== (fault.becomes === 'lives'))
    tally.add('wrong', `"${fault.name}", round of seed ${seed}: the session ${lives ? 'lives' : 'has ended'}`)
  await tally.settle(`the end after "${fault.name}", round of seed ${seed}`, session.terminate())
  return tally
}

setFlagsFromString('--expose-gc')
export const collectGarbage: () => void = runInNewContext('gc')

/** What this process has of the system. */
export interface Holdings {
  /** Processes that it has started and that have not ended. */
  readonly processes: number
  readonly descriptors: number
  readonly threads: number
  /** Parts of memory that it shares. */
  readonly mappings: number
}

export function holdings(): Holdings {
  const children = readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && parentOf(pid) === process.pid)
  return {
    processes: children.length,
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: readFileSync('/proc/self/maps', 'latin1').split('/memfd:zugbruecke').length - 1,
  }
}

function parentOf(pid: string): number {
  try {
    const [, state, parent] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
    return state === 'Z' ? 0 : Number(parent)
  } catch {
    return 0
  }
}

/** What there is more than before, once it does not become less any more; a view of memory goes with the garbage collector. */
export async function leftSince(before: Holdings): Promise<Holdings> {
  const keys = Object.keys(before) as (keyof Holdings)[]
  for (const end = Date.now() + PATIENCE; ; await new Promise(resolve => setTimeout(resolve, 50))) {
    collectGarbage()
    const now = holdings()
    const left = Object.fromEntries(keys.map(key => [key, Math.max(0, now[key] - before[key])])) as unknown as Holdings
    if (keys.every(key => left[key] === 0) || Date.now() > end) return left
  }
}

/** Does things, so many at a time. */
export async function inTurns<T>(items: readonly T[], atOnce: number, act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item)
    }),
  )
}
