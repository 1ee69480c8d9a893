/** A callback's values on their way: arguments from the bits that the Windows side gives, the result back into bits. */
import { LocalBlock, RemoteRange } from './block.js'
import type { CallbackClass } from './callback-type.js'
import type { CallContext } from './context.js'
import type { Convention } from './convention.js'
import { type Arch, CATEGORY, type CType, FOR_ARCH, READ, viewAt, WRITE } from './data.js'
import { isSigned, rangeOf } from './integers.js'
import { isScalar } from './parameter.js'
import { passedAs, refuseVector } from './passing.js'
import { addressIn } from './reference.js'
import type { Signature } from './sink.js'

/** How the Windows side calls a callback of a type, and how its values are read and its result is written. */
export interface CallbackPlan {
  readonly convention: Convention
  /** A character for each argument; in front the pointer to where a structure as the result goes, where it does not fit a register. */
  readonly signature: Signature
  readonly result: string
  /** Whether the first argument is that pointer. */
  readonly resultByAddress: boolean
  /** How many arguments are on the wire. */
  readonly count: number
  /** Whether no argument is a view of `bits`, which may then be used again. */
  readonly plain: boolean
  /** The arguments as JS values; `bits` has 8 bytes for each. Throws MemoryAccessError where a structure by value cannot be read. */
  decodeArguments(bits: LocalBlock, context: CallContext): unknown[]
  /**
   * Writes the 8 bytes of a result; `undefined`, and a void result, are zero. `address` is where a result by address goes. Throws ArgumentError
   * for what is no value of the result's type.
   */
  encodeResult(value: unknown, into: DataView, context: CallContext, address?: bigint): void
}

const plans = new WeakMap<CType, Map<Arch, CallbackPlan>>()

/** The plan of a callback type, made once for each architecture. Throws ArgumentError for types that callbacks cannot have. */
export function callbackPlan(type: CallbackClass, arch: Arch): CallbackPlan {
  let known = plans.get(type)
  if (!known) plans.set(type, (known = new Map()))
  let plan = known.get(arch)
  if (!plan) known.set(arch, (plan = makePlan(type, arch)))
  return plan
}

function makePlan({ convention, argtypes, restype }: CallbackClass, arch: Arch): CallbackPlan {
  const types = argtypes.map(type => type[FOR_ARCH](arch))
  const resultType = restype?.[FOR_ARCH](arch) ?? null
  for (const [i, given] of types.entries()) refuseVector(given, `argument ${i + 1} of a callback`)
  if (resultType) refuseVector(resultType, 'the result of a callback')
  const passing = types.map(type => passedAs(type, arch))
  const result = resultType ? passedAs(resultType, arch, true) : undefined
  const hidden = result?.how === 'memory'
  const put = resultType ? putNumber(resultType) : undefined
  return {
    convention,
    signature: (hidden ? 'p' : '') + passing.map(({ kind }) => kind).join(''),
    result: hidden ? 'p' : (result?.kind ?? 'v'),
    resultByAddress: hidden,
    count: types.length + (hidden ? 1 : 0),
    plain: types.every(isScalar),
    decodeArguments(block, context) {
      block.origin = context.memory
      return types.map((type, i) => {
        const at = 8 * (i + (hidden ? 1 : 0))
        if (passing[i].how !== 'memory') return type[READ](block, at)
        // the copy that was passed is gone when the callback returns
        const bytes = new Uint8Array(type.size)
        context.memory.read(block.whole.getBigUint64(at, true), bytes)
        const copy = LocalBlock.of(type, bytes)
        copy.origin = context.memory
        return viewAt(type, copy, 0)
      })
    },
    encodeResult(value, into, context, address) {
      into.setInt32(0, 0, true)
      into.setInt32(4, 0, true)
      if (!resultType || value === undefined) return
      if (typeof value === 'number' && put?.(value, into)) return
      if (hidden && address !== undefined) {
        resultType[WRITE](new RemoteRange(context.memory, address, resultType.size), 0, value)
        into.setBigUint64(0, address, true)
      } else writeBits(resultType, value, into, context)
    },
  }
}

/**
 * A function that writes a number which needs no conversion, as most results do, and is false for any other; undefined for types that always
 * need one.
 */
function putNumber(type: CType): ((value: number, into: DataView) => boolean) | undefined {
  if (type[CATEGORY] === 'float')
    return (value, into) => {
      if (type.size === 4) into.setFloat32(0, value, true)
      else into.setFloat64(0, value, true)
      return true
    }
  if (type[CATEGORY] !== 'integer' || type.size === 8) return undefined
  const [low, high] = rangeOf(type)
  return (value, into) => {
    if (!(Number.isInteger(value) && value >= low && value <= high)) return false
    into.setInt32(0, value | 0, true)
    into.setInt32(4, value < 0 ? -1 : 0, true)
    return true
  }
}

/**
 * Writes the result of a callback. Throws ArgumentError for a pointer to an object of JS that has no address of its own: nothing would keep it
 * alive when the callback has returned.
 */
function writeBits(type: CType, value: unknown, into: DataView, context: CallContext): void {
  const block = new LocalBlock(new Uint8Array(8))
  type[WRITE](block, 0, value)
  const ref = block.refs?.get(0)
  if (ref) block.whole.setBigUint64(0, addressIn(context.memory, ref), true)
  into.setBigUint64(0, extend(type, block.whole), true)
}

/** Signed integers are sign-extended, anything else is zero-extended. */
function extend(type: CType, view: DataView): bigint {
  const raw = view.getBigUint64(0, true)
  const bits = 8 * type.size
  if (type[CATEGORY] !== 'integer' || !isSigned(type)) return BigInt.asUintN(bits, raw)
  return BigInt.asUintN(64, BigInt.asIntN(bits, raw))
}
