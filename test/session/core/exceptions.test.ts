import * as assert from 'uvu/assert'
import { AccessViolationError, c_int, c_uint, c_ulonglong, type Library, StructuredExceptionError } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('faults that a session survives')
let faults: Library
test.before(async ({ session }) => {
  faults = await session.cdll.LoadLibrary(dll('faults'))
})
test.after.each(async () => {
  assert.is(await faults.add(1, 2), 3)
})

test('a bad address read', async () => {
  const read = faults.func('read_at', [c_ulonglong], c_int)
  const error = (await rejects(read(16), AccessViolationError, 'read_at', '0x10')) as AccessViolationError
  assert.is(error.exceptionCode, 0xc0000005)
  assert.is(error.address, 16n)
  assert.match(error.routine ?? '', /read_at$/)
  assert.is(error.code, 'ERR_ZUGBRUECKE_ACCESS_VIOLATION')
  throws(() => read.sync(32), AccessViolationError, '0x20')
})

test('a bad address written', async () => {
  const write = faults.func('write_at', [c_ulonglong], c_int)
  await rejects(write(0), AccessViolationError, 'write_at')
  await rejects(write(0x7fff_0000_1234), AccessViolationError, 'write_at')
})

test('an integer divided by zero', async () => {
  const divide = faults.func('divide', [c_int, c_int], c_int)
  assert.is(await divide(7, 2), 3)
  const error = (await rejects(divide(1, 0), StructuredExceptionError, 'divide', 'zero')) as StructuredExceptionError
  assert.is(error.exceptionCode, 0xc0000094)
  assert.not.instance(error, AccessViolationError)
  throws(() => divide.sync(1, 0), StructuredExceptionError)
})

test('a stack that overflows, three times', async () => {
  const overflow = faults.func('overflow', [c_int], c_int)
  for (let i = 0; i < 3; i++) {
    const error = (await rejects(overflow(0), StructuredExceptionError, 'overflow')) as StructuredExceptionError
    assert.is(error.exceptionCode, 0xc00000fd)
  }
})

test('calls around a fault are not touched', async () => {
  const read = faults.func('read_at', [c_ulonglong], c_int)
  const add = faults.func('add', [c_int, c_int], c_int)
  const results = await Promise.allSettled(Array.from({ length: 300 }, (_, i) => (i % 3 === 1 ? read(i) : add(i, 1))))
  results.forEach((result, i) => {
    if (i % 3 === 1) assert.instance((result as PromiseRejectedResult).reason, AccessViolationError)
    else assert.is((result as PromiseFulfilledResult<number>).value, i + 1)
  })
})

test('an exception of its own, as C++ raises them', async () => {
  const raise = faults.func('raise_exception', [c_uint], null)
  for (const code of [0xe06d7363, 0xe0000001]) {
    const error = (await rejects(raise(code), StructuredExceptionError)) as StructuredExceptionError
    assert.is(error.exceptionCode, code)
  }
})

test.run()
