// long: most tests start sessions of their own
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  byref,
  CFUNCTYPE,
  ConfigError,
  CtypesSession,
  c_int,
  ctypes_session,
  POINTER,
  SessionStartError,
  SessionTerminatedError,
} from 'zugbruecke'
import { suiteAtOnce } from '../../at-once.js'
import { dll, rejects, throws } from '../support.js'

const test = suiteAtOnce('life of a session', 3)

test('a session is up from its start to its end', async () => {
  const session = new CtypesSession({ stderr: false })
  assert.is(session.up, false)
  assert.is(session._zb_up, false)
  assert.is(session.pid, undefined)
  assert.match(session.id, /^[0-9a-f]{8,}$/)
  assert.is(session._zb_id, session.id)
  assert.is(await session.ready, session)
  assert.is(session.up, true)
  assert.is(session._zb_up, true)
  process.kill(session.pid as number, 0)
  const pid = session.pid as number
  await session.terminate()
  assert.is(session.up, false)
  throws(() => process.kill(pid, 0), Error, 'ESRCH')
})

test('ctypes_session is the same class, with its original names', async () => {
  assert.is(ctypes_session, CtypesSession)
  const session = await ctypes_session.start({ id: 'original-names' })
  assert.is(session._zb_id, 'original-names')
  await session._zb_set_parameter({ stderr: false })
  assert.is(session.getParameter('stderr'), false)
  await session._zb_terminate()
  assert.is(session._zb_up, false)
})

test('two live sessions never share an id; a dead one gives it back', async () => {
  const one = new CtypesSession({ id: 'same' })
  throws(() => new CtypesSession({ id: 'same' }), ConfigError, '"same"')
  await rejects(CtypesSession.start({ id: 'same' }), ConfigError, '"same"')
  await one.terminate()
  const two = await CtypesSession.start({ id: 'same' })
  assert.is(two.id, 'same')
  await two.terminate()
})

test('ids are random', async () => {
  const sessions = [new CtypesSession(), new CtypesSession()]
  assert.is.not(sessions[0].id, sessions[1].id)
  await Promise.all(sessions.map(session => session.terminate()))
})

test('terminated twice, and at the same time', async () => {
  const session = await CtypesSession.start()
  await Promise.all([session.terminate(), session.terminate()])
  await session.terminate()
  assert.is(session.up, false)
})

test('terminated before it is up', async () => {
  const session = new CtypesSession()
  const call = session.windll.kernel32.GetCurrentProcessId()
  const ended = session.terminate()
  await rejects(call, SessionTerminatedError)
  await ended
  await rejects(session.ready, SessionTerminatedError)
  await rejects(session.windll.kernel32.GetCurrentProcessId(), SessionTerminatedError)
})

test('terminated at any moment of its start', async () => {
  for (let i = 0; i < 12; i++) {
    const session = new CtypesSession({ stderr: false })
    const ready = session.ready.catch((error: Error) => error)
    await new Promise(resolve => setTimeout(resolve, 10 * i))
    await session.terminate()
    const came = await ready
    assert.ok(came === session || came instanceof SessionTerminatedError, String(came))
    assert.is(session.up, false)
  }
})

test('calls made before it is up wait until it is; .sync throws', async () => {
  const session = new CtypesSession()
  const add = session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
  throws(() => add.sync(1, 2), SessionStartError, 'not up yet')
  throws(() => session.FormatError.sync(2), SessionStartError)
  throws(() => session.memory.read(16n, 1), SessionStartError)
  const [three, seven] = await Promise.all([add(1, 2), add(3, 4)])
  assert.equal([three, seven], [3, 7])
  assert.is(add.sync(1, 2), 3)
  await session.terminate()
})

test('every handle of a terminated session fails at once', async () => {
  const session = await CtypesSession.start()
  const numbers = await session.cdll.LoadLibrary(dll('numbers'))
  const texts = await session.cdll.LoadLibrary(dll('texts'))
  const add = numbers.func('add', [c_int, c_int], c_int)
  const fresh = numbers.func('same_int32', [c_int], c_int)
  const memory = await session.memory.alloc(64)
  const pointer = await texts.func('own_numbers', [], POINTER(c_int))()
  const counter = c_int.in_dll(numbers, 'counter')
  assert.is(counter.value, 42)
  const callback = CFUNCTYPE(c_int, c_int)(value => value)
  const callbacks = await session.cdll.LoadLibrary(dll('callbacks'))
  const once = callbacks.func('call_once', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  assert.is(await once(callback, 3), 3)
  await session.terminate()
  await rejects(add(1, 2), SessionTerminatedError, session.id)
  await rejects(fresh(1), SessionTerminatedError)
  await rejects(add.batch([Int32Array.of(1), 2]), SessionTerminatedError)
  await rejects(add.with({ timeout: 1000 })(1, 2), SessionTerminatedError)
  await rejects(add.detail(1, 2), SessionTerminatedError)
  await rejects(session.cdll.LoadLibrary(dll('rows')), SessionTerminatedError)
  await rejects(session.windll.kernel32.GetCurrentProcessId(), SessionTerminatedError)
  await rejects(session.memory.alloc(4), SessionTerminatedError)
  await rejects(once(callback, 3), SessionTerminatedError)
  await rejects(session.FormatError(2), SessionTerminatedError)
  await rejects(session.setParameter({ stdout: true }), SessionTerminatedError)
  throws(() => add.sync(1, 2), SessionTerminatedError)
  throws(() => memory.read(), SessionTerminatedError)
  throws(() => memory.write(Uint8Array.of(1)), SessionTerminatedError)
  throws(() => pointer?.contents.value, SessionTerminatedError)
  throws(() => counter.value, SessionTerminatedError)
  throws(() => session.string_at(memory.start), SessionTerminatedError)
  await rejects(memory.free(), SessionTerminatedError)
  callback.dispose()
})

test('calls under way fail when it is terminated', async () => {
  const session = await CtypesSession.start({ timeout_stop: 0.5 })
  const faults = await session.cdll.LoadLibrary(dll('faults'))
  const hang = faults.func('hang', [c_int], c_int)
  const calls = [hang(60_000), hang(1), faults.add(1, 2)]
  const settled = Promise.allSettled(calls)
  await session.terminate()
  for (const result of await settled) {
    assert.is(result.status, 'rejected')
    assert.instance((result as PromiseRejectedResult).reason, SessionTerminatedError)
  }
})

test('several sessions at once, each a process of its own', async () => {
  const sessions = await Promise.all([CtypesSession.start(), CtypesSession.start(), CtypesSession.start()])
  assert.is(new Set(sessions.map(({ pid }) => pid)).size, 3)
  const libraries = await Promise.all(sessions.map(session => session.cdll.LoadLibrary(dll('numbers'))))
  await libraries[0].bump()
  await libraries[0].bump()
  await libraries[1].bump()
  assert.equal(
    libraries.map(library => c_int.in_dll(library, 'counter').value),
    [44, 43, 42],
  )
  await sessions[1].terminate()
  assert.is(await libraries[2].add(1, 1), 2)
  await Promise.all(sessions.map(session => session.terminate()))
})

test('a handle of one session given to another is an error that names both', async () => {
  const [one, two] = await Promise.all([CtypesSession.start({ id: 'one' }), CtypesSession.start({ id: 'two' })])
  const memory = await two.memory.alloc(64)
  const pointer = await two.CDLL(dll('texts')).func('own_numbers', [], POINTER(c_int))()
  const counter = c_int.in_dll(two.CDLL(dll('numbers')), 'counter')
  const length = one.cdll.msvcrt.func('strlen', [POINTER(c_int)], c_int)
  const both = (message: string) => message.includes('session one') && message.includes('session two')
  const acts: (() => unknown)[] = [
    () => length(memory as never),
    () => length(pointer),
    () => length(byref(counter) as never),
    () => one.memory.free(memory),
    () => one.memory.read(memory, 4),
    () => one.memory.read(pointer as never, 4),
    () => one.memory.write(memory, Uint8Array.of(1)),
    () => one.memory.at(c_int, memory),
    () => one.string_at(memory),
    () => one.cast(memory, POINTER(c_int)),
  ]
  for (const act of acts) {
    const error = await rejects((async () => act())(), ArgumentError)
    assert.ok(both(error.message), error.message)
  }
  await two.memory.free(memory)
  await Promise.all([one.terminate(), two.terminate()])
})

test('await using ends it', async () => {
  let outer: CtypesSession
  {
    await using session = await CtypesSession.start()
    outer = session
    assert.is(session.up, true)
  }
  assert.is(outer.up, false)
})

test('a session says when it ends', async () => {
  const session = await CtypesSession.start()
  let ends = 0
  const count = () => ends++
  session.on('end', count)
  session.on('end', () => ends++).off('end', count)
  await session.terminate()
  assert.is(ends, 1)
})

test('what a listener throws is an uncaught error of its own', async () => {
  const session = await CtypesSession.start({ timeout_stop: 1 })
  const uncaught = new Promise<Error>(resolve => process.once('uncaughtException', resolve))
  session.on('end', () => {
    throw new RangeError('from the listener')
  })
  const hang = session.CDLL(dll('faults')).func('hang', [c_int], c_int)
  const call = rejects(hang(60_000), SessionTerminatedError)
  await session.terminate()
  await call
  assert.is((await uncaught).message, 'from the listener')
})

test('a parameter that is none', async () => {
  const session = new CtypesSession()
  throws(() => session.getParameter('memorry' as never), ConfigError, 'memorry', '"memory"')
  await session.terminate()
})

test.alone('a dozen starts and ends leave nothing open', async () => {
  const { readdirSync } = await import('node:fs')
  const open = () => readdirSync('/proc/self/fd').length
  const cycle = async () => (await CtypesSession.start()).terminate()
  await cycle()
  const before = open()
  for (let i = 0; i < 8; i++) await cycle()
  await new Promise(resolve => setTimeout(resolve, 300))
  assert.ok(open() <= before + 4, `${before} descriptors before, ${open()} after`)
})

test.run()
