/** The clock that threads share, as words of shared memory hold it. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { age, now, passed } from '../../dist/src/channel/clock.js'

const test = suite('clock')
const LAST = 0x7fffffff
const time = fc.oneof(fc.nat(LAST), fc.constantFrom(0, 1, LAST - 1, LAST))

test('a time fits a word that is not negative', () => {
  const at = now()
  assert.is(at, at & LAST)
})

test('what has passed is counted across the end of the clock', () => {
  assert.is(passed(LAST, 4), 5)
  fc.assert(
    fc.property(time, fc.nat(0x7fff0000), (from, later) => assert.is(passed(from, (from + later) & LAST), later)),
  )
})

test('a time that lies a little ahead, as another thread may read it, has not passed', () => {
  fc.assert(
    fc.property(time, fc.integer({ min: 1, max: 0xffff }), (from, earlier) =>
      assert.is(passed(from, (from - earlier) & LAST), 0),
    ),
  )
  assert.is(age((now() + 10_000) & LAST), 0)
})

test.run()
