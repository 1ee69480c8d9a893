/** The types that arguments have where none is declared. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePlan } from '../../src/ctypes/compile-plan.js'
import * as ct from '../../src/ctypes/index.js'
import { textTypeBehind, typeOfUndeclared } from '../../src/ctypes/undeclared.js'
import { ArgumentError } from '../../src/errors.js'
import { throws } from '../expect.js'

const test = suite('undeclared arguments')
const typeOf = (value: unknown) => typeOfUndeclared(value, ct.c_wchar_p, true)

test('each kind of value has the type that it has in ctypes', () => {
  assert.is(typeOf(null), ct.c_void_p)
  assert.is(typeOf(5), ct.c_int)
  assert.is(typeOf(5n), ct.c_int)
  assert.is(typeOf('text'), ct.c_wchar_p)
  assert.is(typeOf(new Uint8Array(2)), ct.c_char_p)
  assert.is(typeOf(new ct.c_short(5)), ct.c_short)
  assert.is(typeOf({ address: 5n }), ct.c_void_p)
})

test('a float is passed as a double, as C does behind the declared parameters', () => {
  assert.is(typeOf(new ct.c_float(0.5)), ct.c_double)
  assert.is(typeOf(new ct.c_double(0.5)), ct.c_double)
})

test('an object may name what is passed for it, and that again', () => {
  assert.is(typeOf({ _as_parameter_: { _as_parameter_: new ct.c_short(5) } }), ct.c_short)
  const own: { _as_parameter_?: unknown } = {}
  own._as_parameter_ = own
  throws(() => typeOf(own), ArgumentError, 'has no type of its own')
})

test('what has no type says what to give instead', () => {
  throws(() => typeOf(0.5), ArgumentError, 'use new c_double(…) or declare argtypes')
  throws(() => typeOfUndeclared(0.5, undefined, false), ArgumentError, /use new c_double\(…\)$/)
  throws(() => typeOfUndeclared('text', undefined, false), ArgumentError, 'use new c_char_p(…) or new c_wchar_p(…)')
  throws(() => typeOf(true), ArgumentError, 'declare argtypes')
  throws(() => typeOfUndeclared(true, undefined, false), ArgumentError, 'give an object of ctypes')
})

test('text behind declared parameters is of the kind of the last text among them', () => {
  assert.is(textTypeBehind([]), undefined)
  assert.is(textTypeBehind([undefined, ct.c_int]), undefined)
  assert.is(textTypeBehind([ct.c_wchar, ct.c_char, ct.c_int]), ct.c_char_p)
  assert.is(textTypeBehind([ct.c_char, ct.c_wchar]), ct.c_wchar_p)
})

test('an argument whose type cannot be told is named, also where its own code throws', () => {
  const plan = compilePlan('win64', 'work', undefined, null)
  throws(() => plan.specialize([1, 0.5]), ArgumentError, 'work', 'argument 2')
  const broken = {
    get _as_parameter_(): unknown {
      throw new RangeError('not now')
    },
  }
  throws(() => plan.specialize([broken, 1]), ArgumentError, 'argument 1', 'not now')
  assert.is(plan.specialize([1, new ct.c_float(0.5), 'text']).signature, 'idp')
})

test.run()
