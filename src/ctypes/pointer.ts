/** `POINTER(T)`, `pointer(x)` and `byref(x)`. */
import { ArgumentError } from '../errors.js'
import { type Block, LocalBlock, RemoteBlock, type Target } from './block.js'
import { allocated, LARGEST } from './checks.js'
import type { CallContext } from './context.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  isType,
  KIND,
  lay,
  NAMESPACE,
  NESTING,
  OFFSET,
  READ,
  type TYPE,
  type TypeStatics,
  typeOf,
  viewAt,
  WRITE,
} from './data.js'
import { isA } from './given.js'
import { makeIndexed } from './indexed.js'
import type { InstanceOf, io, PointerArg, Reference, SetOf, ValueOf } from './inference.js'
import { readAddress } from './integers.js'
import { nestingOf } from './limits.js'
import { ByReference, placeOf } from './pointing.js'
import { addressAt, isCallbackTarget, readCell, refAt, writeCell } from './reference.js'
import { pointerSizedForArch } from './variant.js'
import { c_void_p } from './void-pointer.js'

/** A pointer to T: to an object of JS, or into the memory of a session. */
export interface Pointer<T extends CType> {
  /** The object it leads to, in place: a change of one is a change of both. Setting it makes the pointer lead elsewhere. Throws ArgumentError for NULL. */
  get contents(): InstanceOf<T>
  set contents(target: InstanceOf<T>)
  /** The value of the T at `index`, counted from where it points, like C's `p[i]`. Throws ArgumentError, or MemoryAccessError where nothing is. */
  at(index: number): ValueOf<T>
  /** Sets the T at `index`, like C's `p[i] = value`. */
  set(index: number, value: SetOf<T>): void
  [index: number]: ValueOf<T>
  /** The values of several T: `slice(n)` the first n, `slice(from, to)` those from one index up to another. */
  slice(fromOrCount: number, to?: number): ValueOf<T>[]
  /** Where it leads. Throws ArgumentError for an object that has no address yet. */
  readonly address: bigint
  /** Whether it is NULL. */
  readonly isNull: boolean
}
/** What `POINTER(T)` gives: the type of pointers to `T`, 8 bytes (4 in 32-bit sessions). */
export interface PointerType<T extends CType> extends PointerClass {
  new (target?: PointerArg<T> | bigint): Pointer<T>
  readonly prototype: Pointer<T>
  readonly pointee: T
  readonly [io]: {
    readonly get: Pointer<T> | null
    readonly set: PointerArg<T> | bigint
    readonly arg: PointerArg<T>
    readonly pointer: true
  }
}
/** The class of a pointer as the library sees it. */
export interface PointerClass<I extends object = object> extends TypeStatics<'pointer', I> {
  readonly pointee: CType
  readonly [ARCH]: Arch
}

/** The class behind all pointers but `void *` and text. */
export class PointerData extends CData {
  static override readonly [CATEGORY] = 'pointer'
  static override readonly [KIND] = 'p'
  declare readonly [TYPE]: PointerClass
  declare static readonly pointee: CType
  constructor(target?: unknown) {
    super()
    lay(this, LocalBlock.for(typeOf(this)))
    if (target !== undefined) typeOf(this)[WRITE](this[BLOCK], 0, target)
  }
  get contents(): CData {
    const { pointee } = typeOf(this)
    const { block, offset } = targetOf(this, 0, pointee)
    return viewAt(pointee, block, offset)
  }
  set contents(target: CData) {
    if (!isA(target, CData))
      throw new ArgumentError(`contents of ${typeOf(this).name} must be an object of ctypes, not ${describe(target)}`)
    typeOf(this)[WRITE](this[BLOCK], this[OFFSET], new ByReference(target, 0))
  }
  at(index: number): unknown {
    const { pointee } = typeOf(this)
    const { block, offset } = targetOf(this, index, pointee)
    return pointee[READ](block, offset)
  }
  set(index: number, value: unknown): void {
    const { pointee } = typeOf(this)
    const { block, offset } = targetOf(this, index, pointee)
    pointee[WRITE](block, offset, value)
  }
  slice(fromOrCount: number, to?: number): unknown[] {
    const [from, end] = to === undefined ? [0, fromOrCount] : [fromOrCount, to]
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(end)) throw new ArgumentError('slice takes whole numbers')
    if (end - from > LARGEST) throw new ArgumentError(`slice gives at most ${LARGEST} values, not ${end - from}`)
    const { pointee } = typeOf(this)
    if (end <= from) return []
    const count = end - from
    const place = targetOf(this, from, pointee)
    if (!(place.block instanceof RemoteBlock) || pointee[CATEGORY] === 'structure' || pointee[CATEGORY] === 'array')
      return Array.from({ length: count }, (_, i) => this.at(from + i))
    // one read for all of them
    const { block, offset } = place
    const view = allocated(`a slice of ${count} values`, () => block.view(offset, count * pointee.size))
    const local = new LocalBlock(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    local.origin = block.memory
    return Array.from({ length: count }, (_, i) => pointee[READ](local, i * pointee.size))
  }
  get isNull(): boolean {
    return readCell(this[BLOCK], this[OFFSET], typeOf(this).size) === null
  }
  get address(): bigint {
    const ref = refAt(this[BLOCK], this[OFFSET])
    if (!ref || isCallbackTarget(ref)) return readAddress(this[BLOCK], this[OFFSET], typeOf(this).size)
    return addressAt(ref, typeOf(this).pointee.name)
  }
  toJSON(): unknown {
    if (this.isNull) return null
    const place = readCell(this[BLOCK], this[OFFSET], typeOf(this).size)
    return typeof place === 'object' && place && !isCallbackTarget(place) && place.block instanceof LocalBlock
      ? `<${typeOf(this).name}>`
      : `0x${this.address.toString(16)}`
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const json = this.toJSON()
    const { name } = typeOf(this)
    return json === null ? `${name} NULL` : json === `<${name}>` ? `${name} -> JS` : `${name} ${json}`
  }
  static override [READ](this: CType, block: Block, offset: number): unknown {
    const place = readCell(block, offset, this.size)
    if (place === null) return null
    const pointer = new (this as unknown as new () => PointerData)()
    writeCell(pointer[BLOCK], 0, this.size, place)
    return pointer
  }
  static [WRITE](this: PointerClass, block: Block, offset: number, value: unknown, context?: CallContext): void {
    const to = { name: this.name, pointee: this.pointee, arch: this[ARCH] }
    writeCell(block, offset, this.size, placeOf(value, to, context))
  }
}
makeIndexed(PointerData.prototype)

/**
 * Where the element at `index` lies. Throws ArgumentError for NULL, and for what is outside of an object of this process. A function and not a
 * private method: `viewAt` makes objects without the constructor, which gives an object those.
 */
function targetOf(pointer: PointerData, index: number, type: CType): Target {
  if (!Number.isSafeInteger(index))
    throw new ArgumentError(`a pointer's index must be a whole number, not ${describe(index)}`)
  const { name, size } = typeOf(pointer)
  const place = readCell(pointer[BLOCK], pointer[OFFSET], size)
  if (place === null) throw new ArgumentError(`this ${name} is NULL`)
  if (typeof place === 'bigint')
    throw new ArgumentError(`this ${name} is a bare address that belongs to no session: use session.cast(address, T)`)
  if (isCallbackTarget(place)) throw new ArgumentError(`this ${name} leads to a callback`)
  const offset = place.offset + index * type.size
  if (place.block instanceof LocalBlock && (offset < 0 || offset + type.size > place.block.size))
    throw new ArgumentError(
      `index ${index} of this ${name} is outside of the ${place.block.size} bytes that it leads to`,
    )
  return { block: place.block, offset }
}

const classes = new WeakMap<CType, CType>()

/** The type of pointers to `T`: one class for each. `POINTER(null)` is `void *`. Throws ArgumentError for what is no C type. */
export function POINTER<T extends CType>(type: T): PointerType<T>
export function POINTER(type: null): typeof c_void_p
export function POINTER(type: CType | null): CType {
  if (type === null) return c_void_p
  if (!isType(type)) throw new ArgumentError(`POINTER takes a C type, not ${describe(type)}`)
  let pointerType = classes.get(type)
  if (!pointerType) {
    const nesting = nestingOf('a pointer', [type])
    pointerType = class extends PointerData {} as unknown as CType
    Object.defineProperties(pointerType, {
      name: { get: () => `POINTER(${type.name})`, configurable: true },
      size: { value: 8 },
      alignment: { value: 8 },
      [ARCH]: { value: 'win64' },
      [NESTING]: { value: nesting },
      [FOR_ARCH]: { value: pointerSizedForArch },
      // found when it is asked for: a structure may point to itself before it is laid out
      pointee: {
        get(this: PointerClass) {
          return type[FOR_ARCH](this[ARCH])
        },
      },
    })
    classes.set(type, pointerType)
  }
  return type[NAMESPACE] === 'win32' ? pointerType[FOR_ARCH]('win32') : pointerType
}

/** A pointer to an object of ctypes, which it keeps alive. Throws ArgumentError for anything else. */
export function pointer<T extends object>(target: T): Pointer<CType<T>> {
  return pointerFor(target)
}
/** The same with the layout of an architecture; without one, that of `POINTER`. */
export function pointerFor<T extends object>(target: T, arch?: Arch): Pointer<CType<T>> {
  if (!isA(target, CData)) throw new ArgumentError(`pointer takes an object of ctypes, not ${describe(target)}`)
  const type: CType = POINTER(typeOf(target))
  const fitting = (arch ? type[FOR_ARCH](arch) : type) as unknown as new (target: CData) => Pointer<CType<T>>
  return new fitting(target)
}
/** A reference to an object of ctypes, or `offset` bytes into it, for an argument: cheaper than `pointer`, and good for nothing else. Throws ArgumentError. */
export function byref<T extends object>(target: T, offset = 0): Reference<T> {
  if (!isA(target, CData)) throw new ArgumentError(`byref takes an object of ctypes, not ${describe(target)}`)
  if (!Number.isSafeInteger(offset)) throw new ArgumentError(`byref takes an offset in bytes, not ${describe(offset)}`)
  return new ByReference(target, offset)
}
