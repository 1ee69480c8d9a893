/**
 * A value counts as it is when the call is made. A call that has to wait (for its turn, for its session, for one of a pool's) is encoded later,
 * so what is passed by value and could change meanwhile is copied first. Memory that an argument points to is not: it counts as it is when it is
 * sent.
 */
import { LocalBlock } from './block.js'
import { BLOCK, bytesOf, CATEGORY, CData, type CType, isBuffer, KIND, OFFSET, typeOf, viewAt } from './data.js'
import { isA, isList, isReadable } from './given.js'
import { pointeeOf } from './memsync.js'
import { holdsAddress } from './pointing.js'
import { copyCells } from './reference.js'

/** A copy of a value for a parameter or a field of the type; the value itself, where the program cannot change what is passed. */
export function snapshotValue(value: unknown, type: CType): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isA(value, CData)) return isByValue(value, type) ? copyOfObject(value) : value
  if (type[CATEGORY] !== 'structure' || !isReadable(value)) return value
  const { fields } = type
  const names = Object.keys(fields)
  const field = (name: string | undefined, inner: unknown) =>
    name !== undefined && Object.hasOwn(fields, name) ? snapshotMember(inner, fields[name].type) : inner
  if (Array.isArray(value)) return value.map((inner, i) => field(names[i], inner))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, field(name, inner)]))
}

/** Arrays are pointers as parameters, and themselves inside structures. */
function snapshotMember(value: unknown, type: CType): unknown {
  if (type[CATEGORY] !== 'array') return snapshotValue(value, type)
  if (isA(value, CData)) return copyOfObject(value)
  if (isList(value)) return value.map(inner => snapshotMember(inner, type.elementType))
  if (!isBuffer(value)) return value
  // a DataView has no `slice`, and that of a Buffer of Node's is no copy
  const whole = isA(value, Uint8Array) || !('slice' in value) ? bytesOf(value) : value
  return (whole as Uint8Array).slice()
}

/** Is the object itself passed, and not its address? For a pointer that is so if it is such a pointer. */
function isByValue(value: CData, type: CType): boolean {
  const category = type[CATEGORY]
  if (typeOf(value)[CATEGORY] === 'array' || category === 'array' || category === 'callback') return false
  return type[KIND] !== 'p' || holdsAddress(value, pointeeOf(type) ?? null)
}

/** An object of its own with the same value. */
export function copyOfObject(data: CData): CData {
  const type = typeOf(data)
  const block = LocalBlock.for(type)
  copyCells(data[BLOCK], data[OFFSET], block, 0, type)
  return viewAt(type, block, 0)
}
