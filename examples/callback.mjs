// JS functions that a DLL calls. From a clone, after `npm run first-call`: node examples/callback.mjs
import { fileURLToPath } from 'node:url'
import { CFUNCTYPE, CtypesSession, c_double, c_int, c_size_t, POINTER } from 'zugbruecke'

const session = await CtypesSession.start()
const demo = await session.cdll.LoadLibrary(fileURLToPath(new URL('build/demo.dll', import.meta.url)))

// A function where a callback is declared is one for the time of the call.
const Compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
const sort = demo.func('sort', [POINTER(c_int), c_size_t, Compare], null)
const numbers = new Int32Array([5, -3, 9, 0, -8])
let comparisons = 0
await sort(numbers, numbers.length, (a, b) => {
  comparisons++
  return Math.abs(a.contents.value) - Math.abs(b.contents.value)
})
console.log('sorted by size', numbers, comparisons > 3)

// It may call the DLL again, to any depth, and it may be async.
const add = demo.func('add', [c_int, c_int], c_int)
const f = CFUNCTYPE(c_double, c_double)
const findZero = demo.func('find_zero', [f, c_double, c_double], c_double)
console.log('zero', (await findZero(async x => (await add(-3, 0)) + x, 0, 10)).toFixed(6))

// What it throws is what the call fails with, and the session lives.
try {
  await findZero(
    () => {
      throw new RangeError('not this one')
    },
    0,
    1,
  )
} catch (error) {
  console.log('caught', error instanceof RangeError, error.message, session.up)
}

await session.terminate()
