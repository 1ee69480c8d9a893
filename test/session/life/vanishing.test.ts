import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import {
  type BatchError,
  CtypesSession,
  c_int,
  type Library,
  SessionCrashedError,
  SessionTerminatedError,
  StructuredExceptionError,
} from 'zugbruecke'
import { suiteAtOnce } from '../../at-once.js'
import { dll, rejects, throws } from '../support.js'

const test = suiteAtOnce('what ends a host without a word', 3)

async function withDll(act: (vanishing: Library, session: CtypesSession) => Promise<void>): Promise<void> {
  const session = await CtypesSession.start({ stderr: false })
  try {
    const vanishing = await session.cdll.LoadLibrary(dll('vanishing'))
    assert.is(await vanishing.func('add', [c_int, c_int], c_int)(1, 2), 3)
    await act(vanishing, session)
  } finally {
    await session.terminate()
  }
}

for (const size of [400, 4096, 40_000])
  test(`${size} bytes written over the stack: one error, at once`, () =>
    withDll(async (vanishing, session) => {
      const smash = vanishing.func('smash', [c_int], null)
      const error = await smash(size).then(
        () => undefined,
        (thrown: Error) => thrown,
      )
      // little of it may be survived, and all of it is told
      if (error instanceof StructuredExceptionError) assert.is(session.up, true)
      else {
        assert.instance(error, SessionCrashedError)
        assert.match(String(error), /smash ran .* stack/)
        assert.is(session.up, false)
      }
    }))

for (const [routine, how] of [
  ['end_thread', 'by the routine'],
  ['be_ended', 'by another'],
] as const)
  test(`TerminateThread of the thread that is called, ${how}`, async () => {
    await withDll(async vanishing => {
      await rejects(vanishing.func(routine, [], null)(), SessionCrashedError, routine, 'TerminateThread')
    })
    await withDll(async (vanishing, session) => {
      throws(() => vanishing.func(routine, [], null).sync(), SessionCrashedError, routine, 'TerminateThread')
      await rejects(vanishing.func('add', [c_int, c_int], c_int)(1, 2), SessionTerminatedError)
      assert.is(session.up, false)
    })
  })

test('handles that a DLL closes: those of the bridge stay open', () =>
  withDll(async vanishing => {
    const add = vanishing.func('add', [c_int, c_int], c_int)
    await vanishing.func('close_all', [c_int], c_int)(0)
    for (let i = 0; i < 20; i++) {
      assert.is(await add(i, 1), i + 1)
      assert.is(add.sync(i, 2), i + 2)
      // both sides fall asleep
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }))

test('… and where it has them closed all the same, the session says so and ends', () =>
  withDll(async (vanishing, session) => {
    const close = vanishing.func('close_all', [c_int], c_int)
    const add = vanishing.func('add', [c_int, c_int], c_int)
    const errors: unknown[] = []
    await close(1).catch(error => errors.push(error))
    for (let i = 0; i < 20 && session.up; i++) {
      await add(1, 2).catch(error => errors.push(error))
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    await rejects(add(1, 2), SessionTerminatedError)
    assert.is(session.up, false)
  }))

test('a crash on a thread of the DLL’s own ends the session, with its code, and without a debugger', () =>
  withDll(async vanishing => {
    const error = await rejects(vanishing.func('crash_elsewhere', [], null)(), SessionCrashedError, '0xC0000005')
    assert.not.match(error.message, 'debugger')
  }))

test('a routine that Wine has not written is named, and the session lives', () =>
  withDll(async (vanishing, session) => {
    const miss = vanishing.func('miss', [c_int, c_int], c_int)
    for (let i = 0; i < 3; i++) {
      const error = await rejects(miss(0, 1), StructuredExceptionError, 'Wine has no some.dll.some_routine')
      assert.is((error as StructuredExceptionError).exceptionCode, 0x80000100)
    }
    throws(() => miss.sync(0, 1), StructuredExceptionError, 'Wine has no some.dll.some_routine')
    const failed = (await miss.batch([Int32Array.of(0, 1, 2, 3), 2]).catch(error => error)) as BatchError
    assert.equal(
      failed.errors.map(({ row }) => row),
      [0, 2],
    )
    for (const { error } of failed.errors) assert.match(error.message, 'Wine has no some.dll.some_routine')
    assert.is(await miss(1, 2), 1)
    assert.is(session.up, true)
  }))

test('… also where a thread of the DLL’s own calls it, which ends the session', () =>
  withDll(async vanishing => {
    await rejects(vanishing.func('miss_elsewhere', [], null)(), SessionCrashedError, 'some.dll.some_routine')
  }))

test('the clean-up of DLLs at the end runs when their threads have ended, as it does on Windows', () => {
  const program = `
    import { CtypesSession, c_int } from 'zugbruecke'
    const session = await CtypesSession.start()
    const vanishing = await session.cdll.LoadLibrary(${JSON.stringify(dll('vanishing'))})
    console.log(await vanishing.func('start_counting', [], c_int)(), session.pid)
    await session.terminate()`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', `${program}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  const pid = /^1 (\d+)/.exec(output)?.[1]
  assert.ok(pid, output)
  // what a thread that still ran would have made Wine say
  assert.not.match(output, /page fault|debugger/)
  assert.throws(() => readFileSync(`/proc/${pid}/status`))
})

test.run()
