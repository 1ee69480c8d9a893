/** A callback's values on their way: arguments from the bits that the Windows side gives, the result back into bits. */
import { writeBits } from './bits64.js'
import { LocalBlock, RemoteRange } from './block.js'
import type { CallbackClass } from './callback-type.js'
import type { CallContext } from './context.js'
import type { Convention } from './convention.js'
import { type Arch, type CType, FOR_ARCH, READ, viewAt, WRITE } from './data.js'
import { passedAs } from './passing.js'
import type { Signature } from './sink.js'

/** How the Windows side calls a callback of a type, and how its values are read and its result is written. */
export interface CallbackPlan {
  readonly convention: Convention
  /** With the hidden pointer in front, where the result is a structure that needs one. */
  readonly signature: Signature
  readonly result: string
  /** The first argument is that pointer. */
  readonly resultByAddress: boolean
  /** `bits` has 8 bytes for each character of the signature. */
  decodeArguments(bits: DataView, context: CallContext): unknown[]
  /** Writes 8 bytes into `into`; `undefined` and a void result are zero. */
  encodeResult(value: unknown, into: DataView, context: CallContext, bits?: DataView): void
}

const plans = new WeakMap<CType, Map<Arch, CallbackPlan>>()

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
  const passing = types.map(type => passedAs(type, arch))
  const result = resultType ? passedAs(resultType, arch, true) : undefined
  const hidden = result?.how === 'memory'
  return {
    convention,
    signature: (hidden ? 'p' : '') + passing.map(({ kind }) => kind).join(''),
    result: hidden ? 'p' : (result?.kind ?? 'v'),
    resultByAddress: hidden,
    decodeArguments(bits, context) {
      const block = new LocalBlock(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength).slice())
      block.origin = context.memory
      return types.map((type, i) => {
        const at = 8 * (i + (hidden ? 1 : 0))
        if (passing[i].how !== 'memory') return type[READ](block, at)
        // The routine's own copy is gone when the callback returns.
        const bytes = new Uint8Array(type.size)
        context.memory.read(block.whole.getBigUint64(at, true), bytes)
        const copy = LocalBlock.of(type, bytes)
        copy.origin = context.memory
        return viewAt(type, copy, 0)
      })
    },
    encodeResult(value, into, context, bits) {
      into.setBigUint64(0, 0n, true)
      if (!resultType || value === undefined) return
      if (hidden && bits) {
        const address = bits.getBigUint64(0, true)
        resultType[WRITE](new RemoteRange(context.memory, address, resultType.size), 0, value)
        into.setBigUint64(0, address, true)
      } else writeBits(resultType, value, into, context)
    },
  }
}
