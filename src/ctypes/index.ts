/**
 * What a value is: the types of C with the layouts of Windows, and how JS values become arguments and results.
 * Runs in every thread, holds no state but its classes, and must never do I/O: memory of a session comes in as RemoteMemory.
 */

export * from './all-scalars.js'
export { BitField, bits } from './bitfield.js'
export type {
  CallbackFunction,
  CallbackObject,
  CallbackType,
  ForeignRoutine,
} from './callback-type.js'
export { CFUNCTYPE, WINFUNCTYPE } from './callback-type.js'
export type { Arch, CType, DataExports } from './data.js'
export type { CallbackVariable } from './function-pointer.js'
export type {
  Addressed,
  ArgOf,
  ArgsOf,
  ArgType,
  ArrayType,
  AsParameter,
  CArray,
  FromParam,
  InstanceOf,
  Out,
  PointerArg,
  Reference,
  ResType,
  ResultOf,
  SetOf,
  Simple,
  SimpleType,
  ValueOf,
} from './inference.js'
export {
  addressof,
  alignment,
  cast,
  create_string_buffer,
  create_unicode_buffer,
  memmove,
  memset,
  resize,
  sizeof,
  string_at,
  wstring_at,
} from './memory.js'
export { out } from './out-parameter.js'
export { type Plain, plain } from './plain.js'
export type { Pointer, PointerType } from './pointer.js'
export { byref, POINTER, pointer } from './pointer.js'
export type { FieldInfo } from './record.js'
export type { Fields, FieldValues, StructureOptions, StructureType } from './structure-types.js'
export { type Types, types } from './types.js'
export { type ViewOf, view } from './view.js'

import { structuresFor } from './structure.js'

export const {
  /** Makes a class of C structures: `class Point extends Structure({ x: c_int, y: c_int }) {}`, laid out as compilers for Windows do. */
  Structure,
  /** The same as `Structure`: Windows is little-endian. */
  LittleEndianStructure,
  /** Makes a class of C unions, whose fields share their bytes. */
  Union,
  /** The same as `Union`. */
  LittleEndianUnion,
  /** A structure whose numbers have their bytes in the order of networks, the most significant first. */
  BigEndianStructure,
  /** A union whose numbers have the most significant byte first. */
  BigEndianUnion,
} = structuresFor('win64')
