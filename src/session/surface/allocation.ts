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
    /** Its address, also once it has been freed. */
    readonly start: bigint,
    /** In bytes. */
    readonly size: number,
    memory: RemoteMemory,
  ) {
    this.#owner = owner
    this.#block = new AllocationBlock(memory, this)
  }
  /** @internal The block of this memory, for pointers to it. */
  get [BLOCK](): RemoteBlock {
    return this.#block
  }
  /** Its address in the Windows process. Throws MemoryAccessError once it is freed. */
  get address(): bigint {
    if (this.#freed) throw new MemoryAccessError('this memory has been freed', { address: this.start })
    return this.start
  }
  /** The memory of its session: calls of other sessions refuse the allocation. Throws once the session has ended. */
  get memory(): RemoteMemory {
    return this.#owner.core().memory
  }
  /**
   * A copy of `length` bytes from an offset on, or of all, as they are now. Throws ArgumentError for what is not
   * inside, MemoryAccessError once the memory is freed.
   */
  read(offset = 0, length?: number): Uint8Array {
    check('an offset', offset, WHOLE)
    const count = length === undefined ? this.size - offset : length
    return this.#owner.read(this.#at(offset, count), count)
  }
  /** Writes bytes at an offset, now. Throws as `read` does. */
  write(bytes: Uint8Array, offset = 0): void {
    this.#owner.write(this.#at(offset, isA(bytes, Uint8Array) ? bytes.length : 0), bytes)
  }
  /** Frees the memory when the calls made before have returned. Rejects with MemoryAccessError the second time. */
  free(): Promise<void> {
    return this.#owner.free(this)
  }
  /** Frees the memory at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#freed) await this.free()
  }
  /** Frees the memory at the end of a `using`. Nobody waits for that; inside a job it blocks until it is done. */
  [Symbol.dispose](): void {
    if (!this.#freed) void (async () => this.free())().catch(() => {})
  }
  /** @internal Marks the memory as freed, and gives its address. Throws MemoryAccessError if it was freed before. */
  surrender(): bigint {
    const { address } = this
    this.#freed = true
    return address
  }
  /** @internal Whether this session has allocated it. */
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

/**
 * Zeroed memory of the Windows process for so many bytes, or for an object of a type. Rejects with ArgumentError,
 * MemoryAccessError.
 */
export interface Alloc {
  (bytes: number): Promise<Allocation>
  <T extends CType>(type: T): Promise<TypedAllocation<T>>
  /** The same, blocking this thread; throws. */
  sync(bytes: number): Allocation
  /** The same, blocking this thread; throws. */
  sync<T extends CType>(type: T): TypedAllocation<T>
}
