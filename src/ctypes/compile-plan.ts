/** Makes the call plan of a routine from its `argtypes` and `restype`. */
import { ArgumentError } from '../errors.js'
import { fromParamOf } from './adapters.js'
import { CallPlan, type Parameter } from './call-plan.js'
import { type Arch, describe, FOR_ARCH, isType } from './data.js'
import { reading } from './given.js'
import type { ArgType, ResType } from './inference.js'
import { isOutParameter } from './out-parameter.js'
import { refuseVector } from './passing.js'
import { c_void_p } from './void-pointer.js'

interface PlanOptions {
  /** Whether more arguments than declared are passed on, with the types that they have. */
  readonly variadic?: boolean
}

/** Without `argtypes` all arguments have the types of their values. Throws ArgumentError for what is no type, or cannot be passed. */
export function compilePlan(
  arch: Arch,
  routine: string,
  argtypes: readonly ArgType[] | undefined,
  restype: ResType,
  options: PlanOptions = {},
): CallPlan {
  const variadic = options.variadic === true || argtypes === undefined
  const parameters = reading(`argtypes of ${routine}`, () =>
    // `Array.from` also visits holes, which `map` would skip
    Array.from(argtypes ?? [], (type, i) => parameterOf(type, i, routine, arch)),
  )
  return new CallPlan(arch, routine, parameters, restype, variadic, argtypes === undefined)
}

function parameterOf(type: ArgType, index: number, routine: string, arch: Arch): Parameter {
  const place = { routine, position: index + 1 }
  const where = `argtypes of ${routine}: item ${index + 1}`
  const isOut = isOutParameter(type)
  const inner: unknown = isOut ? type.outType : type
  if (!isType(inner)) {
    if (fromParamOf(type)) return { type: c_void_p[FOR_ARCH](arch), isOut, isOpen: true }
    throw new ArgumentError(`${where} must be a C type or have from_param, not ${describe(inner)}`, place)
  }
  const fitting = inner[FOR_ARCH](arch)
  if (!isOut) refuseVector(fitting, where, place)
  return { type: fitting, isOut }
}
