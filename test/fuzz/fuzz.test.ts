/** A few inputs of each fuzzer, the same in every run, and those of the seeds that have found something; `npm run test:fuzz` has as many as one likes. */
// 64-bit only: no session is started, and the inputs say themselves for which architecture they are
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzz } from './fuzzer.js'
import { FUZZERS } from './fuzzers.js'

const first = Number(process.env.ZB_SEED ?? 1)
const test = suite(`fuzzers (ZB_SEED=${first})`)

for (const fuzzer of FUZZERS)
  test(fuzzer.name, async () => {
    for (const seed of [...fuzzer.kept, first]) {
      const { taken, refused, failure } = await fuzz(fuzzer, seed, fuzzer.few)
      assert.is(failure, undefined, failure)
      assert.is(taken + refused, fuzzer.few)
    }
  })

test.run()
