/**
 * Writes the figures of the committed run into the documentation: `npm run bench:fill`. A place is `<!-- id -->` (or
 * `<!-- id ÷ other -->` for a ratio); what stands behind it, up to `<!-- / -->`, is replaced. CI runs it and fails if a page changes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Encoding, GROUPS, type Group, isLessBetter, type Side, type Unit } from './model.js'
import { formatMicroseconds, formatRatio, formatValue } from './report/format.js'

interface Result {
  readonly id: string
  readonly group: Group
  readonly side: Side
  readonly label: string
  readonly unit: Unit
  readonly value: number
}
interface Run {
  readonly date: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGiB: number
    readonly system: string
  }
  /** Results from before it was counted have none. */
  readonly stolen?: number
  readonly versions: Readonly<Record<string, string>>
  readonly results: readonly Result[]
  readonly encodings?: readonly Encoding[]
}

const read = (file: URL) => JSON.parse(readFileSync(file, 'utf8')) as Run
const run = read(new URL('results/latest.json', import.meta.url))
const narrowFile = new URL('results/latest-win32.json', import.meta.url)
/** The run of 32 bits, which has the rows of 64 beside them. */
const narrow = existsSync(narrowFile) ? read(narrowFile) : undefined
const results = new Map(run.results.map(result => [result.id, result]))

function figure(id: string, other: string | undefined): string | undefined {
  const result = results.get(id)
  if (!result) return undefined
  if (other === undefined) return formatValue(result.value, result.unit)
  const divisor = results.get(other)
  return divisor && formatRatio(result.value / divisor.value)
}

function fill(text: string): string {
  return text
    .replace(
      /<!-- ([a-z0-9-]+)(?: ÷ ([a-z0-9-]+))? -->(?:[^<\n]*<!-- \/ -->)?/g,
      (place, id: string, other?: string) => {
        const value = figure(id, other)
        if (value === undefined) return place
        return `<!-- ${id}${other ? ` ÷ ${other}` : ''} -->${value}<!-- / -->`
      },
    )
    .replace(
      /<!-- bench:(summary|curve|encodings|architectures) -->(?:[\s\S]*?<!-- \/bench:\1 -->)?/g,
      (_, name: keyof typeof tables) => `<!-- bench:${name} -->\n${tables[name]()}\n<!-- /bench:${name} -->`,
    )
    .replace(/<!-- bench:machine -->(?:[^<]*<!-- \/ -->)?/, () => `<!-- bench:machine -->${machine(run)}<!-- / -->`)
}

function machine({ machine: { cpu, cores, memoryGiB, system }, stolen, versions: all, date }: Run): string {
  const versions = Object.entries(all).map(([name, version]) => `${name} ${version}`)
  const taken =
    stolen === undefined
      ? ''
      : ` (${(100 * stolen).toFixed(1)} % of the processor time went to other machines on this hardware)`
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}${taken}; ${versions.join(', ')}; ${date.slice(0, 10)}`
}

/** The README's table: ours, and how many times as fast as the Python project in the same run. */
function summary(): string {
  const rows: readonly (readonly [string, string, string])[] = [
    ['a call in a job (the session’s own thread)', 'add-job', 'add-python'],
    ['`add.sync(3, 4)`', 'add-sync', 'add-python'],
    ['`await add(3, 4)`', 'add-awaited', 'add-python'],
    ['a call, a thousand at once', 'add-1000', 'add-python'],
    ['a row of a batch of a million', 'add-batch', 'add-python'],
    ['ten floats in and out, in a job', 'ten-job', 'ten-python'],
    ['1 MiB of doubles in and out, `.sync`', 'doubles-sync', 'doubles-python'],
    ['a callback, there and back, `.sync`', 'callback-sync', 'callback-python'],
    ['session start, Wine’s services up', 'start', 'start-python'],
  ]
  const lines = rows.flatMap(([label, ours, theirs]) => {
    const [a, b] = [results.get(ours), results.get(theirs)]
    if (!a) return []
    const other = b ? `${formatMicroseconds(b.value)} | ${formatRatio(b.value / a.value)}` : '– | –'
    return `| ${label} | ${formatMicroseconds(a.value)} | ${other} |`
  })
  return [
    '| | here | Python project | better |',
    '| --- | --- | --- | --- |',
    ...lines,
    '',
    `Medians of one run: ${machine(run)}.`,
  ].join('\n')
}

/** Calls a second of all sessions together. */
function curve(): string {
  const counts = [1, 2, 4, 8, 16]
  const row = (label: string, id: string) => {
    const cells = counts
      .map(count => results.get(`curve-${id}-${count}`))
      .map(r => (r ? formatValue(r.value, r.unit) : '–'))
    return `| ${[label, ...cells].join(' | ')} |`
  }
  return [
    `| sessions | ${counts.join(' | ')} |`,
    `| --- | ${counts.map(() => '---').join(' | ')} |`,
    row('jobs', 'job'),
    row('awaited from one thread', 'awaited'),
    row('the Python project', 'python'),
  ].join('\n')
}

/** What it costs to write things, in each way. */
function encodings(): string {
  const ways = ['WebAssembly encoder', 'plain JavaScript', 'FlatBuffers builder'] as const
  const all = run.encodings ?? []
  const whats = [...new Set(all.map(({ what }) => what))]
  const cell = (what: string, way: string) => {
    const found = all.find(each => each.what === what && each.way === way)
    return found ? formatMicroseconds(found.ns / 1000) : '–'
  }
  return [
    `| | ${ways.join(' | ')} |`,
    `| --- | ${ways.map(() => '---').join(' | ')} |`,
    ...whats.map(what => `| ${what} | ${ways.map(way => cell(what, way)).join(' | ')} |`),
  ].join('\n')
}

/** Each of our rows for 32 bits, and the same for 64, the ctypes of Windows Python beside the first of a group. */
function architectures(): string {
  if (!narrow) return 'No run of 32 bits has been committed.'
  const all = new Map(narrow.results.map(result => [result.id, result]))
  const named = new Set<Group>()
  let worst = { ratio: 0, what: '' }
  const lines = narrow.results.flatMap(result => {
    const { id, group, side, label, unit, value } = result
    const wide = all.get(`${id}-win64`)
    if (side !== 'zugbruecke' || !wide || value === 0 || wide.value === 0) return []
    const ratio = isLessBetter(unit) ? value / wide.value : wide.value / value
    if (ratio > worst.ratio) worst = { ratio, what: `${GROUPS[group]}, ${label}` }
    const ctypes = named.has(group) ? undefined : all.get(`${group}-ctypes`)
    named.add(group)
    const cells = [wide, result, ctypes].map(one => (one ? formatValue(one.value, one.unit) : ''))
    return [`| ${GROUPS[group]}: ${label} | ${cells[0]} | ${cells[1]} | ${formatRatio(ratio)} | ${cells[2]} |`]
  })
  return [
    '| | 64 bits | 32 bits | takes | ctypes in 32-bit Windows Python |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
    '',
    `The most: ${formatRatio(worst.ratio)} (${worst.what}). Medians of one run: ${machine(narrow)}.`,
  ].join('\n')
}

const tables = { summary, curve, encodings, architectures }

for (const page of ['../README.md', '../docs/performance.md']) {
  const file = new URL(page, import.meta.url)
  const before = readFileSync(file, 'utf8')
  const after = fill(before)
  if (after !== before) writeFileSync(file, after)
}
