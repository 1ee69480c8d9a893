import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RowCursor, type RowRange } from '../../../src/session/batch/row-cursor.js'

const test = suite('rows of a batch')

test('whoever takes them, and however many of them come back, each row is carried out once', () => {
  const step = fc.record({ most: fc.integer({ min: 1, max: 40 }), dies: fc.boolean() })
  fc.assert(
    fc.property(fc.nat(200), fc.array(step, { maxLength: 60 }), (total, steps) => {
      const cursor = new RowCursor(total)
      const done: number[] = []
      const carryOut = ({ first, count }: RowRange) => {
        for (let row = first; row < first + count; row++) done.push(row)
      }
      let taken: RowRange[] = []
      for (const { most, dies } of steps) {
        const left = cursor.left
        const range = cursor.next(most)
        assert.ok(range.count <= most)
        assert.is(cursor.left, left - range.count)
        taken.push(range)
        if (!dies) continue
        for (const lost of taken) cursor.giveBack(lost)
        taken = []
        assert.is(cursor.left + done.length, total)
      }
      for (const range of taken) carryOut(range)
      while (cursor.left > 0) carryOut(cursor.next(7))
      assert.is(cursor.next(7).count, 0)
      assert.equal(
        done.sort((a, b) => a - b),
        Array.from({ length: total }, (_, i) => i),
      )
    }),
  )
})

test('one session takes them in order, also after it could not send some', () => {
  const cursor = new RowCursor(10)
  cursor.giveBack(cursor.next(4))
  assert.equal(cursor.next(3), { first: 0, count: 3 })
  assert.equal(cursor.next(100), { first: 3, count: 7 })
})

test('it may begin with a later row', () => {
  const cursor = new RowCursor(10, 8)
  assert.is(cursor.left, 2)
  assert.equal(cursor.next(5), { first: 8, count: 2 })
})

test('one that is closed has none, whatever comes back', () => {
  const cursor = new RowCursor(10)
  const range = cursor.next(4)
  cursor.giveBack({ first: 0, count: 2 })
  cursor.close()
  cursor.giveBack(range)
  assert.is(cursor.left, 0)
  assert.is(cursor.next(5).count, 0)
})

test.run()
