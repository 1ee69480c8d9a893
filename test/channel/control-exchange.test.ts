/** Control messages and their outcomes, through the ring and inside a callback. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ControlExchange } from '../../dist/src/channel/control-exchange.js'
import type { Frame } from '../../dist/src/channel/frame.js'
import type { Lane } from '../../dist/src/channel/lane.js'
import { SharedWord } from '../../dist/src/channel/shared.js'
import type { Outcome } from '../../dist/src/codec/control.js'
import { ARENA_OFFSET } from '../../dist/src/codec/layout.js'
import { ZugbrueckeError } from '../../dist/src/errors.js'
import { Ask, Ended, FakeHost, makeLane, Order, Request, until } from './fake-host.js'

const test = suite('control exchange')

/** What became of one: the fake host answers with the operation, the numbers and the texts. */
function ask(lane: Lane, op: number, numbers: readonly (number | bigint)[], texts: readonly string[]) {
  const got: { outcome?: Outcome; error?: Error } = {}
  const exchange = new ControlExchange(
    'a question',
    op,
    numbers,
    texts,
    outcome => {
      got.outcome = outcome
    },
    error => {
      got.error = error
    },
  )
  lane.submit(exchange)
  return got
}
const pages = (host: FakeHost, thread: number) =>
  host.state.i32.subarray(SharedWord.pages, SharedWord.backed).filter(owner => owner === thread + 1).length

test('short and long, in order with everything else, and the arena is given back', async () => {
  const host = await FakeHost.start()
  const lane = makeLane(host, 1)
  const long = 'ä'.repeat(900)
  const asked = Array.from({ length: 300 }, (_, i) => ask(lane, 7, [i, -1n], i % 2 ? [] : [long, `${i}`]))
  const last = new Request([Ask.add, 1, 2])
  lane.submit(last)
  await last.done
  for (const [i, { outcome }] of asked.entries())
    assert.equal(outcome, { ok: true, numbers: [7n, BigInt(i), -1n], texts: i % 2 ? [] : [long, `${i}`] })
  assert.ok(pages(host, 1) <= 1)
  await host.end()
})

test('inside a callback the outcome comes in the mailbox', async () => {
  const host = await FakeHost.start()
  const asked: ReturnType<typeof ask>[] = []
  const lane: Lane = makeLane(host, 1, {
    onCallback: (frame: Frame) => {
      frame.scope.during(() => {
        asked.push(ask(lane, 3, [5], ['inside']), ask(lane, 4, [], []))
        frame.finish(1, 0)
      })
    },
  })
  const outer = new Request([Ask.callBack, 0x1000001, 1])
  lane.submit(outer)
  await outer.done
  assert.equal(
    asked.map(({ outcome }) => outcome),
    [
      { ok: true, numbers: [3n, 5n], texts: ['inside'] },
      { ok: true, numbers: [4n], texts: [] },
    ],
  )
  await host.end()
})

test('an outcome that somebody has written over is an error of this one', async () => {
  const host = await FakeHost.start()
  const lane = makeLane(host, 1)
  host.order(Order.delay, 200)
  // its room is the first of the arena, where the outcome is before the reply
  const asked = ask(lane, 7, [1, 2, 3], ['text'])
  const before = host.orders[Order.served]
  await until(() => host.mapping.i32[ARENA_OFFSET / 4] !== 0, 'the outcome')
  for (let i = 0; i < 40; i++) host.mapping.i32[ARENA_OFFSET / 4 + i] = 0x7fffffff
  assert.is(host.orders[Order.served], before)
  await until(() => asked.error ?? asked.outcome, 'settled')
  assert.instance(asked.error, ZugbrueckeError)
  await host.end()
})

test('the end of the session fails those under way and those that wait', async () => {
  const host = await FakeHost.start()
  const lane = makeLane(host, 1)
  host.order(Order.takeNothing)
  const asked = Array.from({ length: 2000 }, (_, i) => ask(lane, 7, [i], []))
  await host.end()
  await until(() => asked.every(({ error }) => error !== undefined), 'all have failed')
  for (const { error } of asked) assert.instance(error, Ended)
})

test.run()
