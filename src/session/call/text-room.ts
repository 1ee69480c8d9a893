/**
 * Room for the texts that a routine leaves. The request names room in the arena, as large as its texts needed lately.
 * Where that is too small the host puts them into memory of its own, which is read and freed from here (docs/wire.md,
 * "Texts").
 */
import type { Sender } from '../../channel/exchange.js'
import { Op, Reply, Status, Texts } from '../../codec/layout.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import { ZugbrueckeError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'

/** Bytes of room for the texts of a routine's first call, and for each row of its first batch. */
const FIRST = 128
const FIRST_OF_ROW = 64
/** The most room, in bytes, for the texts of a call or row. */
const MOST = 65536
/** The most bytes of texts that the host gathers. */
const LONGEST = 0x40000000
/** So many texts are freed by one message, where the program's code does not pause before. */
const TOGETHER = 64

/** How much room the texts of one routine need, from what those of earlier calls needed. */
export class TextLengths {
  #call = FIRST
  #row = FIRST_OF_ROW

  /** Bytes of room for the `count` texts of a call. */
  call(count: number): number {
    return headOf(count) + this.#call
  }
  /** Bytes of room for the texts of so many rows, `count` each. */
  rows(rows: number, count: number): number {
    return headOf(rows * count) + rows * this.#row
  }
  /** What each row adds to that. */
  rowSize(count: number): number {
    return Texts.recordSize * count + this.#row
  }

  /** To be called with the bytes that the texts of a call took. */
  cameFromCall(size: number, count: number): void {
    this.#call = Math.max(this.#call, roomFor(size - headOf(count)))
  }
  /** The same for the texts of rows together. */
  cameFromRows(size: number, rows: number, count: number): void {
    if (rows > 0) this.#row = Math.max(this.#row, roomFor((size - headOf(rows * count)) / rows))
  }
}

const headOf = (count: number) => Texts.records + Texts.recordSize * count
/** Room with a quarter more than was needed. */
const roomFor = (needed: number) => Math.min(MOST, Math.ceil((needed * 1.25) / 32) * 32)

/** The room for texts of one request. */
export class TextRoom {
  #at = -1
  #size = 0
  constructor(private readonly core: SessionCore) {}

  /** Allocates room in the arena. If the arena is full there is none, and the host uses memory of its own. */
  place(sender: Sender, size: number): void {
    this.#at = sender.arena.allocate(size)
    this.#size = this.#at < 0 ? 0 : size
  }

  /** Its address in the Windows process; 0: there is none. */
  get address(): number {
    return this.#at < 0 ? 0 : this.core.facts.base + this.#at
  }
  /** In bytes. */
  get size(): number {
    return this.#size
  }

  /**
   * The `count` texts of the reply at an offset, and how many bytes they take; undefined if the routine failed. Throws
   * ZugbrueckeError if the reply is damaged.
   */
  read(label: string, replyAt: number, count: number): { texts: TakenTexts; size: number } | undefined {
    const { core } = this
    const { view, u8 } = core.mapping
    const address = view.getBigUint64(replyAt + Reply.texts, true)
    if (address === 0n) {
      if (view.getUint32(replyAt + Reply.status, true) === Status.done) throw damaged(label)
      return undefined
    }
    const isOurs = address === BigInt(this.address)
    const bytes = isOurs ? copyOfRoom(u8, this.#at, this.#size) : readFromHost(label, core, address)
    return { texts: readTexts(label, bytes, count), size: bytes.length }
  }

  /** Gives the room back. */
  release(sender: Sender): void {
    if (this.#at >= 0) sender.arena.free(this.#at, this.#size)
    this.#at = -1
    this.#size = 0
  }
}

/**
 * A copy of the texts, at most `most` bytes: the Windows side may still change them, and must not while they are read.
 */
function copyOfRoom(u8: Uint8Array, at: number, most: number): Uint8Array {
  return u8.slice(at, at + Math.min(sizeOf(u8.slice(at, at + Texts.records)), most))
}

const sizeOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(Texts.size, true)

function readFromHost(label: string, core: SessionCore, address: bigint): Uint8Array {
  try {
    const head = new Uint8Array(Texts.records)
    core.memory.read(address, head)
    const size = sizeOf(head)
    if (size > LONGEST) throw damaged(label)
    const bytes = new Uint8Array(size)
    core.memory.read(address, bytes)
    return bytes
  } finally {
    freeLater(core, address)
  }
}

const toFree = new WeakMap<SessionCore, bigint[]>()

function freeLater(core: SessionCore, address: bigint): void {
  let waiting = toFree.get(core)
  if (!waiting) toFree.set(core, (waiting = []))
  waiting.push(address)
  if (waiting.length >= TOGETHER) free(core, waiting)
  else if (waiting.length === 1) queueMicrotask(() => free(core, waiting))
}

function free(core: SessionCore, waiting: bigint[]): void {
  if (waiting.length > 0) core.control.discard('freeing texts', Op.freeTexts, waiting.splice(0))
}

function readTexts(label: string, bytes: Uint8Array, count: number): TakenTexts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (headOf(count) > bytes.length) throw damaged(label)
  return index => {
    const at = Texts.records + Texts.recordSize * index
    const offset = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    if (offset === 0) return null
    if (offset === Texts.unreadable) return undefined
    if (offset + length > bytes.length) throw damaged(label)
    return bytes.subarray(offset, offset + length)
  }
}

const damaged = (label: string) =>
  new ZugbrueckeError(
    `${label}: the Windows side gave texts that are damaged: this is a fault of zugbruecke, or of the DLL`,
  )
