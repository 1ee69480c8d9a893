/** Fills an object of a structure with the values of its fields. */
import { ArgumentError } from '../errors.js'
import type { CallContext } from './context.js'
import { BLOCK, CData, OFFSET, typeOf, WRITE } from './data.js'
import { isA, isRecord, reading } from './given.js'
import { RECORD } from './record.js'
import type { StructureClass } from './structure-types.js'

/**
 * `values` are one object with values by the names of fields, one object of the structure, or values in the order of the fields; `undefined` leaves
 * a field as it is. Throws ArgumentError.
 */
export function fill(data: CData, type: StructureClass, values: readonly unknown[], context?: CallContext): void {
  const { positional: names, byName } = type[RECORD]
  const [only] = values
  if (values.length === 1 && isPlainObject(only)) {
    for (const [name, value] of reading(`what is given to ${type.name}`, () => Object.entries(only))) {
      const field = byName.get(name)
      if (!field) throw new ArgumentError(`${type.name} has no field ${name}; it has ${names.join(', ')}`)
      if (value !== undefined) field.write(data, value, context)
    }
    return
  }
  if (values.length === 1 && only !== undefined && isA(only, CData) && typeOf(only) === type)
    return type[WRITE](data[BLOCK], data[OFFSET], only)
  if (values.length > names.length)
    throw new ArgumentError(`${type.name} has ${names.length} fields, got ${values.length} values`)
  for (let i = 0; i < values.length; i++)
    if (values[i] !== undefined) byName.get(names[i])?.write(data, values[i], context)
}

function isPlainObject(value: unknown): value is { readonly [name: string]: unknown } {
  if (!isRecord(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
