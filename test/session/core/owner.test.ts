/** What begins now, and what begins once the session is up. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SessionStartError } from '../../../src/errors.js'
import type { SessionCore } from '../../../src/session/core/core.js'
import { coreForSync, type Owner, whenUp, whenUpWith } from '../../../src/session/core/owner.js'

const test = suite('whoever has a core')

/** A session that is up once it is told so; its core is one that lives. */
function starting() {
  const core = { assertAlive() {} } as SessionCore
  let now: SessionCore | undefined
  let up = (_: SessionCore) => {}
  let fail = (_: Error) => {}
  const ready = new Promise<SessionCore>((resolve, reject) => {
    up = resolve
    fail = reject
  })
  const owner: Owner = { id: 'some', whenReady: () => ready, coreNow: () => now }
  const start = () => {
    now = core
    up(core)
  }
  return { owner, core, start, fail: (error: Error) => fail(error) }
}

test('where the session is up all begins at once, in the order of the program', async () => {
  const { owner, core, start } = starting()
  start()
  const order: number[] = []
  const all = [1, 2, 3].map(number =>
    whenUp(owner, async given => {
      assert.is(given, core)
      order.push(number)
      return number
    }),
  )
  assert.equal(order, [1, 2, 3])
  assert.equal(await Promise.all(all), [1, 2, 3])
})

test('otherwise it waits, with its arguments as they were, in the same order', async () => {
  const { owner, start } = starting()
  const order: string[] = []
  const args = ['before']
  const begin = async (_: SessionCore, [word]: readonly string[]) => order.push(word as string)
  const first = whenUpWith<readonly string[], number>(owner, args, given => [...given], begin)
  args[0] = 'after'
  const second = whenUpWith<readonly string[], number>(owner, args, given => [...given], begin)
  assert.equal(order, [])
  start()
  await Promise.all([first, second])
  assert.equal(order, ['before', 'after'])
})

test('what cannot be taken, and what does not start, the promise rejects with', async () => {
  const { owner, fail } = starting()
  const bad = () => {
    throw new RangeError('not to be taken')
  }
  const messageOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'nothing went wrong',
      error => (error as Error).message,
    )
  assert.is(await messageOf(whenUpWith(owner, 1, bad, async () => 2)), 'not to be taken')
  const waiting = messageOf(whenUp(owner, async () => 3))
  fail(new SessionStartError('no Wine'))
  assert.is(await waiting, 'no Wine')
})

test('a call that blocks cannot wait for the session', () => {
  const { owner, core, start } = starting()
  assert.throws(
    () => coreForSync(owner),
    (error: Error) => error instanceof SessionStartError && /some is not up/.test(error.message),
  )
  start()
  assert.is(coreForSync(owner), core)
})

test.run()
