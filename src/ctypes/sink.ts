/** What the arguments of one call are written into. Implemented by `codec/`; types know only this. */
import type { CallbackTarget, LocalBlock } from './block.js'

/**
 * One character for each argument and for the result, as the Windows side needs them:
 * `b B h H i I q Q` integers of 8 to 64 bits (capital: unsigned), `f d` floats, `p` pointer, `v` no result,
 * `?` a byte that is 0 or 1, `u` one UTF-16 unit, `c` one byte.
 * `{n}` (win32 only) is a structure of n bytes by value on the stack: the argument is its address.
 */
export type Signature = string

export interface ArgumentSink {
  /** A 64-bit pattern in two halves (sign- or zero-extended by the type). */
  int(index: number, low: number, high: number): void
  float(index: number, value: number): void
  double(index: number, value: number): void
  /**
   * The address of byte `offset` of `block`: where it lives, if it is an object's, else where it is copied to and (if writable) back
   * from. `stays`: it is for this call alone, and never moves.
   */
  block(index: number, block: LocalBlock, offset: number, stays?: boolean): void
  /** Where it can, takes a typed array that is copied there and back by itself; false: name its memory as a block. */
  buffer?(index: number, given: ArrayBufferView): boolean
  /** An address in the Windows process. */
  address(index: number, address: number): void
  /** The address of the thunk of a callback. */
  callback(index: number, callback: CallbackTarget): void
}
