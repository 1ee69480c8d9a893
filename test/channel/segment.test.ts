import { spawnSync } from 'node:child_process'
import { constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errno, libc } from '../../dist/src/channel/libc.js'
import { back, closeSegment, createSegment, openBell, writeHead } from '../../dist/src/channel/segment.js'
import { SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import {
  ARENA_OFFSET,
  ControlWord,
  MAGIC,
  REPLIES_SIZE,
  REPLY_OFFSET,
  THREAD_OFFSET,
  THREAD_SIZE,
  ThreadWord,
  WIRE_VERSION,
} from '../../dist/src/codec/layout.js'
import { endSegment, type Made, makeSegment, mappedAt, openFiles, target, withMapping } from './support.js'

const test = suite('segment')
const MEMORY = 1 << 20
let made: Made
test.before(() => {
  made = makeSegment(MEMORY)
})
test.after(() => {
  endSegment(made)
})
const bellsOf = ({ state, segment }: Made) => [
  segment.hostBell,
  segment.strandsBell,
  ...state.i32.subarray(SharedWord.bell, SharedWord.asked).filter(fd => fd > 0),
]

test('the file has no name, and its full size', () => {
  const { segment } = made
  const stat = fstatSync(segment.file)
  assert.is(stat.nlink, 0)
  assert.match(target(segment.file) ?? '', /^\/memfd:.* \(deleted\)$/)
  assert.is(segment.size, ARENA_OFFSET + MEMORY)
  assert.is(stat.size, segment.size)
})

test('what is used from the start has memory, and the arena has none', () => {
  const { blocks } = fstatSync(made.segment.file)
  const used = REPLY_OFFSET + 2 * REPLIES_SIZE
  assert.ok(blocks * 512 >= used && blocks * 512 < used + 65536, `${blocks * 512} bytes`)
})

test('nobody can make it shorter or longer, or take that back', () => {
  const { segment } = made
  for (const size of [0, ARENA_OFFSET, segment.size - 1, segment.size + 1])
    assert.throws(() => ftruncateSync(segment.file, size), /EPERM/)
  const F_ADD_SEALS = 1033
  assert.is(libc().fcntl(segment.file, F_ADD_SEALS, 8), -1)
  assert.is(errno(), 1)
})

test('it is mapped: what is written to the file is seen, and the other way round', () => {
  withMapping(made, ({ u8 }) => {
    writeSync(made.segment.file, new Uint8Array([1, 2, 3]), 0, 3, ARENA_OFFSET)
    assert.equal([...u8.slice(ARENA_OFFSET, ARENA_OFFSET + 4)], [1, 2, 3, 0])
    u8[ARENA_OFFSET + 3] = 4
    const bytes = new Uint8Array(4)
    readSync(made.segment.file, bytes, 0, 4, ARENA_OFFSET)
    assert.equal([...bytes], [1, 2, 3, 4])
  })
})

test('the head says what it is, and where the bells are as the other side sees them', () => {
  const { state, segment } = made
  writeHead(segment, state, { process: 77, descriptor: fd => fd + 1000 })
  withMapping(made, ({ view }) => {
    const word = (at: number) => view.getUint32(at, true)
    assert.is(word(ControlWord.magic), MAGIC)
    assert.is(word(ControlWord.version), WIRE_VERSION)
    assert.is(word(ControlWord.segmentSize), segment.size)
    assert.is(word(ControlWord.bellProcess), 77)
    for (const thread of [0, 1, 2]) {
      const bell = state.i32[SharedWord.bell + thread]
      assert.is(word(THREAD_OFFSET + thread * THREAD_SIZE + ThreadWord.bell), bell > 0 ? bell + 1000 : 0)
    }
  })
})

test('the bells are pipes, each a different one, that never block and never end', () => {
  const bells = bellsOf(made)
  assert.is(bells.length, 4)
  const inodes = new Set<number>()
  for (const fd of bells) {
    const stat = fstatSync(fd)
    assert.is(stat.mode & constants.S_IFMT, constants.S_IFIFO)
    inodes.add(stat.ino)
    const bytes = new Uint8Array(64)
    assert.throws(() => readSync(fd, bytes), /EAGAIN/)
    assert.is(writeSync(fd, new Uint8Array([7])), 1)
    assert.is(readSync(fd, bytes), 1)
  }
  assert.is(inodes.size, bells.length)
})

test('a number that had a bell keeps it', () => {
  const { state, segment } = made
  const known = state.i32[SharedWord.bell + 1]
  assert.is(openBell(segment, state, 1), known)
  const fresh = openBell(segment, state, 7)
  assert.is(openBell(segment, state, 7), fresh)
})

test('the end closes every descriptor and gives the addresses back', () => {
  const other = makeSegment(MEMORY)
  const links = [other.segment.file, ...bellsOf(other)].map(target)
  assert.match(mappedAt(other.segment.address) ?? '', /memfd/)
  endSegment(other)
  const now = new Set(openFiles())
  for (const link of links) {
    assert.match(link ?? '', /pipe:|memfd:/)
    if (!link?.startsWith('/memfd')) assert.not.ok(now.has(link), `${link} is still open`)
  }
  assert.not.match(mappedAt(other.segment.address) ?? '', /memfd/)
})

test('a hundred of them, one after the other, leave nothing', () => {
  const count = () => openFiles().filter(link => /pipe:|memfd:/.test(link ?? '')).length
  const before = count()
  for (let i = 0; i < 100; i++) endSegment(makeSegment(MEMORY))
  assert.is(count(), before)
})

test('nobody rings any more when the descriptors are closed', () => {
  const other = makeSegment(MEMORY)
  const [bell] = bellsOf(other)
  closeSegment(other.segment, other.state)
  const pair = new Int32Array(2)
  libc().pipe2(pair, 0o4000)
  // the number is somebody else's now
  const taken = pair.includes(bell) ? bell : pair[1]
  other.state.ring(taken)
  assert.throws(() => readSync(pair[0], new Uint8Array(1)), /EAGAIN/)
  for (const fd of pair) libc().close(fd)
})

/** What making a segment throws under a limit of the shell's, and how many descriptors it leaves. */
function createUnder(limit: string, memory: number) {
  const script = `import { readdirSync, readlinkSync } from 'node:fs'
    const { libc } = await import(${JSON.stringify(new URL('../../dist/src/channel/libc.js', import.meta.url))})
    const { createSegment } = await import(${JSON.stringify(new URL('../../dist/src/channel/segment.js', import.meta.url))})
    const { SharedState } = await import(${JSON.stringify(new URL('../../dist/src/channel/shared.js', import.meta.url))})
    libc()
    const name = fd => { try { return readlinkSync('/proc/self/fd/' + fd) } catch { return '' } }
    const open = () => readdirSync('/proc/self/fd').filter(fd => /memfd:|pipe:/.test(name(fd))).length
    const found = []
    for (let spare = 0; spare < 12; spare++) {
      const held = []
      // all that there are but so many
      if (${memory} < 2 ** 30) {
        for (let fd = libc().open('/dev/null', 0); fd >= 0; fd = libc().open('/dev/null', 0)) held.push(fd)
        for (let i = 0; i < spare; i++) libc().close(held.pop())
      }
      let thrown = 'none'
      try { createSegment(${memory}, new SharedState(), [0, 1]) } catch ({ code, message }) { thrown = code + ' ' + message }
      for (const fd of held) libc().close(fd)
      found.push([thrown, open()])
      if (thrown === 'none') break
    }
    console.log(JSON.stringify(found))`
  const command = `${limit}; exec ${process.execPath} --input-type=module -e "$0"`
  const child = spawnSync('sh', ['-c', command, script], { encoding: 'utf8', timeout: 60_000 })
  assert.is(child.status, 0, child.stderr)
  return JSON.parse(child.stdout) as [string, number][]
}

test('no descriptor left is one clear error, wherever it shows, and leaves nothing', () => {
  const all = createUnder('ulimit -n 64', MEMORY)
  assert.ok(all.length > 4, JSON.stringify(all))
  const open = all[0][1]
  for (const [thrown, left] of all) {
    if (thrown === 'none') return
    assert.match(thrown, /^ERR_ZUGBRUECKE_SESSION_START .*ulimit -n/)
    assert.is(left, open)
  }
  assert.unreachable(JSON.stringify(all))
})

test('no address space is another', () => {
  const [[thrown]] = createUnder('ulimit -v 60000000', 2 ** 42)
  assert.match(thrown, /^ERR_ZUGBRUECKE_SESSION_START .*"memory"/)
})

test('no memory is a third, where a touch would be a signal', () => {
  const { segment } = made
  assert.throws(() => back(segment.file, 0, 2 ** 50), /no .* MiB of memory left/)
})

test('a segment larger than there is address space for is refused', () => {
  assert.throws(() => createSegment(2 ** 52, new SharedState(), [0, 1]), /"memory"/)
})

test.run()
