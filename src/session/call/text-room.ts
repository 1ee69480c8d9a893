/**
 * Where the Windows side puts the texts that a routine leaves: room that the request brings, as much as has done lately, or memory of
 * the host's own where it does not do, which is read and given back (docs/wire.md, "Texts").
 */
import type { Sender } from '../../channel/exchange.js'
import { Op, Reply, Status, Texts } from '../../codec/layout.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import { ZugbrueckeError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'

/** Bytes that the first call of a routine brings for what its texts say, and the most that any brings; in batches for each row. */
const FIRST = 128
const FIRST_OF_ROW = 64
const MOST = 65536
/** The host gathers no more. */
const LONGEST = 0x40000000
/** Addresses of texts to be freed that are sent together, if they come before the program pauses. */
const TOGETHER = 64

/** How long the texts of one routine are. */
export class TextLengths {
  #call = FIRST
  #row = FIRST_OF_ROW

  /** Bytes for so many texts of a call. */
  call(count: number): number {
    return headOf(count) + this.#call
  }
  /** Bytes for the texts of so many rows, `count` each. */
  rows(rows: number, count: number): number {
    return headOf(rows * count) + rows * this.#row
  }
  /** Bytes of a row, at the most. */
  rowSize(count: number): number {
    return Texts.recordSize * count + this.#row
  }

  cameFromCall(size: number, count: number): void {
    this.#call = Math.max(this.#call, upTo(size - headOf(count)))
  }
  cameFromRows(size: number, rows: number, count: number): void {
    if (rows > 0) this.#row = Math.max(this.#row, upTo((size - headOf(rows * count)) / rows))
  }
}

const headOf = (count: number) => Texts.records + Texts.recordSize * count
/** A quarter more than was needed. */
const upTo = (needed: number) => Math.min(MOST, Math.ceil((needed * 1.25) / 32) * 32)

/** The room of one request. */
export class TextRoom {
  #at = -1
  #size = 0
  constructor(private readonly core: SessionCore) {}

  /** Takes room in the arena, where there is some. */
  place(sender: Sender, size: number): void {
    this.#at = sender.arena.allocate(size)
    this.#size = this.#at < 0 ? 0 : size
  }

  get address(): number {
    return this.#at < 0 ? 0 : this.core.facts.base + this.#at
  }
  get size(): number {
    return this.#size
  }

  /** The texts of a reply, `count` of them, unless the routine failed. Throws ZugbrueckeError for a reply that is damaged. */
  read(label: string, replyAt: number, count: number): { texts: TakenTexts; size: number } | undefined {
    const { core } = this
    const { view, u8 } = core.mapping
    const address = view.getBigUint64(replyAt + Reply.texts, true)
    if (address === 0n) {
      if (view.getUint32(replyAt + Reply.status, true) === Status.done) throw damaged(label)
      return undefined
    }
    const isOurs = address === BigInt(this.address)
    const bytes = isOurs ? copyOfRoom(u8, this.#at, this.#size) : takeFromHost(label, core, address)
    return { texts: readTexts(label, bytes, count), size: bytes.length }
  }

  release(sender: Sender): void {
    if (this.#at >= 0) sender.arena.free(this.#at, this.#size)
    this.#at = -1
    this.#size = 0
  }
}

/** A copy of as many bytes as there are, at most `most`: what the other side may still change is read once. */
function copyOfRoom(u8: Uint8Array, at: number, most: number): Uint8Array {
  return u8.slice(at, at + Math.min(sizeOf(u8.slice(at, at + Texts.records)), most))
}

const sizeOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(Texts.size, true)

function takeFromHost(label: string, core: SessionCore, address: bigint): Uint8Array {
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
