/** Which callback makes a call, told without any session. */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CallContext } from '../../dist/src/channel/call-context.js'

const test = suite('whose call it is')
const turn = () => new Promise(resolve => setImmediate(resolve))
const nowhere = () => new AsyncResource('test')

test('nobody is the owner where no callback is open', () => {
  assert.is(new CallContext<string>().current, undefined)
})

test('what runs synchronously in it is its own, and what runs after an await', async () => {
  const context = new CallContext<string>()
  const scope = context.open('a', undefined)
  const done = scope.run(nowhere(), false, async () => {
    assert.is(context.current, 'a')
    await turn()
    assert.is(context.current, 'a')
    await new Promise(resolve => setTimeout(resolve, 1))
    assert.is(context.current, 'a')
  })
  assert.is(context.current, undefined)
  const others = turn().then(() => assert.is(context.current, undefined))
  await Promise.all([done, others])
  scope.close()
})

test('two that are open keep apart', async () => {
  const context = new CallContext<string>()
  const run = (name: string) => {
    const scope = context.open(name, undefined)
    return scope
      .run(nowhere(), false, async () => {
        for (let i = 0; i < 20; i++) {
          assert.is(context.current, name)
          await turn()
        }
      })
      .then(() => scope.close())
  }
  await Promise.all(['a', 'b', 'c'].map(run))
  assert.is(context.current, undefined)
})

test('contexts do not see the callbacks of each other', async () => {
  const [one, other] = [new CallContext<string>(), new CallContext<string>()]
  const outer = one.open('outer', undefined)
  await outer.run(nowhere(), false, async () => {
    await turn()
    assert.is(other.current, undefined)
    const inner = other.open('inner', undefined)
    // made here: it runs where it was made, inside the outer one
    await inner.run(nowhere(), false, async () => {
      await turn()
      assert.is(one.current, 'outer')
      assert.is(other.current, 'inner')
    })
    inner.close()
  })
  outer.close()
})

test('what is left of one that is closed belongs to the callback around it, and then to nobody', async () => {
  const context = new CallContext<string>()
  const outer = context.open('outer', undefined)
  const inner = context.open('inner', outer)
  let go: (() => void)[] = []
  const left = inner.run(nowhere(), false, async () => {
    const seen: unknown[] = []
    for (let i = 0; i < 3; i++) {
      seen.push(context.current)
      await new Promise<void>(resolve => go.push(resolve))
    }
    return seen
  })
  const next = async () => {
    const [resolve] = go
    go = []
    resolve()
    await turn()
  }
  inner.close()
  await next()
  outer.close()
  // one is open, or there would be nothing to tell apart
  const other = context.open('other', undefined)
  await next()
  await next()
  assert.equal(await left, ['inner', 'outer', undefined])
  other.close()
})

test('one that blocks: what it runs is its own, and what is settled meanwhile is not', () => {
  const context = new CallContext<string>()
  const scope = context.open('a', undefined)
  scope.run(nowhere(), true, () => {
    assert.is(context.current, 'a')
    const before = context.enter(null)
    assert.is(context.current, undefined)
    context.enter(before)
    assert.is(context.current, 'a')
  })
  scope.close()
})

test('an error leaves nothing behind', () => {
  const context = new CallContext<string>()
  const scope = context.open('a', undefined)
  assert.throws(() =>
    scope.run(nowhere(), false, () => {
      throw new Error('no')
    }),
  )
  assert.is(context.current, undefined)
  scope.close()
  scope.close()
  assert.is(
    context.open('b', undefined).during(() => context.current),
    'b',
  )
})

test("a user's context is that in which the callback was made", async () => {
  const storage = new AsyncLocalStorage<string>()
  const context = new CallContext<string>()
  const made = storage.run('made', () => new AsyncResource('test'))
  const scope = context.open('a', undefined)
  await storage.run('called', () =>
    scope.run(made, false, async () => {
      assert.is(storage.getStore(), 'made')
      await turn()
      assert.is(storage.getStore(), 'made')
      assert.is(context.current, 'a')
    }),
  )
  scope.close()
  assert.is(
    storage.run('later', () => storage.getStore()),
    'later',
  )
})

test('callbacks that make the next one, over and over, keep none of those before', async () => {
  const context = new CallContext<object>()
  let scope = context.open({ n: 0 }, undefined)
  let made = nowhere()
  for (let n = 1; n <= 100; n++) {
    const next = context.open({ n }, undefined)
    const current = scope
    const here = made
    made = current.run(here, false, nowhere)
    next.run(made, false, () => {})
    assert.is(next.outer, current)
    current.close()
    scope = next
  }
  scope.close()
  let depth = 0
  for (let at = scope.outer; at; at = at.outer) depth++
  assert.is(depth, 0)
})

test.run()
