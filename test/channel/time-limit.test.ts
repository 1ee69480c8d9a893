import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TimeLimit } from '../../src/channel/time-limit.js'
import { sleep, until } from '../expect.js'

const test = suite('time limit')

test('it passes once, and then counts no more', async () => {
  const owner = new Set<TimeLimit>()
  let passed = 0
  const limit = new TimeLimit(owner, 10, () => {
    passed++
    return undefined
  })
  assert.ok(owner.has(limit))
  await until(() => passed > 0, 'the limit')
  assert.is(owner.size, 0)
  limit.check()
  await sleep(30)
  assert.is(passed, 1)
})

test('who is asked may give it more time, again and again', async () => {
  const owner = new Set<TimeLimit>()
  let asked = 0
  new TimeLimit(owner, 5, () => (++asked < 4 ? 5 : undefined))
  await until(() => owner.size === 0, 'the limit')
  assert.is(asked, 4)
})

test('one that has ended does not pass', async () => {
  const owner = new Set<TimeLimit>()
  let passed = false
  const limit = new TimeLimit(owner, 5, () => {
    passed = true
    return undefined
  })
  limit.end()
  limit.end()
  assert.is(owner.size, 0)
  await sleep(20)
  limit.check()
  assert.is(passed, false)
})

test('a thread that blocks looks itself, and is told no sooner than it is over', () => {
  const owner = new Set<TimeLimit>()
  let passed = 0
  const limit = new TimeLimit(owner, 30, () => {
    passed++
    return undefined
  })
  limit.check()
  assert.is(passed, 0)
  while (performance.now() < limit.at);
  limit.check()
  assert.is(passed, 1)
})

test('a limit that is longer than a timer can be is none that has passed', async () => {
  const owner = new Set<TimeLimit>()
  for (const milliseconds of [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY]) {
    const limit = new TimeLimit(owner, milliseconds, () => {
      assert.unreachable(`${milliseconds} ms have passed`)
      return undefined
    })
    await sleep(20)
    assert.ok(owner.has(limit))
    limit.end()
  }
})

test.run()
