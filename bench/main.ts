/** npm run bench: measures this library and its peers in one interleaved run; see README.md here. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError, Option } from 'commander'
import { committed, countStolen, describeMachine, describeVersions } from './machine.js'
import { GROUPS, type Group, type Measure, type Report } from './model.js'
import { type Ours, startOurs } from './ours/measures.js'
import { peerMeasures, SIDE_NAMES } from './peers/measures.js'
import { PEERS, type PeerName, startPeers } from './peers/peers.js'
import { BENCH, buildDll, WORK } from './peers/workshop.js'
import { callsChart, curveChart, stagesChart } from './report/chart.js'
import { compare } from './report/compare.js'
import { table } from './report/table.js'
import { type Progress, runRounds } from './rounds.js'
import { measureDecode, measureEncoders, stageBars } from './stages.js'

interface Options {
  readonly arch: 'win64' | 'win32'
  readonly quick?: true
  readonly only?: string[]
  readonly peers: readonly PeerName[]
  readonly rounds?: number
  readonly seconds?: number
  readonly json?: string
  readonly compare: boolean
}

const QUICK = { rounds: 3, seconds: 0.12 }
const FULL = { rounds: 9, seconds: 0.4 }

function parsePeers(list: string): readonly PeerName[] {
  if (list === 'none') return []
  if (list === 'all') return PEERS
  return list.split(',').map(name => {
    if (!PEERS.includes(name as PeerName)) throw new InvalidArgumentError(`there are: ${PEERS.join(', ')}, none, all`)
    return name as PeerName
  })
}

function parseNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('a number above zero is wanted')
  return value
}

const options = new Command('bench')
  .description('Measures zugbruecke and its peers in one interleaved run.')
  .addOption(new Option('--arch <arch>', 'of the Windows side').choices(['win64', 'win32']).default('win64'))
  .option('--quick', 'less of everything: two minutes at most, once the peers are set up')
  .option('--only <names...>', `only these groups or measures (${Object.keys(GROUPS).join(', ')}, encode)`)
  .option('--peers <list>', `"none", "all" or some of ${PEERS.join(',')}`, parsePeers, PEERS)
  .option('--rounds <n>', 'how often each measure is taken', parseNumber)
  .option('--seconds <s>', 'how long a measure lasts in each round', parseNumber)
  .option('--json <file>', 'write the result there too')
  .option('--no-compare', 'do not compare with the result that was committed last')
  .parse()
  .opts<Options>()

function wanted({ id, group }: Measure): boolean {
  return (
    !options.only ||
    options.only.some(name => group === name || id === name || (id.startsWith(`${name}-`) && !(name in GROUPS)))
  )
}

/** A bar on a terminal, otherwise a line for each group. */
function makeProgress(): Progress & { stop(): void } {
  if (!process.stderr.isTTY) {
    let last = ''
    return {
      step(done, total, what) {
        const group = what.split(':')[0]
        if (group !== last) console.error(`${String(Math.floor((done / total) * 100)).padStart(3)} %  ${group}`)
        last = group
      },
      stop() {},
    }
  }
  const bar = new SingleBar({
    format: '{bar} {percentage} %  {what}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  })
  bar.start(1, 0, { what: '' })
  return {
    step(done, total, what) {
      bar.setTotal(total)
      bar.update(done, { what })
    },
    stop: () => bar.stop(),
  }
}

// what is started from here, and the modules below, read it there
process.env.ZUGBRUECKE_ARCH = options.arch
const suffix = options.arch === 'win32' ? '-win32' : ''
const LATEST = `bench/results/latest${suffix}.json`

const missing: { what: string; reason: string }[] = []
const quick = options.quick ?? false
const rounds = Math.ceil(options.rounds ?? (quick ? QUICK : FULL).rounds)
const seconds = options.seconds ?? (quick ? QUICK : FULL).seconds

const dll = await buildDll()
let ours: Ours | undefined
try {
  ours = await startOurs(dll, quick)
} catch (error) {
  missing.push({ what: 'zugbruecke', reason: (error as Error).message.split('\n')[0] })
}
const peers = await startPeers(options.peers, quick, (peer, line) => console.error(`${SIDE_NAMES[peer]}: ${line}`))
for (const [peer, reason] of peers.missing) missing.push({ what: SIDE_NAMES[peer], reason })

let report: Report
const stolen = countStolen()
try {
  const order = Object.keys(GROUPS) as Group[]
  const measures = [...(ours?.measures ?? []), ...peerMeasures(peers)]
    .filter(wanted)
    .sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group))
  const progress = makeProgress()
  const outcome = await runRounds(measures, rounds, seconds, progress).finally(() => progress.stop())
  missing.push(...outcome.missing)

  const versions = await describeVersions()
  for (const [name, peer] of peers.running) {
    if (name === 'python-pinned') continue // the same program
    for (const [what, version] of Object.entries(peer.versions)) versions[`${what} (${SIDE_NAMES[name]})`] = version
  }
  // results are committed: no path of this machine in them
  for (const one of missing) one.reason = one.reason.replaceAll(dirname(BENCH), '.')
  report = {
    date: new Date().toISOString(),
    arch: options.arch,
    quick,
    machine: describeMachine(),
    stolen: stolen(),
    versions,
    results: outcome.results,
    missing,
  }
  if (!options.only || options.only.includes('encode')) {
    try {
      const encodings = await measureEncoders(Math.min(seconds, 0.2), Math.min(rounds, 3))
      report = { ...report, encodings, stages: stageBars(outcome.results, encodings, await measureDecode(seconds)) }
    } catch (error) {
      missing.push({ what: 'writing a call', reason: (error as Error).message })
    }
  }
} finally {
  await peers.close()
  await ours?.close()
}

console.log(`\n${table(report)}`)

/** A run of everything is a result to commit; any other stays in the workshop. */
const complete = !quick && !options.only && ours !== undefined && options.peers.length === PEERS.length
const folder = complete ? join(BENCH, 'results') : WORK
await mkdir(folder, { recursive: true })
const files: [string, string | undefined][] = [
  [join(folder, `latest${suffix}.json`), `${JSON.stringify(report, undefined, 1)}\n`],
  [join(folder, `latest${suffix}.svg`), callsChart(report)],
  [join(folder, `stages${suffix}.svg`), stagesChart(report)],
  [join(folder, `sessions${suffix}.svg`), curveChart(report)],
]
if (options.json) files.push([options.json, files[0][1]])

const before = options.compare ? committed(LATEST) : undefined
if (before) console.log(compare(report, JSON.parse(before) as Report))
else if (options.compare) console.log(`  nothing to compare with: ${LATEST} was never committed\n`)

for (const [path, content] of files) {
  if (content === undefined) continue
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  console.log(`  ${path}`)
}
process.exitCode = missing.length > 0 && options.only ? 1 : 0
