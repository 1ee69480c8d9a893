/** The thread that started a session is ended in the middle of things: what it had is given back, and what it started ends. */
// waits: for sessions of threads that are gone to go
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type MessagePort, Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession, c_int, SessionTerminatedError } from 'zugbruecke'
import { dll, lives, rejects, running, sleep, startsProgram, until } from '../support.js'

const test = suite('threads that are ended with sessions of theirs')

const head = `
  import { parentPort, workerData } from 'node:worker_threads'
  import { CFUNCTYPE, CtypesSession, c_int } from 'zugbruecke'
  const session = await CtypesSession.start({ stderr: false })
  const faults = session.CDLL(${JSON.stringify(dll('faults'))})
  const hang = faults.func('hang', [c_int], c_int)
  const callbacks = session.CDLL(${JSON.stringify(dll('callbacks'))})
  await callbacks.func('call_once', [CFUNCTYPE(c_int, c_int), c_int], c_int)(value => value, 3)
  const give = message => {
    if (message !== 'port') return
    const port = session.port()
    parentPort.postMessage(port, [port])
  }
  parentPort.on('message', give)
`
interface Owner {
  readonly thread: Worker
  readonly pid: number
}

async function startOwner(body: string): Promise<Owner> {
  const code = `${head}${body}
    parentPort.postMessage(session.pid)`
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolving(code))}`), { execArgv: [] })
  const [pid] = (await once(thread, 'message')) as [number]
  return { thread, pid }
}

/** A program that comes as data finds no packages. */
const resolving = (code: string) => code.replaceAll("'zugbruecke'", JSON.stringify(import.meta.resolve('zugbruecke')))

function held(): { descriptors: string[]; mappings: number } {
  const descriptors = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, 'n')
      // a module that Node was loading at that moment stays open, which is Node's
      return link.startsWith('/') && !link.startsWith('/memfd') ? [] : [link]
    } catch {
      return [] // the folder's own
    }
  })
  return {
    descriptors: descriptors.sort(),
    mappings: readFileSync('/proc/self/maps', 'latin1').split('/memfd:zugbruecke').length - 1,
  }
}

async function startAnother(): Promise<void> {
  await using session = await CtypesSession.start()
  assert.is(await session.CDLL(dll('faults')).func('add', [c_int, c_int], c_int)(1, 2), 3)
}

test('descriptors and addresses are given back by the next session, whatever the threads were doing', async () => {
  await startAnother()
  const before = held()
  const owners = await Promise.all(
    [
      'setInterval(() => {}, 1000)',
      'hang(60_000).catch(() => {})',
      'setTimeout(() => hang.sync(60_000), 20)',
      `session.runJob('data:text/javascript,export default () => { for (;;); }', 0).catch(() => {})`,
    ].map(startOwner),
  )
  await sleep(60)
  await Promise.all(owners.map(({ thread }) => thread.terminate()))
  for (const { pid } of owners) await until(() => !lives(pid), 'the Windows process leaves', 5)
  await startAnother()
  assert.equal(held(), before)
})

test('a thread that joined is told, and what it looks at stays', async () => {
  const { thread, pid } = await startOwner('setInterval(() => {}, 1000)')
  thread.postMessage('port')
  const [port] = (await once(thread, 'message')) as [MessagePort]
  const session = await CtypesSession.attach(port)
  const place = session.memory.array(Int32Array, 4).fill(7)
  const hang = session.CDLL(dll('faults')).func('hang', [c_int], c_int)
  const call = rejects(hang(60_000), SessionTerminatedError)
  await sleep(60)
  await thread.terminate()
  await call
  await until(() => !lives(pid), 'the Windows process leaves', 5)
  await startAnother()
  assert.equal([...place], [7, 7, 7, 7])
  assert.is(session.up, false)
  await session.terminate()
})

for (const how of ['terminate', 'exit'] as const)
  test(`programs that a DLL has started end with that thread (${how})`, async () => {
    const { thread, pid } = await startOwner(`
      ${startsProgram(`'zbend' + session.pid + 'x'`)}
      ${how === 'exit' ? "parentPort.once('message', () => process.exit(3))" : 'setInterval(() => {}, 1000)'}`)
    const word = `zbend${pid}x`
    await until(() => running(word).length > 0, 'the program begins')
    if (how === 'exit') {
      thread.postMessage('leave')
      await once(thread, 'exit')
    } else await thread.terminate()
    await until(() => !lives(pid), 'the Windows process leaves', 5)
    await until(() => running(word).length === 0, 'the program that the DLL started ends', 10)
  })

test.run()
