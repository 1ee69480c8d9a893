/** What the arguments of one call are written into. Implemented by `codec/`; types know only this. */
import type { CallbackTarget, LocalBlock } from './block.js'

/**
 * One character for each argument and for the result, as the Windows side needs them:
 * `b B h H i I q Q` integers of 8 to 64 bits (capital: unsigned), `f d` floats, `p` pointer, `v` no result,
 * `?` a byte that is 0 or 1, `u` one UTF-16 unit, `c` one byte.
 * `{n}` (win32 only) is a structure of n bytes by value on the stack: the argument is its address.
 */
export type Signature = string

/** Takes the arguments of a call, each once, by its number from 0. */
export interface ArgumentSink {
  /** The 64 bits of an integer in two halves, sign- or zero-extended as its type says. */
  int(index: number, low: number, high: number): void
  float(index: number, value: number): void
  double(index: number, value: number): void
  /**
   * The address of byte `offset` of `block`: where it lies, if it is an object's, else where it is copied to, and back from if it is
   * writable. `stays`: it is made for this call alone, so that it never moves.
   */
  block(index: number, block: LocalBlock, offset: number, stays?: boolean): void
  /** Takes a typed array, which is copied there and back; false where that cannot be, so that its memory is to be named as a block. */
  buffer?(index: number, given: ArrayBufferView): boolean
  /** An address in the Windows process. */
  address(index: number, address: number): void
  /** The address of the thunk of a callback. */
  callback(index: number, callback: CallbackTarget): void
}
