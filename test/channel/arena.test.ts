import { fstatSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Arena } from '../../dist/src/channel/arena.js'
import { libc } from '../../dist/src/channel/libc.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import { ARENA_OFFSET } from '../../dist/src/codec/layout.js'
import { SessionStartError } from '../../dist/src/errors.js'

const test = suite('arena')
const PAGE = 16384
const SIZE = 24 * PAGE

interface Piece {
  readonly arena: Arena
  readonly at: number
  readonly size: number
}

/** A file of its own, of which nothing is mapped: an arena only gives out places, and sees to it that they have memory. */
const file = libc().memfd_create('arena', 1)
function two(size = SIZE): { shared: SharedState; arenas: Arena[] } {
  const shared = new SharedState()
  libc().ftruncate(file, 0)
  libc().ftruncate(file, ARENA_OFFSET + size)
  const segment: Segment = { address: 0n, size: ARENA_OFFSET + size, file, hostBell: -1, strandsBell: -1 }
  return { shared, arenas: [new Arena(shared, 0, segment), new Arena(shared, 1, segment)] }
}
/** Bytes of memory that it has. */
const memory = () => fstatSync(file).blocks * 512

const claimed = ({ i32 }: SharedState, arena: Arena, thread: number) =>
  i32.subarray(SharedWord.pages, SharedWord.pages + arena.pageCount).filter(owner => owner === thread + 1).length

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(600) },
  { weight: 4, arbitrary: fc.nat(PAGE) },
  { weight: 2, arbitrary: fc.nat(6 * PAGE) },
  { weight: 1, arbitrary: fc.nat(2 * SIZE) },
  { weight: 1, arbitrary: fc.constantFrom(PAGE / 2, PAGE / 2 + 1, PAGE, PAGE + 1, SIZE, SIZE + 1) },
)
const step = fc.record({ thread: fc.nat(1), free: fc.boolean(), size, which: fc.nat() })

test('two threads never overlap, stay inside, and give everything back', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 150 }), steps => {
      const { shared, arenas } = two()
      const live: Piece[] = []
      const giveBack = ({ arena, at, size: bytes }: Piece) => arena.free(at, bytes)
      for (const { thread, free, size: bytes, which } of steps) {
        if (free) {
          const [piece] = live.length > 0 ? live.splice(which % live.length, 1) : []
          if (piece) giveBack(piece)
          continue
        }
        const at = arenas[thread].allocate(bytes)
        if (at === -1) continue
        assert.is(at % 64, 0, 'not aligned')
        assert.ok(at >= ARENA_OFFSET && at + bytes <= ARENA_OFFSET + SIZE, `${bytes} at ${at} lie outside`)
        for (const other of live) {
          const apart = at + Math.max(bytes, 1) <= other.at || other.at + Math.max(other.size, 1) <= at
          assert.ok(apart, `${bytes} at ${at} overlap ${other.size} at ${other.at}`)
        }
        live.push({ arena: arenas[thread], at, size: bytes })
      }
      for (const piece of live) giveBack(piece)
      // each may keep the page that it uses, and no more; what rests is nobody's
      for (const [thread, arena] of arenas.entries()) assert.ok(claimed(shared, arena, thread) <= 1)
      const kept = claimed(shared, arenas[1], 1)
      // a run that cannot be had makes a thread give up its warm page
      assert.is(arenas[1].allocate(SIZE + 1), -1)
      assert.is(claimed(shared, arenas[1], 1), 0, `${kept} kept`)
      const whole = arenas[0].allocate(SIZE)
      assert.is(whole, ARENA_OFFSET)
      arenas[0].free(whole, SIZE)
      assert.is(arenas[1].allocate(SIZE), ARENA_OFFSET)
    }),
    { numRuns: 300 },
  )
})

for (const bytes of [1, 64, 1000, PAGE / 2, PAGE, 3 * PAGE]) {
  test(`-1 when full of pieces of ${bytes}, room again after one is freed`, () => {
    const { arenas } = two()
    const pieces: Piece[] = []
    let turn = 0
    for (let failed = 0; failed < 2; ) {
      const arena = arenas[turn++ % 2]
      const at = arena.allocate(bytes)
      if (at === -1) failed++
      else pieces.push({ arena, at, size: bytes })
    }
    const each = bytes > PAGE / 2 ? Math.ceil(bytes / PAGE) * PAGE : Math.ceil(bytes / 64) * 64
    const most = bytes > PAGE / 2 ? Math.floor(SIZE / each) : Math.floor(PAGE / each) * (SIZE / PAGE)
    assert.is(pieces.length, most)
    for (const arena of arenas) assert.is(arena.allocate(PAGE), -1)
    const mine = pieces.filter(({ arena }) => arena === arenas[0])
    for (const { arena, at } of mine) arena.free(at, bytes)
    assert.is.not(arenas[0].allocate(bytes), -1)
  })
}

test('what a call had is not the memory of the next, and yet memory is used again', () => {
  const { arenas } = two(64 * PAGE)
  for (const bytes of [100, 2 * PAGE]) {
    const places: number[] = []
    for (let i = 0; i < 5000; i++) {
      const at = arenas[0].allocate(bytes)
      arenas[0].free(at, bytes)
      places.push(at)
    }
    assert.is(new Set(places.slice(0, 3)).size, 3)
    assert.ok(new Set(places).size * bytes <= 10 * PAGE, `${new Set(places).size} places of ${bytes}`)
  }
})

test('what no DLL knew of is given out again at once', () => {
  const { arenas } = two()
  const first = arenas[0].allocate(2 * PAGE)
  arenas[0].free(first, 2 * PAGE, false)
  assert.is(arenas[0].allocate(2 * PAGE), first)
})

for (const bytes of [SIZE + 1, 2 ** 31 - 64, 2 ** 31, 2 ** 32, 2 ** 32 + 64, 2 ** 40]) {
  test(`${bytes} bytes never fit`, () => {
    const { arenas } = two()
    assert.is(arenas[0].allocate(bytes), -1)
    assert.is(arenas[0].allocate(64), ARENA_OFFSET)
  })
}

for (const mebibytes of [1, 16, 128, 256, 1024]) {
  test(`an arena of ${mebibytes} MiB can be had whole`, () => {
    const whole = mebibytes << 20
    const { arenas } = two(whole)
    assert.ok(arenas[0].pageSize * arenas[0].pageCount <= whole)
    const at = arenas[0].allocate(whole)
    assert.is(at, ARENA_OFFSET)
    assert.is(arenas[1].allocate(1), -1)
    arenas[0].free(at, whole)
    assert.is(arenas[1].allocate(1), ARENA_OFFSET)
  })
}

test('what is given out has memory, a MiB at a time, and stays warm', () => {
  const { arenas } = two(64 << 20)
  assert.is(memory(), 0)
  const small = arenas[0].allocate(100)
  assert.is(memory(), 1 << 20)
  arenas[1].allocate(100)
  assert.is(memory(), 1 << 20, 'another thread beside it')
  const run = arenas[0].allocate(3 << 20)
  assert.ok(memory() >= 4 << 20 && memory() <= 5 << 20)
  arenas[0].free(run, 3 << 20)
  arenas[0].free(small, 100)
  assert.ok(memory() >= 4 << 20)
})

test('large runs give their memory back when they are freed, and nothing of what lies beside them', () => {
  const { arenas } = two(128 << 20)
  const beside = arenas[1].allocate(100)
  const large = 60_000_000
  const at = arenas[0].allocate(large)
  const after = arenas[1].allocate(20_000)
  assert.ok(memory() > large)
  arenas[0].free(at, large)
  assert.ok(memory() <= 4 << 20, `${memory()} bytes are left`)
  // and get it again
  assert.is(arenas[0].allocate(large), at)
  assert.ok(memory() > large)
  assert.ok(beside < at && after >= at + large)
})

test('a claim that failed succeeds once another thread has given back what it needs, and not before', () => {
  const { arenas } = two()
  const [one, other] = arenas
  const pieces = Array.from({ length: 24 }, () => one.allocate(PAGE))
  for (const size of [1, PAGE, 2 * PAGE]) assert.is(other.allocate(size), -1)
  one.free(pieces[3], PAGE)
  assert.is(other.allocate(2 * PAGE), -1, 'one page is not two')
  one.free(pieces[5], PAGE, false)
  assert.is(other.allocate(2 * PAGE), -1, 'two pages apart are no row')
  one.free(pieces[4], PAGE)
  assert.is(other.allocate(2 * PAGE), pieces[3])
  assert.is(other.allocate(PAGE), pieces[5])
  assert.is(other.allocate(1), -1)
})

test('no memory is an error, and what was claimed is free again', () => {
  const { shared, arenas } = two()
  const closed = { address: 0n, size: ARENA_OFFSET + SIZE, file: 1 << 20, hostBell: -1, strandsBell: -1 }
  const arena = new Arena(shared, 2, closed)
  for (const bytes of [10, SIZE]) {
    assert.throws(
      () => arena.allocate(bytes),
      (error: Error) => error instanceof SessionStartError,
    )
    assert.is(claimed(shared, arena, 2), 0)
  }
  assert.is(arenas[0].allocate(SIZE), ARENA_OFFSET)
})

test.run()
