/** A thread that joins a session, and does there what libraries with state ask for. */
import { parentPort, workerData } from 'node:worker_threads'
import { CtypesSession } from 'zugbruecke'
import { live } from '../life/jobs/objects.mjs'

const session = await CtypesSession.attach(workerData.port)
const results = []
for (const isAwaited of [true, false]) results.push(await live(session, workerData.dll, isAwaited))
parentPort?.postMessage(results)
