// npm run test:cluster-faults -- [--rounds N] [--only ID…] [--write]: each fault many times, as a table; `--write` puts its rows into
// docs/reach.md, and leaves those of other faults. Its exit code is 0 where no round went wrong. A fault that cannot happen on this
// machine is named.
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { withoutNamespaces } from './machines.js'
import { withoutRedis } from './redis.js'
import { FAULTS, type Fault, type Round, round, Scene } from './rounds.js'

const PAGE = 'docs/reach.md'
const MARKS = ['<!-- faults: begin -->\n', '<!-- faults: end -->'] as const

/** Faults that are waited for happen to so many clusters at once. */
const TOGETHER = 4

const options = new Command('test:cluster-faults')
  .option('--rounds <n>', 'of each fault', Number, 20)
  .option('--only <ids...>', `some of ${FAULTS.map(({ id }) => id).join(', ')}`)
  .option('--write', `put the table into ${PAGE}`)
  .parse()
  .opts<{ rounds: number; only?: string[]; write?: true }>()

if (withoutRedis) throw new Error(withoutRedis)
let wrong = 0
const rows = new Map<string, string>()

async function many(scenes: readonly Scene[], fault: Fault): Promise<void> {
  const rounds: Round[] = []
  const failed: string[] = []
  let begun = 0
  const each = async (scene: Scene) => {
    while (begun++ < options.rounds) {
      try {
        await scene.workers()
        rounds.push(await round(scene, fault))
      } catch (error) {
        failed.push((error as Error).message.split('\n')[0])
      }
      process.stderr.write(`${fault.id}: ${rounds.length} of ${options.rounds}, ${failed.length} went wrong\n`)
    }
  }
  await Promise.all(scenes.map(each))
  for (const why of failed) process.stderr.write(`${fault.id}: ${why}\n`)
  wrong += failed.length
  const doubt = rounds.filter(one => one.doubt > 0).map(one => one.doubt)
  const whole = rounds.filter(one => one.doubt === 0)
  const times = rounds.map(({ seconds }) => seconds).sort((a, b) => a - b)
  const sum = (of: 'sent' | 'came') => whole.reduce((all, one) => all + one[of], 0)
  const cells = [
    fault.what,
    fault.retries,
    options.rounds,
    sum('sent'),
    sum('came'),
    doubt.length > 0 ? `in ${doubt.length} rounds, ${Math.max(...doubt)} at the most` : 'none',
    failed.length,
    times.length > 0 ? times[times.length >> 1].toFixed(1) : '',
  ]
  rows.set(fault.what, `| ${cells.join(' | ')} |`)
}

for (const network of [false, true]) {
  const faults = FAULTS.filter(
    one => (one.network ?? false) === network && (!options.only || options.only.includes(one.id)),
  )
  if (faults.length === 0) continue
  const why = network ? withoutNamespaces() : undefined
  if (why) {
    process.stderr.write(`${faults.map(({ id }) => id).join(', ')}: ${why}\n`)
    continue
  }
  const scenes: Scene[] = []
  try {
    for (const fault of faults) {
      const together = (fault.lasts ?? 0) > 5 ? Math.min(TOGETHER, options.rounds) : 1
      while (scenes.length < together) scenes.push(await Scene.open('faults', network))
      await many(scenes.slice(0, together), fault)
    }
  } finally {
    await Promise.all(scenes.map(scene => scene.end()))
  }
}

const page = readFileSync(PAGE, 'utf8')
const [from, to] = [page.indexOf(MARKS[0]) + MARKS[0].length, page.indexOf(MARKS[1])]
const before = page.slice(from, to).split('\n')
const known = ({ what }: Fault) => rows.get(what) ?? before.find(line => line.startsWith(`| ${what} |`))
const table = `| what happens | retries | rounds | rows in | rows out | rows named as in doubt | rounds that went wrong | seconds (median) |
| --- | --- | --- | --- | --- | --- | --- | --- |
${FAULTS.flatMap(fault => known(fault) ?? []).join('\n')}
`
process.stdout.write(table)
if (options.write) writeFileSync(PAGE, page.slice(0, from) + table + page.slice(to))
process.exitCode = wrong > 0 ? 1 : 0
