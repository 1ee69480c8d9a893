/** Sets of columns one after the other, of batches that come to their end when they are told to. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError } from '../../../src/errors.js'
import { streamOf } from '../../../src/session/batch/batch.js'
import { rejects } from '../../expect.js'

const test = suite('streams, without a session')

/** Batches that give the first value of their first column, and how many are under way. */
function batches(fails: (value: number) => boolean = () => false) {
  const seen = { now: 0, most: 0, options: undefined as unknown }
  const batch = async ([column]: readonly unknown[], options: unknown) => {
    seen.most = Math.max(seen.most, ++seen.now)
    seen.options = options
    const [value] = column as readonly number[]
    // the later ones are there first
    await new Promise(resolve => setTimeout(resolve, 10 - value))
    seen.now--
    if (fails(value)) throw new RangeError(`set ${value}`)
    return value
  }
  return { seen, stream: streamOf('work', batch) }
}
async function all(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const list: unknown[] = []
  for await (const value of values) list.push(value)
  return list
}
const sets = (length: number) => Array.from({ length }, (_, i) => [[i]])

test('results in the order of the sets, a few under way at once', async () => {
  const { seen, stream } = batches()
  const signal = new AbortController().signal
  assert.equal(await all(stream(sets(9), { signal })), [0, 1, 2, 3, 4, 5, 6, 7, 8])
  assert.ok(seen.most > 1 && seen.most <= 3, `${seen.most} at once`)
  assert.equal(seen.options, { signal })
})

test('a source that waits is read no further than needed', async () => {
  const { stream } = batches()
  let read = 0
  async function* source() {
    for (const set of sets(100)) {
      read++
      yield set
    }
  }
  for await (const value of stream(source())) if (value === 4) break
  assert.ok(read <= 8, `${read} sets were read`)
})

test('who stops early, or meets an error, has nothing left under way', async () => {
  const early = batches()
  for await (const _ of early.stream(sets(9))) break
  assert.is(early.seen.now, 0)
  const failing = batches(value => value === 3)
  await rejects(all(failing.stream(sets(9))), RangeError, 'set 3')
  assert.is(failing.seen.now, 0)
})

test('what is no row of sets is refused', async () => {
  for (const given of [5, null, {}])
    await rejects(
      batches()
        .stream(given as never)
        .next(),
      ArgumentError,
      'work: a stream takes sets of columns',
    )
})

test.run()
