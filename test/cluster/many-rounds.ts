// npm run test:cluster-faults -- [--rounds N] [--only ID…] [--write]: each fault many times, as a table; `--write` puts it into
// docs/reach.md. Without a round that went wrong its exit code is 0. A fault that cannot happen on this machine is named.
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { withoutNamespaces } from './machines.js'
import { withoutRedis } from './redis.js'
import { FAULTS, type Fault, type Round, round, Scene } from './rounds.js'

const PAGE = 'docs/reach.md'
const MARKS = ['<!-- faults: begin -->\n', '<!-- faults: end -->'] as const

const options = new Command('test:cluster-faults')
  .option('--rounds <n>', 'of each fault', Number, 20)
  .option('--only <ids...>', `some of ${FAULTS.map(({ id }) => id).join(', ')}`)
  .option('--write', `put the table into ${PAGE}`)
  .parse()
  .opts<{ rounds: number; only?: string[]; write?: true }>()

if (withoutRedis) throw new Error(withoutRedis)
let wrong = 0
const lines: string[] = []

async function many(scene: Scene, fault: Fault): Promise<void> {
  const rounds: Round[] = []
  const failed: string[] = []
  for (let i = 0; i < options.rounds; i++) {
    try {
      await scene.workers()
      rounds.push(await round(scene, fault))
    } catch (error) {
      failed.push((error as Error).message.split('\n')[0])
    }
    process.stderr.write(`${fault.id} ${i + 1}/${options.rounds}${failed.length ? `, ${failed.length} failed` : ''}\n`)
  }
  for (const why of failed) process.stderr.write(`${fault.id}: ${why}\n`)
  wrong += failed.length
  const sum = (of: (one: Round) => number) => rounds.reduce((all, one) => all + of(one), 0)
  const doubt = rounds.filter(one => one.doubt > 0)
  const whole = rounds.filter(one => one.doubt === 0)
  const times = rounds.map(({ seconds }) => seconds).sort((a, b) => a - b)
  const cells = [
    fault.what,
    fault.retries,
    options.rounds,
    whole.reduce((all, one) => all + one.sent, 0),
    sum(one => one.came),
    doubt.length > 0 ? `${doubt.length} times, ${Math.max(...doubt.map(one => one.doubt))} at the most` : '0',
    failed.length,
    times.length > 0 ? times[times.length >> 1].toFixed(1) : '',
  ]
  lines.push(`| ${cells.join(' | ')} |`)
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
  const scene = await Scene.open('faults', network)
  try {
    for (const fault of faults) await many(scene, fault)
  } finally {
    await scene.end()
  }
}

const table = `| what happens | retries | rounds | rows in | rows out | rows in doubt | rounds that went wrong | seconds (median) |
| --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`
process.stdout.write(table)
if (options.write) {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = [page.indexOf(MARKS[0]) + MARKS[0].length, page.indexOf(MARKS[1])]
  writeFileSync(PAGE, page.slice(0, from) + table + page.slice(to))
}
process.exitCode = wrong > 0 ? 1 : 0
