/** A program that uses Comlink itself, beside this library: errors cross its own proxies as Comlink has them. */
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import * as comlink from 'comlink'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession, SessionTerminatedError } from 'zugbruecke'
import { rejects } from '../support.js'

const test = suite('a program with Comlink of its own')

interface Api {
  fail(): void
  refuse(): void
}
const api: Api = {
  fail() {
    throw Object.assign(new RangeError('not that'), { extra: 1 })
  },
  refuse() {
    throw { reason: 'busy', left: 3 }
  },
}

/** Knows Comlink and nothing else: answers as `api` does, and tells what it gets from the other side's. */
const source = `
  import { parentPort, workerData } from 'node:worker_threads'
  import * as comlink from 'comlink'
  const caught = promise => promise.then(() => 'nothing', thrown => thrown)
  const other = comlink.wrap(workerData.theirs)
  comlink.expose({
    fail() { throw Object.assign(new RangeError('not that'), { extra: 1 }) },
    refuse() { throw { reason: 'busy', left: 3 } },
    async hear() {
      const error = await caught(other.fail())
      return [error instanceof Error, error.name, error.message, typeof error.stack, error.extra, await caught(other.refuse())]
    },
  }, workerData.ours)
  parentPort.postMessage('ready')
`
const heard = [true, 'RangeError', 'not that', 'string', undefined, { reason: 'busy', left: 3 }]

test('errors cross in both directions, before and while a session runs', async () => {
  const [mine, ours] = Object.values(new MessageChannel())
  const [theirs, offered] = Object.values(new MessageChannel())
  const worker = new Worker(source, { eval: true, workerData: { ours, theirs }, transferList: [ours, theirs] })
  try {
    comlink.expose(api, offered as never)
    await once(worker, 'message')
    const remote = comlink.wrap<Api & { hear(): unknown[] }>(mine as never)
    const hear = async () => {
      const error = await remote.fail().catch((thrown: unknown) => thrown as RangeError & { extra?: number })
      const refused = await remote.refuse().catch((thrown: unknown) => thrown)
      assert.ok(error instanceof Error)
      return [true, error.name, error.message, typeof error.stack, error.extra, refused]
    }
    assert.equal(await hear(), heard)
    assert.equal(await remote.hear(), heard)
    const session = await CtypesSession.start()
    try {
      assert.equal(await hear(), heard)
      assert.equal(await remote.hear(), heard)
    } finally {
      await session.terminate()
    }
  } finally {
    await worker.terminate()
    for (const port of [mine, offered]) port.close()
  }
})

test('a handler of the program for what is thrown sees nothing of this library', async () => {
  const original = comlink.transferHandlers.get('throw') as comlink.TransferHandler<unknown, unknown>
  const refuse = (): never => {
    throw new Error('its handler was used')
  }
  comlink.transferHandlers.set('throw', { canHandle: original.canHandle, serialize: refuse, deserialize: refuse })
  try {
    const session = await CtypesSession.start()
    const port = session.port()
    await session.terminate()
    const error = await rejects(CtypesSession.attach(port), SessionTerminatedError, session.id, 'terminated')
    assert.is(error.code, 'ERR_ZUGBRUECKE_SESSION_TERMINATED')
  } finally {
    comlink.transferHandlers.set('throw', original)
  }
})

test.run()
