/** Directives of a routine around one of its calls: what is looked at before, and what is copied behind it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePlan } from '../../../src/ctypes/compile-plan.js'
import { BLOCK, type CData, type CType } from '../../../src/ctypes/data.js'
import * as ct from '../../../src/ctypes/index.js'
import { checkMemsync, type Memsync } from '../../../src/ctypes/memsync.js'
import { ArgumentError } from '../../../src/errors.js'
import { DeclaredRoutine, type RoutineSource } from '../../../src/session/call/declared-routine.js'
import type { SessionCore } from '../../../src/session/core/core.js'
import { MemsyncCall, MemsyncPlan } from '../../../src/session/memsync/memsync.js'
import { throws } from '../../expect.js'
import { type WindowsMemory, windowsMemory } from '../windows-memory.js'

const test = suite('calls with memsync')
class List extends ct.Structure({ count: ct.c_int, items: ct.POINTER(ct.c_int) }) {}

interface Called extends WindowsMemory {
  readonly plan: MemsyncPlan
  readonly call: MemsyncCall
  /** What the call gives if the routine returns these bits. */
  result(bits: bigint): unknown
}

function prepare(
  argtypes: readonly unknown[],
  restype: unknown,
  directives: readonly Memsync[],
  args: readonly unknown[],
): Called {
  const windows = windowsMemory()
  const { memory } = windows
  const types = argtypes as never
  const core = { facts: { arch: 'win64', pointerSize: 8 }, memory, context: { memory } } as unknown as SessionCore
  const routine = { label: 'work', restype, isChecked: false } as unknown as RoutineSource
  const compiled = compilePlan('win64', 'work', types, restype as never)
  const declared = new DeclaredRoutine(routine, core, compiled, { number: 1 } as never)
  const shape = {
    owner: 'work',
    arch: 'win64' as const,
    argtypes: types,
    open: false,
    restype: restype as CType | null,
  }
  const plan = new MemsyncPlan(checkMemsync('work', directives), shape)
  const call = new MemsyncCall(declared, plan, core, args)
  const bits = new DataView(new ArrayBuffer(8))
  const result = (value: bigint) => {
    bits.setBigUint64(0, value, true)
    return call.decode(bits, 0, args, undefined)
  }
  return { ...windows, plan, call, result }
}
/** As the routine leaves a pointer in memory that came back. */
function lead(windows: WindowsMemory, object: unknown, at: number, address: bigint): void {
  const block = (object as CData)[BLOCK]
  block.view(0, block.size).setBigUint64(at, address, true)
  Object.assign(block, { origin: windows.memory })
}
const ints = ({ view }: WindowsMemory, at: number, ...values: readonly number[]) => {
  for (const [i, value] of values.entries()) view(at, 4 * values.length).setInt32(4 * i, value, true)
}
const sized = [{ pointer: [0], length: [1], type: ct.c_int }]

test('memory of JS must be as long as its directive says', () => {
  const types = [ct.POINTER(ct.c_int), ct.c_int]
  const verify = (...args: readonly unknown[]) => prepare(types, null, sized, args).call.verify()
  verify(new Int32Array(3), 3)
  verify(null, 100)
  throws(
    () => verify(new Int32Array(3), 4),
    ArgumentError,
    'work: memsync directive 1, pointer [0]: it leads to 12 bytes, and 4 elements of c_int are 16',
  )
  const text = (bytes: Uint8Array) =>
    prepare([ct.POINTER(ct.c_char)], null, [{ pointer: [0], null: true }], [bytes]).call.verify()
  text(Uint8Array.of(1, 2, 0))
  throws(() => text(Uint8Array.of(1, 2, 3)), ArgumentError, 'there is no zero in the 3 bytes')
})

test('a length is what it was when the call was made', () => {
  const length = new ct.c_int(2)
  const { call } = prepare([ct.POINTER(ct.c_int), ct.c_int], null, sized, [new Int32Array(3), length])
  length.value = 1000
  call.verify()
})

test('custom makes what is passed, wherever out parameters stand before it', () => {
  const custom = (value: unknown) => Int32Array.of(Number(value))
  const given = { pointer: [1], length: [2], type: ct.c_int, custom }
  const { plan } = prepare([ct.out(ct.c_int), ct.POINTER(ct.c_int), ct.c_int], null, [given], [5, 1])
  assert.equal(plan.convert([5, 1]), [Int32Array.of(5), 1])
})

test('a pointer that the routine wrote into a structure leads to a copy, one that the caller put there stays', () => {
  const directives = [{ pointer: [0, 'items'], length: [0, 'count'], type: ct.c_int }]
  const list = new List({ count: 3 })
  const called = prepare([ct.POINTER(List)], null, directives, [ct.byref(list)])
  ints(called, 0x11000, 7, 8, 9)
  called.call.verify()
  lead(called, list, 8, 0x11000n)
  called.result(0n)
  ints(called, 0x11000, 0, 0, 0)
  assert.equal(
    [0, 1, 2].map(i => list.items?.at(i)),
    [7, 8, 9],
  )

  const kept = new List({ count: 3 })
  const again = prepare([ct.POINTER(List)], null, directives, [ct.byref(kept)])
  lead(again, kept, 8, 0x11000n)
  again.call.verify()
  again.result(0n)
  ints(again, 0x11000, 1, 2, 3)
  assert.is(kept.items?.at(2), 3)
})

test('the result: a pointer, an address, text of so many characters', () => {
  const of = (restype: unknown, given: Memsync, ...args: readonly unknown[]) =>
    prepare([ct.c_int], restype, [given], args)
  const pointer = of(ct.POINTER(ct.c_int), { pointer: ['r'], length: [0], type: ct.c_int }, 2)
  ints(pointer, 0x11000, 5, 6)
  const copy = pointer.result(0x11000n) as ct.Pointer<typeof ct.c_int>
  ints(pointer, 0x11000, 0, 0)
  assert.equal([copy.at(0), copy.at(1)], [5, 6])

  const address = of(ct.c_void_p, { pointer: ['r'], length: [0], type: ct.c_short }, 1)
  address.view(0x11000, 2).setInt16(0, -3, true)
  assert.is((address.result(0x11000n) as ct.Pointer<typeof ct.c_short>).at(0), -3)
  assert.is(address.result(0n), null)

  const text = of(ct.c_char_p, { pointer: ['r'], length: [0] }, 3)
  text.put(0x11000, [...Buffer.from('abcdef\0')])
  const taken = prepare([ct.c_int], ct.c_char_p, [{ pointer: ['r'], length: [0] }], [3])
  taken.put(0x11000, [...Buffer.from('abcdef\0')])
  const bits = new DataView(new ArrayBuffer(8))
  bits.setBigUint64(0, 0x11000n, true)
  assert.is(
    taken.call.decode(bits, 0, [3], undefined, undefined, () => Buffer.from('abcdef')),
    'abc',
  )
})

test('paths that lead nowhere are refused with their types', () => {
  throws(
    () => prepare([ct.c_int], null, [{ pointer: [0], null: true }], [1]),
    ArgumentError,
    'it leads to a c_int, which is no pointer',
  )
  throws(() => prepare([ct.c_int], null, [{ pointer: ['r'], null: true }], [1]), ArgumentError, 'there is no result')
})

test.run()
