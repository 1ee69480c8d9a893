/** The types of arguments for which none is declared, by the rules of ctypes. */
import { ArgumentError } from '../errors.js'
import { c_char_p, c_double, c_int, c_void_p, c_wchar_p } from './all-scalars.js'
import { CATEGORY, CData, type CType, describe, typeOf } from './data.js'
import { hasMember, isA } from './given.js'

/** How many `_as_parameter_` are followed, each of the one before, so that a value which is its own comes to an end. */
export const MOST_INNER = 100
/** Does it say itself what is passed for it? */
export const hasInner = (value: unknown): value is { readonly _as_parameter_: unknown } =>
  hasMember(value, '_as_parameter_')

/**
 * The type of an argument for which none is declared. `text` is the type of a string, undefined where none is known; `isBare` says that the
 * routine has no argtypes at all. Throws ArgumentError if the argument has no type of its own.
 */
export function typeOfUndeclared(value: unknown, text: CType | undefined, isBare: boolean, depth = 0): CType {
  const type = typeof value === 'string' ? text : undeclaredType(value)
  if (type) return type
  if (hasInner(value) && depth < MOST_INNER) return typeOfUndeclared(value._as_parameter_, text, isBare, depth + 1)
  const hint =
    typeof value === 'number'
      ? 'use new c_double(…)'
      : typeof value === 'string'
        ? 'use new c_char_p(…) or new c_wchar_p(…)'
        : isBare
          ? 'declare argtypes'
          : 'give an object of ctypes'
  const more = typeof value === 'number' && isBare ? ' or declare argtypes' : ''
  throw new ArgumentError(`${describe(value)} has no type of its own: ${hint}${more}`)
}

/**
 * The type of a string behind declared parameters, of which these are the pointees: that of the last parameter that points to characters;
 * undefined if none does.
 */
export function textTypeBehind(pointees: readonly (CType | undefined)[]): CType | undefined {
  const kinds = pointees.map(type => type?.[CATEGORY])
  const last = kinds.findLast(kind => kind === 'char' || kind === 'wchar')
  return last === undefined ? undefined : last === 'char' ? c_char_p : c_wchar_p
}

function undeclaredType(value: unknown): CType | undefined {
  if (value === null) return c_void_p
  if (typeof value === 'bigint') return c_int
  if (typeof value === 'number') return Number.isInteger(value) ? c_int : undefined
  if (isA(value, Uint8Array)) return c_char_p
  if (isA(value, CData)) {
    const type = typeOf(value)
    // C passes a float as a double where no parameter is declared
    if (type[CATEGORY] === 'float') return c_double
    return type
  }
  if (typeof value === 'object' && ['thunk', 'address', 'target'].some(name => hasMember(value, name))) return c_void_p
  return undefined
}
