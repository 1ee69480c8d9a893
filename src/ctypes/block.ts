/** Blocks: the memory in which objects of ctypes lie. A type reads and writes it through `view` and `commit`, wherever it is. */

import type { Convention } from './convention.js'
import type { Encoding } from './encoding.js'
import type { TakenText } from './taken-texts.js'

/** What is known of a function pointer by its type. */
export interface CallbackShape {
  readonly convention: Convention
  readonly argtypes: readonly object[]
  readonly restype: object | null
}

/**
 * Reads and writes memory of one session's Windows process, synchronously. Implemented by `channel/`. Addresses are bigints: a handle
 * or a tagged pointer may have any 64 bits.
 */
export interface RemoteMemory {
  /** Names the session in error messages. */
  readonly sessionId: string
  /** How `char *` is read here; UTF-8 where nothing is said. */
  readonly encoding?: Encoding
  /** A function that calls what lies at an address in this memory. */
  routineAt?(address: bigint, type: CallbackShape): object
  /** The address of a callback's thunk, which is made if there is none yet. */
  thunkFor?(callback: CallbackTarget): number
  /** Where objects live that both sides see; undefined for memory that has no such place. */
  readonly objects?: ObjectMemory | undefined
  /** True once the session has ended. */
  readonly isOver?: boolean
  /** Fills `into` from `address`; throws MemoryAccessError. */
  read(address: bigint, into: Uint8Array): void
  /** Writes `from` to `address`; throws MemoryAccessError, also for read-only pages. */
  write(address: bigint, from: Uint8Array): void
}

/** Memory that this process and the Windows process of a session both see, in which objects live. Implemented by `session/`. */
export interface ObjectMemory {
  /**
   * Where the block lies there: it moves, with all that it leads to, if it has not done so before. Undefined for what stays in memory
   * of this process and is copied for each call. Throws ZugbrueckeError where there is no room left.
   */
  addressOf(block: LocalBlock): number | undefined
  /** The same for what a pointer in such memory leads to: what does not move gets room for a copy there, for as long as it is pointed to. */
  addressFor(block: LocalBlock): number
}

/** Where a block lies in memory that both sides see. */
export interface Home {
  readonly memory: RemoteMemory
  readonly address: number
  /** Whether it is memory of the Windows side's own, where the shared memory is full: see session/core/reserve.ts. */
  readonly isFar: boolean
  /** An ArrayBuffer of just these bytes, which keeps the place taken as long as somebody has it. */
  own(): ArrayBuffer
  /** Gives the place back: no block lies there any more. */
  release(): void
}

/** What a pointer stored inside a LocalBlock points to: an object of JS (placed beside the block when a call is made). */
export interface Target {
  readonly block: Block
  readonly offset: number
}

/** A function pointer stored inside a LocalBlock, or given as an argument: resolved to a thunk's address when a call is made. */
export interface CallbackTarget {
  /** The address of its thunk in `memory`'s session; undefined while it has none yet. */
  thunk(memory: RemoteMemory): number | undefined
}

/** Of a type: where the pointers lie in an object of it. */
export const POINTERS: unique symbol = Symbol('pointers')
/** What lies in a block, as far as it has to be known to copy or move it. */
export interface Shape {
  readonly alignment: number
  readonly [POINTERS]: readonly number[]
}

/** Memory of this process, or of a session's Windows process. */
export type Block = LocalBlock | RemoteBlock

abstract class BaseBlock {
  abstract readonly size: number
  /** A view of the whole block, where it is memory of this process: spares a view for each access. */
  abstract readonly whole: DataView | undefined
  /** A view whose byte 0 is byte `offset` of the block; changes to it count only after `commit`. */
  abstract view(offset: number, size: number): DataView
  /** Writes a changed view that `view(offset, …)` gave. Nothing is left to do for memory of this process. */
  abstract commit(offset: number, view: DataView): void
  /** Says that bytes are written which are no pointers, whatever lay there before. */
  overwritten(_offset: number, _size: number): void {}
}

/** The block that lies in an ArrayBuffer which has been handed out. */
const owners = new WeakMap<ArrayBufferLike, LocalBlock>()

/**
 * Memory of this process. It moves, when it first has to have an address, to memory that both sides see, where it stays for as long as JS can
 * reach it. What cannot move is copied to the Windows side for each call that names it, and back if it may have changed.
 */
export class LocalBlock extends BaseBlock {
  /** Another one once it has moved. */
  override whole: DataView
  /**
   * Pointers inside the block that lead to objects of JS, by offset. As long as it has not moved, the bytes there mean nothing while there
   * is such an entry: the encoder writes the final address into them for each call. Once it has moved the bytes count. An entry then keeps
   * its object alive, and is what the pointer leads to as long as it has the address of that.
   */
  refs: Map<number, Target | CallbackTarget> | undefined
  /** Texts that pointers in it led to when a routine returned: see taken-texts.ts. Goes when a call may have changed them. */
  taken: Map<number, TakenText> | undefined
  /** Undefined for bytes that nobody has given a type. */
  shape: Shape | undefined
  /** The session whose addresses the raw pointers inside mean, once a call has filled them in. */
  origin: RemoteMemory | undefined
  /** False: a constant, which is not read back. */
  readonly writable: boolean
  /** Where it lies, once it has moved. */
  home: Home | undefined
  /** Room for a copy of what does not move, where something that has moved points to it. */
  lodging: Home | undefined
  /** The memory of an object of ctypes, which moves when it is passed by reference. */
  isObject = false
  /** Whether the program has the bytes, as a buffer or a typed array: then they stay where they are. */
  isLent: boolean
  /** Whether the program has a typed array over the place where it has moved to. */
  isHandedOut = false
  #bytes: Uint8Array | undefined
  constructor(bytes: Uint8Array | DataView, writable = true) {
    super()
    if (bytes instanceof DataView) this.whole = bytes
    else {
      this.#bytes = bytes
      this.whole = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.writable = writable
    this.isLent = this.#bytes !== undefined
  }
  /** The memory of an object: nobody else has it. */
  static of(type: Shape, bytes: Uint8Array): LocalBlock {
    const block = new LocalBlock(bytes)
    block.isLent = false
    block.isObject = true
    block.shape = type
    return block
  }
  /** The block that has moved to where this ArrayBuffer, which was handed out, lies. */
  static owning(buffer: ArrayBufferLike): LocalBlock | undefined {
    return owners.get(buffer)
  }
  get bytes(): Uint8Array {
    this.#bytes ??= new Uint8Array(this.whole.buffer, this.whole.byteOffset, this.whole.byteLength)
    return this.#bytes
  }
  /** A copy of some bytes, for what must not see them change, such as a decoder: see channel/mapping.ts. */
  copy(offset: number, end: number): Uint8Array {
    return this.bytes.slice(offset, end)
  }
  /** Says where it lies from now on; its bytes are there already. */
  move(whole: DataView, home: Home | undefined): void {
    this.whole = whole
    this.#bytes = undefined
    this.home = home
    this.taken = undefined
    if (home) this.origin = home.memory
  }
  /** Gives up the room for a copy. */
  leaveLodging(): void {
    this.lodging?.release()
    this.lodging = undefined
  }
  /** The bytes for a typed array of the user's: if the block has moved, in an ArrayBuffer of their own; else it never moves. */
  handOut(): Uint8Array {
    if (this.home) {
      this.ownBuffer(this.home)
      this.isHandedOut = true
    } else this.isLent = true
    return this.bytes
  }
  /** Gives what has moved an ArrayBuffer of its own. */
  ownBuffer(home: Home): void {
    if (owners.get(this.whole.buffer) === this) return
    const buffer = home.own()
    owners.set(buffer, this)
    this.move(new DataView(buffer), home)
  }
  static allocate(size: number): LocalBlock {
    return new LocalBlock(new DataView(new ArrayBuffer(size)))
  }
  /** Memory for one object of a type. */
  static for(type: Shape & { readonly size: number }): LocalBlock {
    const block = LocalBlock.allocate(type.size)
    block.shape = type
    block.isObject = true
    return block
  }
  override get size(): number {
    return this.whole.byteLength
  }
  override view(offset: number, size: number): DataView {
    const { whole } = this
    if (offset === 0 && size === whole.byteLength) return whole
    return new DataView(whole.buffer, whole.byteOffset + offset, size)
  }
  override commit(): void {}
  override overwritten(offset: number, size: number): void {
    const { refs } = this
    if (!refs || refs.size === 0) return
    // a pointer has 4 bytes or 8, and what is written over its first ones is the end of it
    const from = offset - 3
    const end = offset + size
    if (end - from <= refs.size) for (let at = from; at < end; at++) refs.delete(at)
    else for (const at of refs.keys()) if (at >= from && at < end) refs.delete(at)
  }
  /** The block that goes to a session with this encoding of `char *`: another one for text in another encoding. */
  sentIn(_encoding: Encoding | undefined): LocalBlock {
    return this
  }
  /** Whether pointers may lie in it. */
  get holdsPointers(): boolean {
    return (
      (this.refs !== undefined && this.refs.size > 0) || (this.shape !== undefined && this.shape[POINTERS].length > 0)
    )
  }
  /** Memory of the program's that it is, or stands for: of calls that have the same, one waits for the other. */
  get lentAs(): ArrayBufferLike {
    return this.bytes.buffer
  }
  /** To be called before the bytes go to the other side: a block that stands for other memory takes what is there now. */
  refresh(): void {}
  /** To be called when a call has brought the bytes back: the addresses in them are those of `memory`. */
  settled(memory: RemoteMemory): void {
    this.origin = memory
    this.taken = undefined
  }
}

/** Memory of the Windows process. Every access happens now; nothing is cached. */
export abstract class RemoteBlock extends BaseBlock {
  /** Objects of JS that pointers in it were set to lead to, by offset: they live at least as long as this block. */
  kept: Map<number, Target | CallbackTarget> | undefined
  abstract readonly memory: RemoteMemory
  /** Throws where there is none (any more). */
  abstract readonly address: bigint
  /** The address of a byte; offsets wrap, as they do in the machine. */
  addressAt(offset: number): bigint {
    return offset === 0 ? this.address : BigInt.asUintN(64, this.address + BigInt(offset))
  }
  override get whole(): undefined {
    return undefined
  }
  override view(offset: number, size: number): DataView {
    const bytes = new Uint8Array(size)
    this.memory.read(this.addressAt(offset), bytes)
    return new DataView(bytes.buffer)
  }
  override commit(offset: number, view: DataView): void {
    this.memory.write(this.addressAt(offset), new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
}

/** Memory at an address; without a size, as far as it goes. */
export class RemoteRange extends RemoteBlock {
  constructor(
    override readonly memory: RemoteMemory,
    override readonly address: bigint,
    override readonly size = Number.POSITIVE_INFINITY,
  ) {
    super()
  }
}
