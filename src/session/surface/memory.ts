import { numberOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { LocalBlock, RemoteBlock, type RemoteMemory, RemoteRange } from '../../ctypes/block.js'
import { allocated, check, LARGEST, SIZE } from '../../ctypes/checks.js'
import {
  type Arch,
  BLOCK,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  isType,
  OFFSET,
  typeOf,
  viewAt,
} from '../../ctypes/data.js'
import { hasMember, isA, reading } from '../../ctypes/given.js'
import type { ArrayType, InstanceOf } from '../../ctypes/inference.js'
import { addressof } from '../../ctypes/memory.js'
import { toAddress } from '../../ctypes/pointing.js'
import { checkSession, isRemotePlace, liveRefs, readCell } from '../../ctypes/reference.js'
import { ArgumentError } from '../../errors.js'
import { type Both, blockingOnly, both } from '../core/both.js'
import type { SessionCore } from '../core/core.js'
import { coreForSync } from '../core/owner.js'
import { type Alloc, Allocation, TypedAllocation } from './allocation.js'
import type { SessionSurface } from './surface.js'

/** An address, or an object with one, such as an allocation or a pointer. */
export type AddressLike = number | bigint | { readonly address: bigint }

/** The constructors of typed arrays. */
export type TypedArrayConstructor =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor

/**
 * `session.memory`: memory of the Windows process. Reading and writing happen at once, whatever calls are under way:
 * await those first. A bad address is a MemoryAccessError, never a crash. Before the session is up everything but
 * `alloc` and `free` throws SessionStartError.
 */
export class SessionMemory {
  /**
   * Zeroed memory of the Windows process for so many bytes, or for an object of a type, until it is freed or the
   * session ends.
   */
  readonly alloc: Alloc
  /**
   * Frees what `alloc` gave, when the calls made before have returned. Given an object of ctypes that has moved, it
   * frees the memory in which both sides saw the object: the object keeps its values, in memory of JS, and has no
   * address until it is passed by reference again.
   */
  readonly free: Both<[memory: Allocation | object], void>

  /** `blocking`: its functions block also without `.sync`, as inside jobs. */
  constructor(
    private readonly session: SessionSurface,
    blocking: boolean,
  ) {
    const fitting = (what: number | CType) => (isType(what) ? what[FOR_ARCH](session.arch) : what)
    const make = (what: number | CType, core: SessionCore, address: bigint): Allocation => {
      if (typeof what === 'number') return new Allocation(this, address, what, core.memory)
      return new TypedAllocation(this, address, what.size, what, core.memory)
    }
    const alloc = both(session, (ask, given: number | CType) => {
      const what = fitting(given)
      const size = isType(what) ? what.size : what
      const most = session.arch === 'win64' ? Number.MAX_SAFE_INTEGER : LARGEST
      if (!Number.isSafeInteger(size) || size < 0 || size > most)
        throw new ArgumentError(`alloc takes a type or a number of bytes up to ${most}, not ${describe(what)}`)
      return ask(`alloc(${size})`, Op.alloc, [size], [], (outcome, core) =>
        make(what, core, BigInt.asUintN(64, numberOf(outcome))),
      )
    })
    const free = both(session, (ask, memory: Allocation | object) => {
      if (isA(memory, CData)) {
        const block = freeable(memory)
        // any request would do: when it is answered all calls made before have returned
        return ask('free', Op.getLastError, [], [], () => moveBack(block))
      }
      if (!isA(memory, Allocation))
        throw new ArgumentError(`free takes what alloc gave, or an object of ctypes, not ${describe(memory)}`)
      if (!memory.belongsTo(this)) checkSession(memory.memory, this.core().memory)
      return ask('free', Op.free, [memory.surrender()], [], () => undefined)
    })
    this.alloc = (blocking ? blockingOnly(alloc) : alloc) as unknown as Alloc
    this.free = (blocking ? blockingOnly(free) : free) as unknown as typeof this.free
  }

  /** Copies bytes out of the Windows process, now. Throws MemoryAccessError. */
  read(address: AddressLike, length: number): Uint8Array {
    check('the length of what is read', length, SIZE)
    const bytes = allocated(`a copy of ${length} bytes`, () => new Uint8Array(length))
    const { memory } = this.core()
    memory.read(this.#address(address, memory), bytes)
    return bytes
  }

  /** Copies bytes into the Windows process, now. Throws MemoryAccessError, also for memory that may only be read. */
  write(address: AddressLike, bytes: Uint8Array): void {
    if (!isA(bytes, Uint8Array)) throw new ArgumentError('write takes bytes (a Uint8Array)')
    const { memory } = this.core()
    memory.write(this.#address(address, memory), bytes)
  }

  /**
   * Moves an object of ctypes into memory that both sides see. It has an address from then on, and stays there for as
   * long as this thread can reach it. What it points to moves with it. Returns the object. Throws ArgumentError if it
   * cannot move.
   */
  place<T extends object>(object: T): T {
    const { memory, objects } = this.core()
    if (!isA(object, CData)) throw new ArgumentError(`place takes an object of ctypes, not ${describe(object)}`)
    const block = object[BLOCK]
    const name = typeOf(object).name
    if (block instanceof RemoteBlock) {
      checkSession(block.memory, memory)
      return object
    }
    if (block instanceof LocalBlock && block.isObject && !block.isLent) objects.addressFor(block)
    if (block instanceof LocalBlock && block.home && block.home.memory.sessionId !== memory.sessionId)
      throw new ArgumentError(`this ${name} lives in memory of session ${block.home.memory.sessionId}`)
    // throws if the object could not move, and says why
    addressof(object)
    return object
  }

  /**
   * A typed array of `length` zeros, or a ctypes array of `length` elements of a C type, in memory that both sides see:
   * calls and batches use it in place, and DLLs may keep its address. It lives for as long as this thread can reach it.
   * The Windows side may change it at any time: sort, search, decode or print only a copy of it (`slice()`) while a
   * routine uses it. Throws ArgumentError, and ZugbrueckeError where there is no room.
   */
  array<A extends TypedArrayConstructor>(type: A, length: number): InstanceType<A>
  array<T extends CType>(type: T, length: number): InstanceOf<ArrayType<T>>
  array(type: TypedArrayConstructor | CType, length: number): object {
    const { objects } = this.core()
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ArgumentError(`an array needs a length, not ${describe(length)}`)
    if (isType(type)) {
      const arrayType = type[FOR_ARCH](this.session.arch).array(length)
      const block = objects.make(arrayType.size, Math.max(ALIGNED, arrayType.alignment))
      block.shape = arrayType
      return viewAt(arrayType, block, 0)
    }
    const size = hasMember(type, 'BYTES_PER_ELEMENT') ? type.BYTES_PER_ELEMENT : undefined
    if (typeof type !== 'function' || typeof size !== 'number')
      throw new ArgumentError(`array takes the class of a typed array, or a C type, not ${describe(type)}`)
    const { buffer, byteOffset } = objects.make(length * size, ALIGNED).handOut()
    return new type(buffer as ArrayBuffer, byteOffset, length)
  }

  /**
   * The object of a type at an address of the Windows process, read and written in place. Throws ArgumentError; a bad
   * address is an error where the object is used.
   */
  at<T extends CType>(type: T, address: AddressLike): InstanceOf<T> {
    const { memory } = this.core()
    if (!isType(type)) throw new ArgumentError(`at takes a type, not ${describe(type)}`)
    const fitting = type[FOR_ARCH](this.session.arch)
    return viewAt(fitting, new RemoteRange(memory, this.#address(address, memory), fitting.size), 0) as InstanceOf<T>
  }

  #address(address: AddressLike, memory: RemoteMemory): bigint {
    return addressFrom(address, memory, this.session.arch)
  }

  /** @internal The core of this thread. Throws where the session is not up, or has ended. */
  core(): SessionCore {
    return coreForSync(this.session)
  }
}

/** Bytes that the arrays of `array` are aligned to at least. */
const ALIGNED = 64

/** The block of an object that `free` may move back. Throws ArgumentError if it may not. */
function freeable(object: CData): LocalBlock {
  const block = object[BLOCK]
  if (!(block instanceof LocalBlock) || block.isHandedOut)
    throw new ArgumentError(
      `the memory of this ${typeOf(object).name} cannot be given back: a typed array of it has been handed out, with which it goes when neither is used any more`,
    )
  return block
}

/** Moves a block to memory of JS, and frees its memory on the Windows side. */
function moveBack(block: LocalBlock): void {
  const { home } = block
  if (block.lodging?.isFar) block.leaveLodging()
  if (!home) return
  block.refs &&= new Map(liveRefs(block))
  const bytes = block.bytes.slice()
  block.move(new DataView(bytes.buffer), undefined)
  home.release()
}

/** The address that a value stands for. Throws ArgumentError if it belongs to another session than `ours`. */
export function addressFrom(address: AddressLike, ours: RemoteMemory, arch: Arch): bigint {
  const isHandle = (typeof address === 'object' && address !== null) || typeof address === 'function'
  const raw: unknown = isHandle ? addressIn(address, ours) : address
  if (typeof raw !== 'bigint' && typeof raw !== 'number')
    throw new ArgumentError(`an address is a bigint, a number or something with an address, not ${describe(address)}`)
  return toAddress(raw, arch, 'a pointer')
}

function addressIn(handle: { readonly address: bigint; readonly memory?: RemoteMemory }, ours: RemoteMemory): unknown {
  return reading('an address', () => {
    const theirs = isA(handle, CData) ? pointedMemory(handle) : handle.memory
    if (theirs) checkSession(theirs, ours)
    return handle.address
  })
}

/** The memory that a pointer leads into, if that is memory of a session. */
function pointedMemory(pointer: CData): RemoteMemory | undefined {
  const place = readCell(pointer[BLOCK], pointer[OFFSET], typeOf(pointer).size)
  return isRemotePlace(place) ? place.block.memory : undefined
}
