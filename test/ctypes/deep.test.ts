/** Types and values that hold each other without end: one clear error where they are made or laid out, never the end of the stack. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as ct from '../../src/ctypes/index.js'
import { types } from '../../src/ctypes/types.js'
import { ArgumentError } from '../../src/errors.js'

const LEVELS = 20_000
/** Of structures, whose classes take longer to make. */
const STRUCTURES = 3000
const { sizeof } = types('win64')

/** Does to a type what has to be done so often. */
function wrapped(wrap: (type: ct.CType) => ct.CType, levels = LEVELS, type: ct.CType = ct.c_int): ct.CType {
  for (let i = 0; i < levels; i++) type = wrap(type)
  return type
}
const tooDeep = (make: () => unknown) =>
  assert.throws(make, (error: Error) => error instanceof ArgumentError && /is nested too deeply/.test(error.message))
const around = (type: ct.CType) => ct.Structure({ inner: type }) as unknown as ct.CType

test('arrays, pointers and function pointers are refused where they are made', () => {
  tooDeep(() => wrapped(type => type.array(1) as unknown as ct.CType))
  tooDeep(() => wrapped(type => ct.POINTER(type) as unknown as ct.CType))
  tooDeep(() => wrapped(type => ct.POINTER(type.array(2)) as unknown as ct.CType))
  tooDeep(() => wrapped(type => ct.CFUNCTYPE(type) as unknown as ct.CType))
  tooDeep(() => wrapped(type => ct.WINFUNCTYPE(null, type) as unknown as ct.CType))
})

test('structures are refused where they are laid out, in whichever order', () => {
  const deep = wrapped(around, STRUCTURES)
  tooDeep(() => sizeof(deep as never))
  tooDeep(() => new (deep as unknown as new () => object)())
  tooDeep(() =>
    wrapped(type => {
      const made = around(type)
      sizeof(made as never)
      return made
    }),
  )
  const all = Array.from({ length: STRUCTURES }, () => ct.Structure({}))
  all.forEach((type, i) => {
    type.define({ inner: all[i + 1] ?? ct.c_int })
  })
  tooDeep(() => all[0].size)
  tooDeep(
    () => wrapped(type => around(wrapped(inner => inner.array(1) as unknown as ct.CType, 3, type)), STRUCTURES).size,
  )
})

test('what a C program may hold is held', () => {
  const deep = wrapped(around, 200)
  assert.is(deep.size, 4)
  const value = Array.from({ length: 200 }).reduce<unknown>(inner => ({ inner }), 7)
  let shown: unknown = new (deep as unknown as new (value: unknown) => object)(value)
  for (let i = 0; i < 200; i++) shown = (shown as { inner: unknown }).inner
  assert.is(shown, 7)
  const cube = wrapped(type => type.array(1) as unknown as ct.CType, 200)
  assert.is(cube.name, `c_int${'[1]'.repeat(200)}`)
  assert.is(wrapped(type => ct.POINTER(type) as unknown as ct.CType, 200).size, 8)
})

test('a pointer ends a level: lists of structures may be declared as long as one likes', () => {
  const last = wrapped(type => ct.Structure({ next: ct.POINTER(type) }) as unknown as ct.CType, STRUCTURES)
  assert.is(sizeof(last as never), 8)
})

test('what doubles at each level is refused before it fills memory', () => {
  tooDeep(() => wrapped(type => ct.CFUNCTYPE(type, type, type) as unknown as ct.CType, 40))
  const pointers = /holds \d+ pointers, and at most/
  const fails = (make: () => unknown) =>
    assert.throws(make, (error: Error) => error instanceof ArgumentError && pointers.test(error.message))
  fails(() => sizeof(ct.Structure({ many: ct.c_char_p.array(0x7ff_ffff) })))
})

test('values that are nested without end are refused', () => {
  const nested = Array.from({ length: LEVELS }).reduce<unknown>(inner => [inner], 1)
  const types = [
    ct.c_int,
    ct.c_int.array(2),
    ct.c_int.array(2).array(2),
    ct.POINTER(ct.c_int),
    ct.Structure({ x: ct.c_int }),
  ]
  for (const type of types)
    assert.throws(
      () => new (type as unknown as new (value: unknown) => object)(nested),
      (error: Error) => error instanceof ArgumentError,
    )
})

test.run()
