/** Programs that DLLs start end with their session, and Wine's own services with none. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession, c_uint, create_string_buffer, SessionCrashedError } from 'zugbruecke'
import { resolveConfig } from '../../../dist/src/runtime/config.js'
import { locate } from '../../../dist/src/runtime/locate.js'
import { dll, rejects, running, sleep, until } from '../support.js'

const test = suite('programs that a DLL starts')
const python = `Z:${locate(resolveConfig()).python}`
let number = 0

async function start(session: CtypesSession, command: string): Promise<void> {
  const create = session.windll.kernel32.func(
    'int CreateProcessA(const char *, char *, void *, void *, int, unsigned, void *, const char *, void *, void *)',
  )
  const info = new Uint8Array(session.arch === 'win64' ? 104 : 68)
  new DataView(info.buffer).setUint32(0, info.length, true)
  assert.is(
    await create(null, create_string_buffer(command), null, null, 0, 0, null, null, info, new Uint8Array(24)),
    1,
  )
}

/** A program of Windows that waits, and one of Linux; the word that tells them from all others. */
async function both(session: CtypesSession): Promise<string> {
  const word = `zbtest${process.pid}x${++number}`
  await start(session, `${python.replaceAll('/', '\\')} -I -S -E -c "import time; time.sleep(600); '${word}'"`)
  await start(session, `Z:\\bin\\sh -c "exec 0</dev/null; : ${word}; sleep 600; : again"`)
  await until(() => running(word).length >= 2, 'both run')
  return word
}

test('when it is terminated', async () => {
  const [session, other] = await Promise.all([CtypesSession.start(), CtypesSession.start()])
  const [word, others] = [await both(session), await both(other)]
  await session.terminate()
  assert.equal(running(word), [])
  assert.ok(running(others).length >= 2)
  await other.terminate()
  assert.equal(running(others), [])
})

test('when it crashes', async () => {
  const session = await CtypesSession.start({ stderr: false })
  const word = await both(session)
  await rejects(session.CDLL(dll('faults')).func('exit_with', [c_uint], null)(9), SessionCrashedError)
  await until(() => running(word).length === 0, 'they are gone', 3)
  await session.terminate()
})

test('what Wine started for it stays for the others', async () => {
  const [one, two] = await Promise.all([CtypesSession.start(), CtypesSession.start()])
  const desktop = (session: CtypesSession) => session.windll.user32.func('void *GetDesktopWindow()')()
  const valid = (session: CtypesSession, window: unknown) => session.windll.user32.func('int IsWindow(void *)')(window)
  await desktop(one)
  const window = await desktop(two)
  await one.terminate()
  await sleep(100)
  assert.is(await valid(two, window), 1)
  assert.ok(running('explorer.exe').length > 0)
  await two.terminate()
})

test.run()
