import { readSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeBell } from '../../dist/src/channel/bell.js'
import { libc } from '../../dist/src/channel/libc.js'
import { EndReason, Life, SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import { THREADS } from '../../dist/src/codec/layout.js'
import { startThread } from './start-thread.js'

const test = suite('what Node’s threads share')

/** Bytes that wait in a pipe. */
function rung(fd: number): number {
  try {
    return readSync(fd, new Uint8Array(65536))
  } catch {
    return 0
  }
}

test('its parts do not overlap', () => {
  const { i32, memory } = new SharedState()
  const single = Object.entries(SharedWord).filter(([, at]) => at < SharedWord.bell)
  assert.is(new Set(single.map(([, at]) => at)).size, single.length)
  assert.ok(SharedWord.bell + THREADS <= SharedWord.asked && SharedWord.asked + THREADS <= SharedWord.intent)
  assert.ok(SharedWord.intent + THREADS <= SharedWord.answered && SharedWord.answered + 32 <= SharedWord.pages)
  assert.ok(4 * SharedWord.backed < memory.byteLength && i32.length * 4 === memory.byteLength)
})

test('the first reason of an end stays, with the last words of the other side', () => {
  const state = new SharedState()
  state.end(EndReason.crashed, 3, new TextEncoder().encode(`${'x'.repeat(10_000)}last words`))
  state.end(EndReason.terminated)
  assert.is(state.life(), Life.dead)
  assert.is(state.i32[SharedWord.endReason], EndReason.crashed)
  assert.is(state.i32[SharedWord.exitCode], 3)
  assert.is(state.stderrTail().length, 8192)
  assert.match(state.stderrTail(), /last words$/)
})

test('the end wakes every thread', () => {
  const state = new SharedState()
  const bells = [0, 1, 5].map(thread => {
    const fd = makeBell()
    state.i32[SharedWord.bell + thread] = fd
    return fd
  })
  state.end(EndReason.terminated)
  assert.equal(bells.map(rung), [1, 1, 1])
  for (const fd of bells) libc().close(fd)
})

test('a number of nobody is not rung', () => {
  const state = new SharedState()
  state.ring(0)
  state.ring(-1)
  state.wake(3)
  assert.is(state.i32[SharedWord.ringing], 0)
})

test('once it is silent nothing is written to a descriptor that may be another’s, however many ring', async () => {
  for (let round = 0; round < 10; round++) {
    const state = new SharedState()
    const fd = makeBell()
    state.i32[SharedWord.bell] = fd
    const threads = [0, 1].map(() => startThread('./wakers.ts', import.meta.url, { memory: state.memory }))
    await Promise.all(threads.map(thread => new Promise(resolve => thread.once('message', resolve))))
    for (let i = 0; i < 20 && rung(fd) === 0; i++) await new Promise(resolve => setTimeout(resolve, 1))
    state.silence()
    libc().close(fd)
    // the same number, for something else
    const other = makeBell()
    const F_DUPFD = 0
    if (other !== fd) assert.is(libc().fcntl(other, F_DUPFD, fd), fd)
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.is(rung(fd), 0)
    for (const thread of threads) await thread.terminate()
    for (const one of new Set([fd, other])) libc().close(one)
  }
})

test('one that was ended while it rang is not waited for for ever', () => {
  const state = new SharedState()
  Atomics.add(state.i32, SharedWord.ringing, 1)
  state.silence()
  const fd = makeBell()
  state.ring(fd)
  assert.is(rung(fd), 0)
  libc().close(fd)
})

test.run()
