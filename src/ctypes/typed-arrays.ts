/** Which typed arrays have the elements of which scalar. */
import { CATEGORY, type CType } from './data.js'
import { isBigEndian } from './variant.js'

export type AnyTypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

type Make = (buffer: ArrayBufferLike, offset: number, length: number) => AnyTypedArray

/** By the characters of `Signature` (sink.ts); pointers as the addresses that they are on win64. */
export const typedArrays: { readonly [kind: string]: Make | undefined } = {
  b: (buffer, offset, length) => new Int8Array(buffer, offset, length),
  B: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  '?': (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  c: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  h: (buffer, offset, length) => new Int16Array(buffer, offset, length),
  H: (buffer, offset, length) => new Uint16Array(buffer, offset, length),
  u: (buffer, offset, length) => new Uint16Array(buffer, offset, length),
  i: (buffer, offset, length) => new Int32Array(buffer, offset, length),
  I: (buffer, offset, length) => new Uint32Array(buffer, offset, length),
  q: (buffer, offset, length) => new BigInt64Array(buffer, offset, length),
  Q: (buffer, offset, length) => new BigUint64Array(buffer, offset, length),
  p: (buffer, offset, length) => new BigUint64Array(buffer, offset, length),
  f: (buffer, offset, length) => new Float32Array(buffer, offset, length),
  d: (buffer, offset, length) => new Float64Array(buffer, offset, length),
}

/** May the bytes of a buffer be objects of the type? A typed array says what its bytes are, but for Uint8Array; other buffers may be anything. */
export function holds(given: ArrayBufferLike | ArrayBufferView, type: CType): boolean {
  if (!ArrayBuffer.isView(given) || given instanceof DataView || given instanceof Uint8Array) return true
  return hasElements(given, type)
}

/** Has a typed array the elements of an array of the scalar in memory? Signed and unsigned integers of a width are the same there. */
export function hasElements(given: ArrayBufferView, type: CType): boolean {
  const { BYTES_PER_ELEMENT, [Symbol.toStringTag]: name } = given as Uint8Array
  const category = type[CATEGORY]
  return (
    BYTES_PER_ELEMENT === type.size &&
    (category === 'float') === name.startsWith('Float') &&
    category !== 'structure' &&
    category !== 'array' &&
    !isBigEndian(type)
  )
}
