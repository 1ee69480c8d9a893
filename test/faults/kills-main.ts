/**
 * Hundreds of them, by `npm run test:kills -- [--kills N] [--seed N] [--arch win64|win32] [--write]`: a third of the sessions for each
 * who goes; prints what came of their calls, and what was still there afterwards. Fails where anything was, or a call came out as it should not.
 */
import { parseArgs } from 'node:util'
import { type Killed, killed, type Left, WHO } from './kills.js'
import { MOMENTS } from './moments.mjs'
import { OUTCOMES } from './outcome.js'
import { archesOf, occasion, table, writeReport } from './report.js'

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    arch: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const kills = Number(options.kills)
const seed = Number(options.seed)
const arches = archesOf(options.arch)

const words = (left: Left) => {
  const there = Object.entries(left).filter(([, count]) => count > 0)
  return there.length === 0 ? 'nothing' : there.map(([what, count]) => `${count} ${what}`).join(', ')
}
const rows: Killed[] = []
for (const [i, who] of WHO.entries()) {
  const row = await killed(who, arches, Math.floor((kills + i) / WHO.length), seed)
  rows.push(row)
  console.log(who, ...OUTCOMES.map(outcome => `${outcome} ${row.tally.counts[outcome]}`), words(row.left))
  for (const note of row.tally.notes) console.log(' ', note)
}
const text = [
  `${rows.reduce((sum, { sessions }) => sum + sessions, 0)} sessions, seeds from ${seed} on (${occasion()}).`,
  '',
  table(
    ['a session, and', 'sessions', ...OUTCOMES, 'left'],
    rows.map(({ who, sessions, tally, left }) => [
      who,
      sessions,
      ...OUTCOMES.map(outcome => (who === 'its program is killed' ? '' : tally.counts[outcome])),
      words(left),
    ]),
  ),
  '',
  `The moments: ${MOMENTS.join(', ')}.`,
].join('\n')
console.log(`\n${text}`)
if (options.write) writeReport('kills', text)
const isBad = rows.some(({ tally, left }) => tally.notes.length > 0 || words(left) !== 'nothing')
process.exit(isBad ? 1 : 0)
