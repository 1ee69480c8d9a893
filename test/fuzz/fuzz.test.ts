/** A few inputs of each fuzzer: those of the seeds that have found something, and some new ones; `npm run test:fuzz` has as many as one likes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzz } from './fuzzer.js'
import { FUZZERS } from './fuzzers.js'

const fresh = Number(process.env.ZB_SEED ?? Date.now() % 1_000_000_000)
const test = suite(`fuzzers (ZB_SEED=${fresh})`)

for (const fuzzer of FUZZERS)
  test(fuzzer.name, async () => {
    for (const seed of [...fuzzer.kept, fresh]) {
      const { taken, refused, failure } = await fuzz(fuzzer, seed, fuzzer.few)
      assert.is(failure, undefined, failure)
      assert.is(taken + refused, fuzzer.few)
    }
  })

test.run()
