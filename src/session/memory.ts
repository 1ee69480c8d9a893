/** Memory of the Windows process: allocated there for what a DLL keeps, read and written from here. */
import { Op } from '../codec/layout.js'
import { RemoteBlock, type RemoteMemory } from '../ctypes/block.js'
import { type CType, viewAt } from '../ctypes/data.js'
import type { InstanceOf } from '../ctypes/inference.js'
import { ArgumentError, MemoryAccessError } from '../errors.js'
import { type Both, both, coreForSync } from './both.js'
import type { SessionCore } from './core.js'
import type { SessionSurface } from './surface.js'

export type AddressLike = number | bigint | { readonly address: bigint }

/** Memory that `alloc` gave. Stays until it is freed, disposed, or its session ends; never the garbage collector's business. */
export class Allocation {
  #freed = false
  constructor(
    private readonly owner: SessionMemory,
    readonly start: bigint,
    /** In bytes. */
    readonly size: number,
  ) {}
  /** Throws MemoryAccessError once it is freed. */
  get address(): bigint {
    if (this.#freed) throw new MemoryAccessError('this memory has been freed', { address: this.start })
    return this.start
  }
  /** Tells sessions apart: memory of one is nothing to another. */
  get memory(): RemoteMemory {
    return this.owner.core().memory
  }
  /** The bytes, copied. */
  read(offset = 0, length = this.size - offset): Uint8Array {
    return this.owner.read(this.address + BigInt(offset), length)
  }
  write(bytes: Uint8Array, offset = 0): void {
    if (offset < 0 || offset + bytes.length > this.size)
      throw new ArgumentError(
        `${bytes.length} bytes at offset ${offset} do not fit the ${this.size} bytes of this memory`,
      )
    this.owner.write(this.address + BigInt(offset), bytes)
  }
  /** Frees it, in order with the calls made before; twice is an error. */
  async free(): Promise<void> {
    const { address } = this
    this.#freed = true
    await this.owner.release(address)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#freed) await this.free()
  }
  [Symbol.dispose](): void {
    if (!this.#freed) void this.free().catch(() => {})
  }
}

/** What an allocation's object lives in: each access asks whether the memory is still there. */
class AllocationBlock extends RemoteBlock {
  constructor(
    memory: RemoteMemory,
    private readonly allocation: Allocation,
  ) {
    super(memory, Number(allocation.address), allocation.size)
  }
  override view(offset: number, size: number): DataView {
    void this.allocation.address
    return super.view(offset, size)
  }
  override commit(offset: number, view: DataView): void {
    void this.allocation.address
    super.commit(offset, view)
  }
}

/** Memory that holds an object of type T. */
export class TypedAllocation<T extends CType> extends Allocation {
  /** The object, read and written in place. */
  readonly contents: InstanceOf<T>
  constructor(owner: SessionMemory, start: bigint, size: number, type: T, memory: RemoteMemory) {
    super(owner, start, size)
    this.contents = viewAt(type, new AllocationBlock(memory, this), 0) as InstanceOf<T>
  }
}

export interface Alloc {
  (bytes: number): Promise<Allocation>
  <T extends CType>(type: T): Promise<TypedAllocation<T>>
  sync(bytes: number): Allocation
  sync<T extends CType>(type: T): TypedAllocation<T>
}

export class SessionMemory {
  /** Zeroed memory of the Windows process for so many bytes, or for an object of a type. */
  readonly alloc: Alloc
  readonly #free: Both<[address: bigint], void>

  constructor(private readonly session: SessionSurface) {
    const make = (what: number | CType, core: SessionCore, address: bigint): Allocation => {
      if (typeof what === 'number') return new Allocation(this, address, what)
      return new TypedAllocation(this, address, what.size, what, core.memory)
    }
    this.alloc = both(session, (ask, what: number | CType) => {
      const size = typeof what === 'number' ? what : what?.size
      if (!Number.isSafeInteger(size) || size < 0)
        throw new ArgumentError(`alloc takes a number of bytes or a type, not ${String(what)}`)
      return ask(`alloc(${size})`, Op.alloc, [size], [], (o, core) =>
        make(what, core, BigInt.asUintN(64, o.numbers[0])),
      )
    }) as unknown as Alloc
    this.#free = both(session, (ask, address) => ask('free', Op.free, [address], [], () => undefined))
  }

  /** Frees what `alloc` gave. */
  async free(memory: Allocation): Promise<void> {
    if (!(memory instanceof Allocation)) throw new ArgumentError('free takes what alloc gave')
    await memory.free()
  }

  /** Copies bytes out of the Windows process, now. Throws MemoryAccessError. */
  read(address: AddressLike, length: number): Uint8Array {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ArgumentError(`a length is a number of bytes, not ${String(length)}`)
    const bytes = new Uint8Array(length)
    this.core().memory.read(addressOf(address), bytes)
    return bytes
  }

  /** Copies bytes into the Windows process, now. Throws MemoryAccessError, also for memory that may only be read. */
  write(address: AddressLike, bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw new ArgumentError('write takes bytes (a Uint8Array)')
    this.core().memory.write(addressOf(address), bytes)
  }

  /** An object of the Windows process, read and written in place. */
  at<T extends CType>(type: T, address: AddressLike): InstanceOf<T> {
    return viewAt(type, new RemoteBlock(this.core().memory, addressOf(address), type.size), 0) as InstanceOf<T>
  }

  /** @internal */
  core(): SessionCore {
    return coreForSync(this.session)
  }
  /** @internal */
  release(address: bigint): Promise<void> {
    return this.#free(address)
  }
}

/** A number below 2^53 from whatever names an address. */
export function addressOf(address: AddressLike): number {
  const raw = typeof address === 'object' && address !== null ? address.address : address
  const number = typeof raw === 'bigint' ? Number(BigInt.asUintN(64, raw)) : raw
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0)
    throw new ArgumentError(`an address is a bigint, a number or something with an address, not ${String(address)}`)
  return number
}
