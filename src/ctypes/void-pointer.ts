/** `c_void_p`, `c_char_p` and `c_wchar_p`: pointers whose JS value is an address or a text. */
import { ArgumentError } from '../errors.js'
import { LocalBlock } from './block.js'
import { ARCH, type Arch, type CType } from './data.js'
import type { Addressed, Bytes, CArray, io, Reference, SimpleType } from './inference.js'
import { readAddress } from './integers.js'
import { placeOf, placeOfText } from './pointing.js'
import { addressAt, isCallbackTarget, readCell, writeCell } from './reference.js'
import { c_char, c_wchar } from './scalars.js'
import { definePointerSized } from './simple.js'
import { takenAt } from './taken-texts.js'
import { readText } from './text.js'

const archOf = (type: CType) => type[ARCH] as Arch

/** Anything that lies somewhere: objects of ctypes, buffers, addresses, callbacks. */
export type VoidPointerArg = object | string | bigint | number | null
/**
 * What a parameter that is a pointer to characters takes: a string (encoded for the call), bytes, an array of
 * characters, a reference, or NULL.
 */
export type TextArg<C extends CType> = string | Bytes | Reference<object> | Addressed | CArray<C> | null

/**
 * `void *`, 8 bytes (4 in 32-bit sessions). Takes objects of ctypes, buffers, addresses, callbacks and `null`; reads as
 * a bigint, NULL as `null`.
 */
export const c_void_p = definePointerSized<SimpleType<'c_void_p', bigint | null, VoidPointerArg>>({
  name: 'c_void_p',
  category: 'void pointer',
  kind: 'p',
  read(block, offset) {
    if (block instanceof LocalBlock && block.home) return readAddress(block, offset, this.size) || null
    const place = readCell(block, offset, this.size)
    if (place === null || typeof place === 'bigint') return place
    if (!isCallbackTarget(place)) return addressAt(place, 'object')
    throw new ArgumentError('this void * leads to a callback, which has no address before it is passed')
  },
  write(block, offset, value, context) {
    const to = { name: this.name, pointee: null, arch: archOf(this) }
    writeCell(block, offset, this.size, placeOf(value, to, context))
  },
})

/** The type of `c_char_p`. */
export type CharPointerType = SimpleType<'c_char_p', string | null, TextArg<typeof c_char>> & IsPointer
/** The type of `c_wchar_p`. */
export type WideCharPointerType = SimpleType<'c_wchar_p', string | null, TextArg<typeof c_wchar> | Uint16Array> &
  IsPointer
/** Marks a type as a pointer, so that a list such as `['a', 'b']` may be given for a `char **`. */
export interface IsPointer {
  readonly [io]: { readonly pointer: true }
}

function textPointer<T extends CType>(name: string, category: 'char pointer' | 'wchar pointer', unit: CType): T {
  const wide = category === 'wchar pointer'
  return definePointerSized<T>({
    name,
    category,
    kind: 'p',
    read(block, offset) {
      const place = takenAt(block, offset, wide, this.size) ?? readCell(block, offset, this.size)
      if (place === null) return null
      if (typeof place === 'bigint')
        throw new ArgumentError(
          `this ${name} is a bare address that belongs to no session: use session.string_at(address)`,
        )
      if (isCallbackTarget(place)) throw new ArgumentError(`this ${name} leads to a callback`)
      return readText(place, wide)
    },
    write(block, offset, value, context) {
      const to = { name: this.name, pointee: unit, arch: archOf(this) }
      writeCell(block, offset, this.size, placeOfText(value, to, context))
    },
  })
}

/**
 * A `char *` that is text, 8 bytes (4 in 32-bit sessions): a string, in the encoding of the session that it is given to; `null` for NULL. Reading
 * it where nothing is throws MemoryAccessError.
 */
export const c_char_p = textPointer<CharPointerType>('c_char_p', 'char pointer', c_char)
/** A `wchar_t *` that is text, in UTF-16; else like `c_char_p`. */
export const c_wchar_p = textPointer<WideCharPointerType>('c_wchar_p', 'wchar pointer', c_wchar)

/** The same as `c_void_p`, as in ctypes. */
export const c_voidp = c_void_p

/** An object of `c_voidp`. */
export type c_voidp = c_void_p
/** An object of `c_void_p`. */
export type c_void_p = InstanceType<typeof c_void_p>
/** An object of `c_char_p`. */
export type c_char_p = InstanceType<typeof c_char_p>
/** An object of `c_wchar_p`. */
export type c_wchar_p = InstanceType<typeof c_wchar_p>
