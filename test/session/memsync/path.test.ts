/** Where the paths of directives lead, through arguments of JS and memory of a Windows process. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RemoteRange } from '../../../src/ctypes/block.js'
import { BLOCK, type CData, type CType } from '../../../src/ctypes/data.js'
import * as ct from '../../../src/ctypes/index.js'
import type { MemsyncPath } from '../../../src/ctypes/memsync.js'
import { ArgumentError } from '../../../src/errors.js'
import { asLength, endOf, follow, found, lengthAt, type Origin, spotOf } from '../../../src/session/memsync/path.js'
import { throws } from '../../expect.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('paths of memsync')
class Inner extends ct.Structure({ count: ct.c_ushort, low: ct.bits(ct.c_int, 3), list: ct.c_int.array(4) }) {}
class Outer extends ct.Structure({ inner: Inner, next: ct.POINTER(Inner), raw: ct.c_void_p, text: ct.c_char_p }) {}

const windows = windowsMemory()
const { memory } = windows

/** Arguments with their declared types. */
function origin(...args: readonly (readonly [type: unknown, value: unknown])[]): Origin {
  return {
    arch: 'win64',
    memory,
    arguments: args.map(([type, value]) => spotOf(value, type as CType | undefined, 'win64', memory)),
    result: undefined,
  }
}
const at = (from: Origin, ...path: MemsyncPath) => found(follow(path, from))
const blockOf = (object: unknown) => (object as CData)[BLOCK]

test('fields and elements, through pointers by themselves or by -1', () => {
  const outer = new Outer({ inner: { count: 3, low: 2, list: [4, 5, 6, 7] } })
  outer.next = ct.pointer(new Inner({ count: 9 }))
  const from = origin([ct.POINTER(Outer), ct.byref(outer)], [Outer, outer], [ct.POINTER(Outer), ct.pointer(outer)])
  for (const argument of [0, 1, 2]) {
    assert.is(at(from, argument, 'inner', 'count'), 3)
    assert.is(at(from, argument, 'inner', 'low'), 2)
    assert.is(at(from, argument, 'inner', 'list', 2), 6)
    assert.is(at(from, argument, 'next', 'count'), 9)
    assert.is(at(from, argument, 'next', -1, 'count'), 9)
  }
  assert.is(at(from, 0, -1, 'inner', 'count'), 3)
})

test('plain values, lists and literals are gone through as they are', () => {
  const from = origin([ct.c_int, 5], [undefined, { n: [7, 8] }], [ct.c_longlong, 2n ** 40n])
  assert.is(at(from, 0), 5)
  assert.is(at(from, 1, 'n', 1), 8)
  assert.is(at(from, 2), 2 ** 40)
})

test('memory of the Windows process is read where it lies', () => {
  windows.view(0x11000, 64).setUint16(0, 12, true)
  const given = new RemoteRange(memory, 0x11000n)
  const from = origin([ct.POINTER(Inner), given])
  assert.is(at(from, 0, 'count'), 12)
  windows.view(0x12000, 8).setBigUint64(0, 0x11000n, true)
  const cell = origin([ct.POINTER(ct.POINTER(Inner)), new RemoteRange(memory, 0x12000n)])
  assert.is(at(cell, 0, -1, 'count'), 12)
})

test('NULL on the way, and what nobody has seen yet, is no error', () => {
  const outer = new Outer()
  const from = origin([ct.POINTER(Outer), null], [ct.POINTER(Outer), ct.byref(outer)])
  assert.is(follow([0, 'inner', 'count'], from), undefined)
  assert.is(follow([1, 'next', 'count'], from), undefined)
  assert.is(follow(['r', 'count'], from), undefined)
})

test('each pointer that lies in memory is told of, and may be led elsewhere', () => {
  const outer = new Outer()
  const other = new Inner({ count: 77 })
  outer.next = ct.pointer(new Inner({ count: 1 }))
  const from = origin([ct.POINTER(Outer), ct.byref(outer)])
  const told: string[] = []
  const spot = follow([0, 'next', 'count'], from, (segment, cell, _place, pointee, count) => {
    told.push(`${segment} at ${cell.offset} of ${cell.block.size}: ${count} ${pointee.name}`)
    return { block: blockOf(other), offset: 0 }
  })
  assert.is(found(spot), 77)
  const offset = (Outer as unknown as { fields: { next: { offset: number } } }).fields.next.offset
  assert.equal(told, [`2.0 at ${offset} of ${ct.sizeof(Outer)}: 1 Inner`])
})

test('what leads nowhere says why', () => {
  const outer = new Outer()
  const short = ct.c_int.array(2).from([1, 2])
  const from = origin(
    [ct.POINTER(Outer), ct.byref(outer)],
    [ct.c_int, 5],
    [ct.c_void_p, ct.byref(outer)],
    [ct.POINTER(ct.c_int), short],
  )
  const fails = (path: MemsyncPath, ...words: string[]) => throws(() => at(from, ...path), ArgumentError, ...words)
  fails([4], 'there is no argument 4, only 0 to 3')
  fails([0, 'cuont'], "Outer has no field 'cuont'; it has inner, next, raw, text")
  fails([0, 'inner', 'list', 4], 'has no element 4')
  fails([0, 'inner', 0], '0 goes through a pointer, and a Inner is none')
  fails([1, 0], '0 goes through a pointer, and number 5 is none')
  fails([1, 'x'], "number 5 has no field 'x'")
  fails([3, 2], 'it leaves the 8 bytes that a pointer on its way leads to')
})

test('the pointer at the end: where it lies, and where it leads', () => {
  const outer = new Outer()
  const target = new Inner()
  outer.next = ct.pointer(target)
  const from = origin([ct.POINTER(Outer), ct.byref(outer)], [ct.c_char_p, new Uint8Array(5)], [ct.c_int, 5])
  const end = (...path: MemsyncPath) => {
    const spot = follow(path, from)
    return spot && endOf(spot, 'win64')
  }
  assert.is(end(0, 'next')?.place?.block, blockOf(target))
  assert.is(end(0, 'next')?.cell?.block, blockOf(outer))
  assert.is(end(0, 'raw')?.place, null)
  assert.is(end(0)?.cell, undefined)
  assert.is(end(0)?.place?.block, blockOf(outer))
  // text gets its zero when it is passed
  assert.is(end(1)?.text, true)
  // an array in a structure is no pointer, and neither is a number
  assert.is(end(0, 'inner', 'list'), undefined)
  assert.is(end(2), undefined)
  throws(() => end(0, 'inner'), ArgumentError, 'it leads to a Inner, which is no pointer')
})

test('a length is a whole number, behind however many pointers', () => {
  const count = ct.pointer(new ct.c_int(6))
  const from = origin([ct.POINTER(ct.POINTER(ct.c_int)), ct.byref(count)], [ct.POINTER(ct.c_int), null], [ct.c_int, -1])
  assert.is(lengthAt(follow([0], from)), 6)
  assert.is(lengthAt(follow([1], from)), undefined)
  throws(() => lengthAt(follow([2], from)), ArgumentError, 'a length is a whole number from 0, not number -1')
  for (const good of [0, 5, 5n, new ct.c_int(5)]) assert.ok(asLength(good) >= 0)
  for (const bad of [1.5, -1n, Number.NaN, '5', null, 2n ** 60n])
    throws(() => asLength(bad), ArgumentError, 'whole number')
})

test.run()
