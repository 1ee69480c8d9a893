/** One directive of memsync: how long its memory is, and which directive an error is about. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RemoteRange } from '../../../src/ctypes/block.js'
import { BLOCK, type CData, type CType } from '../../../src/ctypes/data.js'
import * as ct from '../../../src/ctypes/index.js'
import { checkMemsync, type Directive, type Memsync } from '../../../src/ctypes/memsync.js'
import { readCell } from '../../../src/ctypes/reference.js'
import { ArgumentError, MemoryAccessError } from '../../../src/errors.js'
import { Copies } from '../../../src/session/memsync/copies.js'
import { copyOf, inDirective, isWide, lengthOf, pointerTo } from '../../../src/session/memsync/directive.js'
import { type Origin, spotOf } from '../../../src/session/memsync/path.js'
import { throws } from '../../expect.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('directives of memsync')
const windows = windowsMemory()
const { memory } = windows
const directive = (given: Memsync) => checkMemsync('work', [given])[0] as Directive
const origin = (...args: readonly unknown[]): Origin => ({
  arch: 'win64',
  memory,
  arguments: args.map(value => spotOf(value, undefined, 'win64', memory)),
  result: undefined,
})
const length = (given: Memsync, isAfter: boolean, ...args: readonly unknown[]) =>
  lengthOf('work', directive(given), origin(...args), isAfter)

test('a length is found, or made of what is found', () => {
  assert.is(length({ pointer: [0], length: [1] }, false, null, 7), 7)
  const area = { pointer: [0], length: [[1], [2]], func: (a: number, b: number) => a * b }
  assert.is(length(area, false, null, 3, 4), 12)
  assert.is(length({ pointer: [0], func: () => 5n, length: [] }, false, null), 5)
})

test('what is known after the call alone is no length before it', () => {
  const behind = { pointer: [0], length: [1, -1] }
  assert.is(length(behind, false, null, new (ct.POINTER(ct.c_int))()), undefined)
  throws(
    () => length(behind, true, null, new (ct.POINTER(ct.c_int))()),
    ArgumentError,
    'directive 1',
    'length [1, -1]',
    'NULL',
  )
  assert.is(length({ pointer: [0], length: ['r'] }, false, null), undefined)
})

test('an error says which directive it is about, once, and one of the user’s own is left as it is', () => {
  const error = throws(
    () => length({ pointer: [0], length: [1] }, true, null, 'many'),
    ArgumentError,
    "work: memsync directive 1, length [1]: a length is a whole number from 0, not string 'many'",
  )
  const again = throws(
    () =>
      inDirective('work', directive({ pointer: [0], length: [1] }), 'pointer', [0], () => {
        throw error
      }),
    ArgumentError,
  )
  assert.is(again.message.split('memsync directive').length, 2)
  throws(
    () =>
      length(
        {
          pointer: [0],
          length: [[1]],
          func: () => {
            throw new RangeError('of the user’s')
          },
        },
        true,
        null,
        1,
      ),
    RangeError,
    /^of the user’s$/,
  )
  throws(
    () => length({ pointer: [0], length: [[1]], func: () => -3 }, true, null, 1),
    ArgumentError,
    'directive 1, func: ',
  )
})

test('a copy is as long as the directive says, or as its text', () => {
  windows.put(0x11000, [...Buffer.from('grün\0 and more')])
  const end = { place: { block: new RemoteRange(memory, 0x11000n), offset: 0 }, pointee: ct.c_char as unknown as CType }
  const size = (given: Memsync, ...args: readonly unknown[]) => {
    const copies = new Copies(memory, 8, false)
    return copyOf('work', directive(given), end, origin(...args), copies).block.size
  }
  assert.is(size({ pointer: [0], null: true }), 6)
  assert.is(size({ pointer: [0], length: [1] }, null, 9), 9)
  assert.is(size({ pointer: [0], length: [1], type: 'c_int' }, null, 3), 12)
  throws(() => size({ pointer: [0], length: [1] }, null, 1e6), MemoryAccessError)
})

test('a text is wide where the directive or the type says so', () => {
  const text = directive({ pointer: [0], null: true })
  assert.is(isWide(text, ct.c_wchar as unknown as CType), true)
  assert.is(isWide(text, ct.c_char as unknown as CType), false)
  assert.is(isWide(directive({ pointer: [0], null: true, unic: true }), undefined), true)
})

test('a number becomes a pointer to elements, or to characters', () => {
  const target = { block: new RemoteRange(memory, 0x11000n), offset: 0 }
  for (const [given, name] of [
    [{ pointer: ['r'], length: [0], type: ct.c_double }, 'c_double'],
    [{ pointer: ['r'], null: true }, 'c_char'],
    [{ pointer: ['r'], null: true, unic: true }, 'c_wchar'],
  ] as const) {
    const made = pointerTo(directive(given as unknown as Memsync), target, 'win64') as CData
    assert.is((made.constructor as unknown as { pointee: CType }).pointee.name, name)
    assert.is((readCell(made[BLOCK], 0, 8) as { block: object }).block, target.block)
  }
})

test.run()
