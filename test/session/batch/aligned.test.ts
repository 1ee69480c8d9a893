/** Rows of structures that want to lie at more than 16 bytes, as what is loaded by wide instructions does. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { c_double, c_int, type Library } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, sessionSuite } from '../support.js'
import { arch, out, POINTER, Structure } from '../types.js'

const test = sessionSuite('rows that are aligned')
const SIZES = [32, 64, 256, 4096] as const
const path = makeDll(
  join(dirname(dll('numbers')), `aligned-${arch}.dll`),
  `#include <stdint.h>
#define API __declspec(dllexport)
${SIZES.map(
  size => `struct at${size} { double v[2]; } __attribute__((aligned(${size})));
API int off${size}(struct at${size} *p) { p->v[1] = 9; return (int)((uintptr_t)p & ${size - 1}); }
API int make${size}(double first, struct at${size} *p) { p->v[0] = first; return (int)((uintptr_t)p & ${size - 1}); }
`,
).join('')}`,
)
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(path)
})

for (const size of SIZES)
  test(`at multiples of ${size}`, async ({ session }) => {
    class Aligned extends Structure({ v: c_double.array(2) }, { align: size }) {}
    const rows = 20
    const off = lib.func(`off${size}`, [POINTER(Aligned)], c_int)
    const zeros = new Int32Array(rows)
    const own = new (Aligned.array(rows))()
    assert.equal(await off.batch([own]), zeros)
    const memory = new Uint8Array(rows * Aligned.size)
    assert.equal(await off.batch([Aligned.array(rows).from_buffer(memory)]), zeros)
    assert.equal(await off.batch([memory], { chunk: 3 }), zeros)
    assert.is(new Float64Array(memory.buffer)[1], 9)
    assert.equal(await off.batch([session.memory.array(Aligned, rows)]), zeros)
    const make = lib.func(`make${size}`, [c_double, out(Aligned)], c_int)
    const [offs, made] = await make.batch([Float64Array.from({ length: rows }, (_, row) => row)], { chunk: 3 })
    assert.equal(offs, zeros)
    assert.equal(
      made.map(({ v }) => v[0]),
      [...zeros.keys()],
    )
  })

test.run()
