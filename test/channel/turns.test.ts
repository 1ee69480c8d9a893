/** Turns over one memory, as the workers of a program's sessions have them. Nothing here depends on how long anything takes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Mapping } from '../../dist/src/channel/mapping.js'
import { mayChangeCore } from '../../dist/src/channel/process.js'
import { SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import { countSession, createTurns, Turn } from '../../dist/src/channel/turns.js'
import { Apart, ControlWord } from '../../dist/src/codec/layout.js'

const test = suite('turns')
const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

/** So many sessions that have just been at work; `told` is how long each one's host may look now, in microseconds (0: as it likes). */
function sessions(count: number) {
  const memory = createTurns()
  // of a segment only what the host is told
  const told: Int32Array[] = []
  const turns = Array.from({ length: count }, (_, i) => {
    countSession(memory, 1)
    const i32 = new Int32Array(0x400)
    told.push(i32)
    return new Turn(memory, i + 1, { i32 } as Mapping, new SharedState(new SharedArrayBuffer(1024)))
  })
  return { turns, limit: (session: number) => told.at(session)?.[ControlWord.lookLimit / 4] as number }
}
/** More than there are pairs of cores on any machine that runs this. */
const MANY = 300

test('one session alone never waits, and its host looks as long as it likes', () => {
  const { turns, limit } = sessions(1)
  for (let i = 0; i < 1000; i++) {
    turns[0].enter(true)
    turns[0].leave()
  }
  assert.is(limit(0), 0)
})

test('sessions that are not at work do not count', () => {
  const { turns, limit } = sessions(MANY)
  turns[0].enter(true)
  assert.is(limit(0), 0)
})

test('where many are at work each gets its turn, whether the one before gave it up or not', async () => {
  const { turns, limit } = sessions(MANY)
  // a session tells every few milliseconds that it is at work, and learns then how many are
  for (let round = 0; limit(-1) === 0; round++) {
    assert.ok(round < 1000, 'the last host was never told to look for a short while')
    for (const turn of turns) {
      turn.enter(true)
    }
    await sleep(1)
  }
  for (const turn of turns) {
    turn.enter(true)
    turn.leave()
  }
  assert.ok(limit(-1) > 0)
  await sleep(150)
  const last = turns.at(-1) as Turn
  last.enter(true)
  assert.is(limit(-1), 0, 'and, when the others had no work any more, as long as it likes')
})

/** What a host that runs as this process is told when it has asked for this, and a look has been in vain. */
function answer(pid: number, asked: number): number {
  const i32 = new Int32Array(0x400)
  const state = new SharedState(new SharedArrayBuffer(1024))
  state.i32[SharedWord.process] = pid
  i32[ControlWord.apart / 4] = asked
  new Turn(createTurns(), 1, { i32 } as Mapping, state).late()
  return i32[ControlWord.apart / 4]
}

test('a host may leave the core that it shares where it asks to, and may use others', () => {
  assert.is(answer(process.pid, Apart.asked), mayChangeCore(process.pid) ? Apart.allowed : Apart.asked)
  assert.is(answer(process.pid, 0), 0)
})

test('a host that is pinned to a core stays there', async () => {
  const pinned = spawn('taskset', ['-c', '0', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  // it answers once it is pinned
  pinned.stdin.write('ready')
  await once(pinned.stdout, 'data')
  const told = answer(pinned.pid as number, Apart.asked)
  pinned.kill()
  assert.is(told, Apart.asked)
})

test.run()
