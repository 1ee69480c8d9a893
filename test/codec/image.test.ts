import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Image } from '../../dist/src/codec/image.js'
import {
  type CallbackTarget,
  LocalBlock,
  POINTERS,
  type RemoteMemory,
  RemoteRange,
  type Target,
} from '../../dist/src/ctypes/block.js'
import { CharactersBlock } from '../../dist/src/ctypes/text.js'

const test = suite('image')
const BASE = 0x7f12_3456_0000
const memory: RemoteMemory = { sessionId: 'fake', read: () => assert.unreachable(), write: () => assert.unreachable() }
const image = (pointerSize = 8) => new Image(memory, pointerSize)

function linked(size: number, links: readonly (readonly [at: number, target: Target])[]): LocalBlock {
  const block = LocalBlock.allocate(size)
  block.refs = new Map(links)
  return block
}
const pointer = (block: LocalBlock, at: number) => Number(block.whole.getBigUint64(at, true))
const put = (bytes: Uint8Array, at: number, value: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, BigInt(value), true)

/** What the other side sees, and what comes back after `change`. */
function trip(made: Image, change: (there: Uint8Array) => void = () => {}): Uint8Array {
  made.relocate(BASE)
  const there = new Uint8Array(made.size)
  made.copyTo(there, 0)
  change(there)
  made.copyFrom(there, 0)
  made.updatePointers(BASE)
  return there
}

test('the same block twice is placed once', () => {
  const made = image()
  const block = LocalBlock.allocate(20)
  const at = made.place(block)
  const other = made.place(LocalBlock.allocate(1))
  assert.is(made.place(block), at)
  assert.is.not(other, at)
  assert.is(made.blocks.length, 2)
  assert.equal(
    [at, other].map(number => made.offsetOf(number)),
    [0, 32],
  )
  assert.is(made.size, 48)
})

test('views of one buffer lie to each other as they do here, in whatever order they come', () => {
  const range = fc.tuple(fc.nat(63), fc.nat(24)).map(([from, length]) => [from, Math.min(64, from + length)] as const)
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 8 }), ranges => {
      const whole = Uint8Array.from({ length: 64 }, (_, i) => i)
      const made = image()
      const before = made.offsetOf(made.place(LocalBlock.allocate(5)))
      assert.is(before, 0)
      const numbers = ranges.map(([from, to]) => made.place(new LocalBlock(whole.subarray(from, to))))
      // neighbours that overlap lie as they do in the buffer
      for (const [i, [from, to]] of ranges.entries())
        for (const [j, [start, end]] of ranges.entries())
          if (from < end && start < to) assert.is(made.offsetOf(numbers[i]) - made.offsetOf(numbers[j]), from - start)
      const there = trip(made, there => {
        for (const [i, [from, to]] of ranges.entries())
          for (let at = from; at < to; at++) there[made.offsetOf(numbers[i]) + at - from] = 100 + at
      })
      assert.is(there.length, made.size)
      for (let at = 0; at < 64; at++)
        assert.is(whole[at], ranges.some(([from, to]) => at >= from && at < to) ? 100 + at : at)
    }),
  )
})

test('an empty view at the end of another belongs to it; a constant of the same bytes is a piece of its own', () => {
  const whole = new Uint8Array(64)
  const made = image()
  const at = made.offsetOf(made.place(new LocalBlock(whole.subarray(8, 40))))
  assert.is(made.offsetOf(made.place(new LocalBlock(whole.subarray(40, 40)))), at + 32)
  assert.is(made.size, 32)
  made.place(new LocalBlock(whole.subarray(8, 24), false))
  assert.is(made.size, 48)
})

test('a type that says so is aligned to more than 16 bytes', () => {
  const made = image()
  made.place(LocalBlock.allocate(5))
  const block = LocalBlock.allocate(64)
  block.shape = { alignment: 64, [POINTERS]: [] }
  assert.is(made.offsetOf(made.place(block)), 64)
  assert.is(made.alignment, 64)
  const joined = Buffer.concat(made.views())
  assert.is(joined.length, made.size)
  assert.is(
    made.viewsBack().reduce((sum, view) => sum + view.length, 0),
    made.size,
  )
})

test('a pointer that led nowhere, to a callback or out of here leads where the routine let it', () => {
  const [a, b] = [LocalBlock.allocate(16), LocalBlock.allocate(16)]
  const owner = LocalBlock.allocate(40)
  owner.shape = { alignment: 8, [POINTERS]: [0, 8, 16, 24] }
  owner.refs = new Map<number, Target | CallbackTarget>([
    [8, { thunk: () => 0x1_4000_0010 }],
    [16, { block: new RemoteRange(memory, 0x7000_0000n, 64), offset: 0 }],
    [24, { block: a, offset: 0 }],
  ])
  const made = image()
  const at = made.offsetOf(made.place(owner))
  const toA = made.offsetOf(made.place(a))
  const toB = made.offsetOf(made.place(b))
  trip(made, there => {
    put(there, at, BASE + toB)
    put(there, at + 8, BASE + toB + 4)
    put(there, at + 16, 0x7000_0008)
    put(there, at + 24, BASE + toA + 16) // the end of a, and not yet b
    put(there, at + 32, BASE + toB) // a number, as far as the type tells
  })
  assert.equal(owner.refs.get(0), { block: b, offset: 0 })
  assert.equal(owner.refs.get(8), { block: b, offset: 4 })
  assert.not(owner.refs.has(16))
  assert.is(pointer(owner, 16), 0x7000_0008)
  assert.is((owner.refs.get(24) as Target).block, a)
  assert.is((owner.refs.get(24) as Target).offset, 16)
  assert.not(owner.refs.has(32))
})

test('pointers between blocks are relocated, each to its block and offset', () => {
  const target = fc.record({ block: fc.nat(7), cell: fc.nat(3), inside: fc.nat(31) })
  fc.assert(
    fc.property(
      fc.array(fc.record({ from: fc.nat(7), to: target })),
      fc.nat(2 ** 47 - 4096),
      fc.constantFrom(4, 8),
      (links, base, pointerSize) => {
        const start = pointerSize === 4 ? base % (2 ** 32 - 4096) : base
        const blocks = Array.from({ length: 8 }, (_, i) => linked(32 + i, []))
        const wanted = new Map<string, [from: number, at: number, to: number, inside: number]>()
        for (const { from, to } of links) {
          blocks[from].refs?.set(8 * to.cell, { block: blocks[to.block], offset: to.inside })
          wanted.set(`${from} ${to.cell}`, [from, 8 * to.cell, to.block, to.inside])
        }
        const made = image(pointerSize)
        const places = blocks.map(block => made.place(block))
        assert.is(made.blocks.length, 8)
        for (const number of places) assert.is(made.offsetOf(number) % 16, 0)
        made.relocate(start)
        for (const [from, at, to, inside] of wanted.values()) {
          const address = pointerSize === 8 ? pointer(blocks[from], at) : Number(blocks[from].whole.getUint32(at, true))
          assert.is(address, start + made.offsetOf(places[to]) + inside)
        }
      },
    ),
  )
})

test('what was written, joined, is the image', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 12 }), parts => {
      const made = image()
      const numbers = parts.map(bytes => made.place(new LocalBlock(bytes)))
      const places = numbers.map(number => made.offsetOf(number))
      const joined = Buffer.concat(made.views())
      const copied = new Uint8Array(made.size)
      made.copyTo(copied, 0)
      assert.is(joined.length, made.size)
      assert.ok(joined.equals(copied))
      parts.forEach((bytes, i) => {
        assert.ok(Buffer.from(bytes).equals(joined.subarray(places[i], places[i] + bytes.length)))
      })
      const back = made.viewsBack()
      assert.equal(
        back.map(view => view.length),
        made.views().map(view => view.length),
      )
    }),
  )
})

test('a list that ends in itself', () => {
  const nodes = Array.from({ length: 1000 }, () => linked(16, []))
  nodes.forEach((node, i) => {
    node.refs?.set(8, { block: nodes[(i + 1) % nodes.length], offset: 0 })
  })
  const made = image()
  assert.is(made.place(nodes[0]), 0)
  assert.is(made.blocks.length, 1000)
  trip(made)
  nodes.forEach((node, i) => {
    assert.is(pointer(node, 8), BASE + 32 * ((i + 1) % 1000))
    assert.is(node.origin, memory)
    assert.is(node.refs?.get(8)?.['block' as never], nodes[(i + 1) % 1000])
  })
})

test('a block that points to itself', () => {
  const block = LocalBlock.allocate(24)
  block.refs = new Map([[16, { block, offset: 8 }]])
  const made = image()
  made.place(block)
  made.relocate(BASE)
  assert.is(pointer(block, 16), BASE + 8)
})

test('after the call a pointer leads where the routine let it: same, elsewhere inside, outside, nowhere', () => {
  const [a, b] = [LocalBlock.allocate(16), LocalBlock.allocate(48)]
  const cells = [0, 8, 16, 24].map(at => [at, { block: a, offset: 4 }] as const)
  const owner = linked(32, cells)
  const made = image()
  const at = made.offsetOf(made.place(owner))
  const inB = made.offsetOf(made.place(b))
  trip(made, there => {
    put(there, at + 8, BASE + inB + 40)
    put(there, at + 16, 0x1234_5678)
    put(there, at + 24, 0)
    there[inB + 40] = 77
  })
  assert.is(owner.refs?.get(0), cells[0][1])
  assert.equal(owner.refs?.get(8), { block: b, offset: 40 })
  const changed = owner.refs?.get(8) as Target | undefined
  assert.is(changed?.block, b)
  assert.not(owner.refs?.has(16))
  assert.not(owner.refs?.has(24))
  assert.is(pointer(owner, 16), 0x1234_5678)
  assert.is(pointer(owner, 24), 0)
  assert.is(b.bytes[40], 77)
  // and so it goes out again
  const again = image()
  again.place(owner)
  again.relocate(BASE)
  assert.is(pointer(owner, 8), BASE + again.offsetOf(again.place(b)) + 40)
  assert.is(pointer(owner, 16), 0x1234_5678)
})

test('a constant is neither changed nor settled', () => {
  const target = LocalBlock.allocate(8)
  const owner = new LocalBlock(new Uint8Array(8), false)
  const ref = { block: target, offset: 0 }
  owner.refs = new Map([[0, ref]])
  const made = image()
  const at = made.offsetOf(made.place(owner))
  trip(made, there => put(there, at, 99))
  assert.is(owner.refs.get(0), ref)
  assert.is(pointer(owner, 0), BASE + made.offsetOf(made.place(target)))
})

test('changes reach the memory that a block stands for', () => {
  const given = Uint8Array.of(1, 2, 3)
  const block = new CharactersBlock(given, 1)
  given[2] = 4
  const made = image()
  made.place(block)
  trip(made, there => {
    assert.equal([...there.subarray(0, 4)], [1, 2, 4, 0])
    // the program's own code has run meanwhile
    given[0] = 5
    there.fill(9, 1, 8)
  })
  assert.equal([...given], [5, 9, 9])
})

test('pointers to the other side keep their address; another session’s are refused', () => {
  const owner = linked(8, [[0, { block: new RemoteRange(memory, 0x7000_0000n, 64), offset: 12 }]])
  const made = image()
  made.place(owner)
  trip(made)
  assert.is(pointer(owner, 0), 0x7000_000c)
  const other = { ...memory, sessionId: 'other' }
  assert.throws(() => image().place(linked(8, [[0, { block: new RemoteRange(other, 64n, 8), offset: 0 }]])))
})

test('a pointer may have any 64 bits: nothing is rounded, and a change of the last one is seen', () => {
  const [kept, changed] = [0x8000_0000_0000_0001n, 0x00ff_ffff_ffff_fff1n]
  const at = (address: bigint): Target => ({ block: new RemoteRange(memory, address), offset: 0 })
  const owner = linked(16, [
    [0, at(kept)],
    [8, at(changed)],
  ])
  const made = image()
  made.place(owner)
  trip(made, there => {
    const view = new DataView(there.buffer, there.byteOffset)
    assert.is(view.getBigUint64(0, true), kept)
    assert.is(view.getBigUint64(8, true), changed)
    view.setBigUint64(8, changed + 1n, true)
  })
  assert.equal(owner.refs?.get(0), at(kept))
  assert.is(owner.refs?.get(8), undefined)
  assert.is(owner.whole.getBigUint64(8, true), changed + 1n)
})

test('callbacks: the thunk’s address, or put down until there is one', () => {
  const [ready, waiting] = [{ thunk: () => 0x1_4000_0010 }, { thunk: () => undefined }]
  const owner = LocalBlock.allocate(16)
  owner.refs = new Map<number, CallbackTarget>([
    [0, ready],
    [8, waiting],
  ])
  const made = image()
  made.place(owner)
  assert.is(pointer(owner, 0), 0x1_4000_0010)
  assert.equal(made.callbacks, [waiting])
})

test('blocks of 2 GiB and more keep the places right', () => {
  class Huge extends LocalBlock {
    override get size(): number {
      return 2 ** 31 + 1
    }
  }
  const made = image()
  made.place(new Huge(new Uint8Array(1)))
  assert.is(made.offsetOf(made.place(LocalBlock.allocate(8))), 2 ** 31 + 16)
})

test.run()
