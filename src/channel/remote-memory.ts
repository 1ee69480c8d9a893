/**
 * Memory of the Windows process, read and written by Node through /proc/<pid>/mem. That takes about 2 µs, and a bad
 * address is an error instead of a crash. The kernel would also write to read-only pages, so writes check the process's
 * map first. It gives zeros for addresses that are reserved but not readable, such as freed memory, so reads that begin
 * or end with a zero check the map, too. Where the kernel does not permit the file the host copies instead, which is
 * slower (memory-window.ts). Each thread has an instance of its own. A read or write blocks only for as long as the
 * copying takes.
 */
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { ARENA_OFFSET } from '../codec/layout.js'
import type { CallbackShape, CallbackTarget, ObjectMemory, RemoteMemory } from '../ctypes/block.js'
import type { Encoding } from '../ctypes/encoding.js'
import { MemoryAccessError, SessionTerminatedError } from '../errors.js'
import type { MemoryWindow } from './memory-window.js'

/** Milliseconds for which a reading of the map is used: long enough for a loop over fields. */
const MAP_LIFETIME = 50

/** Whether the kernel permits this process the memory of process `pid`, in which `address` is readable. */
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

/** Offset in /proc/<pid>/mem. Undefined for an address above 2^53: no process has memory there. */
const position = (address: bigint): number | undefined =>
  address <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(address) : undefined

export class ProcessMemory implements RemoteMemory {
  /** How `char *` is read in this memory. */
  encoding?: Encoding
  /** Makes a function pointer that was found in this memory callable. */
  routineAt?: (address: bigint, type: CallbackShape) => object
  /** Gives the address of a callback's thunk, and makes one if there is none. */
  thunkFor?: (callback: CallbackTarget) => number
  /** Set where /proc/<pid>/mem is not permitted. */
  window?: MemoryWindow
  #objects: ObjectMemory | undefined
  #objectsLeft: WeakRef<ObjectMemory> | undefined
  /**
   * The segment, which is read and written in place. Set once the session is up: before, its address in the Windows
   * process is not known.
   */
  #shared: { readonly u8: Uint8Array; readonly base: bigint } | undefined
  #fd: number | undefined
  #closed = false
  #map: MemoryMap = { readable: [], writable: [] }
  #mapAge = 0

  constructor(
    readonly sessionId: string,
    private readonly pid: number,
    private alive: () => boolean,
  ) {}

  /**
   * The objects that live in memory that both sides see; set by the thread's core. Once this is closed, only as long as
   * there are any.
   */
  get objects(): ObjectMemory | undefined {
    return this.#objects ?? this.#objectsLeft?.deref()
  }
  set objects(objects: ObjectMemory | undefined) {
    this.#objects = objects
  }

  /** Says that `u8` lies at `base` in the Windows process. */
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

  /**
   * The session has ended. Objects, pointers and results that the program keeps lead here: from now on this leads to nothing that the
   * session had, so that its memory can go.
   */
  close(): void {
    this.#closed = true
    this.alive = () => false
    if (this.#objects) this.#objectsLeft = new WeakRef(this.#objects)
    this.#objects = undefined
    this.#shared = undefined
    delete this.window
    if (this.thunkFor) this.thunkFor = () => this.#refuse()
    if (this.routineAt) this.routineAt = address => this.#goneRoutine(address)
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  assertAlive(): void {
    if (this.isOver) this.#refuse()
  }

  #refuse(): never {
    throw new SessionTerminatedError(`session ${this.sessionId} has ended, and with it its memory`)
  }

  /** A function of memory that is gone. */
  #goneRoutine(address: bigint): object {
    const sync = () => this.#refuse()
    return Object.assign(async () => sync(), { sync, address, memory: this })
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
      // the process has just ended, and this thread does not know it yet
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

/** Address ranges of a process; neighbouring ones are joined. */
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

/** The text of the process's map; empty where the process has just ended. */
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
