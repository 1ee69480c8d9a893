/** What may be given for a pointer, and where that leads: one set of rules for arguments, fields and elements. */

import { ArgumentError } from '../errors.js'
import { type ArrayClass, pointersIn, writeElements } from './array.js'
import { type Block, LocalBlock, POINTERS, type RemoteMemory, type Target } from './block.js'
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
  LENGTH,
  OFFSET,
  pointerSizeOf,
  typeOf,
  WRITE,
} from './data.js'
import { hasMember, isA, isList, isReadable, reading } from './given.js'
import { elementOf } from './limits.js'
import { isCallbackTarget, type Place, placeAt, readCell } from './reference.js'
import { SimpleData } from './simple.js'
import { CharactersBlock, hasZero, TextBlock, wideTextBlock } from './text.js'
import { hasElements, holds } from './typed-arrays.js'
import { baseOf, isBigEndian } from './variant.js'

/** What a pointer is to lead to. */
export interface Pointing {
  /** Of the pointer's type, for messages. */
  readonly name: string
  /** null for `void *`. */
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
  if (isBigEndian(given) !== isBigEndian(wanted)) return false
  const base = baseOf(wanted)
  if (baseOf(given) === base || given.prototype instanceof (base as never)) return true
  const one = given[CATEGORY]
  const other = wanted[CATEGORY]
  if (one === 'pointer' && other === 'pointer') return fits(given.pointee, wanted.pointee)
  if (one === 'array' && other === 'array')
    return given[LENGTH] === wanted[LENGTH] && fits(given.elementType, wanted.elementType)
  if (one === 'callback' && other === 'callback') return given.name === wanted.name
  // other types with the same memory: c_ubyte for c_char, c_ushort for c_wchar, c_int for c_uint
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
  if (isA(value, CData)) return placeOfData(value, to)
  if (typeof value === 'string') return placeOfString(value, to)
  if (isBuffer(value)) return placeOfBuffer(value, to)
  if (typeof value === 'bigint' || (typeof value === 'number' && to.pointee === null))
    return toAddress(value, to.arch, to.name) || null
  if (isA(value, ByReference)) return placeOfReference(value, to)
  if (isList(value) && to.pointee) {
    const { pointee } = to
    return reading('a list', () => placeOfList(value, pointee, context))
  }
  if (typeof value === 'object' && isReadable(value)) {
    if ('thunk' in value) return value as unknown as Place
    const { address, memory, contents, [BLOCK]: block } = value as Handle
    if (isA(contents, CData)) return placeOfData(contents, to)
    if (typeof address === 'bigint')
      return block ? { block, offset: 0 } : placeAt(toAddress(address, to.arch, to.name), memory)
    if (to.pointee?.[CATEGORY] === 'structure' && Object.getPrototypeOf(value) === Object.prototype) {
      const literal = blockFor(to.pointee, 1)
      to.pointee[WRITE](literal, 0, value, context)
      return { block: literal, offset: 0 }
    }
  }
  if (typeof value === 'function' && hasMember(value, 'thunk')) return value as unknown as Place
  throw mismatch(value, to)
}

/** What has an address. Memory that can be freed has a block, too, which throws once it is freed. */
interface Handle {
  readonly address?: unknown
  readonly memory?: RemoteMemory
  /** The object there, where the memory was made for one. */
  readonly contents?: unknown
  readonly [BLOCK]?: Block
}

const mismatch = (value: unknown, to: Pointing) => {
  const namesake = isA(value, CData) && typeOf(value).name === to.pointee?.name
  const hint = isType(value) ? ' (an object of it is needed)' : namesake ? ' (another type of this name)' : ''
  return new ArgumentError(`expected ${to.name}, got ${describeWithLength(value)}${hint}`)
}

/** A list or typed array with its length, which may be what is wrong with it. */
function describeWithLength(value: unknown): string {
  if (isA(value, ByReference)) return `a reference to ${describe(value.target)}`
  const hasLength = (isList(value) && hasMember(value, 'length')) || (ArrayBuffer.isView(value) && 'length' in value)
  return hasLength ? `${describe(value)} of ${(value as ArrayLike<unknown>).length}` : describe(value)
}

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

/** For a pointer, where it leads; for any other object, where it lies. */
function placeOfData(value: CData, to: Pointing): Place {
  const type = typeOf(value)
  const category = type[CATEGORY]
  const { pointee } = to
  if (type[KIND] === 'p' && leadsTo(type, pointee)) {
    // throws for what is laid out for the other architecture
    if (category === 'pointer') type.pointee[FOR_ARCH](to.arch)
    return readCell(value[BLOCK], value[OFFSET], type.size)
  }
  if (category === 'array' && pointee && fits(type.elementType, pointee)) {
    checkArch(type, to.arch)
    return { block: value[BLOCK], offset: value[OFFSET] }
  }
  if (!fits(type, pointee)) throw mismatch(value, to)
  // what reads as a bigint is an address for a `void *`, also in an object, which itself is passed by byref
  if (holdsAddress(value, pointee)) return toAddress((value as SimpleData).value, to.arch, to.name) || null
  checkArch(type, to.arch)
  return { block: value[BLOCK], offset: value[OFFSET] }
}

/** Is the address that is passed the one which an object holds, and not the object's own? `pointee` is null for `void *`. */
export function holdsAddress(value: CData, pointee: CType | null): boolean {
  const type = typeOf(value)
  if (type[KIND] === 'p') return leadsTo(type, pointee)
  return pointee === null && value instanceof SimpleData && typeof value.value === 'bigint'
}

/** Does a pointer of this type lead to what is wanted? */
function leadsTo(type: CType, pointee: CType | null): boolean {
  if (pointee === null) return true
  switch (type[CATEGORY]) {
    case 'pointer': {
      const target = type.pointee
      return fits(target, pointee) || (target[CATEGORY] === 'array' && fits(target.elementType, pointee))
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

function placeOfReference(value: ByReference, to: Pointing): Place {
  const { target, offset } = value
  const type = typeOf(target as CData)
  const { pointee } = to
  if (!fits(type, pointee) && !(type[CATEGORY] === 'array' && pointee && fits(type.elementType, pointee)))
    throw mismatch(value, to)
  checkArch(type, to.arch)
  const data = target as CData
  return { block: data[BLOCK], offset: data[OFFSET] + offset }
}

/** Strings are `char *` for one-byte pointees and `wchar_t *` otherwise, also for `void *`, as in ctypes. */
function placeOfString(text: string, to: Pointing, least = 0): Place {
  const size =
    to.pointee === null ? 2 : isInteger(to.pointee[CATEGORY]) && !isBigEndian(to.pointee) ? to.pointee.size : 0
  if (size === 1) return { block: new TextBlock(text, least), offset: 0 }
  if (size === 2) return { block: wideTextBlock(text, least), offset: 0 }
  throw mismatch(text, to)
}

/** A buffer that was handed out over an object which has moved leads into that object. */
function placeOfBuffer(value: ArrayBufferLike | ArrayBufferView, to: Pointing): Target {
  const bytes = checkedBytes(value, to)
  const owner = LocalBlock.owning(bytes.buffer)
  if (owner) return { block: owner, offset: bytes.byteOffset - owner.whole.byteOffset }
  return { block: new LocalBlock(bytes), offset: 0 }
}

function checkedBytes(value: ArrayBufferLike | ArrayBufferView, to: Pointing): Uint8Array {
  const { pointee } = to
  const bytes = bytesOf(value)
  if (pointee === null) return bytes
  const category = pointee[CATEGORY]
  if (category !== 'structure' && !holds(value, elementOf(pointee).element)) throw mismatch(value, to)
  if (category === 'structure') {
    checkArch(pointee, to.arch)
    if (bytes.length < pointee.size)
      throw new ArgumentError(`expected ${to.name}, got ${bytes.length} bytes where ${pointee.size} are needed`)
  }
  return bytes
}

/** A list becomes an array of its own. */
function placeOfList(values: readonly unknown[], pointee: CType, context?: CallContext): Place {
  const block = blockFor(pointee, values.length)
  writeElements(pointee, block, values, context)
  return { block, offset: 0 }
}

function blockFor(type: CType, count: number): LocalBlock {
  if (type.size === 0 && type[CATEGORY] === 'structure')
    throw new ArgumentError(`${type.name} has no fields: declare them first`)
  const block = LocalBlock.allocate(count * type.size)
  block.shape = { alignment: type.alignment, [POINTERS]: pointersIn(type, count) }
  return block
}

/**
 * For a `char *` or `wchar_t *` that is text. Bytes, and 16-bit units for a `wchar_t *`, get a zero at the end where they have none. Throws
 * ArgumentError for bytes without a zero for a `wchar_t *`: they may be an odd number.
 */
export function placeOfText(value: unknown, to: Pointing, context?: CallContext): Place {
  if (!isBuffer(value) || to.pointee === null) return placeOf(value, to, context)
  const unit = to.pointee.size
  const place = placeOfBuffer(value, to)
  const block = new LocalBlock(checkedBytes(value, to))
  if (hasZero(block, unit)) return place
  if (unit === 1 || (ArrayBuffer.isView(value) && hasElements(value, to.pointee)))
    return { block: new CharactersBlock(block.bytes, unit), offset: 0 }
  throw new ArgumentError(
    `expected ${to.name}, got ${describe(value)} without a zero of ${8 * unit} bits at its end: give a string or a Uint16Array`,
  )
}

/** Where an array of at least `type.length` elements is: for a parameter that is declared as one. */
export function placeOfArray(value: unknown, type: ArrayClass, to: Pointing, context?: CallContext): Place {
  const { elementType, [LENGTH]: length, size } = type
  if (typeof value === 'string') return placeOfString(value, to, size)
  if (isList(value)) {
    const block = blockFor(elementType, length)
    type[WRITE](block, 0, value, context)
    return { block, offset: 0 }
  }
  const place = placeOf(value, to, context)
  if (place === null || typeof place === 'bigint' || isCallbackTarget(place)) return place
  const isShort = isA(value, CData) && typeOf(value)[CATEGORY] === 'array' && typeOf(value).size < size
  if (isShort || place.block.size - place.offset < size) throw mismatch(value, to)
  return place
}
