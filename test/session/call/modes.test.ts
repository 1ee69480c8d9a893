/** A routine that leaves the processor otherwise than it found it changes nothing for those that are called later. */
import * as assert from 'uvu/assert'
import { CFUNCTYPE, c_char_p, c_double, c_int, type Library } from 'zugbruecke'
import { dll, sessionSuite } from '../support.js'

const test = sessionSuite('what a routine leaves in the processor')
let unclean: Library
let numbers: Library

test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
  // changes modes as it is loaded
  unclean = await session.cdll.LoadLibrary(dll('unclean'))
})

const third = (v: number) => v / 3
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

test('the direction flag', async () => {
  const backwards = unclean.func('backwards', [c_int], c_int)
  const length = unclean.func('length', [c_char_p], c_int)
  const add = numbers.func('add', [c_int, c_int], c_int)
  const calls = upTo(300).map(i => [backwards(i), length('x'.repeat(i)), add(i, 1000)])
  for (const [i, [first, second, sum]] of calls.entries())
    assert.equal([await first, await second, await sum], [i, i, i + 1000])
  assert.equal([backwards.sync(1), length.sync('four'), add.sync(1, 2)], [1, 4, 3])
  assert.equal([...(await backwards.batch([Int32Array.from(upTo(500))]))], upTo(500))
  assert.is(await length('seven55'), 7)
})

test('how floating-point numbers are rounded, also by loading a library', async () => {
  const rounding = unclean.func('rounding', [c_double], c_double)
  const thirds = unclean.func('third', [c_double], c_double)
  const extended = unclean.func('third_x87', [c_double], c_double)
  const check = async () => {
    for (let i = -20; i < 20; i++) assert.equal([await thirds(i), await extended(i)], [third(i), third(i)])
  }
  await check()
  await rounding(1)
  await check()
  const rows = Float64Array.from(upTo(500), i => i - 250)
  assert.equal(await rounding.batch([rows]), rows)
  assert.equal([...(await thirds.batch([rows]))], [...rows].map(third))
  await check()
})

test('values left on the x87 stack', async () => {
  const fill = unclean.func('fill_x87', [], null)
  const extended = unclean.func('third_x87', [c_double], c_double)
  for (let i = 0; i < 20; i++) {
    await fill()
    assert.is(await extended(i), third(i))
  }
})

test('inside a callback', async () => {
  const backwards = unclean.func('backwards', [c_int], c_int)
  const within = unclean.func('backwards_in', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  assert.is(await within(v => backwards.sync(v) + unclean.func('length', [c_char_p], c_int).sync('abc'), 30), 37)
  assert.is(await within(async v => (await backwards(v)) + (await backwards(1)), 30), 35)
})

test.run()
