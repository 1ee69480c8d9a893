/** Node is kept alive while something is waited for, and no longer; once in a slice it is checked whether anything comes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KeepAlive } from '../../dist/src/channel/keep-alive.js'
import { until } from '../expect.js'

const test = suite('keep alive')
/** In milliseconds. */
const SLICE = 20
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

/** One whose checks nobody looks at. */
const unwatched = () =>
  new KeepAlive(
    () => 0,
    () => {},
    SLICE,
  )

test('it keeps Node alive from hold to release, however often, and never after its end', () => {
  const before = timers()
  const keepAlive = unwatched()
  assert.is(timers(), before)
  for (let i = 0; i < 3; i++) {
    keepAlive.hold()
    assert.is(timers(), before + 1)
    assert.ok(keepAlive.held)
    keepAlive.release()
    assert.is(timers(), before)
    assert.not.ok(keepAlive.held)
  }
  keepAlive.hold()
  keepAlive.end()
  assert.is(timers(), before)
  keepAlive.hold()
  assert.is(timers(), before)
  assert.not.ok(keepAlive.held)
})

test('a first hold after the end keeps nothing alive either', () => {
  const before = timers()
  const keepAlive = unwatched()
  keepAlive.end()
  keepAlive.hold()
  assert.is(timers(), before)
})

test('each check says whether something has come since the one before, also after a release', async () => {
  let came = 7
  const idle: boolean[] = []
  const keepAlive = new KeepAlive(
    () => came,
    nothing => idle.push(nothing),
    SLICE,
  )
  keepAlive.hold()
  came++
  await until(() => idle.length === 1, 'the first check')
  await until(() => idle.length === 2, 'the second')
  keepAlive.release()
  came++
  await until(() => idle.length === 3, 'the third')
  keepAlive.end()
  assert.equal(idle, [false, true, false])
})

test.run()
