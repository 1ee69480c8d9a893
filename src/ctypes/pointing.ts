/** What may be given for a pointer, and where it leads: the one place that knows, for arguments, fields and elements alike. */
import { ArgumentError } from '../errors.js'
import { type ArrayClass, repeated } from './array.js'
import { type Block, LocalBlock, POINTERS, type RemoteMemory, RemoteRange } from './block.js'
import type { CallContext } from './context.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  bytesOf,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  isBuffer,
  isType,
  KIND,
  OFFSET,
  pointerSizeOf,
  typeOf,
  WRITE,
} from './data.js'
import { type Place, readCell } from './reference.js'
import { SimpleData } from './simple.js'
import { bytesAsText, TextBlock, wideTextBlock } from './text.js'
import { baseOf } from './variant.js'

/** How a pointer type looks to this file. `pointee` is null for `void *`. */
export interface Pointing {
  readonly name: string
  readonly pointee: CType | null
  readonly arch: Arch
}

/** `byref(x, offset)`: an argument that leads into `x`. */
export class ByReference<T extends object = object> {
  constructor(
    readonly target: T,
    readonly offset: number,
  ) {}
}

/** Is what lies in a `given` what a pointer to `wanted` may lead to? */
export function fits(given: CType, wanted: CType | null): boolean {
  if (wanted === null || given === wanted) return true
  const base = baseOf(wanted)
  if (
    baseOf(given) === base ||
    (given as unknown as object as { prototype: object }).prototype instanceof (base as never)
  )
    return true
  const one = given[CATEGORY]
  const other = wanted[CATEGORY]
  if (one === 'pointer' && other === 'pointer') {
    const to = (wanted as unknown as { pointee: CType }).pointee
    return fits((given as unknown as { pointee: CType }).pointee, to)
  }
  if (one === 'array' && other === 'array')
    return (
      (given as ArrayClass).length === (wanted as ArrayClass).length &&
      fits((given as ArrayClass).elementType, (wanted as ArrayClass).elementType)
    )
  if (one === 'callback' && other === 'callback') return given.name === wanted.name
  // Names differ, memory does not: c_ubyte for c_char, c_ushort for c_wchar, c_int for c_uint.
  return given.size === wanted.size && isInteger(one) && isInteger(other)
}
const isInteger = (category: string) =>
  category === 'integer' || category === 'char' || category === 'wchar' || category === 'bool'

/** Refuses what is laid out for the other architecture. */
function checkArch(given: CType, arch: Arch): void {
  if (given[ARCH] !== undefined && given[ARCH] !== arch)
    throw new ArgumentError(
      `${given.name} is laid out for ${given[ARCH]}, not for ${arch}: take the types of session.types`,
    )
}

/** Where `value` leads, as a pointer of this kind; throws ArgumentError if it is none. */
export function placeOf(value: unknown, to: Pointing, context?: CallContext): Place {
  if (value === null) return null
  if (value instanceof CData) return placeOfData(value, to)
  if (typeof value === 'string') return placeOfString(value, to)
  if (isBuffer(value)) return { block: blockOfBuffer(value, to), offset: 0 }
  if (typeof value === 'bigint' || (typeof value === 'number' && to.pointee === null))
    return toAddress(value, to.arch, to.name) || null
  if (value instanceof ByReference) return placeOfReference(value, to)
  if (Array.isArray(value) && to.pointee) return placeOfList(value, to.pointee, context)
  if (typeof value === 'object') {
    if ('thunk' in value) return value as unknown as Place
    const { address, memory, [BLOCK]: block } = value as Handle
    if (typeof address === 'bigint')
      return block ? { block, offset: 0 } : remote(toAddress(address, to.arch, to.name), memory)
    if (to.pointee?.[CATEGORY] === 'structure' && Object.getPrototypeOf(value) === Object.prototype) {
      const made = blockFor(to.pointee, 1)
      to.pointee[WRITE](made, 0, value, context)
      return { block: made, offset: 0 }
    }
  }
  if (typeof value === 'function' && 'thunk' in value) return value as unknown as Place
  throw mismatch(value, to)
}

/** What knows its address; memory that can be freed has a block that knows whether it is. */
export interface Handle {
  readonly address?: unknown
  readonly memory?: RemoteMemory
  readonly [BLOCK]?: Block
}

const mismatch = (value: unknown, to: Pointing) => {
  const namesake = value instanceof CData && typeOf(value).name === to.pointee?.name
  const hint = isType(value) ? ' (an object of it is needed)' : namesake ? ' (another type of this name)' : ''
  return new ArgumentError(`expected ${to.name}, got ${describe(value)}${hint}`)
}

const remote = (address: bigint, memory: RemoteMemory | undefined): Place =>
  memory && address !== 0n ? { block: new RemoteRange(memory, address), offset: 0 } : address || null

/** An address as it is in memory: negative ones, such as INVALID_HANDLE_VALUE, wrap. Throws ArgumentError for what is none. */
export function toAddress(value: unknown, arch: Arch, name: string): bigint {
  if (typeof value !== 'bigint' && (typeof value !== 'number' || !Number.isInteger(value)))
    throw new ArgumentError(`expected an address for ${name}, got ${describe(value)}`)
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new ArgumentError(`${describe(value)} is no exact address for ${name}: from 2^53 on give a bigint`)
  const bits = 8 * pointerSizeOf(arch)
  const address = BigInt.asUintN(bits, BigInt(value))
  if (address !== BigInt(value) && BigInt.asIntN(bits, address) !== BigInt(value))
    throw new ArgumentError(`${describe(value)} does not fit ${name} (${bits} bits)`)
  return address
}

/** Pointers lead where they lead; other objects are themselves what is pointed to. */
function placeOfData(value: CData, to: Pointing): Place {
  const type = typeOf(value)
  const category = type[CATEGORY]
  const { pointee } = to
  const isPointer = type[KIND] === 'p'
  if (isPointer && leadsTo(type, to)) {
    if (category === 'pointer') checkTarget(type, to)
    return readCell(value[BLOCK], value[OFFSET], type.size)
  }
  if (category === 'array' && pointee && fits((type as ArrayClass).elementType, pointee)) {
    checkArch(type, to.arch)
    return { block: value[BLOCK], offset: value[OFFSET] }
  }
  if (!fits(type, pointee)) throw mismatch(value, to)
  // A void * that is given 5 in a c_int means the number's object for ctypes' byref alone; an address is a mistake here.
  if (pointee === null && value instanceof SimpleData && typeof value.value === 'bigint')
    return toAddress(value.value, to.arch, to.name) || null
  checkArch(type, to.arch)
  return { block: value[BLOCK], offset: value[OFFSET] }
}

function checkTarget(type: CType, to: Pointing): void {
  ;(type as unknown as { pointee: CType }).pointee[FOR_ARCH](to.arch)
}

/** Does a pointer of this type lead to what is wanted? */
function leadsTo(type: CType, { pointee }: Pointing): boolean {
  if (pointee === null) return true
  switch (type[CATEGORY]) {
    case 'pointer': {
      const target = (type as unknown as { pointee: CType }).pointee
      return (
        fits(target, pointee) || (target[CATEGORY] === 'array' && fits((target as ArrayClass).elementType, pointee))
      )
    }
    case 'char pointer':
      return pointee.size === 1
    case 'wchar pointer':
      return pointee.size === 2
    case 'void pointer':
      return pointee[KIND] !== 'p'
    default:
      return false
  }
}

function placeOfReference({ target, offset }: ByReference, to: Pointing): Place {
  const type = typeOf(target as CData)
  const { pointee } = to
  if (
    !fits(type, pointee) &&
    !(type[CATEGORY] === 'array' && pointee && fits((type as ArrayClass).elementType, pointee))
  )
    throw new ArgumentError(`expected ${to.name}, got a reference to ${type.name}`)
  checkArch(type, to.arch)
  const data = target as CData
  return { block: data[BLOCK], offset: data[OFFSET] + offset }
}

/** Strings are `char *` for one-byte pointees and `wchar_t *` otherwise, also for `void *`, as in ctypes. */
function placeOfString(text: string, to: Pointing): Place {
  const size = to.pointee === null ? 2 : isInteger(to.pointee[CATEGORY]) ? to.pointee.size : 0
  if (size === 1) return { block: new TextBlock(text), offset: 0 }
  if (size === 2) return { block: wideTextBlock(text), offset: 0 }
  throw mismatch(text, to)
}

function blockOfBuffer(value: ArrayBufferLike | ArrayBufferView, to: Pointing): LocalBlock {
  const { pointee } = to
  const bytes = bytesOf(value)
  if (pointee === null) return new LocalBlock(bytes)
  const category = pointee[CATEGORY]
  if (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof Uint8Array) &&
    category !== 'structure'
  ) {
    const element = elementOf(pointee)
    const { BYTES_PER_ELEMENT } = value as unknown as { readonly BYTES_PER_ELEMENT: number }
    const isFloat = value instanceof Float64Array || value instanceof Float32Array
    if (element.size !== BYTES_PER_ELEMENT || element[KIND] === '' || (element[CATEGORY] === 'float') !== isFloat)
      throw mismatch(value, to)
  }
  // Arrays may be of any length, a structure has one size.
  if (category === 'structure') {
    checkArch(pointee, to.arch)
    if (bytes.length < pointee.size)
      throw new ArgumentError(`expected ${to.name}, got ${bytes.length} bytes where ${pointee.size} are needed`)
  }
  return new LocalBlock(bytes)
}

const elementOf = (type: CType): CType =>
  type[CATEGORY] === 'array' ? elementOf((type as ArrayClass).elementType) : type

/** A list becomes an array for this one use. */
function placeOfList(values: readonly unknown[], pointee: CType, context?: CallContext): Place {
  const block = blockFor(pointee, values.length)
  for (let i = 0; i < values.length; i++) pointee[WRITE](block, i * pointee.size, values[i], context)
  return { block, offset: 0 }
}

function blockFor(type: CType, count: number): LocalBlock {
  if (type.size === 0 && type[CATEGORY] === 'structure')
    throw new ArgumentError(`${type.name} has no fields: declare them first`)
  const block = LocalBlock.allocate(count * type.size)
  block.shape = { alignment: type.alignment, [POINTERS]: repeated(type, count) }
  return block
}

/** Bytes and text as `char *`. */
export function placeOfText(value: unknown, to: Pointing, context?: CallContext): Place {
  if (isBuffer(value) && to.pointee?.size === 1) {
    const bytes = bytesOf(value)
    return { block: bytesAsText(bytes), offset: 0 }
  }
  return placeOf(value, to, context)
}
