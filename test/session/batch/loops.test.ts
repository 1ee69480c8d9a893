/** The loops that know their columns: every shape, with columns that lie close and such that do not, where rows crash, in DLLs far from each other. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { AccessViolationError, type Library } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { sessionSuite } from '../support.js'

const test = sessionSuite('loops over rows')
const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-loops-'))
test.after(() => rmSync(folder, { recursive: true }))

const kinds = {
  i: {
    c: 'int32_t',
    make: (rows: number, n: number) => Int32Array.from({ length: rows }, (_, row) => (n + 1) * row - 3),
  },
  q: {
    c: 'int64_t',
    make: (rows: number, n: number) =>
      BigInt64Array.from({ length: rows }, (_, row) => BigInt((n + 1) * row - 3) << 20n),
  },
  d: {
    c: 'double',
    make: (rows: number, n: number) => Float64Array.from({ length: rows }, (_, row) => (n + 1) * row - 3.5),
  },
} as const
type Kind = keyof typeof kinds
const results = { i: 'int32_t', q: 'int64_t', d: 'double', v: 'void' } as const
const letters = ['a', 'b', 'c', 'd']
const ROWS = 3000
/** The first column has this value in the row that crashes. */
const CRASHES = 777
const shapes = (Object.keys(kinds) as Kind[]).flatMap(kind =>
  (Object.keys(results) as (keyof typeof results)[]).flatMap(result =>
    letters.map((_, last) => ({ kind, result, count: last + 1, name: `${kind}${result}${last + 1}` })),
  ),
)

function source(): string {
  const text = [
    '#include <stdint.h>',
    'static double seen;',
    'double noted(void) { double was = seen; seen = 0; return was; }',
  ]
  for (const { kind, result, count, name } of shapes) {
    const names = letters.slice(0, count)
    const type = kinds[kind].c
    text.push(
      `${results[result]} ${name}(${names.map(letter => `${type} ${letter}`).join(', ')}) {`,
      `  ${type} sum = ${names.map((letter, i) => `${i + 1} * ${letter}`).join(' + ')};`,
      `  if (a == (${type})${CRASHES}${kind === 'q' ? ' << 20' : kind === 'd' ? ' + 0.5' : ''}) *(volatile int *)16 = 1;`,
      result === 'v' ? '  seen += (double)sum;' : `  return (${results[result]})sum;`,
      '}',
    )
  }
  return text.join('\n')
}

// the second lies where no other module of a 64-bit process does; 32 bits know no such distance
const bases = { close: '0x66000000', far: process.env.ZUGBRUECKE_ARCH === 'win32' ? '0x69000000' : '0x5566000000' }

for (const [where, base] of Object.entries(bases)) {
  let library: Library
  test(`${where}: a DLL of all shapes`, async ({ session }) => {
    const path = join(folder, `loops-${where}.dll`)
    library = await session.cdll.LoadLibrary(
      makeDll(path, source(), [`-Wl,--image-base,${base}`, '-Wl,--export-all-symbols']),
    )
  })
  for (const { kind, result, count, name } of shapes)
    test(`${where}: ${count} of ${kind}, result ${result}`, async ({ session }) => {
      const parameters = letters.slice(0, count).map(letter => `${kinds[kind].c} ${letter}`)
      const routine = library.func(`${results[result]} ${name}(${parameters.join(', ')})`)
      const noted = library.func('double noted(void)')
      const columns = letters.slice(0, count).map((_, n) => kinds[kind].make(ROWS, n))
      // the same value for each row: its column has no distance from one to the next
      const same = columns.map((column, n) => (n === count - 1 && n > 0 ? column[5] : column))
      const bad = columns[0].findIndex(
        value => Number(value) === (kind === 'q' ? CRASHES << 20 : kind === 'd' ? CRASHES + 0.5 : CRASHES),
      )
      assert.is(bad > 0, true)
      const placed = columns.map(column => {
        const array = session.memory.array(column.constructor as Int32ArrayConstructor, ROWS)
        ;(array as { set(values: unknown): void }).set(column)
        return array
      })
      for (const given of [columns, same, placed]) {
        const wanted = Array.from({ length: ROWS }, (_, row) => {
          const values = given.map(column => Number(typeof column === 'object' ? column[row] : column))
          return values.reduce((sum, value, n) => sum + (n + 1) * value, 0)
        })
        const outcome = await routine.batch(given, { detail: true })
        assert.equal(
          outcome.errors.map(({ row, error }) => [row, error instanceof AccessViolationError]),
          [[bad, true]],
        )
        if (result === 'v') {
          const sum = wanted.reduce((all, value, row) => (row === bad ? all : all + value), 0)
          assert.is(await noted(), sum)
          continue
        }
        const all = outcome.results as ArrayLike<number | bigint>
        for (let row = 0; row < ROWS; row++) {
          const value =
            row === bad
              ? 0
              : result === 'i'
                ? Number(BigInt.asIntN(32, BigInt(Math.trunc(wanted[row]))))
                : result === 'q'
                  ? Math.trunc(wanted[row])
                  : wanted[row]
          if (Number(all[row]) !== value) assert.is(all[row], value, `row ${row}`)
        }
      }
    })
}
test.run()
