import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assertStack, DEEP } from '../../src/channel/stack.js'
import { ZugbrueckeError } from '../../src/errors.js'

const test = suite('stack of a thread')

test('its end is told before it comes, and what was allowed has room', () => {
  let depth = 0
  const use = (levels: number): number => (levels === 0 ? 0 : 1 + use(levels - 1))
  const down = (): number => {
    depth++
    assertStack(depth)
    return use(200) + down()
  }
  let thrown: unknown
  try {
    down()
  } catch (error) {
    thrown = error
  }
  // what a level does beside the look would have overflowed with a RangeError
  assert.instance(thrown, ZugbrueckeError)
  assert.match((thrown as Error).message, `nested ${depth} deep`)
  assert.ok(depth > DEEP)
  assertStack(1)
})

test.run()
