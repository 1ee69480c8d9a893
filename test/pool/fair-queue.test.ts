import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AbortError, QueueFullError, SessionTerminatedError } from '../../dist/src/errors.js'
import { FairQueue, type Lease } from '../../dist/src/pool/fair-queue.js'
import { rejects, sleep } from '../expect.js'

const test = suite('a queue that is fair by time')

/** A queue for so many things at a time, with a clock that goes when it is told to. */
function queueFor(things: number, most = 1000) {
  let free = things
  let time = 0
  const take = () => {
    if (free === 0) return undefined
    free--
    return true
  }
  const queue = new FairQueue<true>(
    take,
    () => most,
    () => time,
  )
  const give = (lease: Lease<true>) => {
    lease.end()
    free++
    queue.next()
  }
  /** Those that have their turn one after the other, in that order. */
  const order: string[] = []
  const work = async (kind: string, milliseconds: number) => {
    const lease = await queue.lease(kind, undefined, true)
    order.push(kind)
    await null
    time += milliseconds
    give(lease)
  }
  const many = (count: number, kind: string, milliseconds: number) =>
    Array.from({ length: count }, () => work(kind, milliseconds))
  return { queue, give, order, work, many }
}

test('work of one kind has its turn in the order in which it came', async () => {
  const { queue, give } = queueFor(2)
  const order: number[] = []
  const work = async (i: number) => {
    const lease = await queue.lease('same', undefined, true)
    order.push(i)
    await sleep(1)
    give(lease)
  }
  await Promise.all(Array.from({ length: 50 }, (_, i) => work(i)))
  assert.equal(
    order,
    order.map((_, i) => i),
  )
  assert.is(queue.length, 0)
})

test('the kind that has had least is next', async () => {
  const { order, many } = queueFor(1)
  await Promise.all([...many(3, 'long', 30), ...many(70, 'short', 1), ...many(10, 'middle', 5)])
  const runs = order.reduce<[string, number][]>((runs, kind) => {
    const last = runs.at(-1)
    if (last?.[0] === kind) last[1]++
    else runs.push([kind, 1])
    return runs
  }, [])
  // by the second turn of the long work the others have had as long as its first
  const second = order.indexOf('long', 1)
  assert.is(order[0], 'long')
  assert.is(order.slice(0, second).filter(kind => kind === 'short').length, 30)
  assert.is(order.slice(0, second).filter(kind => kind === 'middle').length, 6)
  assert.ok(runs.length > 10, 'they take turns')
  assert.is(order.length, 83)
})

test('a kind that comes anew is where the others are: it has no time saved up', async () => {
  const { order, many } = queueFor(1)
  const old = many(8, 'old', 20)
  await old[4]
  order.length = 0
  await Promise.all([...old, ...many(8, 'new', 20)])
  // turn about, however much the other has had before
  const beginnings = order.slice(0, 6)
  assert.ok(beginnings.filter(kind => kind === 'old').length >= 2, order.join())
  assert.ok(beginnings.filter(kind => kind === 'new').length >= 2, order.join())
  assert.is(order.at(-1), 'new')
})

test('what waits can be taken back, is bounded, and fails together', async () => {
  const { queue, give } = queueFor(1, 2)
  const held = await queue.lease('a', undefined, true)
  const controller = new AbortController()
  const waiting = queue.lease('a', controller.signal, true)
  const other = queue.lease('b', undefined, true)
  await rejects(queue.lease('c', undefined, true), QueueFullError, '2', 'maxQueue')
  const beyond = queue.lease('c', undefined, false)
  assert.is(queue.length, 3)
  controller.abort(new RangeError('enough'))
  assert.instance((await rejects(waiting, AbortError)).cause, RangeError)
  assert.is(queue.length, 2)
  give(held)
  const lease = await other
  const boom = new RangeError('boom')
  queue.fail(boom)
  assert.is(await rejects(beyond, RangeError), boom)
  give(lease)
  give(await queue.lease('a', AbortSignal.timeout(60_000), true))
  queue.close(new SessionTerminatedError('closed'))
  await rejects(queue.lease('a', undefined, true), SessionTerminatedError, 'closed')
})

test.run()
