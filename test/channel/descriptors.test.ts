import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { handingNothingOn } from '../../src/channel/descriptors.js'
import { libc } from '../../src/channel/libc.js'

const test = suite('descriptors that programs are handed')
const F_GETFD = 1
const F_SETFD = 2
const CLOEXEC = 1

/** One that this process was started with: Node marks what it opens itself. */
function inherited(path = '/etc/passwd'): number {
  const fd = openSync(path, 'r')
  libc().fcntl(fd, F_SETFD, 0)
  return fd
}
const isMarked = (fd: number) => libc().fcntl(fd, F_GETFD, 0) === CLOEXEC
/** What a program sees of those beyond its standard ones. */
const handed = () => execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).includes('/etc/passwd')

test('a program is handed none of what this one was started with, and this one keeps it', () => {
  const fd = inherited()
  assert.ok(handed(), 'it would be, otherwise')
  assert.not.ok(handingNothingOn(handed))
  assert.not.ok(isMarked(fd))
  assert.ok(handed())
  closeSync(fd)
})

test('also where nothing could be started', () => {
  const fd = inherited()
  assert.throws(
    () =>
      handingNothingOn(() => {
        assert.ok(isMarked(fd))
        throw new RangeError('no such program')
      }),
    'no such program',
  )
  assert.not.ok(isMarked(fd))
  closeSync(fd)
})

test('what was marked before stays so, and a number that is another file’s by then is left alone', () => {
  const own = openSync('/etc/passwd', 'r')
  const fd = inherited()
  handingNothingOn(() => {
    closeSync(fd)
    assert.is(openSync('/etc/group', 'r'), fd)
  })
  assert.ok(isMarked(own))
  assert.ok(isMarked(fd))
  closeSync(own)
  closeSync(fd)
})

test.run()
