/** Objects made and dropped by the thousand, and kept from a few sessions; `npm run test:memory` has ten million, and 500. */
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arch } from '../session/types.js'
import type { Dropped } from './drop-objects.mjs'
import { inJob, inLoop, inProgram, isClear, keepFromSessions, type Outcome } from './many-objects.js'

/** Has room for some 30 000 objects, and for half as many in the Windows side's own memory. */
const small = { arch, memory: 1 << 20 } as const
const test = suite('many objects')

const isRight = ({ made, wrong, errors }: Outcome, count: number) => {
  assert.equal([made, wrong], [count, 0])
  for (const error of errors) assert.ok(isClear(error), error)
}

test('a program that pauses makes more objects than there is room for', async () => {
  const outcome = await inProgram(small, 100_000)
  isRight(outcome, 100_000)
  assert.equal(outcome.errors, [])
})

test('a loop that never pauses has an error once there is no room, and all its room after a pause', async () => {
  const outcome = await inLoop(small, 60_000)
  isRight(outcome, 60_000)
  assert.ok(outcome.errors.length > 0)
})

test('so do jobs', async () => {
  const outcome = await inJob(small, 60_000)
  isRight(outcome, 60_000)
  assert.ok(outcome.errors.length > 0)
})

test('on a thread with a small heap the error comes before the heap is full, and there is room after a pause', async () => {
  const worker = new Worker(new URL('small-heap.mjs', import.meta.url), {
    workerData: { arch },
    resourceLimits: { maxOldGenerationSizeMb: 96 },
  })
  const told = new Promise<Dropped[]>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  for (const { made, error } of await told) {
    assert.ok(made > 50_000, `${made} objects`)
    assert.match(error ?? '', 'the heap of V8')
    assert.ok(isClear(error ?? ''), error)
  }
  await worker.terminate()
})

test('objects of sessions that have ended keep their values, whatever sessions come after them', async () => {
  const { wrong } = await keepFromSessions({ arch }, 6)
  assert.is(wrong, 0)
})

test.run()
