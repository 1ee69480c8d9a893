/** The results of callbacks as the 8 bytes in which they travel. */
import { LocalBlock } from './block.js'
import type { CallContext } from './context.js'
import { CATEGORY, type CType, WRITE } from './data.js'
import { isSigned } from './integers.js'
import { addressIn } from './reference.js'

/**
 * Writes the result of a callback. Throws ArgumentError for a pointer to an object of JS that has no address of its own: nothing would keep it
 * alive when the callback has returned.
 */
export function writeBits(type: CType, value: unknown, into: DataView, context: CallContext): void {
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
