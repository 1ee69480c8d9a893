/** Each moment of a session once, with each who may go; `npm run test:kills` has five hundred. */
// long: each takes a session of its own, and a program for a third of them
// waits: for moments of sessions to come
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arch } from '../session/types.js'
import { killed, WHO } from './kills.js'
import { MOMENTS } from './moments.mjs'

const first = Number(process.env.ZB_SEED ?? 1)
const test = suite(`sessions and programs that are killed (ZB_SEED=${first})`)

for (const who of WHO)
  test(`${who}, at each moment: nothing is left`, async () => {
    const { tally, left } = await killed(who, [arch], MOMENTS.length, first)
    assert.equal(tally.notes, [])
    assert.equal(left, { processes: 0, descriptors: 0, threads: 0, mappings: 0, strays: 0, files: 0 })
  })

test.run()
