/**
 * Memory of the Windows process, read and written from Node through /proc/<pid>/mem: about 2 µs, and a bad address is
 * an error instead of a crash. The kernel would write read-only pages as well, so writes check the process's map
 * first. It reads zeros where an address is reserved but not readable (freed memory, for instance), so reads that
 * begin or end with a zero check the map, too. Where the file is not permitted the host copies instead, which is
 * slower (memory-window.ts). Any thread may have an instance of its own; it blocks no longer than the copying takes.
 */
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { ARENA_OFFSET } from '../codec/layout.js'
import type { CallbackShape, CallbackTarget, ObjectMemory, RemoteMemory } from '../ctypes/block.js'
import type { Encoding } from '../ctypes/encoding.js'
import { MemoryAccessError, SessionTerminatedError } from '../errors.js'
import type { MemoryWindow } from './memory-window.js'

/** How long a reading of the map is trusted, in milliseconds: long enough for a loop over fields, short for a person. */
const MAP_LIFETIME = 50

/** Does the kernel let this process into the memory of that one? `address` is known to be readable there. */
export function isMemoryPermitted(pid: number, address: number): boolean {
  let fd: number | undefined
  try {
    fd = openSync(`/proc/${pid}/mem`, constants.O_RDWR)
    return readSync(fd, new Uint8Array(1), 0, 1, address) === 1
  } catch {
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const hex = (address: bigint) => `0x${address.toString(16)}`

/** Offset in /proc/<pid>/mem; undefined for an address that no process has: memory ends far below 2^53. */
const position = (address: bigint): number | undefined =>
  address <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(address) : undefined

export class ProcessMemory implements RemoteMemory {
  /** How `char *` is read in this memory. */
  encoding?: Encoding
  /** Makes a function pointer that was found in this memory callable. */
  routineAt?: (address: bigint, type: CallbackShape) => object
  /** Makes the thunk of a callback, where it has none. */
  thunkFor?: (callback: CallbackTarget) => number
  /** Set where /proc/<pid>/mem is not permitted. */
  window?: MemoryWindow
  /** Where objects live that both sides see; set by the thread's core. */
  objects?: ObjectMemory
  /**
   * The segment, which is read and written in place. Set once the session is up and the segment's address there is
   * known.
   */
  #shared: { readonly u8: Uint8Array; readonly base: bigint } | undefined
  #fd: number | undefined
  #closed = false
  #map: MemoryMap = { readable: [], writable: [] }
  #mapAge = 0

  constructor(
    readonly sessionId: string,
    private readonly pid: number,
    private readonly alive: () => boolean,
  ) {}

  /** `u8` lies at `base` in the Windows process. */
  share(u8: Uint8Array, base: number): void {
    this.#shared = { u8, base: BigInt(base) }
  }

  read(address: bigint, into: Uint8Array): void {
    if (into.length === 0) return
    const shared = this.#inShared(address, into.length)
    if (shared) {
      this.assertAlive()
      into.set(shared)
      return
    }
    if (this.window) {
      this.assertAlive()
      if (!this.window.read(address, into)) throw this.#refused('read', address, into.length)
      return
    }
    const fd = this.#open()
    const at = position(address)
    if (at === undefined) throw this.#refused('read', address, into.length)
    let done = 0
    try {
      while (done < into.length) {
        const count = readSync(fd, into, done, into.length - done, at + done)
        if (count === 0) break
        done += count
      }
    } catch (cause) {
      throw this.#refused('read', address, into.length, cause)
    }
    const isDoubtful = into[0] === 0 || into[into.length - 1] === 0
    if (done < into.length || (isDoubtful && !this.#allows('readable', at, at + into.length)))
      throw this.#refused('read', address, into.length)
  }

  write(address: bigint, from: Uint8Array): void {
    if (from.length === 0) return
    const shared = this.#inShared(address, from.length)
    if (shared) {
      this.assertAlive()
      shared.set(from)
      return
    }
    if (this.window) {
      this.assertAlive()
      if (!this.window.write(address, from)) throw this.#refused('written', address, from.length)
      return
    }
    const fd = this.#open()
    const at = position(address)
    if (at === undefined || !this.#allows('writable', at, at + from.length))
      throw this.#refused('written', address, from.length)
    let done = 0
    try {
      while (done < from.length) done += writeSync(fd, from, done, from.length - done, at + done)
    } catch (cause) {
      throw this.#refused('written', address, from.length, cause)
    }
  }

  close(): void {
    this.#closed = true
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  assertAlive(): void {
    if (this.isOver) throw new SessionTerminatedError(`session ${this.sessionId} has ended, and with it its memory`)
  }

  #inShared(address: bigint, size: number): Uint8Array | undefined {
    if (!this.#shared) return undefined
    const { u8, base } = this.#shared
    const at = Number(address - base)
    return at >= ARENA_OFFSET && at + size <= u8.length ? u8.subarray(at, at + size) : undefined
  }

  get isOver(): boolean {
    return this.#closed || !this.alive()
  }

  #open(): number {
    this.assertAlive()
    try {
      this.#fd ??= openSync(`/proc/${this.pid}/mem`, constants.O_RDWR)
    } catch (cause) {
      // the process has ended, and this thread has not been told of it yet
      throw new SessionTerminatedError(`the memory of session ${this.sessionId} cannot be reached`, { cause })
    }
    return this.#fd
  }

  #allows(what: keyof MemoryMap, from: number, to: number): boolean {
    const now = performance.now()
    if (now - this.#mapAge < MAP_LIFETIME && covers(this.#map[what], from, to)) return true
    this.#map = readMap(this.pid)
    this.#mapAge = now
    return covers(this.#map[what], from, to)
  }

  #refused(what: string, address: bigint, size: number, cause?: unknown): MemoryAccessError {
    const text = `${size} bytes at ${hex(address)} cannot be ${what}: the address does not lie in ${
      what === 'read' ? 'readable' : 'writable'
    } memory of session ${this.sessionId}`
    return new MemoryAccessError(text, { address, ...(cause ? { cause } : {}) })
  }
}

/** Ranges of a process, neighbours joined. */
interface MemoryMap {
  readonly readable: readonly Range[]
  readonly writable: readonly Range[]
}
interface Range {
  readonly from: number
  to: number
}

function covers(ranges: readonly Range[], from: number, to: number): boolean {
  for (const range of ranges) if (from >= range.from && to <= range.to) return true
  return false
}

/** Empty where the process has just ended. */
function mapOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1')
  } catch {
    return ''
  }
}

function readMap(pid: number): MemoryMap {
  const [readable, writable]: Range[][] = [[], []]
  const add = (ranges: Range[], from: number, to: number) => {
    const last = ranges.at(-1)
    if (last?.to === from) last.to = to
    else ranges.push({ from, to })
  }
  for (const line of mapOf(pid).split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (.)(.)/.exec(line)
    if (!match) continue
    const [from, to] = [Number.parseInt(match[1], 16), Number.parseInt(match[2], 16)]
    if (match[3] === 'r') add(readable, from, to)
    if (match[4] === 'w') add(writable, from, to)
  }
  return { readable, writable }
}
