/** A thread that spoils each first request in the memory window: the bell is drained, and its number written over. */
import { parentPort, workerData } from 'node:worker_threads'
import { libc, viewOf } from '../../dist/src/channel/libc.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { Window } from '../../dist/src/codec/layout.js'
import { Order, type Orders } from './fake-host.js'

const { segment, orders } = workerData as { segment: Segment; orders: Orders }
const i32 = new Int32Array(viewOf(segment.address, segment.size))
const at = Window.offset / 4
Atomics.store(orders, Order.deafWindow, 1)
parentPort?.postMessage('ready')
for (let seen = Atomics.load(i32, at); ; ) {
  const number = Atomics.load(i32, at)
  if (number === seen) continue
  if (Atomics.load(orders, Order.deafWindow) !== 0) {
    libc().read(segment.strandsBell, new Uint8Array(64), 64)
    seen = -5
    Atomics.store(i32, at, seen)
    // the next is as it should be
    Atomics.store(orders, Order.deafWindow, 0)
  } else {
    seen = number
    while (Atomics.load(i32, Window.answer / 4) !== number);
    Atomics.store(orders, Order.deafWindow, 1)
  }
}
