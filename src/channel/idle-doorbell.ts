/** Hears the host while the worker is in its event loop: a thread of a DLL may call back when no call is under way. */
import { Socket } from 'node:net'
import type { SegmentDescriptors } from './segment.js'
import { Shared, type SharedState } from './shared.js'

/** The socket takes the descriptor over and closes it when it is destroyed. It does not keep Node alive. */
export function watchIdleDoorbell(segment: SegmentDescriptors, shared: SharedState): Socket {
  const socket = new Socket({ fd: segment.idleDoorbell, readable: true, writable: false })
  socket.on('data', () => {
    Atomics.add(shared.i32, Shared.workerWake, 1)
    Atomics.notify(shared.i32, Shared.workerWake)
  })
  socket.on('error', () => {})
  socket.unref()
  return socket
}
