// 64-bit only: no session takes part
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AbortError, QueueFullError, SessionTerminatedError } from 'zugbruecke'
import { FairQueue, type Turn } from '../../dist/src/pool/fair-queue.js'
import { rejects, sleep } from '../session/support.js'

const test = suite('a queue that is fair by time')

/** A queue for so many things at a time. */
function queueFor(things: number, most = 1000) {
  let free = things
  const take = () => {
    if (free === 0) return undefined
    free--
    return true
  }
  const queue = new FairQueue<true>(take, () => most)
  const give = (turn: Turn<true>) => {
    turn.end()
    free++
    queue.next()
  }
  return { queue, give }
}

test('work of one kind has its turn in the order in which it came', async () => {
  const { queue, give } = queueFor(2)
  const order: number[] = []
  const work = async (i: number) => {
    const turn = await queue.turn('same', undefined, true)
    order.push(i)
    await sleep(1)
    give(turn)
  }
  await Promise.all(Array.from({ length: 50 }, (_, i) => work(i)))
  assert.equal(
    order,
    order.map((_, i) => i),
  )
  assert.is(queue.length, 0)
})

test('the kind that has had least is next', async () => {
  const { queue, give } = queueFor(1)
  const had = new Map<string, number>()
  const left = new Map<string, number>()
  let choices = 0
  const work = async (kind: string, milliseconds: number) => {
    left.set(kind, (left.get(kind) ?? 0) + 1)
    const turn = await queue.turn(kind, undefined, true)
    const own = had.get(kind) ?? 0
    for (const [other, waiting] of left) {
      if (other === kind || waiting === 0) continue
      choices++
      // measured outside, a little later than in there
      assert.ok(own <= (had.get(other) ?? 0) + 2, `${kind} had ${own} ms, ${other} ${had.get(other)}`)
    }
    left.set(kind, (left.get(kind) ?? 0) - 1)
    const since = performance.now()
    await sleep(milliseconds)
    had.set(kind, own + performance.now() - since)
    give(turn)
  }
  const many = (count: number, kind: string, milliseconds: number) =>
    Array.from({ length: count }, () => work(kind, milliseconds))
  await Promise.all([...many(8, 'long', 30), ...many(60, 'short', 1), ...many(20, 'middle', 5)])
  assert.ok(choices > 20)
})

test('a kind that comes anew is where the others are: it has no time saved up', async () => {
  const { queue, give } = queueFor(1)
  const order: string[] = []
  const work = async (kind: string, milliseconds: number) => {
    const turn = await queue.turn(kind, undefined, true)
    order.push(kind)
    await sleep(milliseconds)
    give(turn)
  }
  const old = Array.from({ length: 8 }, () => work('old', 20))
  await Promise.race([old[4]])
  order.length = 0
  await Promise.all([...old, ...Array.from({ length: 8 }, () => work('new', 20))])
  // five turns of the old kind count no more than one
  assert.ok(order.indexOf('old') < order.lastIndexOf('new'), order.join())
  assert.ok(order.slice(0, 4).includes('old'), order.join())
})

test('what waits can be taken back, is bounded, and fails together', async () => {
  const { queue, give } = queueFor(1, 2)
  const held = await queue.turn('a', undefined, true)
  const controller = new AbortController()
  const waiting = queue.turn('a', controller.signal, true)
  const other = queue.turn('b', undefined, true)
  await rejects(queue.turn('c', undefined, true), QueueFullError, '2', 'maxQueue')
  const beyond = queue.turn('c', undefined, false)
  assert.is(queue.length, 3)
  controller.abort(new RangeError('enough'))
  assert.instance((await rejects(waiting, AbortError)).cause, RangeError)
  assert.is(queue.length, 2)
  give(held)
  const turn = await other
  const boom = new RangeError('boom')
  queue.fail(boom)
  assert.is(await rejects(beyond, RangeError), boom)
  give(turn)
  give(await queue.turn('a', AbortSignal.timeout(60_000), true))
  queue.close(new SessionTerminatedError('closed'))
  await rejects(queue.turn('a', undefined, true), SessionTerminatedError, 'closed')
})

test.run()
