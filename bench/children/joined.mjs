/** A thread that joins a session and makes calls there when it is told to: `{ way, seconds }` is answered with a sample. */
import { parentPort, workerData } from 'node:worker_threads'
import { CtypesSession } from 'zugbruecke'
import { ways } from '../ours/ways.mjs'

const session = await CtypesSession.attach(workerData.port)
const dll = await session.cdll.LoadLibrary(workerData.dll)
const run = ways(dll.func('int add_int(int a, int b)'))

parentPort?.on('message', async ({ way, seconds }) => {
  try {
    parentPort?.postMessage({ sample: await run[way](seconds) })
  } catch (error) {
    parentPort?.postMessage({ failure: error.message })
  }
})
