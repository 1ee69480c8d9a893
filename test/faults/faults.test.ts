/** Every fault once or twice; `npm run test:faults` has hundreds of rounds. */
// long: each fault takes a session of its own
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arch } from '../session/types.js'
import { FAULTS } from './faults.js'
import { holdings, inTurns, leftSince, round } from './matrix.js'
import { Tally } from './outcome.js'

const ROUNDS = 1
const AT_ONCE = 4
const first = Number(process.env.ZB_SEED ?? 1)

const test = suite(`faults of DLLs and processes (ZB_SEED=${first})`)

test('each call comes out as a right value or as an error of ours, and nothing is left', async () => {
  const faults = FAULTS.filter(fault => !fault.services && (fault.arch ?? arch) === arch)
  await round(faults[0], arch, 0)
  const before = holdings()
  const all = new Tally()
  const rounds = faults.flatMap(fault => Array.from({ length: ROUNDS }, (_, i) => ({ fault, seed: first + i })))
  await inTurns(rounds, AT_ONCE, async ({ fault, seed }) => all.take(await round(fault, arch, seed)))
  assert.equal(all.notes, [])
  assert.ok(all.counts.value > 500 && all.counts.error > 50, JSON.stringify(all.counts))
  const left = await leftSince(before)
  assert.equal(left, { processes: 0, descriptors: 0, threads: 0, mappings: 0 })
})

test.run()
