/** Places objects on a thread with a small heap, in a loop that never pauses, until there is an error; and again after a pause. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { CtypesSession, c_int } from 'zugbruecke'

const session = await CtypesSession.start({ arch: workerData.arch })
const place = () => {
  for (let made = 0; ; made++)
    try {
      session.memory.place(new c_int(made))
    } catch (error) {
      return { made, error: error.message }
    }
}
const first = place()
let again = place()
for (let tries = 0; again.made === 0 && tries < 200; tries++) {
  await sleep(20)
  again = place()
}
await session.terminate()
parentPort?.postMessage([first, again])
