/** `out(T)`: parameters that the routine fills. */
import { ArgumentError } from '../errors.js'
import { type CType, describe, isType } from './data.js'
import { isA } from './given.js'
import type { ArgType, Out } from './inference.js'

/** A parameter `T *` for which the caller gives nothing, and gets a T behind the result. */
class OutParameter<T extends CType = CType> implements Out<T> {
  constructor(readonly outType: T) {}
}

/**
 * For `argtypes`: a pointer to a `type` that the routine fills. The caller gives nothing for it; the call gives a list of the result and, behind
 * it, the values of such parameters (only these where the routine is void). Throws ArgumentError for what is no C type.
 */
export function out<T extends CType>(type: T): Out<T> {
  if (!isType(type)) throw new ArgumentError(`out takes a C type, not ${describe(type)}`)
  return new OutParameter(type)
}

export const isOutParameter = (type: ArgType): type is Out<CType> => isA(type, OutParameter)
