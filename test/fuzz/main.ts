/**
 * All fuzzers, by `npm run test:fuzz -- [--times N] [--seed N] [--only WORD] [--write]`: so many times the inputs of the suite
 * `test/fuzz`, each fuzzer in a thread with little memory, which is ended where an input takes too long. Then frames for the host, under Wine.
 * Prints a table, and with `--write` puts it into docs/reliability.md. Fails where anything came out as neither the right answer nor an error of ours.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startThread } from '../channel/start-thread.js'
import { occasion, table, writeReport } from '../faults/report.js'
import type { Found } from './fuzzer.js'
import { FUZZERS } from './fuzzers.js'
import type { RunnerData } from './runner.js'

const { values: options } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})
const times = Number(options.times)
const seed = Number(options.seed)
/** For one input, in seconds, and of a fuzzer's heap, in MiB. */
const LONGEST = 60
const HEAP = 512

/** `never`: an input did not come out; `memory`: the heap was not enough. */
async function run(name: string, count: number): Promise<Found> {
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const data: RunnerData = { name, seed, count, progress }
  const thread = startThread('./runner.ts', import.meta.url, data, {
    resourceLimits: { maxOldGenerationSizeMb: HEAP },
  })
  await once(thread, 'message')
  const failed = (failure: string): Found => ({ taken: progress[0], refused: 0, failure })
  const told = once(thread, 'message').then(
    ([found]) => found as Found,
    error => failed(`the thread failed: ${error?.stack ?? error}`),
  )
  const watch = new AbortController()
  const late = (async () => {
    for (let before = -1; before !== progress[0]; ) {
      before = progress[0]
      await sleep(LONGEST * 1000, undefined, { signal: watch.signal })
    }
    return failed(`never: input ${progress[0] + 1} of seed ${seed} has not come out for ${LONGEST} s`)
  })()
  late.catch(() => {})
  const found = await Promise.race([told, late])
  watch.abort()
  await thread.terminate()
  return found
}

/** A suite that has frames of its own, in C or for a whole host. */
function frames(
  what: string,
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  sum: RegExp,
): Found & { name: string } {
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } })
  const [, count = '0', taken = '0'] = sum.exec(stdout) ?? []
  return {
    name: what,
    taken: Number(taken),
    refused: Number(count) - Number(taken),
    failure: status === 0 ? undefined : stdout,
  }
}

const own = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const rows: (Found & { name: string })[] = []
const show = (row: Found & { name: string }) => {
  rows.push(row)
  console.log(row.name, `taken ${row.taken}`, `refused ${row.refused}`, row.failure ?? '')
}
for (const { name, few } of FUZZERS) if (name.includes(options.only)) show({ name, ...(await run(name, few * times)) })
const HOST = 'frames for the Windows side'
for (const arch of ['win64', 'win32'] as const) {
  if (HOST.includes(options.only))
    show(
      frames(
        `${HOST} (${arch})`,
        process.execPath,
        ['--import', 'tsx', own('../wire/frames.test.ts')],
        { ZB_FUZZ_SECONDS: `${3 * times}`, ZB_FUZZ_SEED: `${seed}`, ZUGBRUECKE_ARCH: arch },
        /"frames":(\d+),"answered":\[(\d+)/,
      ),
    )
}

const sum = rows.reduce((total, { taken, refused }) => total + taken + refused, 0)
const failures = rows.filter(({ failure }) => failure !== undefined)
const text = [
  `${sum} inputs, seeds from ${seed} on (${occasion()}): ${failures.length === 0 ? 'all came out with the right answer or one error of ours' : `${failures.length} fuzzers found something`}.`,
  '',
  table(
    ['what is given', 'right answers', 'errors of ours', 'anything else'],
    rows.map(({ name, taken, refused, failure }) => [name, taken, refused, failure === undefined ? 0 : 1]),
  ),
].join('\n')
console.log(`\n${text}`)
if (options.write) writeReport('fuzz', text)
process.exit(failures.length > 0 ? 1 : 0)
