/** A batch as it is asked for: what is refused before anything is sent, and what comes of the rows. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CType } from '../../../src/ctypes/data.js'
import { utf8 } from '../../../src/ctypes/encoding.js'
import * as ct from '../../../src/ctypes/index.js'
import { ArgumentError, BatchError, StructuredExceptionError } from '../../../src/errors.js'
import type { ColumnContext } from '../../../src/session/batch/column.js'
import { type BatchDetail, BatchPlan, type BatchRoutine, snapshotColumns } from '../../../src/session/batch/plan.js'
import { throws } from '../../expect.js'
import { windowsMemory } from '../windows-memory.js'

const test = suite('plan of a batch')
const { memory } = windowsMemory()
const context: ColumnContext = { facts: { arch: 'win64', pointerSize: 8 }, textEncoding: utf8, memory }
class Large extends ct.Structure({ a: ct.c_longlong, b: ct.c_longlong }) {}

function routine(argtypes: readonly unknown[], restype: unknown = ct.c_int, keepsLastError = false): BatchRoutine {
  return {
    label: 'work',
    argtypes: argtypes as BatchRoutine['argtypes'],
    restype: restype as CType | null,
    keepsLastError,
  }
}
const plan = (of: BatchRoutine, given: readonly unknown[], options: { [name: string]: unknown } = {}) =>
  new BatchPlan(of, given, options, context)
const add = routine([ct.c_int, ct.c_int])
const failure = (row: number) => ({
  row,
  error: new StructuredExceptionError(`row ${row}`, { routine: 'work', exceptionCode: 5 }),
})

test('as many columns as parameters that are given, as many rows in each', () => {
  throws(() => plan(add, [[1]]), ArgumentError, 'work takes 2 columns, 1 were given')
  throws(() => plan(add, 5 as never), ArgumentError, 'an array of columns')
  throws(() => plan(add, [[1, 2], [1]]), ArgumentError, 'column 2 has 1 rows, others have 2')
  throws(() => plan(add, [[1, 2], 3], { rows: 3 }), ArgumentError, 'column 1 has 2 rows, others have 3')
  throws(() => plan(add, [1, 2]), ArgumentError, 'say so with the option "rows"')
  assert.is(plan(add, [1, 2], { rows: 7 }).rows.total, 7)
  assert.is(plan(add, [[1, 2], 5]).rows.total, 2)
  assert.is(plan(routine([ct.c_int, ct.out(ct.c_int)]), [[1, 2, 3]]).rows.total, 3)
})

test('options that are none', () => {
  for (const options of [{ rows: -1 }, { chunk: 0 }, { signal: {} }, { onProgress: 5 }, { rwos: 2 }])
    throws(() => plan(add, [1, 2], options), ArgumentError, 'work.batch')
})

test('columns on the wire: what is given, memory for what comes back, and a hidden pointer before them', () => {
  const made = plan(routine([ct.c_int, ct.out(ct.c_double), ct.c_short], Large), [
    [1, 2],
    [3, 4],
  ])
  const kinds = () => made.columns(context).map(({ kind, stride }) => `${kind}${stride}`)
  assert.equal(kinds(), ['&16', 'i4', '&8', 'h2'])
  assert.is(made.results.kind, 'v')
  // another session lays them out anew
  assert.equal(kinds(), ['&16', 'i4', '&8', 'h2'])
})

test('memory of the caller’s is lent once, whatever looks at it', () => {
  const buffer = new ArrayBuffer(16)
  const array = ct.c_int.array(4).from([1, 2, 3, 4])
  const given = [new Int32Array(buffer), new DataView(buffer), array, [1, 2, 3, 4]]
  const types = [ct.c_int, ct.POINTER(ct.c_int), ct.POINTER(ct.c_int), ct.c_int]
  assert.is(plan(routine(types), given).buffers.length, 2)
})

test('one value for all rows is what it was when the batch was asked for, memory is not', () => {
  const value = new ct.c_int(1)
  const [taken, list] = snapshotColumns(add, [value, Int32Array.of(1)])
  value.value = 2
  assert.equal([...plan(add, [taken, list]).columns(context)[0].chunk(0, 1).bytes], [1, 0, 0, 0])
})

test('rows that are done are told, and told in sums', () => {
  const told: number[][] = []
  const made = plan(add, [[1, 2, 3, 4], 0], { onProgress: (done: number, total: number) => told.push([done, total]) })
  made.finished(3)
  made.finished(0)
  made.finished(1)
  assert.equal(told, [
    [3, 4],
    [4, 4],
  ])
})

test('the outcome: results, with columns of out parameters behind them', () => {
  const result = (argtypes: readonly unknown[], restype: unknown) =>
    plan(routine(argtypes, restype), [[1, 2]]).outcome()
  assert.equal(result([ct.c_int], ct.c_int), new Int32Array(2))
  assert.is(result([ct.c_int], null), undefined)
  assert.equal(result([ct.c_int, ct.out(ct.c_double)], null), new Float64Array(2))
  assert.equal(result([ct.c_int, ct.out(ct.c_double)], ct.c_int), [new Int32Array(2), new Float64Array(2)])
  const two = result([ct.c_int, ct.out(ct.c_double), ct.out(ct.c_short)], null)
  assert.equal(two, [new Float64Array(2), new Int16Array(2)])
})

test('a row that failed is an error with all that there is, or one of the detail', () => {
  const made = plan(add, [[1, 2, 3], 0])
  made.errors.push(failure(2), failure(1))
  const error = throws<BatchError>(() => made.outcome(), BatchError, 'work: row 1 failed (and 1 more of 3 rows): row 1')
  assert.equal(
    error.errors.map(({ row }) => row),
    [1, 2],
  )
  const detail = plan(routine([ct.c_int], ct.c_int, true), [[1, 2, 3]], { detail: true })
  detail.errors.push(failure(0))
  const { errors, lastErrors } = detail.outcome() as BatchDetail<unknown>
  assert.is(errors.length, 1)
  assert.equal(lastErrors, new Uint32Array(3))
})

test('an HRESULT below zero is a row that failed', () => {
  const made = plan(routine([ct.c_int], ct.HRESULT), [[1, 2]])
  const block = made.results.block(0, 2)
  block.whole.setInt32(4, 0x80004005 | 0, true)
  made.results.collect(block, 0, 2, memory, undefined)
  throws(() => made.outcome(), BatchError, 'row 1 failed', /80004005/i)
})

test.run()
