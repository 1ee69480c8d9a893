/** Adapters: items of `argtypes` that are no C types but have `from_param`, which makes the argument, as in ctypes. */
import { hasMember } from './given.js'
import type { ArgType } from './inference.js'
import { isOutParameter } from './out-parameter.js'

/** The `from_param` of an item of `argtypes`, if it has one. */
export function fromParamOf(type: ArgType): ((value: unknown) => unknown) | undefined {
  const fromParam = hasMember(type, 'from_param') ? (type.from_param as unknown) : undefined
  return typeof fromParam === 'function' ? value => fromParam.call(type, value) : undefined
}

/** A function that makes the arguments of what the caller gave, by the adapters among `argtypes`; undefined if there are none. */
export function adapterOf(argtypes: readonly ArgType[]): ((args: readonly unknown[]) => unknown[]) | undefined {
  const adapters = argtypes.filter(type => !isOutParameter(type)).map(fromParamOf)
  if (!adapters.some(fromParam => fromParam)) return undefined
  return args =>
    args.map((value, i) => {
      const fromParam = adapters[i]
      return fromParam ? fromParam(value) : value
    })
}
