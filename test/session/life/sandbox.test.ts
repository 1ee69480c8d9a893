// waits: for sandboxes to come up and to go
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CFUNCTYPE, ConfigError, CtypesSession, c_int, c_uint, SessionCrashedError, SetupError } from 'zugbruecke'
import { cacheFolder } from '../../../dist/src/runtime/locate.js'
import { findBubblewrap, sandboxProblem } from '../../../dist/src/runtime/sandbox.js'
import { dll, rejects, sleep, until } from '../support.js'

const test = suite('a session in a sandbox')
const there = (await sandboxProblem()) === undefined
const sandboxed = there ? test : test.skip
/** Folders of a program's sandboxes: it has them open, and locked. */
const sandboxes = (pid: number | 'self' = 'self') =>
  readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return dirname(path) === join(cacheFolder(), 'sandboxes') ? [path] : []
    } catch {
      return [] // closed meanwhile
    }
  })
const GENERIC_WRITE = 0x40000000
const CREATE_ALWAYS = 2
const windows = (path: string) => `Z:${path.replaceAll('/', '\\')}`

/** Whether it could be made. */
async function writes(session: CtypesSession, path: string): Promise<boolean> {
  const { kernel32 } = session.windll
  const create = kernel32.func<unknown[], bigint>(
    'HANDLE CreateFileA(const char *, unsigned, unsigned, void *, unsigned, unsigned, void *)',
  )
  const handle = await create(windows(path), GENERIC_WRITE, 0, null, CREATE_ALWAYS, 0, null)
  // INVALID_HANDLE_VALUE
  if (handle === null || BigInt.asIntN(session.arch === 'win64' ? 64 : 32, handle) === -1n) return false
  await kernel32.func('int CloseHandle(HANDLE)')(handle)
  return true
}

sandboxed('calls, callbacks and memory are as ever', async () => {
  const session = await CtypesSession.start({ sandbox: true })
  const add = session.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)
  assert.is(await add(3, 4), 7)
  assert.is(add.sync(3, 5), 8)
  const once = session.CDLL(dll('callbacks')).func('call_once', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  assert.is(await once(async value => (await add(value, 1)) * 2, 20), 42)
  const memory = await session.memory.alloc(8)
  memory.write(Uint8Array.of(1, 2))
  assert.equal([...memory.read(0, 3)], [1, 2, 0])
  process.kill(session.pid as number, 0)
  const [folder, ...others] = sandboxes()
  assert.ok(existsSync(join(folder, 'prefix')) && others.length === 0)
  await session.terminate()
  assert.not(existsSync(folder))
  assert.equal(sandboxes(), [])
})

sandboxed('files are to be read only, but for those that are named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-test-'))
  const other = mkdtempSync(join(tmpdir(), 'zugbruecke-test-'))
  const session = await CtypesSession.start({ sandbox: [folder] })
  try {
    assert.is(await writes(session, join(folder, 'fine.txt')), true)
    assert.ok(existsSync(join(folder, 'fine.txt')))
    assert.is(await writes(session, join(other, 'not.txt')), false)
    assert.equal(readdirSync(other), [])
  } finally {
    await session.terminate()
    for (const made of [folder, other]) rmSync(made, { recursive: true })
  }
})

sandboxed('there is no network', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const connects = async (sandbox: boolean) => {
    const session = await CtypesSession.start({ sandbox })
    const { ws2_32 } = session.windll
    await ws2_32.func('int WSAStartup(unsigned short, void *)')(0x202, new Uint8Array(512))
    const socket = await ws2_32.func('void *socket(int, int, int)')(2, 1, 0)
    const address = Uint8Array.of(2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    const result = await ws2_32.func('int connect(void *, void *, int)')(socket, address, 16)
    await session.terminate()
    return result === 0
  }
  try {
    assert.is(await connects(false), true)
    assert.is(await connects(true), false)
  } finally {
    server.close()
  }
})

sandboxed('a crash is told as ever, and nothing is left of it', async () => {
  const session = await CtypesSession.start({ sandbox: true, stderr: false })
  const faults = session.CDLL(dll('faults'))
  const error = (await rejects(faults.func('exit_with', [c_uint], null)(9), SessionCrashedError)) as SessionCrashedError
  assert.is(error.exitCode, 9)
  await session.terminate()
  await until(() => sandboxes().length === 0, 'its folder is not held any more')
})

sandboxed('several at once', async () => {
  const sessions = await Promise.all([true, true, false].map(sandbox => CtypesSession.start({ sandbox })))
  const sums = await Promise.all(sessions.map(session => session.CDLL(dll('numbers')).add(1, 2)))
  assert.equal(sums, [3, 3, 3])
  await Promise.all(sessions.map(session => session.terminate()))
})

sandboxed('SIGKILL leaves no process, and the next sandbox takes the folder away', async () => {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { CtypesSession, c_int } from 'zugbruecke'
      const session = await CtypesSession.start({ sandbox: true })
      session.CDLL(${JSON.stringify(dll('faults'))}).func('hang', [c_int], c_int)(60_000)
      console.log('pid', session.pid)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text
  })
  await until(() => /pid \d+/.test(output), 'it is up', 30)
  const pid = Number(/pid (\d+)/.exec(output)?.[1])
  await sleep(50)
  const [folder] = sandboxes(child.pid)
  assert.ok(existsSync(folder))
  child.kill('SIGKILL')
  await until(() => !existsSync(`/proc/${pid}`), 'the Windows process is gone', 2)
  const session = await CtypesSession.start({ sandbox: true })
  await session.terminate()
  assert.not(existsSync(folder))
})

sandboxed('nor does a thread that is ended leave anything, and nothing is taken from those that live', async () => {
  const mine = await CtypesSession.start({ sandbox: true })
  const [own] = sandboxes()
  const program = `import { parentPort } from 'node:worker_threads'
    import { CtypesSession } from ${JSON.stringify(import.meta.resolve('zugbruecke'))}
    const session = await CtypesSession.start({ sandbox: true })
    setInterval(() => {}, 1000)
    parentPort.postMessage(session.pid)`
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { execArgv: [] })
  const [pid] = (await once(thread, 'message')) as [number]
  const [folder] = sandboxes().filter(path => path !== own)
  assert.ok(existsSync(folder))
  await thread.terminate()
  await until(() => !existsSync(`/proc/${pid}`), 'the Windows process leaves', 5)
  const session = await CtypesSession.start({ sandbox: true })
  assert.not(existsSync(folder))
  assert.ok(existsSync(join(own, 'prefix')))
  assert.is(await mine.CDLL(dll('numbers')).func('add', [c_int, c_int], c_int)(3, 4), 7)
  await Promise.all([session.terminate(), mine.terminate()])
  assert.not(existsSync(own))
})

sandboxed('a path that is not there', async () => {
  await rejects(CtypesSession.start({ sandbox: ['/nonexistent/path'] }), ConfigError, '/nonexistent/path')
})

test('without bubblewrap', async () => {
  const { PATH } = process.env
  process.env.PATH = '/nonexistent'
  try {
    assert.is(findBubblewrap(), undefined)
    await rejects(
      CtypesSession.start({ sandbox: true, wine: process.env.ZUGBRUECKE_WINE ?? '/usr/lib/wine/wine64' }),
      SetupError,
      '"sandbox"',
      'apt-get install bubblewrap',
    )
  } finally {
    process.env.PATH = PATH
  }
})

test.run()
