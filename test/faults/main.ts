/**
 * The whole matrix, by `npm run test:faults -- [--rounds N] [--seed N] [--arch win64|win32] [--only WORD] [--write]`: prints a table of
 * all faults, and with `--write` puts it into docs/reliability.md. Faults of Wine's services have a copy of the prefix (1 GB, in the
 * folder for temporary files). Fails where a value is wrong, an error not ours, a call not settled, or something left.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Arch } from 'zugbruecke'
import { resolveConfig } from '../../dist/src/runtime/config.js'
import { locate } from '../../dist/src/runtime/locate.js'
import { stopServices } from '../../dist/src/runtime/prefix.js'
import { FAULTS, type Fault } from './faults.js'
import { type Holdings, holdings, inTurns, leftSince, round } from './matrix.js'
import { OUTCOMES, Tally } from './outcome.js'
import { archesOf, occasion, table, writeReport } from './report.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    arch: { type: 'string' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)
const seeds = Array.from({ length: rounds }, (_, i) => Number(options.seed) + i)
const arches = archesOf(options.arch)
const AT_ONCE = 3

interface Row {
  readonly fault: Fault
  readonly arch: Arch
  readonly tally: Tally
  readonly left: Holdings
}

async function rowOf(fault: Fault, arch: Arch, prefix: string | undefined): Promise<Row> {
  const before = holdings()
  const tally = new Tally()
  if (prefix)
    for (const seed of seeds) {
      tally.take(await round(fault, arch, seed, { prefix }))
      await stopServices(locate(resolveConfig({ arch, prefix })))
    }
  else await inTurns(seeds, AT_ONCE, async seed => tally.take(await round(fault, arch, seed)))
  return { fault, arch, tally, left: await leftSince(before) }
}

const folder = mkdtempSync(join(tmpdir(), 'zb-faults-'))
const rows: Row[] = []
try {
  for (const arch of arches) {
    const prefix = join(folder, arch)
    if (FAULTS.some(({ services, name }) => services && name.includes(options.only)))
      execFileSync('cp', ['-a', '--reflink=auto', locate(resolveConfig({ arch })).prefix, prefix])
    // what a first session makes stays for all others
    await round(FAULTS[0], arch, 0)
    for (const fault of FAULTS) {
      if ((fault.arch ?? arch) !== arch || !fault.name.includes(options.only)) continue
      const row = await rowOf(fault, arch, fault.services && prefix)
      rows.push(row)
      const { counts, notes } = row.tally
      console.log(
        arch,
        fault.name,
        ...OUTCOMES.map(outcome => `${outcome} ${counts[outcome]}`),
        JSON.stringify(row.left),
      )
      for (const note of notes) console.log(' ', note)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const sum = new Tally()
for (const { tally } of rows) sum.take(tally)
const leftOf = ({ processes, descriptors, threads, mappings }: Holdings) =>
  processes + descriptors + threads + mappings === 0
    ? 'nothing'
    : `${processes} processes, ${descriptors} descriptors, ${threads} threads, ${mappings} mappings`
const text = [
  `${rounds} rounds of each fault, seeds ${seeds[0]} to ${seeds.at(-1)} (${occasion()}): ${rows.length * rounds} sessions, ` +
    `${sum.counts.value} right values, ${sum.counts.error} errors of ours, ${sum.counts.raw} other errors, ` +
    `${sum.counts.wrong} wrong values, ${sum.counts.never} calls that never settled.`,
  '',
  table(
    ['a DLL, or its process, …', 'sessions', ...OUTCOMES, 'left'],
    FAULTS.flatMap(fault => {
      const own = rows.filter(row => row.fault === fault)
      if (own.length === 0) return []
      const tally = new Tally()
      for (const row of own) tally.take(row.tally)
      const left = own.map(row => leftOf(row.left)).find(words => words !== 'nothing') ?? 'nothing'
      return [[fault.name, own.length * rounds, ...OUTCOMES.map(outcome => tally.counts[outcome]), left]]
    }),
  ),
].join('\n')
console.log(`\n${text}`)
if (options.write) writeReport('faults', text)
const isBad = sum.notes.length > 0 || rows.some(({ left }) => leftOf(left) !== 'nothing')
process.exit(isBad ? 1 : 0)
