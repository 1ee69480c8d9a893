/** Memory for objects: pieces that never overlap, that rest once they are given back, and that V8 is asked for where they become few. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Arena } from '../../dist/src/channel/arena.js'
import { Heap } from '../../dist/src/channel/heap.js'
import { libc } from '../../dist/src/channel/libc.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { ARENA_OFFSET } from '../../dist/src/codec/layout.js'

const test = suite('heap')
const PAGE = 16384
const PAGES = 24
/** What objects may have of them: the rest is for calls. */
const OURS = 21

/** A file of which nothing is mapped; `asked` counts how often V8 was to collect. */
const file = libc().memfd_create('heap', 1)
function make(): { arena: Arena; heap: Heap; asked: () => number } {
  const size = ARENA_OFFSET + PAGES * PAGE
  libc().ftruncate(file, 0)
  libc().ftruncate(file, size)
  const arena = new Arena(new SharedState(), 0, { address: 0n, size, file, hostBell: -1, strandsBell: -1 })
  let asked = 0
  const collect = () => {
    asked++
  }
  return { arena, heap: new Heap(arena, collect), asked: () => asked }
}
const pageOf = (at: number) => Math.floor((at - ARENA_OFFSET) / PAGE)
const take = (heap: Heap, size: number, count: number, alignment = 16) =>
  Array.from({ length: count }, () => heap.allocate(size, alignment))
const free = (heap: Heap, size: number, all: readonly number[]) => {
  for (const at of all) heap.free(at, size, 16)
}

test('pieces of any size and alignment are apart, aligned, and before what is for calls', () => {
  const piece = fc.record({
    size: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) }, fc.integer({ min: 1, max: 5 * PAGE })),
    alignment: fc.integer({ min: 0, max: 14 }).map(power => 2 ** power),
    /** One that is given back before, if any is there. */
    gone: fc.option(fc.nat()),
  })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), steps => {
      const { heap } = make()
      const live: { at: number; size: number; alignment: number }[] = []
      for (const { size, alignment, gone } of steps) {
        if (gone !== null && live.length > 0) {
          const [{ at, size: bytes, alignment: to }] = live.splice(gone % live.length, 1)
          heap.free(at, bytes, to)
        }
        const at = heap.allocate(size, alignment)
        if (at < 0) continue
        assert.is(at % alignment, 0, `${at} is no multiple of ${alignment}`)
        assert.ok(at >= ARENA_OFFSET && at + size <= ARENA_OFFSET + OURS * PAGE, `${size} bytes at ${at} lie outside`)
        for (const other of live)
          assert.ok(at + size <= other.at || other.at + other.size <= at, `${size} at ${at} overlap ${other.size}`)
        live.push({ at, size, alignment })
      }
    }),
    { numRuns: 200 },
  )
})

test('what is given back rests behind others of its size, and the one that rested longest is the first to be used again', () => {
  const { heap } = make()
  const first = take(heap, 4096, 20)
  free(heap, 4096, first)
  // sixteen of them rest, whatever is asked for
  assert.equal(take(heap, 4096, 4), first.slice(0, 4))
  const fresh = take(heap, 4096, 4)
  for (const at of fresh) assert.not.ok(first.includes(at), `${at} was given out while it rested`)
})

test('of small pieces 64 KiB rest', () => {
  const { heap } = make()
  const first = take(heap, 32, 2049)
  free(heap, 32, first)
  assert.is(heap.allocate(32, 16), first[0])
  assert.not.ok(first.includes(heap.allocate(32, 16)))
})

test('where nothing else is left, what rests is used, and pages of pieces that all rest are any size’s', () => {
  const { heap } = make()
  const all = take(heap, 4096, OURS * 4)
  assert.not.ok(all.includes(-1))
  assert.is(heap.allocate(4096, 16), -1)
  const inPage = (number: number) => all.filter(at => pageOf(at) === number)
  // three of four: the page cannot be another size's
  const [kept, ...three] = inPage(0)
  free(heap, 4096, three)
  assert.is(heap.allocate(6000, 16), -1)
  assert.is(heap.allocate(4096, 16), three[0])
  free(heap, 4096, inPage(7))
  const others = take(heap, 6000, 2)
  assert.equal(others.map(pageOf), [7, 7])
  assert.is(heap.allocate(6000, 16), -1)
  // its pieces are not given out as what they were
  assert.equal(take(heap, 4096, 3), [three[1], three[2], -1])
  free(heap, 4096, [kept, ...three])
  assert.is(pageOf(heap.allocate(PAGE, 16)), 0)
})

test('who takes from the second half is told that memory runs short', () => {
  const { heap } = make()
  take(heap, PAGE, 11)
  assert.is(heap.isShort, false)
  heap.allocate(PAGE, 16)
  assert.is(heap.isShort, true)
  const other = make().heap
  assert.is(other.allocate(PAGES * PAGE, 16), -1)
  assert.is(other.isShort, true)
})

test('large ones are pages in a row, and rest as such', () => {
  const { arena, heap } = make()
  const at = heap.allocate(3 * PAGE - 5, 64)
  assert.is(pageOf(at), 0)
  assert.is(pageOf(heap.allocate(1, 1)), 3)
  heap.free(at, 3 * PAGE - 5, 64)
  // they rest: whoever asks next has others
  assert.is(pageOf(heap.allocate(2 * PAGE, 16)), 4)
  // and are anybody's where there are no others
  assert.is(arena.allocate(PAGES * PAGE), -1)
  assert.is(pageOf(heap.allocate(15 * PAGE, 16)), 6)
  assert.is(pageOf(heap.allocate(3 * PAGE, 16)), 0)
})

test('an alignment beyond a page cannot be had', () => {
  const { heap } = make()
  assert.is(heap.allocate(8, 2 * PAGE), -1)
  assert.is(heap.allocate(8, PAGE) % PAGE, 0)
})

test('V8 is asked to collect once more than half is taken, and again after as much as is worth it', () => {
  const { heap, asked } = make()
  const pieces: number[] = []
  const take = () => {
    const at = heap.allocate(32, 16)
    if (at >= 0) pieces.push(at)
    return at >= 0
  }
  while (pieces.length * 32 < (PAGES * PAGE) / 4) take()
  assert.is(asked(), 0)
  while (take());
  const whileFilled = asked()
  assert.ok(whileFilled >= 2 && whileFilled <= 4, `${whileFilled} times`)
  // it is full of what somebody has: to ask each time would bring nothing
  for (let i = 0; i < 1000; i++) take()
  const whileFull = asked()
  assert.ok(whileFull <= whileFilled + 1, `${whileFull - whileFilled} times more`)
  // what is left gives room, for which nobody need be asked
  for (const at of pieces.splice(0)) heap.free(at, 32, 16)
  for (let i = 0; i < 200; i++) assert.ok(take())
  assert.is(asked(), whileFull)
})

test('what is given back at once never has V8 collect', () => {
  const { heap, asked } = make()
  for (let i = 0; i < 1000; i++)
    for (const size of [100, PAGE, 4 * PAGE]) {
      const at = heap.allocate(size, 16)
      assert.ok(at >= 0)
      heap.free(at, size, 16)
    }
  assert.is(asked(), 0)
})

test.run()
