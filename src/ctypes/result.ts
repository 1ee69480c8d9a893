/** How the result of a routine becomes a JS value. */
import { ArgumentError, WindowsError } from '../errors.js'
import { LocalBlock, POINTERS } from './block.js'
import type { CallContext } from './context.js'
import { type Arch, CATEGORY, type CType, describe, FOR_ARCH, isType, KIND, READ, viewAt } from './data.js'
import type { ResType } from './inference.js'
import { castAddress } from './memory.js'
import { passedAs, refuseVector } from './passing.js'
import { c_int, HRESULT } from './scalars.js'

export type Decode = (low: number, high: number, float: number, context: CallContext) => unknown
export interface ResultPlan {
  /** Character of `sink.ts`. */
  readonly kind: string
  readonly decode: Decode
  /** The type of a structure that is returned through a hidden first pointer. */
  readonly hidden: CType | undefined
  /** A structure in registers that has pointers in it, which may lead into the call's own memory. */
  readonly holdsPointers?: boolean
}

const unsigned = (low: number, high: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

export function resultFor(routine: string, restype: ResType, arch: Arch): ResultPlan {
  if (restype === null) return { kind: 'v', hidden: undefined, decode: () => undefined }
  if (!isType(restype)) {
    if (typeof restype !== 'function')
      throw new ArgumentError(`restype of ${routine} must be a C type, null or a function, not ${describe(restype)}`, {
        routine,
      })
    const call = callable(restype)
    return { kind: c_int[KIND], hidden: undefined, decode: low => call(low | 0) }
  }
  const type = restype[FOR_ARCH](arch)
  if (type[CATEGORY] === 'array')
    throw new ArgumentError(`restype of ${routine}: C returns no arrays (${type.name}): use POINTER(T)`, { routine })
  refuseVector(type, `restype of ${routine}`, { routine })
  if (isStatus(type)) return { kind: 'i', hidden: undefined, decode: decodeStatus }
  const { kind, how } = passedAs(type, arch, true)
  if (how === 'memory') return { kind, hidden: type, decode: () => undefined }
  if (how === 'bits')
    return { kind, hidden: undefined, decode: structureFrom(type), holdsPointers: type[POINTERS].length > 0 }
  return { kind, hidden: undefined, decode: scalarFrom(type) }
}

/** Results that say themselves whether the routine failed: below zero. */
export const isStatus = (type: CType | null): boolean =>
  isType(HRESULT) &&
  ((type as unknown) === HRESULT || (type as { prototype: object } | null)?.prototype instanceof HRESULT)

/** ctypes calls the class; a class of JS is made with `new`. */
function callable(restype: (result: number) => unknown): (result: number) => unknown {
  if (!/^class\b/.test(Function.prototype.toString.call(restype))) return restype
  const made = restype as unknown as new (result: number) => unknown
  return result => new made(result)
}

function decodeStatus(low: number, _high: number, _float: number, context: CallContext): unknown {
  const code = low | 0
  if (code >= 0) return code
  throw (
    context.windowsError?.(code) ??
    new WindowsError(`[WinError ${code}] the routine failed`, { winerror: code, strerror: '' })
  )
}

function scalarFrom(type: CType): Decode {
  const size = type.size
  const signed = type[KIND] === type[KIND].toLowerCase()
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

function structureFrom(type: CType): Decode {
  return (low, high, _float, context) => {
    const block = LocalBlock.allocate(8)
    block.whole.setInt32(0, low, true)
    block.whole.setInt32(4, high, true)
    const own = LocalBlock.of(type, block.bytes.slice(0, type.size))
    own.origin = context.memory
    return viewAt(type, own, 0)
  }
}
