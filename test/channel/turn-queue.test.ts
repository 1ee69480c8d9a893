/** The queue for a turn, among threads that all want it. Nothing here depends on how long anything takes. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { now } from '../../dist/src/channel/clock.js'
import { QUEUE_SIZE, TurnQueue } from '../../dist/src/channel/turn-queue.js'

const test = suite('queue for a turn')

/** Words before it, which are nobody's business. */
const AT = 3
const makeMemory = () => new Int32Array(new SharedArrayBuffer(4 * (AT + QUEUE_SIZE + AT)))

/** Runs `body`, which has `queue`, `me`, `i32` and `at`, in so many threads at once. */
async function inThreads(i32: Int32Array, count: number, body: string): Promise<void> {
  const module = JSON.stringify(new URL('../../dist/src/channel/turn-queue.js', import.meta.url).href)
  const program = `import { workerData } from 'node:worker_threads'
    const { TurnQueue } = await import(${module})
    const { i32, at, me } = workerData
    const queue = new TurnQueue(i32, at, me)
    ${body}`
  const threads = Array.from(
    { length: count },
    (_, i) =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
        workerData: { i32, at: AT, me: i + 1 },
        execArgv: [],
      }),
  )
  for (const [code] of await Promise.all(threads.map(thread => once(thread, 'exit')))) assert.is(code, 0)
}

test('a free turn is taken at once, used, and left', () => {
  const i32 = makeMemory()
  const [first, second] = [1, 2].map(me => new TurnQueue(i32, AT, me))
  assert.ok(first.tryEnter())
  assert.ok(first.isMine)
  assert.not(second.tryEnter())
  assert.not(second.isMine)
  assert.ok(first.use(now()), 'as long as nobody waits')
  first.leave()
  assert.not(first.isMine)
  assert.ok(second.tryEnter())
  first.leave()
  assert.ok(second.isMine, 'nobody can leave what is another’s')
})

test('a turn that has lasted its time, or is not used, is taken from its owner', () => {
  const i32 = makeMemory()
  const [gone, next] = [1, 2].map(me => new TurnQueue(i32, AT, me))
  assert.ok(gone.tryEnter())
  next.enter()
  assert.ok(next.isMine)
  assert.not(gone.isMine)
})

test('who waited and ended is passed over', async () => {
  const i32 = makeMemory()
  // each waits for a turn of somebody who uses it for ever, and is ended meanwhile
  const owner = new TurnQueue(i32, AT, 100)
  assert.ok(owner.tryEnter())
  await inThreads(
    i32,
    3,
    `// as take() begins, and no further
     const ticket = Atomics.add(i32, at + 5, 1)
     Atomics.store(i32, at + 6 + ticket, me)`,
  )
  const last = new TurnQueue(i32, AT, 4)
  last.enter()
  assert.ok(last.isMine)
})

test('with more in the queue than it holds one goes without', () => {
  const i32 = makeMemory()
  Atomics.store(i32, AT + 5, 1000) // tickets given to nobody
  const queue = new TurnQueue(i32, AT, 1)
  queue.enter()
  assert.not(queue.isMine)
})

test('tickets run over', () => {
  const i32 = makeMemory()
  Atomics.store(i32, AT + 3, 0x7fffffff)
  Atomics.store(i32, AT + 5, 0x7fffffff)
  const queue = new TurnQueue(i32, AT, 1)
  for (let i = 0; i < 3; i++) {
    queue.enter()
    assert.ok(queue.isMine)
    queue.leave()
    assert.is(Atomics.load(i32, AT + 3), Atomics.load(i32, AT + 5))
  }
})

test('many threads: each gets its turns, and nothing beside the queue is touched', async () => {
  const i32 = makeMemory()
  const holders = AT + QUEUE_SIZE
  await inThreads(
    i32,
    8,
    `for (let i = 0; i < 2000; i++) {
       queue.enter()
       // a turn may be taken from one who does not use it, and this thread may be off its core: that is no error
       Atomics.add(i32, ${holders}, 1)
       queue.leave()
     }`,
  )
  assert.is(Atomics.load(i32, holders), 8 * 2000)
  assert.is(Atomics.load(i32, AT + 3), Atomics.load(i32, AT + 5), 'nobody waits')
  assert.is(Atomics.load(i32, AT), 0, 'it is nobody’s')
  assert.equal([...i32.subarray(0, AT), ...i32.subarray(holders + 1)], [0, 0, 0, 0, 0])
})

test.run()
