/**
 * A call plan is the declaration of a routine, compiled for an architecture (compile-plan.ts makes it). It writes the arguments of a call and
 * makes a JS value of its result. Every call passes through here; for scalars nothing is allocated.
 */
import { ArgumentError, placed } from '../errors.js'
import { c_wchar_p } from './all-scalars.js'
import { LocalBlock } from './block.js'
import { allocated } from './checks.js'
import type { CallContext } from './context.js'
import { type Arch, CATEGORY, type CType, FOR_ARCH, isBuffer, pointerSizeOf, READ, viewAt } from './data.js'
import { unreadable } from './given.js'
import type { ResType } from './inference.js'
import { pointeeOf } from './memsync.js'
import { isScalar, type Lower, lowerFor } from './parameter.js'
import { passedAs } from './passing.js'
import type { Inside } from './reference.js'
import { type ResultPlan, resultFor } from './result.js'
import type { ArgumentSink, Signature } from './sink.js'
import { snapshotValue } from './snapshot.js'
import { keepTexts, type TakenTexts, type TextCell, type TextPlace, textsIn } from './taken-texts.js'
import { hasInner, MOST_INNER, textTypeBehind, typeOfUndeclared } from './undeclared.js'

/** One of a routine's parameters. */
export interface Parameter {
  /** Of an `out` parameter, what it leads to. */
  readonly type: CType
  readonly isOut: boolean
  /** Whether an adapter makes the argument, so that its type is known only at the call. */
  readonly isOpen?: boolean
}

/** Memory that a plan makes for one call, kept from its arguments to its result. */
export interface ResultRoom {
  /** Memory of a structure that is returned through a hidden pointer. */
  result: LocalBlock | undefined
  /** Memory of the `out(T)` parameters, in order. */
  readonly outs: LocalBlock[]
}

/** Categories of pointers that are not text. */
const POINTING: ReadonlySet<string> = new Set(['pointer', 'void pointer', 'array'])

/** The declaration of a routine, compiled for an architecture. */
export class CallPlan {
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
  readonly #outTexts: readonly (readonly TextCell[])[]
  readonly #arch: Arch
  readonly #routine: string
  readonly #parameters: readonly Parameter[]
  readonly #restype: ResType
  readonly #isBare: boolean
  readonly #variadic: boolean
  readonly #lowers: readonly Lower[]
  readonly #result: ResultPlan
  readonly #decode: ResultPlan['decode']
  /** Types of the arguments that the caller gives. */
  readonly #given: readonly CType[]
  /** Indices among these of those that an adapter makes. */
  readonly #open: readonly number[]
  readonly #outs: readonly CType[]
  /** The type of a string behind the declared arguments; undefined where no parameter tells. */
  readonly #text: CType | undefined
  /** Plans for arguments, by the names of the types that they have where none is declared. */
  readonly #special = new Map<string, { readonly types: readonly CType[]; readonly plan: CallPlan }>()

  constructor(
    arch: Arch,
    routine: string,
    parameters: readonly Parameter[],
    restype: ResType,
    variadic: boolean,
    /** Whether the routine has no argtypes at all. */
    isBare: boolean,
  ) {
    const result = resultFor(routine, restype, arch)
    const { hidden } = result
    this.#arch = arch
    this.#routine = routine
    this.#parameters = parameters
    this.#restype = restype
    this.#isBare = isBare
    this.#result = result
    this.#decode = result.decode
    this.#lowers = parameters.map(({ type, isOut }) => (isOut ? never : lowerFor(type, arch)))
    this.#outs = parameters.filter(({ isOut }) => isOut).map(({ type }) => type)
    const given = parameters.filter(({ isOut }) => !isOut)
    this.#given = given.map(({ type }) => type)
    this.#open = given.flatMap(({ isOpen }, at) => (isOpen ? [at] : []))
    this.#text = isBare ? c_wchar_p : textTypeBehind(parameters.map(({ type }) => pointeeOf(type)))
    const kinds = parameters.map(({ type, isOut }) => (isOut ? 'p' : passedAs(type, arch).kind))
    this.signature = (hidden ? 'p' : '') + kinds.join('')
    this.result = result.kind
    this.resultByAddress = hidden !== undefined
    this.count = parameters.length + (hidden ? 1 : 0)
    this.#variadic = variadic
    this.fixed = !variadic && this.#open.length === 0
    this.#outTexts = this.#outs.map(textsIn)
    this.texts = this.#placesOfTexts()
    this.direct =
      !hidden && parameters.every(({ type, isOut }) => !isOut && (isScalar(type) || POINTING.has(type[CATEGORY])))
    this.plain = !hidden && parameters.every(({ type, isOut }) => !isOut && isScalar(type))
  }

  #placesOfTexts(): TextPlace[] {
    const { hidden, texts } = this.#result
    const first = hidden ? 1 : 0
    const at = (cells: readonly TextCell[], source: number) => cells.map(cell => ({ ...cell, source }))
    const sources = this.#parameters.flatMap(({ isOut }, i) => (isOut ? [first + i] : []))
    return [...at(texts, first - 1), ...this.#outTexts.flatMap((cells, i) => at(cells, sources[i]))]
  }

  /** The plan for these arguments: this one if it is fixed. Plans are kept, one for each list of types. Throws ArgumentError. */
  specialize(args: readonly unknown[]): CallPlan {
    if (this.fixed) return this
    const { length } = this.#given
    if (args.length < length || (args.length > length && !this.#variadic)) throw this.#wrongCount(args.length)
    const types: CType[] = []
    for (const at of this.#open) {
      // memory that an adapter has made is passed as it is, whatever its elements are
      const isMemory = isBuffer(args[at]) && !(args[at] instanceof Uint8Array)
      types.push(isMemory ? this.#given[at] : this.#typeOf(args[at], at))
    }
    for (let at = length; at < args.length; at++) types.push(this.#typeOf(args[at], at))
    let key = ''
    for (const { name } of types) key += `${name},`
    let special = this.#special.get(key)
    // two structures may have the same name: then the types themselves decide
    if (!special || special.types.some((type, i) => type !== types[i])) {
      special = { types, plan: this.#with(types) }
      this.#special.set(key, special)
    }
    return special.plan
  }

  /** The plan with these types for the open parameters, and for arguments behind the declared ones. */
  #with(types: readonly CType[]): CallPlan {
    let next = 0
    const parameters = this.#parameters.map(given => (given.isOpen ? { type: types[next++], isOut: false } : given))
    const more = types.slice(next).map(type => ({ type, isOut: false }))
    return new CallPlan(this.#arch, this.#routine, [...parameters, ...more], this.#restype, false, false)
  }

  #typeOf(value: unknown, index: number): CType {
    try {
      return typeOfUndeclared(value, this.#text, this.#isBare)[FOR_ARCH](this.#arch)
    } catch (error) {
      throw this.#placed(error, index)
    }
  }

  /** Copies arguments that are passed by value, for a call that has to wait: the program may change them meanwhile. */
  snapshot(args: readonly unknown[]): readonly unknown[] {
    if (args.every(value => typeof value !== 'object')) return args
    const given = this.#given
    return args.map((value, i) => (i < given.length ? snapshotValue(value, given[i]) : value))
  }

  /** Checks and writes all arguments. Returns the room for `decode`. Throws ArgumentError, with the routine and the argument. */
  encode(sink: ArgumentSink, args: readonly unknown[], context: CallContext): ResultRoom | undefined {
    if (args.length !== this.#given.length) throw this.#wrongCount(args.length)
    if (this.resultByAddress || this.#outs.length > 0) return this.#encodeWithRoom(sink, args, context)
    for (let i = 0; i < args.length; i++) this.#lower(i, sink, i, args, i, context)
    return undefined
  }

  /**
   * Writes what is `given` for a parameter as argument `at` on the wire. A value that cannot be written is replaced by its
   * `_as_parameter_`, as in ctypes.
   */
  #lower(
    parameter: number,
    sink: ArgumentSink,
    at: number,
    args: readonly unknown[],
    given: number,
    context: CallContext,
  ): void {
    const lower = this.#lowers[parameter]
    let value = args[given]
    for (let depth = 0; ; depth++)
      try {
        lower(sink, at, value, context)
        return
      } catch (error) {
        if (!hasInner(value) || depth === MOST_INNER) throw this.#placed(error, given)
        value = value._as_parameter_
      }
  }

  #encodeWithRoom(sink: ArgumentSink, args: readonly unknown[], context: CallContext): ResultRoom {
    const room: ResultRoom = { result: undefined, outs: [] }
    let at = 0
    const { hidden } = this.#result
    if (hidden) {
      room.result = roomFor(hidden)
      sink.block(at++, room.result, 0, true)
    }
    let given = 0
    for (let i = 0; i < this.#parameters.length; i++, at++) {
      const { type, isOut } = this.#parameters[i]
      if (isOut) {
        const block = roomFor(type)
        room.outs.push(block)
        sink.block(at, block, 0, true)
        continue
      }
      this.#lower(i, sink, at, args, given++, context)
    }
    return room
  }

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
  ): unknown {
    if (!room) return this.#decode(low, high, float, context, inside, texts)
    const result = this.#result
    let before = result.texts.length
    room.outs.forEach((block, i) => {
      block.origin = context.memory
      this.#keep(block, this.#outTexts[i], context, texts, before)
      before += this.#outTexts[i].length
    })
    if (!result.hidden || !room.result) return this.#decode(low, high, float, context, inside, texts)
    room.result.origin = context.memory
    this.#keep(room.result, result.texts, context, texts)
    return viewAt(result.hidden, room.result, 0)
  }

  /** All arguments as declared: with objects in the places of `out(T)` parameters. */
  everyArgument(args: readonly unknown[], room: ResultRoom | undefined): readonly unknown[] {
    if (!room || room.outs.length === 0) return args
    const objects = room.outs.map((block, i) => viewAt(this.#outs[i], block, 0)).values()
    const given = args.values()
    return this.#parameters.map(({ isOut }) => (isOut ? objects : given).next().value)
  }

  /** What a call gives: the result, and behind it the values of `out(T)` parameters. */
  complete(value: unknown, room: ResultRoom | undefined): unknown {
    if (!room || room.outs.length === 0) return value
    const outs = room.outs.map((block, i) => this.#outs[i][READ](block, 0))
    if (this.#restype !== null) return [value, ...outs]
    return outs.length === 1 ? outs[0] : outs
  }

  /** Keeps the texts of an object with its block. The first of them has number `from` among those of the call. */
  #keep(
    block: LocalBlock,
    cells: readonly TextCell[],
    { memory }: CallContext,
    texts: TakenTexts | undefined,
    from = 0,
  ): void {
    if (texts) keepTexts(block, 0, cells, pointerSizeOf(this.#arch), memory, index => texts(from + index))
  }

  #wrongCount(given: number): ArgumentError {
    const { length } = this.#given
    const count = this.#variadic ? `at least ${length} arguments` : `${length} argument${length === 1 ? '' : 's'}`
    const outs = this.#outs.length > 0 ? ' (what is "out" is not given)' : ''
    return new ArgumentError(`${this.#routine} takes ${count}${outs}, got ${given}`, {
      routine: this.#routine,
    })
  }

  /** Adds to an error the routine and the argument that it is about. */
  #placed(thrown: unknown, index: number): unknown {
    return placed(unreadable('it', thrown), `argument ${index + 1}`, { routine: this.#routine, position: index + 1 })
  }
}

const roomFor = (type: CType) => allocated(`room for ${type.name}`, () => LocalBlock.for(type))

const never: Lower = () => {
  throw new ArgumentError('an out parameter is not given')
}
