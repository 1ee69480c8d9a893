/** Thousands of calls with random signatures and values, in every way of calling; ZB_SEED has the same again. */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import { CFUNCTYPE, c_int, type Library } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { Random } from '../../faults/random.js'
import { dll, sessionSuite } from '../support.js'
import { arch } from '../types.js'
import { type RandomRoutine, randomRoutines } from './random-signatures.js'

const seed = Number(process.env.ZB_SEED ?? Date.now() % 1_000_000_000)
const random = new Random(seed)
const test = sessionSuite(`random calls (ZB_SEED=${seed})`)

const { routines, source } = randomRoutines(random, 80)
let folder: string
let path: string
let library: Library
test.before(async ({ session }) => {
  folder = mkdtempSync(join(tmpdir(), 'zb-random-'))
  path = join(folder, 'random.dll')
  makeDll(path, source, [], arch)
  library = await session.cdll.LoadLibrary(path)
})
test.after(() => rmSync(folder, { recursive: true }))

interface Case {
  readonly routine: RandomRoutine
  readonly values: unknown[]
  readonly expected: unknown
}
function randomCase(among: readonly RandomRoutine[] = routines): Case {
  const routine = random.of(among)
  const values = routine.kinds.map(({ make }) => make(random))
  return { routine, values, expected: routine.expected(values) }
}
const cases = (count: number, among = routines) => Array.from({ length: count }, () => randomCase(among))

const declared = new Map<string, ReturnType<Library['func']>>()
/** Declared the one way or the other. */
function callable({ name, kinds, result, prototype, isPlain }: RandomRoutine) {
  const known =
    declared.get(name) ??
    (isPlain && random.below(2) > 0
      ? library.func(prototype)
      : library.func(name, kinds.map(({ type }) => type) as never, result.type as never))
  declared.set(name, known as never)
  return known as unknown as {
    (...values: unknown[]): Promise<unknown>
    sync(...values: unknown[]): unknown
    batch(columns: readonly unknown[][]): Promise<ArrayLike<unknown>>
  }
}

function check({ routine, values, expected }: Case, got: unknown): void {
  const shown = (value: unknown) => (typeof value === 'bigint' ? `${value}n` : JSON.stringify(value))
  assert.ok(
    Object.is(got, expected),
    `${routine.prototype} with ${values.map(shown).join(', ')} gave ${shown(got)}, not ${shown(expected)}`,
  )
}

test('awaited, many at a time', async () => {
  for (let round = 0; round < 20; round++) {
    const all = cases(1 + random.below(200))
    const results = await Promise.all(all.map(({ routine, values }) => callable(routine)(...values)))
    results.forEach((got, i) => check(all[i], got))
  }
})

test('blocking, between awaited ones', async () => {
  for (let round = 0; round < 20; round++) {
    const ahead = cases(random.below(20))
    const underway = ahead.map(({ routine, values }) => callable(routine)(...values))
    for (const one of cases(50)) check(one, callable(one.routine).sync(...one.values))
    ;(await Promise.all(underway)).forEach((got, i) => check(ahead[i], got))
  }
})

test('in batches', async () => {
  const plain = routines.filter(({ isPlain, kinds }) => isPlain && kinds.length > 0)
  for (const routine of plain) {
    const rows = cases(1 + random.below(60), [routine])
    const columns = routine.kinds.map((_, column) => rows.map(({ values }) => values[column]))
    const results = await callable(routine).batch(columns)
    assert.is(results.length, rows.length)
    rows.forEach((row, i) => check(row, results[i]))
  }
})

/** What another thread is given of a case, and gives back of it. */
const plainly = (all: readonly Case[]) => all.map(({ routine, values }) => ({ prototype: routine.prototype, values }))
const plainRoutines = routines.filter(({ isPlain }) => isPlain)

test('in jobs', async ({ session }) => {
  const all = cases(1000, plainRoutines)
  const job = `export default (session, { path, cases }) => {
    const library = session.CDLL(path)
    const known = new Map()
    const routine = prototype => known.get(prototype) ?? known.set(prototype, library.func(prototype)).get(prototype)
    return cases.map(({ prototype, values }) => routine(prototype)(...values))
  }`
  const url = `data:text/javascript,${encodeURIComponent(job)}`
  const results = await session.runJob<unknown[]>(url, { path, cases: plainly(all) })
  results.forEach((got, i) => check(all[i], got))
})

test('in callbacks', async ({ session }) => {
  const Unary = CFUNCTYPE(c_int, c_int)
  const apply = session.CDLL(dll('callbacks')).func('call_once', [Unary, c_int], c_int)
  for (let round = 0; round < 40; round++) {
    const outside = cases(5)
    const inside = cases(5)
    const underway = outside.map(({ routine, values }) => callable(routine)(...values))
    const callback = random.of([
      async (value: number) => {
        const results = await Promise.all(inside.map(({ routine, values }) => callable(routine)(...values)))
        results.forEach((got, i) => check(inside[i], got))
        return value
      },
      (value: number) => {
        for (const one of inside) check(one, callable(one.routine).sync(...one.values))
        return value
      },
    ])
    assert.is(await apply(callback as never, 7), 7)
    ;(await Promise.all(underway)).forEach((got, i) => check(outside[i], got))
  }
})

test('in a thread that joined, while this one calls', async ({ session }) => {
  const all = cases(1000, plainRoutines)
  const program = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { CtypesSession } from ${JSON.stringify(import.meta.resolve('zugbruecke'))}
    const { port, path, cases } = workerData
    const session = await CtypesSession.attach(port)
    const library = session.CDLL(path)
    const known = new Map()
    const routine = prototype => known.get(prototype) ?? known.set(prototype, library.func(prototype)).get(prototype)
    const results = []
    for (let i = 0; i < cases.length; i += 50)
      results.push(...await Promise.all(cases.slice(i, i + 50).map(({ prototype, values }, k) =>
        k % 5 ? routine(prototype)(...values) : routine(prototype).sync(...values))))
    parentPort.postMessage(results)`
  const port = session.port()
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    workerData: { port, path, cases: plainly(all) },
    transferList: [port],
    execArgv: [],
  })
  let results: unknown[] | undefined
  const told = once(thread, 'message').then(([message]) => {
    results = message as unknown[]
  })
  while (!results) {
    const own = cases(50)
    const got = await Promise.all(own.map(({ routine, values }) => callable(routine)(...values)))
    got.forEach((value, i) => check(own[i], value))
  }
  await told
  results.forEach((got, i) => check(all[i], got))
  await thread.terminate()
})

test.run()
