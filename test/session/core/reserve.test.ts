/** Memory that is asked for ahead, given out, and left to rest. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Reserve } from '../../../src/session/core/reserve.js'

const test = suite('reserve of memory')
const LIMIT = 1 << 20
const PIECE = LIMIT / 4

/** A reserve, and what it has asked for; pieces lie one behind the other from 0x10000 on. */
function make() {
  const asked: number[] = []
  let address = 0x10000
  let answer = () => {}
  const reserve = new Reserve(LIMIT, (size, got) => {
    asked.push(size)
    answer = () => {
      answer = () => {}
      got(address)
      address += size
    }
  })
  return { reserve, asked, answer: () => answer() }
}

test('it gives nothing before it has been given something, and asks for one piece at a time', () => {
  const { reserve, asked, answer } = make()
  assert.is(reserve.allocate(100, 16), undefined)
  reserve.provide()
  reserve.provide()
  assert.equal(asked, [PIECE])
  answer()
  reserve.provide()
  assert.equal(asked, [PIECE])
  assert.is(reserve.allocate(100, 16), 0x10000)
  reserve.provide()
  assert.equal(asked, [PIECE, PIECE])
})

test('what it gives is apart, aligned, and no more than its limit', () => {
  const { reserve, answer } = make()
  let end = 0
  let total = 0
  for (let i = 0; ; i++) {
    reserve.provide()
    answer()
    const size = 1000 + (i % 7) * 333
    const alignment = 2 ** (4 + (i % 6))
    const at = reserve.allocate(size, alignment)
    if (at === undefined) break
    assert.is(at % alignment, 0)
    assert.ok(at >= end)
    end = at + size
    total += size
  }
  assert.ok(total > LIMIT / 2 && total <= LIMIT, `${total} bytes`)
  assert.is(reserve.allocate(PIECE + 1, 16), undefined)
})

test('what is given back is given out again last, the oldest first', () => {
  const { reserve, answer } = make()
  reserve.provide()
  answer()
  const one = reserve.allocate(64, 16) as number
  const two = reserve.allocate(64, 16) as number
  reserve.free(one, 64)
  reserve.free(two, 64)
  let fresh = 0
  let at: number | undefined
  while ((at = reserve.allocate(64, 16)) !== one) {
    assert.ok(at !== undefined && at !== two)
    fresh++
  }
  assert.is(fresh, PIECE / 64 - 2)
  assert.is(reserve.allocate(64, 16), two)
  assert.is(reserve.allocate(64, 16), undefined)
})

test.run()
