/** How many rows go together, by how long rows took: with a clock that goes as the test wants. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pace } from '../../../src/session/call/pace.js'

const test = suite('pace of a batch')
const real = performance.now
let time = 0
test.before.each(() => {
  time = 1000
  performance.now = () => time
})
test.after.each(() => {
  performance.now = real
})
/** Rows sent now that come back after so many milliseconds. */
function come(pace: Pace, count: number, milliseconds: number, sent = time): void {
  time += milliseconds
  pace.came(count, sent)
}

test('until rows have come a chunk has 512, or fewer', () => {
  const pace = new Pace()
  assert.ok(pace.isUnknown)
  assert.equal([pace.rows(100_000), pace.rows(100)], [512, 100])
  pace.came(0, time)
  assert.ok(pace.isUnknown)
})

test('a chunk takes 20 ms at the most, but has a row', () => {
  const pace = new Pace()
  come(pace, 512, 64)
  assert.not.ok(pace.isUnknown)
  assert.is(pace.rows(100_000), 160)
  assert.is(pace.rows(50), 50)
  come(pace, 1, 5000)
  assert.is(pace.rows(100_000), 1)
})

test('a fair part is no more than that, unless it would take less than half a millisecond', () => {
  const pace = new Pace()
  come(pace, 1000, 10)
  assert.is(pace.rows(100_000, 300), 300)
  assert.is(pace.rows(100_000, 7), 50)
  assert.is(pace.rows(20, 7), 20)
})

test('rows behind others have taken only the time since those came', () => {
  const pace = new Pace()
  const sent = time
  come(pace, 100, 10, sent)
  come(pace, 100, 20, sent)
  assert.is(pace.rows(100_000), 100)
})

test('rows that came at once with those before are measured with them', () => {
  const pace = new Pace()
  const sent = time
  come(pace, 100, 10, sent)
  come(pace, 100, 0, sent)
  come(pace, 200, 0, sent)
  // 400 rows in 10 ms
  assert.is(pace.rows(100_000), 800)
})

test.run()
