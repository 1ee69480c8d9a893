/** Objects that are made and dropped by the million, and objects that outlive their sessions: is each where it should be, with its value? */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Arch,
  addressof,
  byref,
  type Config,
  CtypesSession,
  c_double,
  c_int,
  POINTER,
  SessionPool,
  Structure,
} from 'zugbruecke'
import { dll } from '../dlls/build.js'
import { type Dropped, dropObjects, KEPT, Kept, type Memory, Peak } from './drop-objects.mjs'

export interface Outcome {
  readonly made: number
  /** Wrong values and addresses. */
  readonly wrong: number
  readonly errors: readonly string[]
  readonly most: Memory
}

type Parameters = Partial<Config> & { readonly arch: Arch }

const PAUSE = 20
/** After so many pauses that have brought nothing, nothing is to be hoped for. */
const PAUSES = 50

/** Awaited calls, a thousand at once: the program pauses, as programs do. */
export async function inProgram(parameters: Parameters, count: number): Promise<Outcome> {
  const session = await CtypesSession.start(parameters)
  try {
    const lib = await session.cdll.LoadLibrary(dll('state', session.arch))
    const add = lib.func('add_one', [POINTER(c_int)], null)
    const [kept, peak] = [new Kept(), new Peak(session.pid as number)]
    const errors: string[] = []
    let wrong = 0
    for (let i = 0; i < count; i += KEPT) {
      const numbers = Array.from({ length: Math.min(KEPT, count - i) }, (_, j) => new c_int(i + j))
      const settled = await Promise.allSettled(numbers.map(number => add(byref(number))))
      for (const [j, one] of settled.entries())
        if (one.status === 'rejected') errors.push((one.reason as Error).message)
        else if (numbers[j].value !== i + j + 1) wrong++
      if (errors.length === 0) wrong += numbers.length - new Set(numbers.map(addressof)).size
      if (settled[0].status === 'fulfilled') kept.add(numbers[0], i + 1)
      if (i % (100 * KEPT) === 0) peak.look()
    }
    peak.look()
    return { made: count, wrong: wrong + kept.wrong(), errors, most: peak.most }
  } finally {
    await session.terminate()
  }
}

/** Runs a loop again after each error, for as long as a pause gives it room for more. */
async function untilMade(count: number, loop: (from: number, left: number) => Promise<Dropped>): Promise<Outcome> {
  let [made, wrong, pauses] = [0, 0, 0]
  let most: Memory = { node: 0, heap: 0, windows: 0 }
  const errors: string[] = []
  while (made < count && pauses < PAUSES) {
    const part = await loop(made, count - made)
    made += part.made
    wrong += part.wrong
    most = {
      node: Math.max(most.node, part.most.node),
      heap: Math.max(most.heap, part.most.heap),
      windows: Math.max(most.windows, part.most.windows),
    }
    if (part.error === undefined) continue
    if (part.made > 0) errors.push(part.error)
    pauses = part.made > 0 ? 0 : pauses + 1
    await sleep(PAUSE)
  }
  return { made, wrong, errors, most }
}

/** Calls by `.sync` in a loop that never pauses, but after an error. */
export async function inLoop(parameters: Parameters, count: number): Promise<Outcome> {
  const session = await CtypesSession.start(parameters)
  try {
    const lib = await session.cdll.LoadLibrary(dll('state', session.arch))
    return await untilMade(count, async (from, left) => dropObjects(lib, session.pid as number, from, left))
  } finally {
    await session.terminate()
  }
}

/** The same in jobs of one session: another job after each error. */
export async function inJob(parameters: Parameters, count: number): Promise<Outcome> {
  const pool = await SessionPool.start({ ...parameters, size: 1 })
  try {
    const pid = await pool.use(session => session.pid)
    const module = new URL('drop-objects.mjs', import.meta.url)
    const run = (from: number, left: number) =>
      pool.run(module, { dll: dll('state', parameters.arch), pid, from, count: left }) as Promise<Dropped>
    return await untilMade(count, run)
  } finally {
    await pool.close()
  }
}

class Job extends Structure({ n: c_int, stop: c_int }) {}
const DOUBLES = 1000
/** So many arrays of sessions that have ended are written to while another session works. */
const DISTURBED = 20

export interface Outlived {
  readonly wrong: number
  /** What this process had more after the last session than after the first half of them, for each session. */
  readonly perSession: number
}

/**
 * From each of so many sessions, one after the other, a structure and a typed array are kept. While the next session works the arrays of
 * those before are written: that must reach nobody's memory, and all must have their values at the end.
 */
export async function keepFromSessions(parameters: Parameters, count: number): Promise<Outlived> {
  const kept: { readonly job: InstanceType<typeof Job>; readonly numbers: Float64Array; value: number }[] = []
  let wrong = 0
  let half = 0
  for (let i = 0; i < count; i++) {
    if (i === Math.floor(count / 2)) half = process.memoryUsage().rss
    const session = await CtypesSession.start(parameters)
    const lib = await session.cdll.LoadLibrary(dll('state', session.arch))
    const job = new Job({ n: i })
    await lib.func('halt', [POINTER(Job)], null)(byref(job))
    const numbers = session.memory.array(Float64Array, DOUBLES)
    numbers.fill(i)
    for (const [j, one] of kept.slice(-DISTURBED).entries()) {
      one.value = -i - j
      one.numbers.fill(one.value)
    }
    const sum = await lib.func('scale', [POINTER(c_double), c_int, c_double], c_double)(numbers, DOUBLES, 2)
    if (sum !== 2 * i * DOUBLES) wrong++
    kept.push({ job, numbers, value: 2 * i })
    await session.terminate()
  }
  for (const [i, { job, numbers, value }] of kept.entries())
    if (job.n !== i || job.stop !== 1 || !numbers.slice().every(number => number === value)) wrong++
  const perSession = (process.memoryUsage().rss - half) / (count - Math.floor(count / 2))
  return { wrong, perSession }
}

/** Does an error say what to do where there is no room left? */
export const isClear = (error: string): boolean =>
  ['out(T)', 'free', 'pause', error.includes('V8') ? '--max-old-space-size' : '"memory"'].every(word =>
    error.includes(word),
  )
