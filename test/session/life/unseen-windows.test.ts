import * as assert from 'uvu/assert'
import {
  ConfigError,
  CtypesSession,
  c_int,
  c_uint,
  c_ulong,
  c_wchar_p,
  create_unicode_buffer,
  type Library,
} from 'zugbruecke'
import { dll, rejects, sessionSuite } from '../support.js'
import { win32 } from '../win32.js'

const test = sessionSuite('windows without a display')

async function allOf(session: CtypesSession, unseen: Library): Promise<void> {
  const { types } = session
  const handler = session.CFUNCTYPE(types.c_ssize_t, types.c_void_p, c_uint, types.c_size_t, types.c_ssize_t)
  assert.ok(await unseen.func('begin', [], types.c_void_p)(), 'the window is there')
  try {
    // a message of another thread is answered by the window's procedure, there
    assert.is(Number(await unseen.func('twice', [c_int, c_int], types.c_ssize_t)(20, 2)), 42)
    assert.is(await unseen.func('waited', [c_int], c_int)(3), 1, 'timers tick')

    await unseen.func('hear', [handler], null)(null)
    const heard: number[] = []
    const ear = handler((_window, message, wide) => {
      heard.push(message, Number(wide))
      return 7
    })
    await unseen.func('hear', [handler], null)(ear)
    assert.is(Number(await unseen.func('tell', [c_int], types.c_ssize_t)(5)), 7, 'a procedure in JavaScript')
    assert.equal(heard, [0x8001, 5])
    ear.dispose()

    assert.is(await unseen.func('drawn', [c_ulong], c_ulong)(0x332211), 0x332211)
    assert.ok((await unseen.func('depth', [], c_int)()) >= 8)

    const there = create_unicode_buffer(40)
    assert.is(await unseen.func('copy', [c_wchar_p], c_int)('carried over'), 1)
    assert.is(await unseen.func('paste', [c_wchar_p, c_int], c_int)(there, there.length), 1)
    assert.is(there.value, 'carried over')

    const YES = 6
    assert.is(await unseen.func('asked', [], c_int).with({ timeout: 60_000 })(), YES)
  } finally {
    assert.is(await unseen.func('finish', [], c_int)(), 1)
  }
}

test('window procedures, timers, device contexts, the clipboard and message boxes', async ({ session }) => {
  await allOf(session, await session.cdll.LoadLibrary(dll('unseen')))
})

win32(test)('the same in a 32-bit session', async () => {
  const session = await CtypesSession.start({ arch: 'win32' })
  try {
    await allOf(session, await session.cdll.LoadLibrary(dll('unseen', 'win32')))
  } finally {
    await session.terminate()
  }
})

test('a display is none or the user’s, and there is none in a sandbox', async () => {
  // @ts-expect-error
  await rejects(CtypesSession.start({ display: 'window' }), ConfigError, '"display"', "'none' or 'inherit'")
})

test.run()
