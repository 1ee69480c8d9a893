/** Text in C: bytes or UTF-16 units up to a zero. */
import { ArgumentError, MemoryAccessError } from '../errors.js'
import { type Block, LocalBlock, type RemoteMemory, type Target } from './block.js'
import { allocated, check, SIZE } from './checks.js'
import { describe, memoryOf } from './data.js'
import { decodeUtf16, type Encoding, encodeUtf16, utf8 } from './encoding.js'

/** Text for a `char *`: a constant, which is not read back. It is UTF-8 here; `sentIn` gives it in the encoding of the session that it goes to. */
export class TextBlock extends LocalBlock {
  #other: { readonly encoding: Encoding; readonly block: LocalBlock } | undefined
  constructor(
    readonly text: string,
    /** How many bytes the block has at the least. */
    private readonly least = 0,
  ) {
    super(terminated(utf8.encode(text), 1, least), false)
    this.isLent = false
  }
  /** Throws ArgumentError for what is not in the encoding. */
  override sentIn(encoding: Encoding | undefined): LocalBlock {
    if (!encoding || encoding === utf8) return this
    if (this.#other?.encoding !== encoding) {
      const block = new LocalBlock(terminated(encoding.encode(this.text), 1, this.least), false)
      block.isLent = false
      this.#other = { encoding, block }
    }
    return this.#other.block
  }
}

/** A text with a zero of `unit` bytes behind it, and more zeros up to `least` bytes. */
export function terminated(text: Uint8Array, unit: number, least = 0): Uint8Array {
  const bytes = new Uint8Array(Math.max(text.length + unit, least))
  bytes.set(text)
  return bytes
}

/** Text for a `wchar_t *`, likewise. */
export function wideTextBlock(text: string, least = 0): LocalBlock {
  const block = new LocalBlock(new Uint8Array(Math.max(2 * text.length + 2, least)), false)
  block.isLent = false
  encodeUtf16(text, block.whole, 0)
  return block
}

/**
 * Stands for memory of the program's that is given as text, in characters of `unit` bytes, and has no zero: this has one behind them. What
 * a routine changes is brought back to that memory.
 */
export class CharactersBlock extends LocalBlock {
  #sent: Uint8Array
  constructor(
    private readonly given: Uint8Array,
    unit: number,
  ) {
    super(terminated(given, unit))
    this.#sent = given.slice()
  }
  override get lentAs(): ArrayBufferLike {
    return this.given.buffer
  }
  override refresh(): void {
    this.#sent = this.given.slice()
    this.bytes.set(this.#sent)
  }
  override settled(memory: RemoteMemory): void {
    super.settled(memory)
    const { given, bytes } = this
    const sent = this.#sent
    for (let i = 0; i < given.length; i++) if (bytes[i] !== sent[i]) given[i] = bytes[i]
  }
}

/** Is there a zero of `unit` bytes in the block? */
export const hasZero = (block: LocalBlock, unit: number): boolean =>
  upToZero(block, 0, unit).length + unit <= block.size

/** The text at a place, up to the first zero or `length` units. */
export function readText(place: Target, wide: boolean, length?: number): string {
  if (length !== undefined) check('the length of a text', length, SIZE)
  const unit = wide ? 2 : 1
  const bytes =
    length === undefined ? upToZero(place.block, place.offset, unit) : bytesAt(place.block, place.offset, length * unit)
  if (!wide) return encodingOf(place.block).decode(bytes)
  return decodeUtf16(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length >> 1)
}

/** How bytes in a block are text: by the encoding of the session that they belong to or were last given to, or UTF-8. */
export const encodingOf = (block: Block): Encoding =>
  (block instanceof TextBlock ? undefined : memoryOf(block)?.encoding) ?? utf8

/** Throws ArgumentError for a place before an object, or behind its end. */
export function checkOffset(block: Block, offset: number): void {
  if (block instanceof LocalBlock && (offset < 0 || offset > block.size))
    throw new ArgumentError(`a reference leads to byte ${offset} of an object of ${block.size} bytes`)
}

/** Throws ArgumentError for a range that does not lie in an object of this process. */
export function checkRange(block: Block, offset: number, size: number): void {
  checkOffset(block, offset)
  if (block instanceof LocalBlock && offset + size > block.size)
    throw new ArgumentError(`${size} bytes do not lie inside the ${block.size} bytes that this leads to`)
}

/** Bytes that may be decoded: a copy where the Windows side may change them. */
export function bytesAt(block: Block, offset: number, size: number): Uint8Array {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new ArgumentError(`a size is a number of bytes, not ${describe(size)}`)
  checkRange(block, offset, size)
  if (block instanceof LocalBlock)
    return block.home ? block.copy(offset, offset + size) : block.bytes.subarray(offset, offset + size)
  const view = allocated(`a copy of ${size} bytes`, () => block.view(offset, size))
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

const PAGE = 4096

/** The bytes of a text, without its zero. */
export function upToZero(block: Block, offset: number, unit: number): Uint8Array {
  checkOffset(block, offset)
  if (block instanceof LocalBlock) {
    const { bytes } = block
    let end = offset
    while (end + unit <= bytes.length && (bytes[end] !== 0 || (unit === 2 && bytes[end + 1] !== 0))) end += unit
    return block.home ? block.copy(offset, end) : bytes.subarray(offset, end)
  }
  const { memory } = block
  const start = block.addressAt(offset)
  const inPage = Number(BigInt.asUintN(12, start))
  const parts: Uint8Array[] = []
  let total = 0
  // to the end of a page at a time, for the next one may not be there; a UTF-16 unit may lie across two
  for (;;) {
    let size = Math.min(PAGE - ((inPage + total) % PAGE), parts.length === 0 ? 256 : PAGE)
    if (unit === 2 && size % 2 === 1) size = size === 1 ? 2 : size - 1
    const part = new Uint8Array(size)
    memory.read(start + BigInt(total), part)
    for (let i = 0; i < size; i += unit) {
      if (part[i] !== 0 || (unit === 2 && part[i + 1] !== 0)) continue
      parts.push(part.subarray(0, i))
      return join(parts, total + i)
    }
    parts.push(part)
    total += size
    if (total > 0x4000_0000) throw new MemoryAccessError('there is no end of the text within 1 GiB', { address: start })
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
