/**
 * A call plan is the declaration of a routine, compiled for an architecture. It writes the arguments of a call and makes a JS value of its
 * result. Here is what a plan is, and how it is made of `argtypes` and `restype`; how it works is in compiled-plan.ts.
 */
import { ArgumentError } from '../errors.js'
import { fromParamOf } from './adapters.js'
import type { LocalBlock } from './block.js'
import { CompiledPlan, type Parameter } from './compiled-plan.js'
import type { CallContext } from './context.js'
import { type Arch, describe, FOR_ARCH, isType } from './data.js'
import { reading } from './given.js'
import type { ArgType, ResType } from './inference.js'
import { isOutParameter } from './out-parameter.js'
import { refuseVector } from './passing.js'
import type { Inside } from './reference.js'
import type { ArgumentSink, Signature } from './sink.js'
import type { TakenTexts, TextPlace } from './taken-texts.js'
import { c_void_p } from './void-pointer.js'

/** Memory that a plan makes for one call, kept from its arguments to its result. */
export interface ResultRoom {
  /** Memory of a structure that is returned through a hidden pointer. */
  result: LocalBlock | undefined
  /** Memory of the `out(T)` parameters, in order. */
  readonly outs: LocalBlock[]
}

/** The declaration of a routine, compiled for an architecture. */
export interface CallPlan {
  /** A character for each argument on the wire, the hidden pointer for a structure as the result included. */
  readonly signature: Signature
  /** The character of the result. */
  readonly result: string
  /** Whether the first argument is the address where the result goes. */
  readonly resultByAddress: boolean
  /** How many arguments are on the wire. */
  readonly count: number
  /** Where the Windows side finds texts that the routine leaves: those of the result, then those of `out` parameters. */
  readonly texts: readonly TextPlace[]
  /** Whether all arguments are scalars: `encode` passes no block and returns no room. */
  readonly plain: boolean
  /** Whether all arguments are scalars or pointers, but not to text: `encode` wraps no function and returns no room. */
  readonly direct: boolean
  /** False if types depend on the arguments of a call: `specialize` gives the plan for them. */
  readonly fixed: boolean
  /** The plan for these arguments: this one if it is fixed. Plans are kept, one for each list of types. Throws ArgumentError. */
  specialize(args: readonly unknown[]): CallPlan
  /** Copies arguments that are passed by value, for a call that has to wait: the program may change them meanwhile. */
  snapshot(args: readonly unknown[]): readonly unknown[]
  /** Checks and writes all arguments. Returns the room for `decode`. Throws ArgumentError, with the routine and the argument. */
  encode(sink: ArgumentSink, args: readonly unknown[], context: CallContext): ResultRoom | undefined
  /**
   * The result as a JS value, from the 64 bits of an integer in two halves, or from a floating-point number. To be called after memory has been
   * copied back. The argument `texts` has what the property `texts` names. Throws WindowsError for an HRESULT below zero.
   */
  decode(
    low: number,
    high: number,
    float: number,
    context: CallContext,
    room: ResultRoom | undefined,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown
  /** All arguments as declared: with objects in the places of `out(T)` parameters. */
  everyArgument(args: readonly unknown[], room: ResultRoom | undefined): readonly unknown[]
  /** What a call gives: the result, and behind it the values of `out(T)` parameters. */
  complete(value: unknown, room: ResultRoom | undefined): unknown
}

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
  return new CompiledPlan(arch, routine, parameters, restype, variadic, argtypes === undefined)
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
