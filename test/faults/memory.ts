/**
 * Objects by the million, by `npm run test:memory -- [--objects N] [--sessions N] [--arch win64|win32] [--write]`: made and dropped by a
 * program that pauses, by a loop of blocking calls and by jobs; and kept from sessions that have ended. Prints a table, and with `--write` puts it
 * into docs/reliability.md. Fails where a value or an address is wrong, where objects could not be made also after a pause, where an error does not say what to
 * do, or where the Windows process had more than it may.
 */
import { parseArgs } from 'node:util'
import { resolveConfig } from '../../dist/src/runtime/config.js'
import { inJob, inLoop, inProgram, isClear, keepFromSessions, type Outcome } from './many-objects.js'
import { archesOf, occasion, table, writeReport } from './report.js'

const { values: options } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000000' },
    sessions: { type: 'string', default: '500' },
    arch: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const objects = Number(options.objects)
const sessions = Number(options.sessions)
const arches = archesOf(options.arch)
const MEBIBYTE = 2 ** 20
/** What a Windows process has beside memory for objects, in MiB. */
const ITSELF = 150
const WAYS = [
  ['a program that awaits a thousand calls at once', inProgram],
  ['a loop of `.sync` calls that never pauses', inLoop],
  ['a job', inJob],
] as const

const problems: string[] = []
function judge(what: string, memory: number, { made, wrong, errors, most }: Outcome): void {
  if (made < objects) problems.push(`${what}: ${made} of ${objects} objects could be made`)
  if (wrong > 0) problems.push(`${what}: ${wrong} values or addresses are wrong`)
  for (const error of errors) if (!isClear(error)) problems.push(`${what}: ${error}`)
  // shared memory, and as much of its own
  if (most.windows > 2 * memory + ITSELF) problems.push(`${what}: ${most.windows} MiB in the Windows process`)
}

for (const arch of arches) {
  const parameters = { arch, sandbox: false } as const
  const memory = resolveConfig(parameters).memory / MEBIBYTE
  const rows: (string | number)[][] = []
  for (const [what, make] of WAYS) {
    const from = performance.now()
    const outcome = await make(parameters, objects)
    const { made, wrong, errors, most } = outcome
    judge(`${what}, ${arch}`, memory, outcome)
    rows.push([
      what,
      made,
      wrong,
      errors.length,
      ...[most.node, most.heap, most.windows].map(value => value.toFixed(0)),
    ])
    console.log(rows.at(-1)?.join(' | '), `| ${((performance.now() - from) / 1000).toFixed(0)} s`)
  }
  const { wrong, perSession } = await keepFromSessions(parameters, sessions)
  if (wrong > 0) problems.push(`${wrong} of the objects of ${sessions} sessions, ${arch}, have another value`)
  const each = (perSession / 1024).toFixed(0)
  const text = [
    `${objects} objects each, in sessions of ${arch} (${occasion()}):`,
    '',
    table(['objects made and dropped by', 'made', 'wrong', 'errors', 'Node', 'of it heap', 'Windows process'], rows),
    '',
    `Of ${sessions} sessions one after the other a structure and an array of 8 kB were kept: ${wrong} wrong values; each took ${each} KiB of Node's memory.`,
  ].join('\n')
  console.log(`\n${text}`)
  if (options.write) writeReport(`objects-${arch}`, text)
}
for (const problem of problems) console.log('problem:', problem)
process.exit(problems.length > 0 ? 1 : 0)
