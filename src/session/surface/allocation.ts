/** Memory of the Windows process that the program has allocated. */

import { RemoteBlock, type RemoteMemory } from '../../ctypes/block.js'
import { check, wholeNumber } from '../../ctypes/checks.js'
import { BLOCK, type CType, viewAt } from '../../ctypes/data.js'
import { isA } from '../../ctypes/given.js'
import type { InstanceOf } from '../../ctypes/inference.js'
import { ArgumentError, MemoryAccessError } from '../../errors.js'

const WHOLE = wholeNumber(0, Number.MAX_SAFE_INTEGER)

/** The session that an allocation belongs to. */
export interface AllocationOwner {
  /** Throws once the session has ended. */
  core(): { readonly memory: RemoteMemory }
  read(address: bigint, length: number): Uint8Array
  write(address: bigint, bytes: Uint8Array): void
  free(allocation: Allocation): Promise<void>
}

/**
 * Memory that `alloc` gave. It stays until it is freed or disposed, or its session ends; the garbage collector never
 * frees it.
 */
export class Allocation {
  #freed = false
  readonly #owner: AllocationOwner
  readonly #block: RemoteBlock
  constructor(
    owner: AllocationOwner,
    readonly start: bigint,
    /** In bytes. */
    readonly size: number,
    memory: RemoteMemory,
  ) {
    this.#owner = owner
    this.#block = new AllocationBlock(memory, this)
  }
  /** @internal The block that pointers to this memory lead to. */
  get [BLOCK](): RemoteBlock {
    return this.#block
  }
  /** Its address in the Windows process. Throws MemoryAccessError once it is freed. */
  get address(): bigint {
    if (this.#freed) throw new MemoryAccessError('this memory has been freed', { address: this.start })
    return this.start
  }
  /** The memory of its session. Other sessions refuse the allocation. */
  get memory(): RemoteMemory {
    return this.#owner.core().memory
  }
  /** Copies bytes from an offset on: `length` of them, or all. */
  read(offset = 0, length?: number): Uint8Array {
    check('an offset', offset, WHOLE)
    const count = length === undefined ? this.size - offset : length
    return this.#owner.read(this.#at(offset, count), count)
  }
  /** Writes bytes at an offset; more than there is room for is a `MemoryAccessError`. */
  write(bytes: Uint8Array, offset = 0): void {
    this.#owner.write(this.#at(offset, isA(bytes, Uint8Array) ? bytes.length : 0), bytes)
  }
  /** Frees the memory when the calls made before have returned. Freeing it twice is a `MemoryAccessError`. */
  free(): Promise<void> {
    return this.#owner.free(this)
  }
  /** Frees the memory at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#freed) await this.free()
  }
  /** Frees the memory at the end of a `using`: without waiting for it, but inside a job it blocks until it is done. */
  [Symbol.dispose](): void {
    if (!this.#freed) void (async () => this.free())().catch(() => {})
  }
  /** @internal Marks the memory as freed, and gives its address. Throws MemoryAccessError if it was freed before. */
  surrender(): bigint {
    const { address } = this
    this.#freed = true
    return address
  }
  /** @internal */
  belongsTo(owner: AllocationOwner): boolean {
    return owner === this.#owner
  }
  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Allocation { ${this.size} bytes ${this.#freed ? 'that have been freed' : `at 0x${this.start.toString(16)}`} }`
  }
  #at(offset: number, length: number): bigint {
    check('an offset', offset, WHOLE)
    check('a length', length, WHOLE)
    if (offset + length > this.size)
      throw new ArgumentError(`${length} bytes at offset ${offset} do not lie in the ${this.size} bytes of this memory`)
    return this.address + BigInt(offset)
  }
}

/** The block of an allocation. Each use fails once the allocation is freed. */
class AllocationBlock extends RemoteBlock {
  constructor(
    override readonly memory: RemoteMemory,
    private readonly allocation: Allocation,
  ) {
    super()
  }
  override get address(): bigint {
    return this.allocation.address
  }
  override get size(): number {
    return this.allocation.size
  }
}

/** Memory that holds an object of type T. */
export class TypedAllocation<T extends CType> extends Allocation {
  /** The object, read and written in place. */
  readonly contents: InstanceOf<T>
  constructor(owner: AllocationOwner, start: bigint, size: number, type: T, memory: RemoteMemory) {
    super(owner, start, size, memory)
    this.contents = viewAt(type, this[BLOCK], 0) as InstanceOf<T>
  }
}

export interface Alloc {
  (bytes: number): Promise<Allocation>
  <T extends CType>(type: T): Promise<TypedAllocation<T>>
  sync(bytes: number): Allocation
  sync<T extends CType>(type: T): TypedAllocation<T>
}
