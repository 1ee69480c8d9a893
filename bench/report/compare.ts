/** What changed since the result that was committed last, beyond what the rounds differ among themselves. */
import { isLessBetter, type Report, spread } from '../model.js'
import { formatRatio, formatValue } from './format.js'

/** Two runs on a quiet machine differ by less than this. */
const NOISE = 0.1

export function compare(now: Report, before: Report): string {
  const lines: string[] = [`  against the run of ${before.date.slice(0, 10)}`]
  if (now.machine.cpu !== before.machine.cpu || now.machine.cores !== before.machine.cores) {
    lines.push(
      `    that was another machine (${before.machine.cpu}, ${before.machine.cores} cores): only ratios within a run mean anything`,
    )
  }
  if (now.quick !== before.quick) lines.push('    one of the two was --quick: expect more noise')
  const changes = now.results.flatMap(result => {
    const old = before.results.find(({ id }) => id === result.id)
    if (!old || old.value === 0 || result.value === 0) return []
    const ratio = isLessBetter(result.unit) ? result.value / old.value : old.value / result.value
    const noise = NOISE + 2 * (spread(result.rounds) + spread(old.rounds))
    if (ratio < 1 + noise && ratio > 1 / (1 + noise)) return []
    return [{ result, old, ratio }]
  })
  for (const { result, old, ratio } of changes.sort((a, b) => b.ratio - a.ratio)) {
    const verdict = ratio > 1 ? `worse by ${formatRatio(ratio)}` : `better by ${formatRatio(1 / ratio)}`
    lines.push(
      `    ${verdict}: ${result.group}, ${result.label}: ${formatValue(old.value, old.unit)} → ${formatValue(result.value, result.unit)}`,
    )
  }
  if (changes.length === 0) lines.push('    nothing changed beyond noise')
  return `${lines.join('\n')}\n`
}
