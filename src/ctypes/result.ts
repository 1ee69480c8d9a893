/** How the result of a routine becomes a JS value. */
import { ArgumentError, WindowsError } from '../errors.js'
import { LocalBlock } from './block.js'
import type { CallContext } from './context.js'
import {
  type Arch,
  CATEGORY,
  type CType,
  describe,
  FOR_ARCH,
  isType,
  KIND,
  pointerSizeOf,
  READ,
  viewAt,
} from './data.js'
import type { ResType } from './inference.js'
import { isSigned } from './integers.js'
import { castAddress } from './memory.js'
import { passedAs, refuseVector } from './passing.js'
import { type Inside, leadInside } from './reference.js'
import { c_int, HRESULT } from './scalars.js'
import { keepTexts, type TakenTexts, type TextCell, textKindOf, textsIn, textTaken } from './taken-texts.js'

/** See `CallPlan.decode`. */
type Decode = (
  low: number,
  high: number,
  float: number,
  context: CallContext,
  inside?: Inside,
  texts?: TakenTexts,
) => unknown
/** How a result comes from the Windows side, and becomes a JS value. */
export interface ResultPlan {
  /** The character of `Signature` (sink.ts). */
  readonly kind: string
  readonly decode: Decode
  /** The type of a structure that is returned through a hidden first pointer, so that there is nothing to decode. */
  readonly hidden?: CType
  /** Where the result has texts. */
  readonly texts: readonly TextCell[]
}

/** The two halves of 64 bits as one number. */
const unsigned = (low: number, high: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

/** Throws ArgumentError, which names the routine, for what no routine can return. */
export function resultFor(routine: string, restype: ResType, arch: Arch): ResultPlan {
  if (restype === null) return { kind: 'v', texts: [], decode: () => undefined }
  if (!isType(restype)) {
    if (typeof restype !== 'function')
      throw new ArgumentError(`restype of ${routine} must be a C type, null or a function, not ${describe(restype)}`, {
        routine,
      })
    const call = callable(restype)
    return { kind: c_int[KIND], texts: [], decode: low => call(low | 0) }
  }
  const type = restype[FOR_ARCH](arch)
  if (type[CATEGORY] === 'array')
    throw new ArgumentError(`restype of ${routine}: C returns no arrays (${type.name}): use POINTER(T)`, { routine })
  refuseVector(type, `restype of ${routine}`, { routine })
  if (isStatus(type)) return { kind: 'i', texts: [], decode: decodeStatus }
  const { kind, how } = passedAs(type, arch, true)
  const texts = textsIn(type)
  if (how === 'memory') return { kind, texts, hidden: type, decode: () => undefined }
  return { kind, texts, decode: how === 'bits' ? structureFrom(type, texts, pointerSizeOf(arch)) : scalarFrom(type) }
}

/** Is a result below zero the code of an error? So it is for HRESULT and the classes that extend it. */
export const isStatus = (type: CType | null): boolean =>
  type !== null && (type.prototype === HRESULT.prototype || type.prototype instanceof HRESULT)

/** A `restype` that is called with the result: Python makes an object of a class by calling it, JS needs `new` for that. */
function callable(restype: (result: number) => unknown): (result: number) => unknown {
  if (!/^class\b/.test(Function.prototype.toString.call(restype))) return restype
  const Class = restype as unknown as new (result: number) => unknown
  return result => new Class(result)
}

function decodeStatus(low: number, _high: number, _float: number, context: CallContext): unknown {
  const code = low | 0
  if (code >= 0) return code
  throw (
    context.windowsError?.(code) ??
    new WindowsError(`[WinError ${code}] the routine failed`, { winerror: code, strerror: '' })
  )
}

/** For everything that fits a register, but for structures. */
function scalarFrom(type: CType): Decode {
  const size = type.size
  const signed = isSigned(type)
  switch (type[CATEGORY]) {
    case 'float':
      return (_low, _high, float) => float
    case 'bool':
      return size === 1 ? low => (low & 0xff) !== 0 : low => (low & 0xffff) !== 0
    case 'char':
      return low => String.fromCharCode(low & 0xff)
    case 'wchar':
      return low => String.fromCharCode(low & 0xffff)
    case 'integer':
      if (typeof type[READ](zero, 0) === 'bigint') {
        if (size === 8) return (low, high) => (signed ? BigInt.asIntN(64, unsigned(low, high)) : unsigned(low, high))
        return signed ? low => BigInt(low | 0) : low => BigInt(low >>> 0)
      }
      if (size === 4) return signed ? low => low | 0 : low => low >>> 0
      if (size === 2) return signed ? low => (low << 16) >> 16 : low => low & 0xffff
      return signed ? low => (low << 24) >> 24 : low => low & 0xff
    case 'char pointer':
    case 'wchar pointer': {
      const isWide = textKindOf(type) === 'wide'
      return (_low, _high, _float, { memory }, _inside, texts) => textTaken(texts?.(0), isWide, memory)
    }
    default:
      return pointerFrom(type, size === 8)
  }
}
const zero = LocalBlock.allocate(8)

function pointerFrom(type: CType, wide: boolean): Decode {
  const category = type[CATEGORY]
  return (low, high, _float, context) => {
    const address = wide ? unsigned(low, high) : BigInt(low >>> 0)
    if (address === 0n) return null
    if (category === 'void pointer') return address
    return castAddress(context.memory, address, type)
  }
}

/** Pointers in the structure may lead into memory that the call had for its arguments. */
function structureFrom(type: CType, cells: readonly TextCell[], pointerSize: number): Decode {
  return (low, high, _float, { memory }, inside, texts) => {
    const bits = LocalBlock.allocate(8)
    bits.whole.setInt32(0, low, true)
    bits.whole.setInt32(4, high, true)
    const block = LocalBlock.of(type, bits.bytes.slice(0, type.size))
    block.origin = memory
    if (texts) keepTexts(block, 0, cells, pointerSize, memory, texts)
    if (inside) leadInside(block, type, inside)
    return viewAt(type, block, 0)
  }
}
