/** Values as the 8 bytes in which arguments and results travel. */
import { LocalBlock } from './block.js'
import type { CallContext } from './context.js'
import { CATEGORY, type CType, KIND, WRITE } from './data.js'
import { addressIn } from './reference.js'

/** Writes one result of a callback; pointers to objects of JS are refused, for nobody would keep those alive over there. */
export function writeBits(type: CType, value: unknown, into: DataView, context: CallContext): void {
  const block = new LocalBlock(new Uint8Array(8))
  type[WRITE](block, 0, value)
  const ref = block.refs?.get(0)
  if (ref) block.whole.setBigUint64(0, addressIn(context.memory, ref), true)
  into.setBigUint64(0, extended(type, block.whole), true)
}

/** Integers are sign- or zero-extended. */
function extended(type: CType, view: DataView): bigint {
  const raw = view.getBigUint64(0, true)
  const bits = 8 * type.size
  const kind = type[KIND]
  if (type[CATEGORY] !== 'integer' || kind !== kind.toLowerCase()) return BigInt.asUintN(Math.min(bits, 64), raw)
  return BigInt.asUintN(64, BigInt.asIntN(bits, raw))
}
