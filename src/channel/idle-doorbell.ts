/** Hears the host from an event loop: the worker's, since a thread of a DLL may call back when no call is under way, or the caller's. */
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { SegmentDescriptors } from './segment.js'

/**
 * Calls `heard` when the host has rung. Bytes go to one of those who listen: one that is not concerned passes it on. The socket has
 * an open description of its own, and does not keep Node alive.
 */
export function watchIdleDoorbell(segment: SegmentDescriptors, heard: () => void): Socket {
  const fd = openSync(`/proc/self/fd/${segment.idleDoorbell}`, constants.O_RDWR | constants.O_NONBLOCK)
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer: new Uint8Array(64),
      callback: () => {
        heard()
        return true
      },
    },
  } as ConstructorParameters<typeof Socket>[0])
  socket.on('error', () => {})
  socket.unref()
  return socket
}
