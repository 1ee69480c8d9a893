/** Arrays of characters as text. */
import { ArgumentError } from '../errors.js'
import type { ArrayClass } from './array.js'
import type { Block } from './block.js'
import { CATEGORY, describe, LENGTH } from './data.js'
import { decodeUtf16, encodeUtf16 } from './encoding.js'
import { encodingOf } from './text.js'
import { isBigEndian } from './variant.js'

/** Whether the elements of an array are characters. */
export const isText = (type: ArrayClass) =>
  type.elementType[CATEGORY] === 'char' || type.elementType[CATEGORY] === 'wchar'

/** The text of an array of characters, up to the first zero. */
export function textAt(type: ArrayClass, block: Block, offset: number): string {
  const view = block.view(offset, type.size)
  if (type.elementType[CATEGORY] === 'wchar') {
    let end = 0
    while (end < type[LENGTH] && view.getUint16(2 * end, true) !== 0) end++
    return decodeUtf16(view, 0, end, !isBigEndian(type.elementType))
  }
  // a copy, since the Windows side may change the bytes while they are decoded
  const bytes = new Uint8Array(view.buffer, view.byteOffset, type.size).slice()
  const end = bytes.indexOf(0)
  return encodingOf(block).decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/**
 * Writes text into an array of characters, and a zero behind it if there is room for one; what is behind that stays as it is. Throws
 * ArgumentError for what is no text, not in the encoding, or too long.
 */
export function writeText(type: ArrayClass, block: Block, offset: number, text: unknown): void {
  if (typeof text !== 'string') throw new ArgumentError(`expected a string for ${type.name}, got ${describe(text)}`)
  const wide = type.elementType[CATEGORY] === 'wchar'
  const encoded = wide ? undefined : encodingOf(block).encode(text)
  const length = encoded ? encoded.length : text.length
  if (length > type[LENGTH])
    throw new ArgumentError(`${type.name} has room for ${type[LENGTH]}, the text has ${length}`)
  const view = block.view(offset, type.size)
  if (encoded) {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, type.size)
    bytes.set(encoded)
    if (length < type[LENGTH]) bytes[length] = 0
  } else {
    encodeUtf16(text, view, 0, !isBigEndian(type.elementType))
    if (length < type[LENGTH]) view.setUint16(2 * length, 0, true)
  }
  block.overwritten(offset, type.size)
  block.commit(offset, view)
}
