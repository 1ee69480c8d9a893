/** ctypes' functions on memory: sizes, strings, copies and casts. They work on objects in this process and on pointers into a session's. */

import { ArgumentError } from '../errors.js'
import { type Block, LocalBlock, type RemoteMemory, type Target } from './block.js'
import type { CallbackType, ForeignRoutine } from './callback-type.js'
import { allocated, check, LARGEST, SIZE } from './checks.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  bytesOf,
  CATEGORY,
  CData,
  type CType,
  describe,
  isBuffer,
  isType,
  KIND,
  OFFSET,
  READ,
  typeOf,
  viewAt,
} from './data.js'
import { utf8 } from './encoding.js'
import { isA } from './given.js'
import type { CArray } from './inference.js'
import type { Pointer, PointerType } from './pointer.js'
import { ByReference, placeOf, toAddress } from './pointing.js'
import {
  addressAt,
  checkSession,
  isCallbackTarget,
  isRemotePlace,
  liveRefs,
  type Place,
  placeAt,
  pointerSizeIn,
  readCell,
  writeCell,
} from './reference.js'
import { c_char, c_wchar } from './scalars.js'
import { bytesAt, checkRange, readText } from './text.js'

/** How many bytes a type has, or an object, which `resize` may have made longer. Throws ArgumentError for anything else. */
export function sizeof(of: CType | object): number {
  if (isType(of)) return of.size
  if (isA(of, CData)) return isResized(of) ? of[BLOCK].size : typeOf(of).size
  throw new ArgumentError(`sizeof takes a C type or an object of one, not ${describe(of)}`)
}

/** To how many bytes a type is aligned, or the type of an object. Throws ArgumentError for anything else. */
export function alignment(of: CType | object): number {
  if (isType(of)) return of.alignment
  if (isA(of, CData)) return typeOf(of).alignment
  throw new ArgumentError(`alignment takes a C type or an object of one, not ${describe(of)}`)
}

const resized = new WeakSet<Block>()
const isResized = (data: CData) => data[OFFSET] === 0 && resized.has(data[BLOCK])

/**
 * Gives an object so many bytes, at least those of its type; what it has is kept. As in ctypes its address may change. Throws ArgumentError
 * for what is a part of another object, lies in the Windows process or in a buffer of the user's.
 */
export function resize(data: object, size: number): void {
  if (!isA(data, CData)) throw new ArgumentError(`resize takes an object of ctypes, not ${describe(data)}`)
  const block = data[BLOCK]
  const type = typeOf(data)
  if (!Number.isSafeInteger(size) || size < type.size || size > LARGEST)
    throw new ArgumentError(
      `${type.name} needs ${type.size} bytes at least, and ${LARGEST} at most, not ${describe(size)}`,
    )
  if (!(block instanceof LocalBlock) || !block.isObject || data[OFFSET] !== 0 || (block.shape as unknown) !== type)
    throw new ArgumentError(`this ${type.name} does not own its memory and cannot be resized`)
  if (block.isLent || block.isHandedOut)
    throw new ArgumentError(`this ${type.name} cannot be resized: a typed array of its memory has been handed out`)
  const bytes = allocated(`${size} bytes`, () => new Uint8Array(size))
  bytes.set(block.bytes.subarray(0, size))
  const { home } = block
  block.leaveLodging()
  block.move(new DataView(bytes.buffer), undefined)
  resized.add(block)
  home?.release()
  home?.memory.objects?.addressOf(block)
}

/** The address of an object in the session that it lies in. Throws ArgumentError for one that has none yet: `session.memory.place` gives it one. */
export function addressof(data: object): bigint {
  if (!isA(data, CData)) throw new ArgumentError(`addressof takes an object of ctypes, not ${describe(data)}`)
  return addressAt({ block: data[BLOCK], offset: data[OFFSET] }, typeOf(data).name)
}

/** Where something lies that is memory, or where it leads if it is a pointer. `what` is the function that asks, for messages. */
function placeIn(of: unknown, what: string): Target {
  if (isBuffer(of)) return { block: new LocalBlock(bytesOf(of)), offset: 0 }
  if (isA(of, ByReference)) {
    const data = of.target as CData
    return { block: data[BLOCK], offset: data[OFFSET] + of.offset }
  }
  if (isA(of, CData)) {
    const type = typeOf(of)
    if (type[KIND] !== 'p') return { block: of[BLOCK], offset: of[OFFSET] }
    const place = readCell(of[BLOCK], of[OFFSET], type.size)
    if (place === null) throw new ArgumentError(`${what}: this ${type.name} is NULL`)
    if (typeof place === 'object' && !isCallbackTarget(place)) return place
  }
  if (typeof of === 'bigint' || typeof of === 'number')
    throw new ArgumentError(
      `${what}: a bare address belongs to no session: use session.${what === 'string_at' || what === 'wstring_at' ? what : 'cast'}`,
    )
  throw new ArgumentError(`${what} takes an object of ctypes, a pointer or bytes, not ${describe(of)}`)
}

/**
 * A `char` array: of so many zeros; of a text, in UTF-8, or of bytes, with a zero behind them. With `size` it has so many bytes, and the zero only
 * if there is room. Throws ArgumentError for what does not fit.
 */
export function create_string_buffer(init: number | string | Uint8Array, size?: number): CArray<typeof c_char> {
  const bytes = typeof init === 'string' ? utf8.encode(init) : init
  if (typeof bytes !== 'number' && !isA(bytes, Uint8Array))
    throw new ArgumentError(`create_string_buffer takes a size, a string or bytes, not ${describe(init)}`)
  const length = typeof bytes === 'number' ? bytes : size === undefined ? bytes.length + 1 : size
  check('the size of create_string_buffer', length, SIZE)
  const buffer = new (c_char.array(length))()
  if (typeof bytes !== 'number') {
    if (bytes.length > length) throw new ArgumentError(`${bytes.length} bytes do not fit a buffer of ${length}`)
    buffer.raw = bytes
  }
  return buffer
}

/** A `wchar_t` array: of so many zeros, or of a text in UTF-16 with a zero behind it; `size` counts units of 2 bytes. Throws ArgumentError. */
export function create_unicode_buffer(init: number | string, size?: number): CArray<typeof c_wchar> {
  if (typeof init !== 'number' && typeof init !== 'string')
    throw new ArgumentError(`create_unicode_buffer takes a size or a string, not ${describe(init)}`)
  const length = typeof init === 'number' ? init : size === undefined ? init.length + 1 : size
  check('the size of create_unicode_buffer', length, SIZE)
  const buffer = new (c_wchar.array(length))()
  if (typeof init === 'string') buffer.value = init
  return buffer
}

/**
 * The text at a place: `size` bytes of it, or up to the first zero; in the encoding of the session that it lies in, or UTF-8. Throws
 * ArgumentError, or MemoryAccessError for what cannot be read.
 */
export function string_at(at: object, size?: number): string {
  return readText(placeIn(at, 'string_at'), false, size)
}
/** The UTF-16 text at a place: `length` units of 2 bytes, or up to the first zero. */
export function wstring_at(at: object, length?: number): string {
  return readText(placeIn(at, 'wstring_at'), true, length)
}

/** Copies `count` bytes; the ranges may overlap. Pointers among them go on leading where they lead. Throws ArgumentError or MemoryAccessError. */
export function memmove(to: object, from: object | string, count: number): void {
  const target = placeIn(to, 'memmove')
  const source = placeIn(typeof from === 'string' ? utf8.encode(from) : from, 'memmove')
  const bytes = bytesAt(source.block, source.offset, count).slice()
  const pointers = liveRefs(source.block)
  const pointerSize = pointerSizeIn(source.block)
  store(target, bytes)
  for (const [at, place] of pointers)
    if (at >= source.offset && at + pointerSize <= source.offset + count)
      writeCell(target.block, target.offset + at - source.offset, pointerSize, place)
}

/** Fills `count` bytes with the low 8 bits of a number. Throws ArgumentError or MemoryAccessError. */
export function memset(to: object, value: number, count: number): void {
  check('the number of bytes of memset', count, SIZE)
  if (!Number.isSafeInteger(value)) throw new ArgumentError(`memset takes a byte to fill with, not ${describe(value)}`)
  store(placeIn(to, 'memset'), new Uint8Array(count).fill(value))
}

function store({ block, offset }: Target, bytes: Uint8Array): void {
  if (block instanceof LocalBlock) {
    checkRange(block, offset, bytes.length)
    block.overwritten(offset, bytes.length)
    block.bytes.set(bytes, offset)
  } else block.commit(offset, new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
}

/**
 * A pointer of another type to where a pointer leads, or where an object or a buffer lies. Throws ArgumentError for a number, which belongs to
 * no session: `session.cast` takes addresses.
 */
export function cast<T extends CType>(from: object | null, type: PointerType<T>): Pointer<T>
/** A function pointer of another type, as a routine that can be called. */
export function cast<R extends CType | null, A extends readonly CType[]>(
  from: object | null,
  type: CallbackType<R, A>,
): ForeignRoutine<R, A> | null
/** A pointer of any other type. */
export function cast<T extends CType>(from: object | null, type: T): T['prototype']
export function cast(from: object | null, type: CType): object | null {
  return castTo(castPlace(from, type), type)
}

/** A pointer of the type that leads to a place. */
export function castTo(place: Place, type: CType): object | null {
  const block = LocalBlock.for(type)
  writeCell(block, 0, type.size, place)
  // a function pointer is a routine, and has no object of its own
  return type[CATEGORY] === 'callback' ? (type[READ](block, 0) as object | null) : viewAt(type, block, 0)
}

function checkPointerType(type: unknown): void {
  if (!isType(type) || type[KIND] !== 'p') throw new ArgumentError(`cast takes a pointer type, not ${describe(type)}`)
}

/** Where it is, or where it leads if it is a pointer. */
function castPlace(from: unknown, type: CType): Place {
  checkPointerType(type)
  if (isA(from, CData))
    return typeOf(from)[KIND] === 'p'
      ? readCell(from[BLOCK], from[OFFSET], typeOf(from).size)
      : { block: from[BLOCK], offset: from[OFFSET] }
  if (typeof from === 'bigint' || typeof from === 'number')
    throw new ArgumentError('cast: a bare address belongs to no session: use session.cast')
  return placeOf(from, { name: type.name, pointee: null, arch: type[ARCH] as Arch })
}

/** A pointer of the type to an address of a session. */
export function castAddress(memory: RemoteMemory, address: bigint, type: CType): object | null {
  return castTo(placeAt(address, memory), type)
}

/** The same with a session, whose addresses bare ones are: what `session.cast(from, T)` is. */
export function castIn(memory: RemoteMemory, from: unknown, type: CType): object | null {
  checkPointerType(type)
  const bare = typeof from === 'bigint' || typeof from === 'number'
  const place = bare ? toAddress(from, type[ARCH] ?? 'win64', type.name) : castPlace(from, type)
  if (typeof place === 'bigint') return castAddress(memory, place, type)
  if (isRemotePlace(place)) checkSession(place.block.memory, memory)
  return castTo(place, type)
}
