/** Adapters: items of `argtypes` that are no C types but have `from_param`, as in ctypes. */
import { hasMember } from './given.js'
import type { ArgType } from './inference.js'
import { isOutParameter } from './out-parameter.js'

type Convert = (value: unknown) => unknown
/** The `from_param` of an item of `argtypes`, if it has one. */
export const converterOf = (type: ArgType): Convert | undefined => {
  const convert = hasMember(type, 'from_param') ? (type.from_param as Convert) : undefined
  return typeof convert === 'function' ? value => convert.call(type, value) : undefined
}

/** A function that converts arguments by the adapters among `argtypes`; undefined if there are none. */
export function adapterOf(argtypes: readonly ArgType[]): ((args: readonly unknown[]) => unknown[]) | undefined {
  const converters = argtypes.filter(type => !isOutParameter(type)).map(converterOf)
  if (!converters.some(convert => convert)) return undefined
  return args =>
    args.map((value, i) => {
      const convert = converters[i]
      return convert ? convert(value) : value
    })
}
