/** How one argument is checked and lowered, that is, written as bits: a function for each parameter, made once. */
import { ArgumentError } from '../errors.js'
import { LocalBlock } from './block.js'
import { callbackPlace } from './callback-type.js'
import type { CallContext } from './context.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  CATEGORY,
  type CData,
  type CType,
  describe,
  KIND,
  OFFSET,
  typeOf,
  WRITE,
} from './data.js'
import { type IntegerFormat, isSigned, rangeOf, toBigInt, toNumber } from './integers.js'
import { passedAs } from './passing.js'
import { type Pointing, placeOf, placeOfArray, placeOfText } from './pointing.js'
import { checkSession, copyCells, isCallbackTarget, type Place } from './reference.js'
import { c_char, c_wchar } from './scalars.js'
import { SimpleData, toBool, toChar, toFloat, toWideChar, unwrap } from './simple.js'
import type { ArgumentSink } from './sink.js'
import { StructureData } from './structure.js'
import { checkOffset } from './text.js'
import { holds } from './typed-arrays.js'

/** Checks a value and writes it as argument number `index`; throws ArgumentError. */
export type Lower = (sink: ArgumentSink, index: number, value: unknown, context: CallContext) => void

/** Is a value of the type a number, a character or a truth value, and so neither memory nor an address? */
export const isScalar = (type: CType): boolean => type[KIND] !== '' && type[KIND] !== 'p'

/** The function for a type of the architecture (types come through [FOR_ARCH]). */
export function lowerFor(type: CType, arch: Arch): Lower {
  switch (type[CATEGORY]) {
    case 'integer':
      return type.size === 8 ? lowerBig(type) : lowerInteger(type)
    case 'float':
      return lowerFloat(type)
    case 'bool':
      return lowerBool(type)
    case 'char':
      return (sink, index, value) => sink.int(index, toChar(unwrap(value, type), type.name), 0)
    case 'wchar':
      return (sink, index, value) => sink.int(index, toWideChar(unwrap(value, type), type.name), 0)
    case 'char pointer':
      return lowerPointer({ name: type.name, pointee: c_char, arch }, placeOfText)
    case 'wchar pointer':
      return lowerPointer({ name: type.name, pointee: c_wchar, arch }, placeOfText)
    case 'void pointer':
      return lowerPointer({ name: type.name, pointee: null, arch })
    case 'pointer':
      return lowerPointer({ name: type.name, pointee: type.pointee, arch })
    case 'array':
      return lowerPointer({ name: type.name, pointee: type.elementType, arch }, (value, to, context) =>
        placeOfArray(value, type, to, context),
      )
    case 'callback':
      return (sink, index, value, context) => putPlace(sink, index, callbackPlace(type, value, context), context)
    case 'structure':
      return lowerStructure(type, arch)
  }
}

function lowerInteger(type: CType): Lower {
  const [low, high] = rangeOf(type)
  const format: IntegerFormat = { name: type.name, bytes: type.size, signed: isSigned(type) }
  return (sink, index, value) => {
    const number =
      typeof value === 'number' && value >= low && value <= high && Number.isInteger(value)
        ? value
        : toNumber(unwrap(value, type), format)
    sink.int(index, number | 0, number < 0 ? -1 : 0)
  }
}

/** True is 1, but all ones in a VARIANT_BOOL. */
function lowerBool(type: CType): Lower {
  const yes = type.size === 1 ? 1 : -1
  return (sink, index, value) => {
    const number = toBool(unwrap(value, type), type.name) * yes
    sink.int(index, number, number >> 31)
  }
}

const TWO_32 = 4294967296

function lowerBig(type: CType): Lower {
  const signed = isSigned(type)
  const format: IntegerFormat = { name: type.name, bytes: 8, signed }
  return (sink, index, value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && (signed || value >= 0))
      return sink.int(index, value | 0, Math.floor(value / TWO_32) | 0)
    putBig(sink, index, toBigInt(unwrap(value, type), format))
  }
}

const putBig = (sink: ArgumentSink, index: number, value: bigint) =>
  sink.int(index, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))

function lowerFloat(type: CType): Lower {
  return type.size === 4
    ? (sink, index, value) => sink.float(index, typeof value === 'number' ? value : toFloat(unwrap(value, type), type))
    : (sink, index, value) => sink.double(index, typeof value === 'number' ? value : toFloat(unwrap(value, type), type))
}

function lowerPointer(to: Pointing, place: typeof placeOf = placeOf): Lower {
  // a typed array for a structure, or for arrays of a length, may be too short, which `place` sees
  const isPlain = place === placeOf && !['structure', 'array'].includes(to.pointee?.[CATEGORY] ?? '')
  const takesAddress = to.pointee === null || to.pointee[CATEGORY] === 'structure' || place === placeOfText
  return (sink, index, value, context) => {
    if (value === null) return sink.address(index, 0)
    // A bare number for a typed pointer would be a mistake more often than an address, but handles lead to structures.
    if (typeof value === 'bigint' && !takesAddress)
      throw new ArgumentError(`expected ${to.name}, got ${describe(value)}: use session.cast`)
    if (
      isPlain &&
      ArrayBuffer.isView(value) &&
      (to.pointee === null || holds(value, to.pointee)) &&
      sink.buffer?.(index, value)
    )
      return
    putPlace(sink, index, place(value, to, context), context)
  }
}

/** The encoder takes a number where that is exact, which costs less. */
const putAddress = (sink: ArgumentSink, index: number, address: bigint) =>
  address <= EXACT ? sink.address(index, Number(address)) : putBig(sink, index, address)
const EXACT = BigInt(Number.MAX_SAFE_INTEGER)

/** Writes where a pointer leads. */
function putPlace(sink: ArgumentSink, index: number, place: Place, context: CallContext): void {
  if (place === null) return sink.address(index, 0)
  if (typeof place === 'bigint') return putAddress(sink, index, place)
  if (isCallbackTarget(place)) return sink.callback(index, place)
  const { block, offset } = place
  if (block instanceof LocalBlock) {
    checkOffset(block, offset)
    return sink.block(index, block, offset)
  }
  checkSession(block.memory, context.memory)
  putAddress(sink, index, block.addressAt(offset))
}

/** By value: what the routine changes is its own copy, so nothing is read back. */
function lowerStructure(type: CType, arch: Arch): Lower {
  const { how } = passedAs(type, arch)
  return (sink, index, value, context) => {
    const copy = new LocalBlock(new Uint8Array(type.size), false)
    if (value instanceof StructureData && typeOf(value)[ARCH] !== undefined && typeOf(value)[ARCH] !== arch)
      throw new ArgumentError(
        `${typeOf(value).name} is laid out for ${typeOf(value)[ARCH]}, not for ${arch}: take the types of session.types`,
      )
    if (value instanceof (type as unknown as new () => CData)) copyCells(value[BLOCK], value[OFFSET], copy, 0, type)
    else if (value instanceof SimpleData) throw new ArgumentError(`expected ${type.name}, got ${describe(value)}`)
    else type[WRITE](copy, 0, value, context)
    if (how === 'memory') return sink.block(index, copy, 0)
    const only = copy.refs?.get(0)
    if (only) return putPlace(sink, index, only, context)
    const low =
      type.size === 1 ? copy.bytes[0] : type.size === 2 ? copy.whole.getUint16(0, true) : copy.whole.getInt32(0, true)
    sink.int(index, low, type.size === 8 ? copy.whole.getInt32(4, true) : 0)
  }
}
