/** What this folder needs of a namespace of types; `types(arch)` has it. */

import type { AlignedField } from '../aligned-field.js'
import type { BitField } from '../bitfield.js'
import type { Arch, CType } from '../data.js'
import type { Out } from '../inference.js'
import type { Fields, StructureClass } from '../structure-types.js'

export type { Arch, CType }
/** What stands in a prototype. */
export type ArgType = CType | Out<CType>

/** A structure class that is made before its fields are known. */
export interface RecordType extends StructureClass {
  define(fields: RecordFields): void
}
export interface RecordFields {
  [name: string]: CType | BitField | AlignedField
}
export interface RecordOptions {
  readonly pack?: 1 | 2 | 4 | 8 | 16
  readonly align?: number
  readonly anonymous?: readonly string[]
}

export type ScalarName =
  | 'c_bool'
  | 'c_char'
  | 'c_wchar'
  | 'c_byte'
  | 'c_ubyte'
  | 'c_short'
  | 'c_ushort'
  | 'c_int'
  | 'c_uint'
  | 'c_long'
  | 'c_ulong'
  | 'c_longlong'
  | 'c_ulonglong'
  | 'c_size_t'
  | 'c_ssize_t'
  | 'c_float'
  | 'c_double'
  | 'c_longdouble'
  | 'c_char_p'
  | 'c_wchar_p'
  | 'c_void_p'
  | 'HRESULT'

/** The types and functions of `types(arch)` that headers need. */
export type TypeNamespace = { readonly [name in ScalarName]: CType } & {
  readonly Structure: (fields: Fields, options?: RecordOptions) => RecordType
  readonly Union: (fields: Fields, options?: RecordOptions) => RecordType
  readonly POINTER: (type: CType) => CType
  readonly CFUNCTYPE: (restype: CType | null, ...argtypes: CType[]) => CType
  readonly WINFUNCTYPE: (restype: CType | null, ...argtypes: CType[]) => CType
  readonly bits: (type: CType, width: number) => BitField
  readonly out: (type: CType) => Out<CType>
  readonly sizeof: (type: CType) => number
  readonly alignment: (type: CType) => number
  readonly wintypes: { readonly [name: string]: unknown }
}
