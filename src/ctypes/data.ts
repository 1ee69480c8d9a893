/**
 * The base of every object of ctypes: a class is a C type, an instance is a place in a block that is read and written by it.
 * What the library needs of a type is under symbols, so that a class has nothing but `size`, `alignment` and what ctypes gives it.
 */

import { ArgumentError } from '../errors.js'
import type { ArrayClass } from './array.js'
import { type Block, LocalBlock, POINTERS, type RemoteMemory } from './block.js'
import type { CallbackClass } from './callback-type.js'
import type { CallContext } from './context.js'
import { hasMember, isA } from './given.js'
import type { ArrayType, InstanceOf } from './inference.js'
import type { PointerClass } from './pointer.js'
import type { StructureClass } from './structure-types.js'

/** The architectures of Windows that a session can have. */
export type Arch = 'win64' | 'win32'
/** How many bytes a pointer has. */
export const pointerSizeOf = (arch: Arch) => (arch === 'win64' ? 8 : 4)

/** Of an object: the block it lies in. */
export const BLOCK: unique symbol = Symbol('block')
/** Of an object: where in its block it begins, in bytes. */
export const OFFSET: unique symbol = Symbol('offset')
/** Reads a value of the type: what a field, an element or a result gives. */
export const READ: unique symbol = Symbol('read')
/** Converts a JS value and stores it. */
export const WRITE: unique symbol = Symbol('write')
/** The same into memory that is zero and that nobody else sees: where it fails it may leave some of the value there. */
export const INIT: unique symbol = Symbol('init')
/** What kind of type it is: tells the members of the union `CType` apart. */
export const CATEGORY: unique symbol = Symbol('category')
/** How many types lie in one another, through arrays, pointers and function pointers: see limits.ts. */
export const NESTING: unique symbol = Symbol('nesting')
/** How many elements an array type has. */
export const LENGTH: unique symbol = Symbol('length')
/** The character of `Signature` (sink.ts) for a scalar or a pointer; empty for structures and arrays. */
export const KIND: unique symbol = Symbol('kind')
/** The prototype of the type's objects, where that is not the prototype of what its constructor makes: a callback is no function pointer. */
export const VIEW: unique symbol = Symbol('view')
/** The architecture whose layout the type has; undefined if it has the same layout on both. */
export const ARCH: unique symbol = Symbol('arch')
/** The architecture of the namespace, `types(arch)`, that the type comes from: known before a structure is laid out. */
export const NAMESPACE: unique symbol = Symbol('namespace')
/** Gives the type with an architecture's layout; throws ArgumentError for a structure that has only that of the other. */
export const FOR_ARCH: unique symbol = Symbol('forArch')
/** Phantom: the class of an object, for TypeScript. */
export declare const TYPE: unique symbol
/** Implemented by DLL objects: the place of a data export. */
export const DATA_EXPORT: unique symbol = Symbol('dataExport')

type Category =
  | 'integer'
  | 'float'
  | 'bool'
  | 'char'
  | 'wchar'
  | 'char pointer'
  | 'wchar pointer'
  | 'void pointer'
  | 'pointer'
  | 'callback'
  | 'array'
  | 'structure'

/** What every type has beside its own constructor; its objects are `I`s. */
export interface TypeStatics<C extends Category, I extends object> {
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** In bytes. */
  readonly alignment: number
  readonly prototype: I
  readonly [CATEGORY]: C
  readonly [KIND]: string
  readonly [ARCH]: Arch | undefined
  readonly [NAMESPACE]: Arch | undefined
  readonly [POINTERS]: readonly number[]
  readonly [NESTING]: number
  /** @internal */
  [FOR_ARCH](arch: Arch): CType
  /** @internal */
  [READ](block: Block, offset: number): unknown
  /** @internal `context`: the call that the value is an argument of; none for a field or an element that is set. */
  [WRITE](block: Block, offset: number, value: unknown, context?: CallContext): void
  /** @internal */
  [INIT](block: Block, offset: number, value: unknown, context?: CallContext): void
  /** `T[n]`: the type of arrays of so many T; the same class each time. Throws ArgumentError for what is no length. */
  array<T extends CType, const N extends number>(this: T, length: N): ArrayType<T>
  /** An object in the memory of `bytes`, from byte `offset` on: a change of one is a change of both. Throws ArgumentError for too few bytes. */
  from_buffer<T extends CType>(this: T, bytes: ArrayBuffer | ArrayBufferView, offset?: number): InstanceOf<T>
  /** An object with a copy of the bytes from byte `offset` on. Throws ArgumentError for too few. */
  from_buffer_copy<T extends CType>(this: T, bytes: ArrayBuffer | ArrayBufferView, offset?: number): InstanceOf<T>
  /** The variable that a DLL exports under this name, or number; in the memory of its session. */
  in_dll<T extends CType>(this: T, dll: DataExports, name: string | number): InstanceOf<T>
}

/** A number, a character, or a pointer that reads as an address or as text: a type that is made of no other. */
export interface ScalarClass<I extends object = object>
  extends TypeStatics<Exclude<Category, 'pointer' | 'array' | 'structure' | 'callback'>, I> {}

/** Any type of C whose objects are `I`s: the classes of this library and those that extend them. Its category narrows it to one of these. */
export type CType<I extends object = object> =
  | ScalarClass<I>
  | PointerClass<I>
  | ArrayClass<I>
  | StructureClass<I>
  | CallbackClass<I>

/** Implemented by DLL objects for `T.in_dll(dll, name)`. */
export interface DataExports {
  /** @internal */
  [DATA_EXPORT](type: CType, name: string | number): object
}

let makeArray: ((type: CType, length: number) => CType) | undefined
/** Called by array.ts, which cannot be imported here: its class extends the one below. */
export function provideArrays(make: (type: CType, length: number) => CType): void {
  makeArray = make
}

const ONE_POINTER: readonly number[] = [0]
const NO_POINTERS: readonly number[] = []

class ReturnOverride {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: what extends this puts its private fields into that object
    return object
  }
}
/** Where an object lies: in private fields that are put into an object which exists already, so that nothing lists, spreads or compares them. */
class Placement extends ReturnOverride {
  readonly #block: Block
  readonly #offset: number
  constructor(data: object, block: Block, offset: number) {
    super(data)
    this.#block = block
    this.#offset = offset
  }
  static block(data: object): Block {
    return (data as Placement).#block
  }
  static offset(data: object): number {
    return (data as Placement).#offset
  }
}

/** Says where an object lies; to be called once for each. */
export function lay(data: CData, block: Block, offset = 0): void {
  new Placement(data, block, offset)
}

/** The class behind all types of C. */
export abstract class CData {
  get [BLOCK](): Block {
    return Placement.block(this)
  }
  get [OFFSET](): number {
    return Placement.offset(this)
  }
  declare readonly [TYPE]: CType
  declare static readonly size: number
  declare static readonly alignment: number
  declare static readonly [CATEGORY]: Category
  static readonly [KIND]: string = ''
  static readonly [NESTING]: number = 0
  static get [ARCH](): Arch | undefined {
    return undefined
  }
  static get [NAMESPACE](): Arch | undefined {
    return this[ARCH]
  }
  static get [POINTERS](): readonly number[] {
    return this[KIND] === 'p' ? ONE_POINTER : NO_POINTERS
  }
  static [FOR_ARCH](this: CType, _arch: Arch): CType {
    return this
  }
  static [READ](this: CType, block: Block, offset: number): unknown {
    return viewAt(this, block, offset)
  }
  static [INIT](this: CType, block: Block, offset: number, value: unknown, context?: CallContext): void {
    this[WRITE](block, offset, value, context)
  }
  static array(this: CType, length: number): CType {
    return (makeArray as NonNullable<typeof makeArray>)(this, length)
  }
  static from_buffer(this: CType, bytes: ArrayBuffer | ArrayBufferView, offset = 0): object {
    const range = rangeOf(this, bytes, offset)
    const owner = LocalBlock.owning(range.buffer)
    if (owner) return viewAt(this, owner, range.byteOffset - owner.bytes.byteOffset)
    const block = LocalBlock.of(this, range)
    block.isLent = true
    return viewAt(this, block, 0)
  }
  static from_buffer_copy(this: CType, bytes: ArrayBuffer | ArrayBufferView, offset = 0): object {
    return viewAt(this, LocalBlock.of(this, rangeOf(this, bytes, offset).slice(0, this.size)), 0)
  }
  static in_dll(this: CType, dll: DataExports, name: string | number): object {
    if (!hasMember(dll, DATA_EXPORT) || typeof dll[DATA_EXPORT] !== 'function')
      throw new ArgumentError(`${this.name}.in_dll takes a DLL of a session, not ${describe(dll)}`)
    return dll[DATA_EXPORT](this, name)
  }
}

/** For showing an object, which must not fail: what cannot be read (a pointer without an address, bad memory) says so. */
export function shown(name: string, read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error instanceof ArgumentError ? `<${name}>` : '<unreadable>'
  }
}

/** An object of the type at a place, made without its constructor: the memory is there already. */
export function viewAt(type: CType, block: Block, offset: number): CData {
  // Asking for the size lays a structure out, which puts its fields on the prototype.
  if (block.size < offset + type.size || offset < 0) throw outside(type, block, offset)
  const data = Object.create((type as CType & { [VIEW]?: object })[VIEW] ?? type.prototype) as CData
  lay(data, block, offset)
  return data
}

/** The class of an object. */
export const typeOf = <T extends CType>(data: { readonly [TYPE]: T }) => data.constructor as unknown as T

/** Whose addresses the raw pointers of a block mean. */
export const memoryOf = (block: Block): RemoteMemory | undefined =>
  block instanceof LocalBlock ? block.origin : block.memory

/** Is it a type of C, of this library or of the program? */
export function isType(value: unknown): value is CType {
  return typeof value === 'function' && hasMember(value, CATEGORY)
}

/**
 * The bytes of any buffer or view of JS, without a copy, as a plain Uint8Array: the `slice` of Node's Buffer makes no copy. It has as many bytes
 * as there are now, also where the buffer can grow.
 */
export function bytesOf(buffer: ArrayBufferLike | ArrayBufferView): Uint8Array {
  // a view of a buffer that can grow may grow with it
  if (buffer.constructor === Uint8Array && !canGrow((buffer as Uint8Array).buffer)) return buffer as Uint8Array
  return ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer)
}

const canGrow = (buffer: ArrayBufferLike & { readonly resizable?: boolean; readonly growable?: boolean }) =>
  buffer.resizable === true || buffer.growable === true

/** Is it memory of JS: an ArrayBuffer, shared or not, or a view of one? False for a proxy that cannot be asked. */
export const isBuffer = (value: unknown): value is ArrayBufferLike | ArrayBufferView =>
  ArrayBuffer.isView(value) ||
  isA(value, ArrayBuffer) ||
  (typeof SharedArrayBuffer !== 'undefined' && isA(value, SharedArrayBuffer))

/** From the object to the end of the buffer: the object may be the head of something longer. */
function rangeOf(type: CType, buffer: ArrayBuffer | ArrayBufferView, offset: number): Uint8Array {
  if (!isBuffer(buffer)) throw new ArgumentError(`${type.name}.from_buffer takes bytes, not ${describe(buffer)}`)
  const bytes = bytesOf(buffer)
  if (!Number.isInteger(offset) || offset < 0 || offset + type.size > bytes.length)
    throw new ArgumentError(
      `${type.name} needs ${type.size} bytes from offset ${typeof offset === 'number' ? offset : describe(offset)}, the buffer has ${bytes.length}`,
    )
  return bytes.subarray(offset)
}

const outside = (type: CType, block: Block, offset: number) =>
  new ArgumentError(`${type.name} at offset ${offset} does not lie inside the ${block.size} bytes that this leads to`)

const short = (text: string) => (text.length > 24 ? `${text.slice(0, 21)}…` : text)

/** A value as an error message shows it: its kind, and what it is where that is short. */
export function describe(value: unknown): string {
  try {
    return described(value)
  } catch {
    return `${typeof value === 'function' ? 'a function' : 'an object'} that cannot be read`
  }
}

function described(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (isType(value)) return `the type ${value.name}`
  if (value instanceof CData) return typeOf(value).name
  switch (typeof value) {
    case 'string':
      return `string '${short(value)}'`
    case 'number':
    case 'boolean':
      return `${typeof value} ${Object.is(value, -0) ? '-0' : value}`
    case 'bigint':
      return `bigint ${short(String(value))}n`
    case 'symbol':
      return 'symbol'
    case 'function':
      return value.name ? `function ${value.name}` : 'function'
    default:
      return (value as object).constructor?.name ?? 'object'
  }
}
