/** Turns over one memory, as the workers of a program's sessions have them. Nothing here depends on how long anything takes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { countSession, createTurns } from '../../dist/src/channel/crowd.js'
import { Turn } from '../../dist/src/channel/turns.js'

const test = suite('turns')
const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

/** So many sessions that have just been at work, and what each told its host. */
function sessions(count: number) {
  const memory = createTurns()
  const told: number[][] = []
  const turns = Array.from({ length: count }, (_, i) => {
    countSession(memory, 1)
    const mine: number[] = []
    told.push(mine)
    return new Turn(
      memory,
      i + 1,
      () => process.pid,
      microseconds => {
        // it is told with each call; what counts is what changes
        if ((mine.at(-1) ?? 0) !== microseconds) mine.push(microseconds)
      },
    )
  })
  return { turns, told }
}
/** More than there are pairs of cores on any machine that runs this. */
const MANY = 300

test('one session alone never waits, and its host looks as long as it likes', () => {
  const { turns, told } = sessions(1)
  for (let i = 0; i < 1000; i++) {
    turns[0].take(true)
    turns[0].leave()
  }
  assert.equal(told, [[]])
})

test('sessions that are not at work do not count', () => {
  const { turns, told } = sessions(MANY)
  turns[0].take(true)
  assert.equal(told[0], [])
})

test('where many are at work each gets its turn, whether the one before gave it up or not', async () => {
  const { turns, told } = sessions(MANY)
  // a session tells every few milliseconds that it is at work, and learns then how many are
  for (let round = 0; told.at(-1)?.length === 0; round++) {
    assert.ok(round < 1000, 'the last host was never told to look for a short while')
    for (const turn of turns) {
      turn.take(true)
    }
    await sleep(1)
  }
  for (const turn of turns) {
    turn.take(true)
    turn.leave()
  }
  assert.ok((told.at(-1)?.[0] ?? 0) > 0)
  await sleep(150)
  const last = turns.at(-1) as Turn
  last.take(true)
  assert.is(told.at(-1)?.at(-1), 0, 'and, when the others had no work any more, as long as it likes')
})

test.run()
