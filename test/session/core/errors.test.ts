/** What the Windows side says of a failure, as errors. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  DllNotFoundError,
  MemoryAccessError,
  RoutineNotFoundError,
  SessionStartError,
  WindowsError,
  WrongArchitectureError,
  ZugbrueckeError,
} from '../../../src/errors.js'
import { nearNames } from '../../../src/session/core/near-names.js'
import { outcomeError } from '../../../src/session/core/outcome-error.js'

const test = suite('errors of the other side')
const failed = (numbers: readonly bigint[], ...texts: string[]) =>
  outcomeError('loading some.dll', { ok: false, numbers, texts })

const classes = {
  DllNotFound: DllNotFoundError,
  WrongArchitecture: WrongArchitectureError,
  RoutineNotFound: RoutineNotFoundError,
  Windows: WindowsError,
  Argument: ArgumentError,
  Memory: MemoryAccessError,
}
for (const [kind, expected] of Object.entries(classes))
  test(`${kind} is its own class, and names what was done`, () => {
    const error = failed([5n], kind, 'no such thing')
    assert.is(error.constructor, expected)
    assert.is(error.message, 'loading some.dll: no such thing')
  })

test('an error of Windows has its code and its text', () => {
  const { winerror, strerror } = failed([193n], 'Windows', 'is no DLL') as WindowsError
  assert.equal({ winerror, strerror }, { winerror: 193, strerror: 'is no DLL' })
})

test('halves of two versions say what to do', () => {
  const error = failed([], 'Version', 'the host is 9.9.9')
  assert.instance(error, SessionStartError)
  assert.match(error.message, 'install the package again')
})

test('what nobody knows is a fault of ours', () => {
  for (const error of [failed([], 'Something', 'else'), failed([])]) {
    assert.is(error.constructor, ZugbrueckeError)
    assert.match(error.message, 'please report it')
  }
  assert.match(failed([]).message, 'no reason given')
})

test('names near one that is not there, nearest first, in any case', () => {
  const all = ['CreateFileA', 'CreateFileW', 'CloseHandle', 'createfile', 'Beep']
  assert.equal(nearNames('CreateFile', all), ['createfile', 'CreateFileA', 'CreateFileW'])
  assert.equal(nearNames('Beeb', all), ['Beep'])
  assert.equal(nearNames('GetSystemTime', all), [])
})

test.run()
