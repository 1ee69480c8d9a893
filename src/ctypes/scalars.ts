/** The scalar types by name, with the widths of Windows. */
// gives all types their method `array`
import './array.js'
import type { SimpleType } from './inference.js'
import { readInteger, writeInteger } from './integers.js'
import {
  bigInteger,
  defineSimple,
  floating,
  integer,
  pointerSizedInteger,
  toBool,
  toChar,
  toWideChar,
  unwrap,
} from './simple.js'
import { LITTLE } from './variant.js'

/** C's `signed char`: a signed integer of 1 byte. */
export const c_byte = integer('c_byte', 1, 'b')
/** C's `unsigned char`: an unsigned integer of 1 byte. */
export const c_ubyte = integer('c_ubyte', 1, 'B')
/** C's `short`: a signed integer of 2 bytes. */
export const c_short = integer('c_short', 2, 'h')
/** C's `unsigned short`: an unsigned integer of 2 bytes. */
export const c_ushort = integer('c_ushort', 2, 'H')
/** C's `int`: a signed integer of 4 bytes. */
export const c_int = integer('c_int', 4, 'i')
/** C's `unsigned int`: an unsigned integer of 4 bytes. */
export const c_uint = integer('c_uint', 4, 'I')
/** `long` has 32 bits on Windows; as in ctypes there it is the same type as `int`. */
export const c_long = c_int
/** C's `unsigned long`: an unsigned integer of 4 bytes. */
export const c_ulong = c_uint
/** C's `long long`: a signed integer of 8 bytes, a bigint when read. */
export const c_longlong = bigInteger('c_longlong', 'q')
/** C's `unsigned long long`: an unsigned integer of 8 bytes, a bigint when read. */
export const c_ulonglong = bigInteger('c_ulonglong', 'Q')
/** C's `int8_t`: a signed integer of 1 byte. */
export const c_int8 = c_byte
/** C's `uint8_t`: an unsigned integer of 1 byte. */
export const c_uint8 = c_ubyte
/** C's `int16_t`: a signed integer of 2 bytes. */
export const c_int16 = c_short
/** C's `uint16_t`: an unsigned integer of 2 bytes. */
export const c_uint16 = c_ushort
/** C's `int32_t`: a signed integer of 4 bytes. */
export const c_int32 = c_int
/** C's `uint32_t`: an unsigned integer of 4 bytes. */
export const c_uint32 = c_uint
/** C's `int64_t`: a signed integer of 8 bytes, a bigint when read. */
export const c_int64 = c_longlong
/** C's `uint64_t`: an unsigned integer of 8 bytes, a bigint when read. */
export const c_uint64 = c_ulonglong
/** `time_t` has 64 bits on Windows, in 32-bit code too. */
export const c_time_t = c_longlong
/** C's `size_t`: an unsigned integer of 8 bytes (4 in 32-bit sessions), a bigint when read. */
export const c_size_t = pointerSizedInteger('c_size_t', false)
/** C's `ssize_t`: a signed integer of 8 bytes (4 in 32-bit sessions), a bigint when read. */
export const c_ssize_t = pointerSizedInteger('c_ssize_t', true)
/** C's `float`: a floating-point number of 4 bytes. */
export const c_float = floating('c_float', 4)
/** C's `double`: a floating-point number of 8 bytes. */
export const c_double = floating('c_double', 8)
/** `long double` is `double` on Windows. */
export const c_longdouble = c_double

/** The code of success or failure of COM, a signed integer of 4 bytes. As a `restype` a negative one is thrown as WindowsError. */
export const HRESULT = integer('HRESULT', 4, 'i')

/** C's `bool`: a boolean of 1 byte. */
export const c_bool = defineSimple<SimpleType<'c_bool', boolean, boolean>>({
  name: 'c_bool',
  size: 1,
  category: 'bool',
  kind: '?',
  read: (block, offset) => readInteger(block, offset, 1, false, true) !== 0,
  write(block, offset, value) {
    writeInteger(block, offset, 1, true, toBool(unwrap(value, this), this.name))
  },
})

/** Uint8Array by a name of ours: in a declaration TypeScript would give it a parameter that versions before 5.7 do not know. */
export interface ByteArray extends Uint8Array {}

/** C's `char`: one byte, a string of one character (Latin-1). */
export const c_char = defineSimple<SimpleType<'c_char', string, string | number | ByteArray>>({
  name: 'c_char',
  size: 1,
  category: 'char',
  kind: 'c',
  read: (block, offset) => String.fromCharCode(readInteger(block, offset, 1, false, true)),
  write(block, offset, value) {
    writeInteger(block, offset, 1, true, toChar(unwrap(value, this), this.name))
  },
})

/** C's `wchar_t` on Windows: a UTF-16 unit of 2 bytes, a string of length 1. */
export const c_wchar = defineSimple<SimpleType<'c_wchar', string, string | number>>({
  name: 'c_wchar',
  size: 2,
  category: 'wchar',
  kind: 'u',
  read(block, offset) {
    return String.fromCharCode(readInteger(block, offset, 2, false, this[LITTLE]))
  },
  write(block, offset, value) {
    writeInteger(block, offset, 2, this[LITTLE], toWideChar(unwrap(value, this), this.name))
  },
})

/** An object of `c_byte`. */
export type c_byte = InstanceType<typeof c_byte>
/** An object of `c_ubyte`. */
export type c_ubyte = InstanceType<typeof c_ubyte>
/** An object of `c_short`. */
export type c_short = InstanceType<typeof c_short>
/** An object of `c_ushort`. */
export type c_ushort = InstanceType<typeof c_ushort>
/** An object of `c_int`. */
export type c_int = InstanceType<typeof c_int>
/** An object of `c_uint`. */
export type c_uint = InstanceType<typeof c_uint>
/** An object of `c_long`. */
export type c_long = c_int
/** An object of `c_ulong`. */
export type c_ulong = c_uint
/** An object of `c_longlong`. */
export type c_longlong = InstanceType<typeof c_longlong>
/** An object of `c_ulonglong`. */
export type c_ulonglong = InstanceType<typeof c_ulonglong>
/** An object of `c_int8`. */
export type c_int8 = c_byte
/** An object of `c_uint8`. */
export type c_uint8 = c_ubyte
/** An object of `c_int16`. */
export type c_int16 = c_short
/** An object of `c_uint16`. */
export type c_uint16 = c_ushort
/** An object of `c_int32`. */
export type c_int32 = c_int
/** An object of `c_uint32`. */
export type c_uint32 = c_uint
/** An object of `c_int64`. */
export type c_int64 = c_longlong
/** An object of `c_uint64`. */
export type c_uint64 = c_ulonglong
/** An object of `c_time_t`. */
export type c_time_t = c_longlong
/** An object of `c_size_t`. */
export type c_size_t = InstanceType<typeof c_size_t>
/** An object of `c_ssize_t`. */
export type c_ssize_t = InstanceType<typeof c_ssize_t>
/** An object of `c_float`. */
export type c_float = InstanceType<typeof c_float>
/** An object of `c_double`. */
export type c_double = InstanceType<typeof c_double>
/** An object of `c_longdouble`. */
export type c_longdouble = c_double
/** An object of `HRESULT`. */
export type HRESULT = InstanceType<typeof HRESULT>
/** An object of `c_bool`. */
export type c_bool = InstanceType<typeof c_bool>
/** An object of `c_char`. */
export type c_char = InstanceType<typeof c_char>
/** An object of `c_wchar`. */
export type c_wchar = InstanceType<typeof c_wchar>
