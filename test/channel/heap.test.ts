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
const SIZE = 64 * PAGE

/** A file of which nothing is mapped, as for the arena's own tests; `asked` counts how often V8 was to collect. */
const file = libc().memfd_create('heap', 1)
function make(): { heap: Heap; asked: () => number } {
  libc().ftruncate(file, 0)
  libc().ftruncate(file, ARENA_OFFSET + SIZE)
  const segment = { address: 0n, size: ARENA_OFFSET + SIZE, file, hostBell: -1, strandsBell: -1 }
  let asked = 0
  const heap = new Heap(new Arena(new SharedState(), 0, segment), () => {
    asked++
  })
  return { heap, asked: () => asked }
}

const size = fc.oneof(fc.nat(600), fc.nat(PAGE), fc.nat(6 * PAGE))
const alignment = fc.constantFrom(16, 64, 256)
const step = fc.record({ free: fc.boolean(), size, alignment, which: fc.nat() })

test('pieces lie apart, inside, and as they are aligned, whatever is given back in between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const { heap } = make()
      const live: { at: number; size: number; alignment: number }[] = []
      for (const { free, size, alignment, which } of steps) {
        if (free) {
          const [piece] = live.length > 0 ? live.splice(which % live.length, 1) : []
          if (piece) heap.free(piece.at, piece.size, piece.alignment)
          continue
        }
        const at = heap.take(size, alignment)
        if (at < 0) continue
        assert.is(at % alignment, 0)
        assert.ok(at >= ARENA_OFFSET && at + size <= ARENA_OFFSET + SIZE)
        for (const other of live) assert.ok(at + size <= other.at || other.at + other.size <= at)
        live.push({ at, size, alignment })
      }
    }),
  )
})

test('V8 is asked to collect once more than half is taken, and again after as much as is worth it', () => {
  const { heap, asked } = make()
  const pieces: number[] = []
  const take = () => {
    const at = heap.take(32, 16)
    if (at >= 0) pieces.push(at)
    return at >= 0
  }
  while (pieces.length * 32 < SIZE / 4) take()
  assert.is(asked(), 0)
  while (take());
  const whileFilled = asked()
  assert.ok(whileFilled >= 2 && whileFilled <= 4, `${whileFilled} times`)
  // it is full of what somebody has: to ask again and again would bring nothing
  for (let i = 0; i < 1000; i++) take()
  assert.is(asked(), whileFilled)
  // what is left gives room, for which nobody need be asked
  for (const at of pieces.splice(0)) heap.free(at, 32, 16)
  for (let i = 0; i < 1000; i++) assert.ok(take())
  assert.is(asked(), whileFilled)
})

test('what is given back at once never has V8 collect', () => {
  const { heap, asked } = make()
  for (let i = 0; i < 1000; i++)
    for (const size of [100, PAGE, 4 * PAGE]) {
      const at = heap.take(size, 16)
      assert.ok(at >= 0)
      heap.free(at, size, 16)
    }
  assert.is(asked(), 0)
})

test.run()
