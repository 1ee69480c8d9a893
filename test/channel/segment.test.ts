import { spawnSync } from 'node:child_process'
import { constants, fstatSync, mkdtempSync, readdirSync, readlinkSync, readSync, rmdirSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeSegment, createSegment } from '../../dist/src/channel/segment.js'
import { ARENA_OFFSET, MAGIC, STRANDS, WIRE_VERSION, Word } from '../../dist/src/codec/layout.js'

const test = suite('segment')
const MEMORY = 1 << 20
/** What a descriptor of this process leads to, or undefined. The tests' own threads open and close descriptors meanwhile. */
function target(fd: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}
let segment: ReturnType<typeof createSegment>
test.before(() => {
  segment = createSegment(MEMORY)
})

test('the file is for this user alone and has no name', () => {
  const stat = fstatSync(segment.file)
  assert.ok(stat.isFile())
  assert.is(stat.mode & 0o777, 0o600)
  assert.is(stat.nlink, 0)
  assert.match(readlinkSync(`/proc/self/fd/${segment.file}`), / \(deleted\)$/)
})

test('it has its full size, and all of it is there', () => {
  assert.is(segment.size, ARENA_OFFSET + MEMORY)
  const stat = fstatSync(segment.file)
  assert.is(stat.size, segment.size)
  assert.ok(stat.blocks * 512 >= segment.size, 'it is sparse')
})

test('magic, version and size stand in front, all else is zero', () => {
  const bytes = new Uint8Array(segment.size)
  assert.is(readSync(segment.file, bytes, 0, bytes.length, 0), bytes.length)
  const view = new DataView(bytes.buffer)
  assert.is(view.getUint32(Word.magic, true), MAGIC)
  assert.is(view.getUint32(Word.version, true), WIRE_VERSION)
  assert.is(view.getUint32(Word.segmentSize, true), segment.size)
  assert.ok(bytes.subarray(12).every(byte => byte === 0))
})

test('the doorbells are nameless FIFOs for this user alone, each a different one', () => {
  const bells = [segment.nodeDoorbell, segment.idleDoorbell, ...segment.hostDoorbells]
  assert.is(bells.length, STRANDS + 3)
  const inodes = new Set<number>()
  for (const fd of bells) {
    const stat = fstatSync(fd)
    assert.is(stat.mode & constants.S_IFMT, constants.S_IFIFO)
    assert.is(stat.mode & 0o777, 0o600)
    assert.match(readlinkSync(`/proc/self/fd/${fd}`), / \(deleted\)$/)
    inodes.add(stat.ino)
    const byte = new Uint8Array(1)
    assert.is(writeSync(fd, new Uint8Array([7])), 1)
    assert.is(readSync(fd, byte), 1)
    assert.is(byte[0], 7)
  }
  assert.is(inodes.size, bells.length)
})

test('two segments share nothing', () => {
  const other = createSegment(MEMORY)
  assert.is.not(fstatSync(other.file).ino, fstatSync(segment.file).ino)
  closeSegment(other)
})

test('closing gives every descriptor back', () => {
  const other = createSegment(MEMORY)
  const descriptors = [other.file, other.nodeDoorbell, other.idleDoorbell, ...other.hostDoorbells]
  const links = descriptors.map(target)
  closeSegment(other)
  const now = new Set(readdirSync('/proc/self/fd').map(target))
  for (const link of links) {
    assert.match(link ?? '', / \(deleted\)$/)
    assert.not.ok(now.has(link), `${link} is still open`)
  }
})

test('closing twice closes nothing of what has the numbers by then', () => {
  const other = createSegment(MEMORY)
  closeSegment(other)
  const next = createSegment(MEMORY) // takes the lowest numbers that are free
  const bells = [next.nodeDoorbell, ...next.hostDoorbells]
  const links = bells.map(target)
  closeSegment(other)
  assert.equal(bells.map(target), links)
  closeSegment(next)
})

/** What createSegment throws in a process whose segments lie in `folder`, and what it leaves open. */
function createAside(folder: string, memory: number): { name: string; code: string; message: string; leaked: number } {
  const module = fileURLToPath(new URL('../../dist/src/channel/segment.js', import.meta.url))
  // its own descriptors are told by their names: others come and go in any Node process
  const script = `import { readdirSync, readlinkSync } from 'node:fs'
    const { createSegment } = await import(${JSON.stringify(module)})
    const name = fd => { try { return readlinkSync('/proc/self/fd/' + fd) } catch { return '' } }
    const open = () => readdirSync('/proc/self/fd').filter(fd => /\\/zugbruecke-\\d+-/.test(name(fd))).length
    const before = open()
    let found = { name: 'none', code: '', message: '' }
    try { createSegment(${memory}) }
    catch ({ name, code, message }) { found = { name, code, message } }
    console.log(JSON.stringify({ ...found, leaked: open() - before }))`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ZUGBRUECKE_SHM: folder },
    encoding: 'utf8',
    timeout: 30_000,
  })
  assert.is(child.status, 0, child.stderr)
  return JSON.parse(child.stdout)
}

test('a folder that is not there is a SetupError', () => {
  const { code, message, leaked } = createAside('/nowhere/at-all', MEMORY)
  assert.is(code, 'ERR_ZUGBRUECKE_SETUP')
  assert.match(message, '/nowhere/at-all')
  assert.is(leaked, 0)
})

const folder = mkdtempSync(join(tmpdir(), 'zb-small-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0
const small = mounted ? test : test.skip

small('no room is a SessionStartError that says how much there is, and leaves nothing', () => {
  const { code, message, leaked } = createAside(folder, 4 << 20)
  assert.is(code, 'ERR_ZUGBRUECKE_SESSION_START')
  assert.match(message, '1 MiB free')
  assert.match(message, '4 MiB')
  assert.match(message, '--shm-size')
  assert.is(leaked, 0)
  assert.equal(readdirSync(folder), [])
})

small('a segment that fits leaves no file either', () => {
  assert.is(createAside(folder, 256 << 10).name, 'none')
  assert.equal(readdirSync(folder), [])
})

test.after(() => {
  closeSegment(segment)
  if (mounted) spawnSync('umount', ['-l', folder])
  rmdirSync(folder)
})

test.run()
