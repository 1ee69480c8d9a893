/** The table on the terminal: a block for each group, its best figure first, with ratios to the peers of the same run. */
import { GROUPS, type Group, type Report, type Result, spread } from '../model.js'
import { formatMicroseconds, formatRatio, formatValue } from './format.js'

/** Ratios to two sides of the same run: how many times better than the one, how many times the cost of the limit. */
const REFERENCES = [
  {
    heading: 'better than Python project',
    side: 'python',
    of: (value: number, reference: number) => reference / value,
  },
  { heading: 'times the C loop', side: 'c', of: (value: number, reference: number) => value / reference },
] as const

function row(cells: readonly string[], widths: readonly number[]): string {
  return `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`.trimEnd()
}

function ratio(result: Result, results: readonly Result[], { side, of }: (typeof REFERENCES)[number]): string {
  if (result.group === 'curve' || result.unit === '%') return ''
  const reference = results.find(one => one.side === side)
  if (!reference || reference.id === result.id || reference.value === 0 || result.value === 0) return ''
  return formatRatio(of(result.value, reference.value))
}

export function table(report: Report): string {
  const lines: string[] = []
  for (const [group, title] of Object.entries(GROUPS) as [Group, string][]) {
    const results = report.results.filter(result => result.group === group)
    if (results.length === 0) continue
    const keepOrder = group === 'curve' || group === 'memory'
    const sorted = keepOrder ? results : [...results].sort((a, b) => a.value - b.value)
    const rows = [
      [title, 'median', 'spread', ...REFERENCES.map(({ heading }) => heading)],
      ...sorted.map(result => [
        `${result.side === 'zugbruecke' ? '■' : ' '} ${result.label}`,
        formatValue(result.value, result.unit),
        result.rounds.length > 1 ? `±${(spread(result.rounds) * 100).toFixed(0)} %` : '',
        ...REFERENCES.map(reference => ratio(result, results, reference)),
      ]),
    ]
    const widths = rows[0].map((_, i) => Math.max(...rows.map(cells => cells[i].length), i === 0 ? 34 : 0))
    lines.push(...rows.map(cells => row(cells, widths)), '')
  }
  if (report.encodings?.length) {
    const ways = [...new Set(report.encodings.map(({ way }) => way))]
    const rows = [
      ['writing a call, alone', ...ways],
      ...[...new Set(report.encodings.map(({ what }) => what))].map(what => [
        `■ ${what}`,
        ...ways.map(way => {
          const found = report.encodings?.find(one => one.what === what && one.way === way)
          return found ? formatMicroseconds(found.ns / 1000) : ''
        }),
      ]),
    ]
    const widths = rows[0].map((_, i) => Math.max(...rows.map(cells => cells[i].length), i === 0 ? 34 : 0))
    lines.push(...rows.map(cells => row(cells, widths)), '')
  }
  if (report.missing.length > 0) {
    lines.push('  without a figure')
    for (const { what, reason } of report.missing) lines.push(`    ${what}: ${reason}`)
    lines.push('')
  }
  return lines.join('\n')
}
