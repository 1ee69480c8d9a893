/** `view(object, 'field')`: a field or an element as an object, where reading it gives a value. */
import { ArgumentError } from '../errors.js'
import { BLOCK, CATEGORY, CData, type CType, describe, LENGTH, OFFSET, typeOf, viewAt } from './data.js'
import { isA } from './given.js'
import type { CArray, Simple } from './inference.js'
import { fieldOf } from './memsync.js'
import type { c_char } from './scalars.js'

/** What `view` gives for a member: an array of characters for what reads as text, a scalar for what reads as a number, else what reading gives. */
export type ViewOf<V> = V extends string
  ? CArray<typeof c_char>
  : V extends number | bigint | boolean
    ? Simple<string, V>
    : Exclude<V, null | undefined>

/**
 * A field of a structure, or an element of an array, as an object in the same memory: a change of one is a change of both. For what reads as
 * a value, such as an array of `c_char`: the object also has the bytes behind the first zero (`raw`). Throws ArgumentError for a field or an
 * element that is not there, and for bit fields, which have no address.
 */
export function view<T extends object, K extends keyof T>(object: T, field: K): ViewOf<T[K]> {
  if (!isA(object, CData)) throw new ArgumentError(`view takes an object of ctypes, not ${describe(object)}`)
  const { type, offset } = memberOf(typeOf(object), field)
  return viewAt(type, object[BLOCK], object[OFFSET] + offset) as ViewOf<T[K]>
}

function memberOf(type: CType, field: unknown): { readonly type: CType; readonly offset: number } {
  if (type[CATEGORY] === 'array') {
    const { elementType, [LENGTH]: length } = type
    if (!Number.isInteger(field) || (field as number) < 0 || (field as number) >= length)
      throw new ArgumentError(`${type.name} has no element ${typeof field === 'number' ? field : describe(field)}`)
    return { type: elementType, offset: (field as number) * elementType.size }
  }
  if (typeof field !== 'string') throw new ArgumentError(`${type.name} has no field ${describe(field)}`)
  const found = fieldOf(type, field, text => new ArgumentError(text))
  if (found.bits !== undefined) throw new ArgumentError(`${field} of ${type.name} is a bit field, which has no address`)
  return found
}
