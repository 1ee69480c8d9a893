/** The end of a session, and views that outlive it: they touch nobody's memory, and the addresses are given back with the last. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import { SharedWord } from '../../dist/src/channel/shared.js'
import { ARENA_OFFSET } from '../../dist/src/codec/layout.js'
import { SessionTerminatedError } from '../../dist/src/errors.js'
import { startThread } from './start-thread.js'
import { collect, endSegment, makeSegment, mappedAt, withMapping } from './support.js'

const test = suite('mapping')

test('several views of one segment are one memory', () => {
  const made = makeSegment()
  const [one, two] = [1, 2].map(thread => new Mapping(made.segment, made.state, thread))
  one.u8[ARENA_OFFSET] = 5
  assert.is(two.view.getUint8(ARENA_OFFSET), 5)
  Atomics.add(two.i32, 100, 7)
  assert.is(Atomics.load(one.i32, 100), 7)
  for (const thread of [1, 2]) forgetView(made.segment, made.state, thread)
  endSegment(made)
})

test('a view that somebody still holds at the end reads zeros, and writes nobody’s memory', () => {
  const made = makeSegment()
  const view = new Mapping(made.segment, made.state, 1)
  view.u8.fill(7, ARENA_OFFSET, ARENA_OFFSET + 100)
  endSegment(made)
  assert.is(view.u8[ARENA_OFFSET], 0)
  view.u8.fill(9, ARENA_OFFSET, ARENA_OFFSET + 100)
  const others = Array.from({ length: 20 }, () => makeSegment())
  for (const other of others) {
    assert.not.equal(other.segment.address, made.segment.address)
    withMapping(other, ({ u8 }) => assert.is(u8[ARENA_OFFSET], 0))
    view.u8.fill(1, 0, view.u8.length)
    withMapping(other, ({ u8 }) => assert.is(u8[ARENA_OFFSET], 0))
  }
  for (const other of others) endSegment(other)
  assert.ok(mappedAt(made.segment.address), 'the addresses stay while the view may be used')
  forgetView(made.segment, made.state, 1)
})

test('the addresses are given back with the last view, be that before the end or after it', () => {
  const made = makeSegment()
  for (const thread of [1, 2]) new Mapping(made.segment, made.state, thread)
  forgetView(made.segment, made.state, 1)
  assert.match(mappedAt(made.segment.address) ?? '', /memfd/)
  endSegment(made)
  assert.ok(mappedAt(made.segment.address))
  assert.not.match(mappedAt(made.segment.address) ?? '', /memfd/)
  forgetView(made.segment, made.state, 2)
  // given back twice would be another's
  const size = BigInt(made.segment.size)
  const next = makeSegment()
  forgetView(made.segment, made.state, 2)
  assert.match(mappedAt(next.segment.address) ?? '', /memfd/)
  assert.match(mappedAt(next.segment.address + size - 4096n) ?? '', /memfd/)
  endSegment(next)
})

test('a view that nobody reaches any more is forgotten by the garbage collector', async () => {
  const made = makeSegment()
  let view: Mapping | undefined = new Mapping(made.segment, made.state, 1)
  const part = view.u8.subarray(ARENA_OFFSET, ARENA_OFFSET + 8)
  view = undefined
  endSegment(made)
  assert.not(await collect(() => made.state.i32[SharedWord.views] >= 0), 'a part of it is held')
  assert.is(part[0], 0)
  await (async () => {
    const other = makeSegment()
    ;(() => new Mapping(other.segment, other.state, 3))()
    assert.ok(await collect(() => other.state.i32[SharedWord.views] === 0), 'it is forgotten')
    endSegment(other)
    assert.not.match(mappedAt(other.segment.address) ?? '', /memfd/)
  })()
  forgetView(made.segment, made.state, 1)
})

test('who comes when the session has ended gets an error, and disturbs nobody', () => {
  const made = makeSegment()
  const held = new Mapping(made.segment, made.state, 1)
  endSegment(made)
  assert.throws(
    () => new Mapping(made.segment, made.state, 2),
    (error: Error) => error instanceof SessionTerminatedError,
  )
  held.u8[0] = 1
  forgetView(made.segment, made.state, 1)
  const next = makeSegment()
  assert.throws(
    () => new Mapping(made.segment, made.state, 2),
    (error: Error) => error instanceof SessionTerminatedError,
  )
  assert.match(mappedAt(next.segment.address) ?? '', /memfd/)
  endSegment(next)
})

test('views that come and go while the session ends: each has one, or an error', async () => {
  for (let round = 0; round < 5; round++) {
    const made = makeSegment()
    const threads = [2, 3, 4].map(thread =>
      startThread('./viewer.ts', import.meta.url, { segment: made.segment, memory: made.state.memory, thread }),
    )
    const ends = threads.map(thread => new Promise(resolve => thread.once('exit', resolve)))
    await Promise.all(threads.map(thread => new Promise(resolve => thread.once('message', resolve))))
    await new Promise(resolve => setTimeout(resolve, 5 * round))
    endSegment(made)
    assert.equal(await Promise.all(ends), [0, 0, 0])
    assert.is(made.state.i32[SharedWord.views], 1 << 31)
  }
})

test('a view that two threads say is gone, at one time, is given up once', async () => {
  const now = new Int32Array(new SharedArrayBuffer(8))
  const other = startThread('./forgetter.ts', import.meta.url, now.buffer)
  try {
    for (let round = 1; round <= 500; round++) {
      const { state, segment } = makeSegment(1 << 20)
      // as a thread's that has ended: no view of its own is left, which would be given up as well
      Atomics.store(state.i32, SharedWord.views, 1 << 1)
      endSegment({ state, segment })
      const done = once(other, 'message')
      other.postMessage({ segment, memory: state.memory, round })
      while (Atomics.load(now, 1) !== round);
      Atomics.store(now, 0, round)
      forgetView(segment, state, 1)
      await done
      assert.is(state.i32[SharedWord.views], 1 << 31)
      assert.is(mappedAt(segment.address), undefined)
    }
  } finally {
    await other.terminate()
  }
})

test('three hundred sessions, one after the other, whose views are held by nobody: the address space is flat', () => {
  const script = `
    const { endMapping, forgetView, Mapping } = await import(${JSON.stringify(new URL('../../dist/src/channel/mapping.js', import.meta.url))})
    const { closeSegment, createSegment } = await import(${JSON.stringify(new URL('../../dist/src/channel/segment.js', import.meta.url))})
    const { SharedState } = await import(${JSON.stringify(new URL('../../dist/src/channel/shared.js', import.meta.url))})
    const { readFileSync } = await import('node:fs')
    const size = () => Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1])
    let before
    for (let i = 0; i < 310; i++) {
      if (i === 10) before = size()
      const state = new SharedState()
      const segment = createSegment(64 << 20, state, [0, 1])
      ;(() => { new Mapping(segment, state, 1).u8[0x300000] = 1 })()
      closeSegment(segment, state)
      endMapping(segment, state)
      if (i % 10 === 9) for (let k = 0; k < 3; k++) { gc(); await new Promise(resolve => setTimeout(resolve, 1)) }
    }
    console.log(size() - before)`
  const child = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.is(child.status, 0, child.stderr)
  assert.ok(Number(child.stdout) < 20 * 70_000, `${child.stdout} KiB more`)
})

test.run()
