/** Arguments of `call`: what the command line says, as the routine takes it, and what the routine made of it. */
import { create_string_buffer, create_unicode_buffer } from '../ctypes/index.js'
import type { Parameter, Type } from './sessions.js'
import { readArgument, toJson } from './text.js'

export class CallArguments {
  readonly values: readonly unknown[]
  readonly #before: readonly string[]

  /** `texts` has none for parameters that are only returned. */
  constructor(texts: readonly string[], argtypes: readonly Parameter[]) {
    const given = argtypes.flatMap(type => ('outType' in type ? [] : [type]))
    this.values = texts.map((text, i) => inMemory(readArgument(text, takesText(given[i])), given[i]))
    this.#before = this.values.map(shown)
  }

  /** What is another now, by its number among the arguments given, from 1. */
  changed(): (readonly [position: number, value: unknown])[] {
    return this.values.flatMap((value, i) =>
      shown(value) === this.#before[i] ? [] : [[i + 1, content(value)] as const],
    )
  }
}

const takesText = (type: Type | undefined) =>
  type !== undefined &&
  (/^c_w?char_p$/.test(type.name) || /^c_w?char$/.test((type.pointee ?? type.elementType)?.name ?? ''))

/** An object of ctypes for what a pointer is to lead to, so that it can be looked at when the routine has changed it. */
function inMemory(value: unknown, type: Type | undefined): unknown {
  if (typeof value === 'string' && type?.name === 'c_char_p') return create_string_buffer(value)
  if (typeof value === 'string' && type?.name === 'c_wchar_p') return create_unicode_buffer(value)
  const target = type?.pointee
  if (!target || value === null || typeof value === 'string') return value
  if (Array.isArray(value)) return new (target.array(value.length))(...value)
  return new target(value)
}

const shown = (value: unknown) => (typeof value === 'object' ? toJson(content(value)) : '')
/** The value of a number that is pointed to; arrays and structures say themselves what they are in JSON. */
const content = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  !('length' in value) &&
  'value' in value &&
  !('fields' in value.constructor)
    ? value.value
    : value
