import * as assert from 'uvu/assert'
import {
  AbortError,
  AccessViolationError,
  BatchError,
  CFUNCTYPE,
  CtypesSession,
  c_int,
  c_uint,
  HRESULT,
  type Library,
  POINTER,
  SessionCrashedError,
  SessionTerminatedError,
  type StructuredExceptionError,
  WindowsError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'

const test = sessionSuite('batches in which rows fail')
let faults: Library
let rows: Library
test.before(async ({ session }) => {
  faults = await session.cdll.LoadLibrary(dll('faults'))
  rows = await session.cdll.LoadLibrary(dll('rows'))
})
const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i)

test('every hundredth row touches a bad address: the others are there', async () => {
  const maybe = faults.func('maybe', [c_int, c_int], c_int)
  const all = count(10_000)
  const error = (await rejects(maybe.batch([all, 100]), BatchError, 'maybe', 'row 0', '10000')) as BatchError
  assert.is(error.errors.length, 100)
  error.errors.forEach(({ row, error: each }, i) => {
    assert.is(row, 100 * i)
    assert.instance(each, AccessViolationError)
    assert.is((each as AccessViolationError).exceptionCode, 0xc0000005)
    assert.is((each as AccessViolationError).address, 16n)
  })
  const results = error.results as Int32Array
  results.forEach((value, row) => assert.is(value, row % 100 ? 2 * row : 0))
  assert.is(error.cause, error.errors[0].error)
})

test('detail resolves with the same', async () => {
  const maybe = faults.func('maybe', [c_int, c_int], c_int)
  const { results, errors } = await maybe.batch([count(70_000), 1000], { detail: true })
  assert.is(errors.length, 70)
  errors.forEach(({ row }, i) => assert.is(row, 1000 * i))
  assert.is(results[69_999], 139_998)
})

test('every row fails', async () => {
  const { errors } = await faults.func('maybe', [c_int, c_int], c_int).batch([count(3000), 1], { detail: true })
  assert.is(errors.length, 3000)
})

test('divisions by zero in some rows', async () => {
  const divide = faults.func('divide', [c_int, c_int], c_int)
  const { results, errors } = await divide.batch([100, [1, 0, 5, 0]], { detail: true })
  assert.equal([...results], [100, 0, 20, 0])
  assert.equal(
    errors.map(({ row, error }) => [row, (error as StructuredExceptionError).exceptionCode]),
    [
      [1, 0xc0000094],
      [3, 0xc0000094],
    ],
  )
})

test('a signal stops it between chunks, and the session lives', async ({ session }) => {
  const add = rows.func('add', [c_int, c_int], c_int)
  const controller = new AbortController()
  const xs = count(3_000_000)
  let last = 0
  const stopped = add.batch([xs, 1], {
    signal: controller.signal,
    onProgress: done => {
      last = done
      if (done > 100_000) controller.abort(new RangeError('enough'))
    },
  })
  const behind = add(1, 2)
  const error = await rejects(stopped, AbortError, 'add', '3000000')
  assert.instance(error.cause, RangeError)
  assert.ok(last < xs.length)
  assert.is(await behind, 3)
  assert.is(session.up, true)
  await rejects(add.batch([xs, 1], { signal: AbortSignal.abort() }), AbortError)
  assert.equal([...(await add.batch([[1, 2], 1]))], [2, 3])
})

test('an exit in a row ends the session and names the row', async () => {
  const session = await CtypesSession.start({ stderr: false })
  try {
    const there = await session.cdll.LoadLibrary(dll('faults'))
    const codes = Array.from({ length: 100 }, (_, i) => i)
    const error = (await rejects(
      there.func('exit_with', [c_uint], null).batch([codes]),
      SessionCrashedError,
      'exit_with',
    )) as SessionCrashedError
    assert.is(error.row, 0)
    assert.is(error.exitCode, 0)
    await rejects(there.add(1, 2), SessionTerminatedError)
  } finally {
    await session.terminate()
  }
})

test('an error of a callback ends the batch', async ({ session }) => {
  const callbacks = session.CDLL(dll('callbacks'))
  const Unary = CFUNCTYPE(c_int, c_int)
  const callback = Unary(() => {
    throw new RangeError('in a row')
  })
  await callbacks.func('keep', [Unary], null)(callback)
  await rejects(callbacks.func('call_kept', [c_int], c_int).batch([count(10)]), RangeError, 'in a row')
  const doubling = Unary(value => 2 * value)
  await callbacks.func('keep', [Unary], null)(doubling)
  assert.equal([...(await callbacks.func('call_kept', [c_int], c_int).batch([count(5)]))], [0, 2, 4, 6, 8])
  callback.dispose()
  doubling.dispose()
})

test('memory lent to a batch belongs to it until it settles', async () => {
  const double = rows.func('double_it', [POINTER(c_int)], null)
  const values = new Int32Array(100_000).fill(1)
  await Promise.all([
    double.batch([values]),
    double.batch([values]),
    double(values.subarray(0, 1)),
    double.batch([values]),
  ])
  assert.is(values[0], 16)
  assert.ok(values.subarray(1).every(value => value === 8))
})

test('a missing routine', async () => {
  await rejects(rows.func('no_such', [c_int], c_int).batch([[1]]), Error, 'no_such')
})

test('an HRESULT that says so is a failed row, with oledll and wherever it is the type of the result', async ({
  session,
}) => {
  const E_FAIL = 0x80004005 | 0
  for (const status of [
    session.OleDLL(dll('numbers')).func('result_code', [c_int], HRESULT),
    session.CDLL(dll('numbers')).func('same_int32', [c_int], HRESULT),
  ]) {
    const error = await rejects(status.batch([[0, E_FAIL, 1]]), BatchError, 'row 1', '0x80004005')
    assert.equal(
      error.errors.map(({ row, error }) => [row, (error as WindowsError).winerror]),
      [[1, E_FAIL]],
    )
    assert.instance(error.errors[0].error, WindowsError)
    const { results, errors } = await status.batch([[E_FAIL, 0]], { detail: true })
    assert.equal([...results], [E_FAIL, 0])
    assert.is(errors.length, 1)
    assert.equal([...(await status.batch([[0, 1]]))], [0, 1])
  }
  const plain = session.OleDLL(dll('numbers')).func('result_code', [c_int], c_int)
  assert.equal([...(await plain.batch([[E_FAIL]]))], [E_FAIL])
})

test.run()
