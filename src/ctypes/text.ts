/** Text in C: bytes or UTF-16 units up to a zero. */
import { ArgumentError, MemoryAccessError } from '../errors.js'
import { type Block, LocalBlock, type RemoteBlock, type Target } from './block.js'
import { memoryOf } from './data.js'
import { decodeUtf16, type Encoding, encodeUtf16, utf8 } from './encoding.js'

/** A constant: what is passed for text is not read back. */
export function textBlock(text: string, encoding: Encoding): LocalBlock {
  const encoded = encoding.encode(text)
  const bytes = new Uint8Array(encoded.length + 1)
  bytes.set(encoded)
  return new LocalBlock(bytes, false)
}

export function wideTextBlock(text: string): LocalBlock {
  const block = new LocalBlock(new Uint8Array(2 * text.length + 2), false)
  encodeUtf16(text, block.whole, 0)
  return block
}

/**
 * Bytes given as text. With a zero among them they are passed as they are, and come back changed;
 * without one they need a zero behind them, hence a copy, from which changes are brought back.
 */
export function bytesAsText(bytes: Uint8Array): LocalBlock {
  if (bytes.includes(0)) return new LocalBlock(bytes)
  const terminated = new Uint8Array(bytes.length + 1)
  terminated.set(bytes)
  const block = new LocalBlock(terminated)
  block.mirror = bytes
  return block
}

/** The text at a place, up to the first zero or `length` units. */
export function readText(place: Target, wide: boolean, length?: number, encoding?: Encoding): string {
  const unit = wide ? 2 : 1
  const bytes =
    length === undefined ? upToZero(place.block, place.offset, unit) : bytesAt(place.block, place.offset, length * unit)
  if (!wide) return (encoding ?? memoryOf(place.block)?.encoding ?? utf8).decode(bytes)
  return decodeUtf16(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length >> 1)
}

export function bytesAt(block: Block, offset: number, size: number): Uint8Array {
  if (!Number.isSafeInteger(size) || size < 0 || (block instanceof LocalBlock && offset + size > block.size))
    throw new ArgumentError(`${size} bytes do not lie inside the ${block.size} bytes that this leads to`)
  const view = block.view(offset, size)
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

const PAGE = 4096

/** The bytes of a text, without its zero. */
export function upToZero(block: Block, offset: number, unit: number): Uint8Array {
  if (block instanceof LocalBlock) {
    const { bytes } = block
    let end = offset
    while (end + unit <= bytes.length && (bytes[end] !== 0 || (unit === 2 && bytes[end + 1] !== 0))) end += unit
    return bytes.subarray(offset, end)
  }
  const { memory, address } = block as RemoteBlock
  const start = address + offset
  const parts: Uint8Array[] = []
  let total = 0
  // To the end of a page at a time: the next one may not be there. A UTF-16 unit may lie across two of them.
  for (;;) {
    const at = start + total
    let size = Math.min(PAGE - (at % PAGE), parts.length === 0 ? 256 : PAGE)
    if (unit === 2 && size % 2 === 1) size = size === 1 ? 2 : size - 1
    const part = new Uint8Array(size)
    memory.read(at, part)
    for (let i = 0; i < size; i += unit) {
      if (part[i] !== 0 || (unit === 2 && part[i + 1] !== 0)) continue
      parts.push(part.subarray(0, i))
      return join(parts, total + i)
    }
    parts.push(part)
    total += size
    if (total > 0x4000_0000)
      throw new MemoryAccessError('there is no end of the text within 1 GiB', { address: BigInt(start) })
  }
}

function join(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
