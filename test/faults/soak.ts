/**
 * A soak, by `npm run test:soak -- MINUTES [--write]`: one session calls and is called back without pause, and each second another crashes.
 * Calls that were made are counted by the DLL and compared with those that came back; memory, descriptors and threads are sampled,
 * and the last fifth of the time is compared with the second. Fails where a count differs or something has grown. npm runs it with a
 * young generation of one size: V8 makes it larger where calls come faster, and a machine that has more time for them looks like a leak.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CFUNCTYPE, CtypesSession, c_int, c_longlong, c_uint, SessionCrashedError } from 'zugbruecke'
import { dll } from '../dlls/build.js'
import { collectGarbage, holdings } from './matrix.js'
import { occasion, table, writeReport } from './report.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false } },
})
const minutes = Number(positionals[0] ?? 10)
const SAMPLES = 50
/** More than this part more, and this much, counts as growth. */
const GROWTH = 0.05
const MEBIBYTE = 2 ** 20

const QUANTITIES = {
  'RSS, MiB': [() => process.memoryUsage().rss / MEBIBYTE, 4],
  'heap, MiB': [() => process.memoryUsage().heapUsed / MEBIBYTE, 2],
  // of which a session's view of its memory is 259, used or not: one more or less is the moment's
  'external memory, MiB': [() => process.memoryUsage().external / MEBIBYTE, 300],
  mappings: [() => readFileSync('/proc/self/maps', 'latin1').split('\n').length, 20],
  'shared mappings': [() => holdings().mappings, 3],
  descriptors: [() => holdings().descriptors, 15],
  threads: [() => holdings().threads, 2],
  processes: [() => holdings().processes, 2],
} as const satisfies Record<string, readonly [look: () => number, slack: number]>
type Quantity = keyof typeof QUANTITIES
const quantities = Object.keys(QUANTITIES) as Quantity[]

const counts = { calls: 0, callbacks: 0, crashes: 0, wrong: 0 }
const expect = (isRight: boolean, what: string) => {
  if (isRight) return
  counts.wrong++
  console.log('wrong:', what)
}

const from = performance.now()
const end = from + minutes * 60_000
const quiet = { sandbox: false, stdout: false, stderr: false } as const

/** Calls of all kinds, and callbacks, until the time is over. */
async function load(session: CtypesSession): Promise<void> {
  const tally = session.CDLL(dll('tally'))
  const add = tally.func('add', [c_int, c_int], c_int)
  const made = tally.func('calls', [], c_int)
  const apply = session.CDLL(dll('callbacks')).func('apply', [CFUNCTYPE(c_int, c_int), c_int], c_longlong)
  const rows = Int32Array.from({ length: 1000 }, (_, i) => i)
  let own = 0
  while (performance.now() < end) {
    const sums = await Promise.all(Array.from({ length: 100 }, (_, i) => add(i, 1)))
    expect(
      sums.every((sum, i) => sum === i + 1),
      'awaited calls',
    )
    for (let i = 0; i < 20; i++) expect(add.sync(i, 2) === i + 2, 'a blocking call')
    const results = (await add.batch([rows, 3])) as Int32Array
    expect(results.length === rows.length && results.every((sum, i) => sum === i + 3), 'a batch')
    own += sums.length + 20 + rows.length
    let heard = 0
    const sum = await apply(value => {
      heard++
      return value
    }, 50)
    expect(heard === 50 && sum === (50n * 49n) / 2n, `callbacks: ${heard} heard, sum ${sum}`)
    counts.callbacks += heard
    expect((await made()) === own, 'calls that the DLL has seen')
  }
  counts.calls += own
}

/** A session a second that crashes in the middle of calls. */
async function crash(): Promise<void> {
  for (let next = from + 1000; performance.now() < end; next += 1000) {
    const session = await CtypesSession.start(quiet)
    const faults = session.CDLL(dll('faults'))
    const add = faults.func('add', [c_int, c_int], c_int)
    const before = Array.from({ length: 20 }, (_, i) => add(i, 1))
    const crashed = await faults
      .func(
        'exit_with',
        [c_uint],
        null,
      )(3)
      .catch(error => error)
    expect(crashed instanceof SessionCrashedError, `a crash: ${crashed}`)
    expect(
      (await Promise.all(before)).every((sum, i) => sum === i + 1),
      'calls before a crash',
    )
    await session.terminate()
    counts.crashes++
    await sleep(Math.max(0, next - performance.now()))
  }
}

const samples: Record<Quantity, number>[] = []
async function sample(): Promise<void> {
  for (let i = 0; i < SAMPLES; i++) {
    await sleep(Math.max(0, from + ((i + 1) * (end - from)) / SAMPLES - performance.now()))
    collectGarbage()
    samples.push(Object.fromEntries(quantities.map(name => [name, QUANTITIES[name][0]()])) as Record<Quantity, number>)
  }
}

const session = await CtypesSession.start(quiet)
await Promise.all([load(session), crash(), sample()])
await session.terminate()

const mean = (part: readonly Record<Quantity, number>[], name: Quantity) =>
  part.reduce((sum, values) => sum + values[name], 0) / part.length
const grown: string[] = []
const rows = quantities.map(name => {
  const [before, after] = [samples.slice(SAMPLES / 5, (2 * SAMPLES) / 5), samples.slice(-SAMPLES / 5)].map(part =>
    mean(part, name),
  )
  if (after > before * (1 + GROWTH) + QUANTITIES[name][1]) grown.push(name)
  return [name, before.toFixed(1), after.toFixed(1)]
})
const text = [
  `${minutes} minutes (${occasion()}): ${counts.calls} calls made and as many answered, ${counts.callbacks} callbacks, ` +
    `${counts.crashes} sessions that crashed, ${counts.wrong} wrong values or counts.`,
  '',
  table(['mean of', 'the second fifth', 'the last fifth'], rows),
].join('\n')
console.log(text)
if (options.write) writeReport('soak', text)
if (grown.length > 0) console.log('grown:', grown.join(', '))
process.exit(counts.wrong > 0 || grown.length > 0 ? 1 : 0)
