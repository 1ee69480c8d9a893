/** A thread that rings a bell after a while, or that has an end of it for a while. */
import { parentPort, workerData } from 'node:worker_threads'
import { Bell, ringBell } from '../../dist/src/channel/bell.js'
import { target } from './support.js'

const { fd, milliseconds = 0, reopen } = workerData as { fd: number; milliseconds?: number; reopen?: boolean }
if (reopen) {
  const bell = new Bell(fd, () => {})
  const link = target(fd)
  let own = 3
  while (target(own) !== link || own === fd) own++
  bell.close()
  const look = setInterval(() => {
    if (target(own) === link) return
    clearInterval(look)
    parentPort?.postMessage(own)
  }, 5)
  parentPort?.once('message', () => process.exit())
} else {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  ringBell(fd)
}
