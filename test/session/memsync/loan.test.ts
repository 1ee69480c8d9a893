/** Arguments of a callback whose pointers become local memory for as long as its function runs. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CallbackClass, DIRECTIVES } from '../../../src/ctypes/callback-type.js'
import { BLOCK, type CData } from '../../../src/ctypes/data.js'
import * as ct from '../../../src/ctypes/index.js'
import type { Memsync } from '../../../src/ctypes/memsync.js'
import { ArgumentError, MemoryAccessError } from '../../../src/errors.js'
import type { SessionCore } from '../../../src/session/core/core.js'
import { lend } from '../../../src/session/memsync/loan.js'
import { throws } from '../../expect.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('loans of memsync')
class List extends ct.Structure({ count: ct.c_int, items: ct.POINTER(ct.c_int) }) {}

/** What the function of a callback of this type is given, for arguments as a DLL gives them. */
function lent(types: readonly unknown[], directives: readonly Memsync[], write: (view: DataView) => unknown[]) {
  const windows = windowsMemory()
  const { memory } = windows
  const type = ct.CFUNCTYPE(ct.c_int, ...(types as [])) as unknown as CallbackClass & { memsync: unknown }
  type.memsync = directives
  const view = windows.view(0x10000, 0x10000)
  const args = write(view).map((value, i) => {
    // a pointer that a DLL gives lies in memory of JS and leads to the Windows process
    if (typeof value !== 'bigint' || types[i] === ct.c_void_p) return value
    const pointer = new (types[i] as new () => CData)()
    pointer[BLOCK].view(0, 8).setBigUint64(0, value, true)
    Object.assign(pointer[BLOCK], { origin: memory })
    return pointer
  })
  const core = { facts: { arch: 'win64', pointerSize: 8 }, memory } as unknown as SessionCore
  const loan = lend(type[DIRECTIVES] ?? [], type, args, core)
  return { ...windows, args, view, loan }
}
const ints = (view: DataView, at: number, ...values: number[]) => {
  for (const [i, value] of values.entries()) view.setInt32(at - 0x10000 + 4 * i, value, true)
}

test('an array as long as another argument says is read and written here, and goes back at the end', () => {
  const { args, view, loan, writes } = lent(
    [ct.POINTER(ct.c_int), ct.c_int],
    [{ pointer: [0], length: [1], type: ct.c_int }],
    memory => {
      ints(memory, 0x11000, 1, 2, 3)
      return [0x11000n, 3]
    },
  )
  const pointer = args[0] as ct.Pointer<typeof ct.c_int>
  assert.is(pointer.at(2), 3)
  ints(view, 0x11000, 9, 9, 9)
  assert.is(pointer.at(2), 3, 'it is a copy')
  pointer.set(1, 20)
  assert.equal(writes, [])
  loan.end()
  assert.equal(
    writes,
    [[0x11004, 4]].map(([at]) => [at, writes[0][1]]),
  )
  assert.is(view.getInt32(0x1004, true), 20)
})

test('a number that is an address becomes a pointer to elements', () => {
  const { args, view, loan } = lent(
    [ct.c_void_p, ct.c_int],
    [{ pointer: [0], length: [1], type: ct.c_short }],
    memory => {
      memory.setInt16(0x1002, 7, true)
      return [0x11000n, 2]
    },
  )
  const pointer = args[0] as ct.Pointer<typeof ct.c_short>
  assert.is(pointer.at(1), 7)
  pointer.set(0, 5)
  loan.end()
  assert.is(view.getInt16(0x1000, true), 5)
})

test('a pointer inside a structure that a pointer leads to', () => {
  const { args, view, loan } = lent(
    [ct.POINTER(List)],
    [{ pointer: [0, 'items'], length: [0, 'count'], type: ct.c_int }],
    memory => {
      ints(memory, 0x11000, 2)
      memory.setBigUint64(0x1008, 0x12000n, true)
      ints(memory, 0x12000, 4, 5)
      return [0x11000n]
    },
  )
  const list = (args[0] as ct.Pointer<typeof List>).contents
  assert.is(list.items?.at(1), 5)
  list.items?.set(0, 40)
  loan.end()
  assert.is(view.getInt32(0x2000, true), 40)
  // where the pointer leads in the Windows process has not changed
  assert.is(view.getBigUint64(0x1008, true), 0x12000n)
})

test('NULL stays NULL, and what cannot be copied is an error that names the directive', () => {
  const directives = [{ pointer: [0], length: [1], type: ct.c_int }]
  const { args, loan } = lent([ct.POINTER(ct.c_int), ct.c_int], directives, () => [0n, 3])
  assert.is((args[0] as CData)[BLOCK].view(0, 8).getBigUint64(0, true), 0n)
  loan.end()
  throws(
    () => lent([ct.POINTER(ct.c_int), ct.c_int], directives, () => [0x11000n, -1]),
    ArgumentError,
    'memsync directive 1',
  )
  throws(
    () => lent([ct.POINTER(ct.c_int), ct.c_int], directives, () => [0x99999n, 1]),
    MemoryAccessError,
    'directive 1, pointer [0]',
  )
})

test.run()
