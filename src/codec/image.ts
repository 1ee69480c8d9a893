/**
 * The memory image of one call: the blocks that its arguments name and those that their pointers lead to, one behind the other.
 * Offsets are known while the arguments are read; the address of the whole only when the call is sent.
 */
import {
  type Block,
  type CallbackTarget,
  LocalBlock,
  type RemoteBlock,
  type RemoteMemory,
  type Target,
} from '../ctypes/block.js'
import { checkSession } from '../ctypes/reference.js'

/** Enough for every C type, SSE ones included. */
const ALIGNMENT = 16

interface Fixup {
  readonly block: number
  readonly at: number
  readonly target: number
  readonly offset: number
  readonly ref: Target
}

const padding = new Uint8Array(ALIGNMENT)

export class Image {
  readonly blocks: LocalBlock[] = []
  readonly offsets: number[] = []
  readonly #fixups: Fixup[] = []
  readonly #index = new Map<LocalBlock, number>()
  size = 0
  /** Callbacks that have no thunk in this session yet. */
  readonly callbacks: CallbackTarget[] = []

  constructor(
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
  ) {}

  /** Places a block, and all that it leads to, once; gives its offset in the image. */
  place(block: LocalBlock): number {
    const known = this.#index.get(block)
    if (known !== undefined) return this.offsets[known]
    const inside = this.#inside(block)
    if (inside >= 0) return inside
    const number = this.blocks.length
    const offset = this.size
    this.#index.set(block, number)
    this.blocks.push(block)
    this.offsets.push(offset)
    this.size = offset + Math.ceil(block.size / ALIGNMENT) * ALIGNMENT
    if (block.refs) for (const [at, ref] of block.refs) this.#follow(block, number, at, ref)
    return offset
  }

  /** Writes the final addresses into the blocks, for an image that begins at `base`. */
  relocate(base: number): void {
    for (const { block, at, target, offset } of this.#fixups) this.#put(this.blocks[block], at, base + target + offset)
  }

  /** What has to be written, one behind the other, to lay the image out. */
  views(): Uint8Array[] {
    const views: Uint8Array[] = []
    for (const { bytes } of this.blocks) {
      views.push(bytes)
      const rest = -bytes.length & (ALIGNMENT - 1)
      if (rest > 0) views.push(padding.subarray(0, rest))
    }
    return views
  }

  /** What has to be read to take the image back; read-only blocks and padding go to a place where nobody looks. */
  viewsBack(): Uint8Array[] {
    const views: Uint8Array[] = []
    for (const block of this.blocks) {
      views.push(block.writable ? block.bytes : new Uint8Array(block.bytes.length))
      const rest = -block.bytes.length & (ALIGNMENT - 1)
      if (rest > 0) views.push(new Uint8Array(rest))
    }
    return views
  }

  copyTo(memory: Uint8Array, at: number): void {
    for (let i = 0; i < this.blocks.length; i++) memory.set(this.blocks[i].bytes, at + this.offsets[i])
  }

  copyFrom(memory: Uint8Array, at: number): void {
    for (let i = 0; i < this.blocks.length; i++) {
      const { bytes, writable } = this.blocks[i]
      const from = at + this.offsets[i]
      if (writable) bytes.set(memory.subarray(from, from + bytes.length))
    }
  }

  /** After the call: pointers that the routine changed lead where it says from now on. */
  settle(base: number): void {
    for (const { block, at, target, offset, ref } of this.#fixups) {
      const owner = this.blocks[block]
      if (!owner.writable) continue
      const now = this.#get(owner, at)
      if (now === base + target + offset) continue
      const inside = this.find(now - base)
      if (inside) owner.refs?.set(at, inside)
      else if (owner.refs?.get(at) === ref) owner.refs.delete(at)
    }
    for (const block of this.blocks) block.settled(this.memory)
  }

  #follow(block: LocalBlock, number: number, at: number, ref: Target | CallbackTarget): void {
    if ('thunk' in ref) {
      const thunk = ref.thunk(this.memory)
      if (thunk === undefined) this.callbacks.push(ref)
      else this.#put(block, at, thunk)
      return
    }
    const target: Block = ref.block
    if (target instanceof LocalBlock) {
      this.#fixups.push({ block: number, at, target: this.place(target), offset: ref.offset, ref })
      return
    }
    const remote = target as RemoteBlock
    checkSession(remote.memory, this.memory)
    this.#put(block, at, remote.address + ref.offset)
  }

  /** Views of one ArrayBuffer that are given twice are one piece of memory on the other side, too. */
  #inside(block: LocalBlock): number {
    const { buffer, byteOffset, byteLength } = block.bytes
    for (let i = 0; i < this.blocks.length; i++) {
      const other = this.blocks[i].bytes
      if (other.buffer !== buffer || !this.blocks[i].writable) continue
      const within = byteOffset - other.byteOffset
      if (within >= 0 && within + byteLength <= other.byteLength) return this.offsets[i] + within
    }
    return -1
  }

  /** What a pointer into the image leads to; undefined for one that leads elsewhere. */
  find(offset: number): Target | undefined {
    for (let i = 0; i < this.blocks.length; i++) {
      const within = offset - this.offsets[i]
      if (within >= 0 && within < this.blocks[i].size) return { block: this.blocks[i], offset: within }
    }
    return undefined
  }

  #put(block: LocalBlock, at: number, address: number): void {
    const view = block.view(at, this.pointerSize)
    view.setUint32(0, address % 4294967296, true)
    if (this.pointerSize === 8) view.setUint32(4, Math.floor(address / 4294967296), true)
  }

  #get(block: LocalBlock, at: number): number {
    const view = block.view(at, this.pointerSize)
    const low = view.getUint32(0, true)
    return this.pointerSize === 8 ? view.getUint32(4, true) * 4294967296 + low : low
  }
}
