/** When a thread that hears nothing gives its session up, slice by slice. */
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HostWatch } from '../../dist/src/channel/host-watch.js'
import { SLICE } from '../../dist/src/channel/patience.js'
import { EndReason, SharedWord } from '../../dist/src/channel/shared.js'
import { ControlWord, HostState } from '../../dist/src/codec/layout.js'
import { endSegment, makeSegment, withMapping } from './support.js'

const test = suite('host watch')
const { none, corrupted, crashed, servicesGone, unresponsive } = EndReason

/** A process that has ended, and whose number nobody has had since. */
const ended = () => spawnSync('true').pid

function watching(
  act: (watch: HostWatch, i32: Int32Array) => void,
  { pid = process.pid, server = 0, patience = 3 * SLICE, state = HostState.serving as number } = {},
): void {
  const made = makeSegment()
  made.state.i32[SharedWord.process] = pid
  withMapping(made, mapping => {
    const { i32 } = mapping
    i32[ControlWord.hostState / 4] = state
    const watch = new HostWatch(
      mapping,
      made.state,
      made.segment,
      () => server,
      () => patience,
    )
    act(watch, i32)
  })
  endSegment(made)
}

test('a process that is gone has crashed, unless somebody says more until the next look', () => {
  watching(
    watch => {
      assert.is(watch.look(false), none)
      watch.reset()
      assert.is(watch.look(false), none)
      assert.is(watch.look(false), crashed)
    },
    { pid: ended() },
  )
})

test('what is broken twice in a row is corrupted', () => {
  watching((watch, i32) => {
    assert.is(watch.look(true), none)
    i32[ControlWord.pulse / 4] = 1
    assert.is(watch.look(false), none)
    assert.is(watch.look(true), none)
    assert.is(watch.look(true), corrupted)
  })
})

test('without Wine’s services it goes no further', () => {
  watching(watch => assert.is(watch.look(false), servicesGone), { server: ended() })
  watching(watch => assert.is(watch.look(false), none), { server: process.pid })
})

test('without a sign of life it is waited for as long as was said, from the last one on', () => {
  watching((watch, i32) => {
    const pulse = () => Atomics.store(i32, ControlWord.pulse / 4, Atomics.load(i32, ControlWord.pulseAsked / 4))
    assert.is(watch.look(false), none)
    assert.is(i32[ControlWord.pulseAsked / 4], 1)
    for (let i = 0; i < 2; i++) assert.is(watch.look(false), none)
    assert.is(i32[ControlWord.pulseAsked / 4], 1, 'it is asked once')
    pulse()
    for (let i = 0; i < 3; i++) assert.is(watch.look(false), none)
    assert.is(watch.look(false), unresponsive)
  })
})

test('a host that starts, or leaves, is not asked', () => {
  for (const state of [HostState.starting, HostState.leaving])
    watching(
      (watch, i32) => {
        for (let i = 0; i < 10; i++) assert.is(watch.look(false), none)
        assert.is(i32[ControlWord.pulseAsked / 4], 0)
      },
      { state },
    )
})

test.run()
