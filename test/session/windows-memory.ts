/** Memory of a Windows process without one: 64 KiB, and nothing around them. */
import type { RemoteMemory } from '../../src/ctypes/block.js'
import { MemoryAccessError } from '../../src/errors.js'

const BASE = 0x10000
const SIZE = 0x10000

export interface WindowsMemory {
  readonly memory: RemoteMemory
  /** What lies at an address. */
  view(address: number, size: number): DataView
  /** Bytes from an address on. */
  put(address: number, bytes: ArrayLike<number>): void
  /** Addresses and sizes of what was written. */
  readonly writes: (readonly [address: number, size: number])[]
}

export function windowsMemory(sessionId = 'without Windows'): WindowsMemory {
  const all = new Uint8Array(SIZE)
  const writes: [number, number][] = []
  const at = (address: bigint, size: number) => {
    const offset = Number(address) - BASE
    if (offset >= 0 && offset + size <= SIZE) return offset
    throw new MemoryAccessError(`nothing lies at 0x${address.toString(16)}`, { address })
  }
  const memory: RemoteMemory = {
    sessionId,
    read(address, into) {
      const offset = at(address, into.length)
      into.set(all.subarray(offset, offset + into.length))
    },
    write(address, from) {
      all.set(from, at(address, from.length))
      writes.push([Number(address), from.length])
    },
  }
  return {
    memory,
    writes,
    view: (address, size) => new DataView(all.buffer, address - BASE, size),
    put: (address, bytes) => all.set(bytes, address - BASE),
  }
}
