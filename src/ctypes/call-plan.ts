/**
 * A declaration, compiled: how the arguments of a routine are lowered and its result is raised.
 * This is the hot path of every call; for scalars nothing is allocated.
 */
import { ArgumentError, placed } from '../errors.js'
import { c_char_p, c_double, c_int, c_void_p, c_wchar_p } from './all-scalars.js'
import { LocalBlock } from './block.js'
import type { CallContext } from './context.js'
import {
  type Arch,
  BLOCK,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  isBuffer,
  isType,
  pointerSizeOf,
  READ,
  typeOf,
  viewAt,
} from './data.js'
import { hasMember, isA, reading, unreadable } from './given.js'
import type { ArgType, Out, ResType } from './inference.js'
import { pointeeOf } from './memsync.js'
import { isScalar, type Lower, lowerFor } from './parameter.js'
import { passedAs, refuseVector } from './passing.js'
import { type Inside, leadInside } from './reference.js'
import { type Decode, resultFor } from './result.js'
import type { ArgumentSink, Signature } from './sink.js'
import { snapshotValue } from './snapshot.js'
import { keepTexts, type TakenTexts, type TextCell, type TextPlace, textOf, textsIn, textTaken } from './taken-texts.js'

/** An output parameter `T *`: the caller gives nothing, and gets the T behind the result. */
export class OutParameter<T extends CType = CType> implements Out<T> {
  constructor(readonly outType: T) {}
}
/** For `argtypes`: a pointer that the routine fills. The caller gives nothing for it; what it leads to comes behind the result, in a list. */
export function out<T extends CType>(type: T): Out<T> {
  if (!isType(type)) throw new ArgumentError(`out takes a C type, not ${describe(type)}`)
  return new OutParameter(type)
}

/** What one call keeps between its arguments and its result. */
export interface ResultRoom {
  /** Memory of a structure that is returned through a hidden pointer. */
  result: LocalBlock | undefined
  /** Memory of the `out(T)` parameters, in order. */
  readonly outs: LocalBlock[]
}

export interface CallPlan {
  /** A character for each argument as the Windows side sees them, the hidden pointer of a structure result included. */
  readonly signature: Signature
  readonly result: string
  /** The first argument is where the result goes. */
  readonly resultByAddress: boolean
  /** Arguments on the wire. */
  readonly count: number
  /** What the Windows side takes of texts when the routine returns: those of the result, then those of the `out` parameters. */
  readonly texts: readonly TextPlace[]
  /** Scalars only: `encode` never names a block and gives no room. */
  readonly plain: boolean
  /** Scalars and pointers to what is no text, and no memory of its own for the result: nothing is wrapped, and there is no room. */
  readonly direct: boolean
  /** False: what the arguments are is seen at the call; ask `specialize` for the plan of just those. */
  readonly fixed: boolean
  /** The plan for these arguments: this one if it is fixed. Plans are kept, one for each signature. */
  specialize(args: readonly unknown[]): CallPlan
  /** The arguments for a call that has to wait: what is passed by value is copied, so that it is what it was. */
  snapshot(args: readonly unknown[]): readonly unknown[]
  /** Checks and lowers all arguments; throws ArgumentError. What it gives is for `decode`. */
  encode(sink: ArgumentSink, args: readonly unknown[], context: CallContext): ResultRoom | undefined
  /** The result as the routine gave it, as a JS value; call it after memory has come back. `texts` are those that `texts` above names. */
  decode(
    low: number,
    high: number,
    float: number,
    context: CallContext,
    room: ResultRoom | undefined,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown
  /** The arguments as declared: with the objects of the `out(T)` parameters in their places. */
  everyArgument(args: readonly unknown[], room: ResultRoom | undefined): readonly unknown[]
  /** What a call gives: the result, and behind it what the `out(T)` parameters became. */
  complete(value: unknown, room: ResultRoom | undefined): unknown
}
export interface PlanOptions {
  /** More arguments than declared are passed on, each as what it is. */
  readonly variadic?: boolean
}

interface Parameter {
  readonly type: CType
  readonly isOut: boolean
  /** What its adapter makes is seen at the call. */
  readonly isOpen?: boolean
}

export const isOutParameter = (type: ArgType): type is Out<CType> => isA(type, OutParameter)

/** Categories of types that lead to memory and are no text. */
const POINTING: ReadonlySet<string> = new Set(['pointer', 'void pointer', 'array'])

type Convert = (value: unknown) => unknown
const converter = (type: ArgType): Convert | undefined => {
  const convert = hasMember(type, 'from_param') ? (type.from_param as Convert) : undefined
  return typeof convert === 'function' ? value => convert.call(type, value) : undefined
}

/** What the adapters among `argtypes` make of arguments; undefined if there are none. */
export function adapterOf(argtypes: readonly ArgType[]): ((args: readonly unknown[]) => unknown[]) | undefined {
  const converters = argtypes.filter(type => !isOutParameter(type)).map(converter)
  if (!converters.some(convert => convert)) return undefined
  return args =>
    args.map((value, i) => {
      const convert = converters[i]
      return convert ? convert(value) : value
    })
}

export function compilePlan(
  arch: Arch,
  routine: string,
  argtypes: readonly ArgType[] | undefined,
  restype: ResType,
  options: PlanOptions = {},
): CallPlan {
  const variadic = options.variadic === true || argtypes === undefined
  const parameters = reading(`argtypes of ${routine}`, () =>
    // holes are seen, too
    Array.from(argtypes ?? [], (type, i) => parameterOf(type, i, routine, arch)),
  )
  return new Plan(arch, routine, parameters, restype, variadic, argtypes === undefined)
}

function parameterOf(type: ArgType, index: number, routine: string, arch: Arch): Parameter {
  const isOut = isOutParameter(type)
  const inner: unknown = isOut ? type.outType : type
  if (!isType(inner) && converter(type)) return { type: c_void_p[FOR_ARCH](arch), isOut, isOpen: true }
  if (!isType(inner))
    throw new ArgumentError(
      `argtypes of ${routine}: item ${index + 1} must be a C type or have from_param, not ${describe(inner)}`,
      {
        routine,
        position: index + 1,
      },
    )
  const made = inner[FOR_ARCH](arch)
  if (!isOut) refuseVector(made, `argtypes of ${routine}: item ${index + 1}`, { routine, position: index + 1 })
  return { type: made, isOut }
}

class Plan implements CallPlan {
  readonly signature: Signature
  readonly result: string
  readonly resultByAddress: boolean
  readonly count: number
  readonly texts: readonly TextPlace[]
  readonly plain: boolean
  readonly direct: boolean
  readonly fixed: boolean
  /** The result's kind of text, if it is one. */
  readonly #resultText: 'narrow' | 'wide' | undefined
  readonly #resultCells: readonly TextCell[]
  readonly #outCells: readonly (readonly TextCell[])[]
  readonly #arch: Arch
  readonly #routine: string
  readonly #parameters: readonly Parameter[]
  readonly #restype: ResType
  readonly #undeclared: boolean
  readonly #variadic: boolean
  readonly #lowers: readonly Lower[]
  readonly #decode: Decode
  readonly #hidden: CType | undefined
  readonly #holdsPointers: boolean
  /** Types of the arguments that the caller gives. */
  readonly #given: readonly CType[]
  /** Numbers of those whose types are seen at the call. */
  readonly #open: readonly number[]
  readonly #outs: readonly CType[]
  /** What a plain string behind the declared arguments is: as the last text among them. */
  readonly #text: CType | undefined
  /** By the types that were seen. */
  readonly #special = new Map<string, { readonly types: readonly CType[]; readonly plan: Plan }>()

  constructor(
    arch: Arch,
    routine: string,
    parameters: readonly Parameter[],
    restype: ResType,
    variadic: boolean,
    undeclared: boolean,
  ) {
    const result = resultFor(routine, restype, arch)
    this.#arch = arch
    this.#routine = routine
    this.#parameters = parameters
    this.#restype = restype
    this.#undeclared = undeclared
    this.#hidden = result.hidden
    this.#decode = result.decode
    this.#holdsPointers = result.holdsPointers === true
    this.#lowers = parameters.map(({ type, isOut }) => (isOut ? never : lowerFor(type, arch)))
    this.#outs = parameters.filter(({ isOut }) => isOut).map(({ type }) => type)
    const given = parameters.filter(({ isOut }) => !isOut)
    this.#given = given.map(({ type }) => type)
    this.#open = given.flatMap(({ isOpen }, at) => (isOpen ? [at] : []))
    this.#text = undeclared ? c_wchar_p : textKind(parameters)
    const kinds = parameters.map(({ type, isOut }) => (isOut ? 'p' : passedAs(type, arch).kind))
    this.signature = (result.hidden ? 'p' : '') + kinds.join('')
    this.result = result.kind
    this.resultByAddress = result.hidden !== undefined
    this.count = parameters.length + (result.hidden ? 1 : 0)
    this.#variadic = variadic
    this.fixed = !variadic && this.#open.length === 0
    const resultType = isType(restype) ? restype[FOR_ARCH](arch) : undefined
    this.#resultText = resultType && textOf(resultType)
    this.#resultCells = resultType ? textsIn(resultType) : []
    this.#outCells = this.#outs.map(textsIn)
    this.texts = this.#placesOfTexts()
    this.direct =
      !result.hidden &&
      parameters.every(({ type, isOut }) => !isOut && (isScalar(type) || POINTING.has(type[CATEGORY])))
    this.plain = !result.hidden && parameters.every(({ type, isOut }) => !isOut && isScalar(type))
  }

  #placesOfTexts(): TextPlace[] {
    const first = this.#hidden ? 1 : 0
    const at = (cells: readonly TextCell[], source: number, inStructure: boolean) =>
      cells.map(cell => ({ ...cell, source, inStructure }))
    const cells = this.#outCells.values()
    const outs = this.#parameters.flatMap(({ type, isOut }, i) =>
      isOut ? at(cells.next().value as readonly TextCell[], first + i, !textOf(type)) : [],
    )
    return [...at(this.#resultCells, first - 1, !this.#resultText), ...outs]
  }

  specialize(args: readonly unknown[]): CallPlan {
    if (this.fixed) return this
    const { length } = this.#given
    if (args.length < length || (args.length > length && !this.#variadic)) throw this.#wrongCount(args.length)
    const types: CType[] = []
    for (const at of this.#open) {
      // an adapter knows what it makes: memory of any kind
      const isMemory = isBuffer(args[at]) && !(args[at] instanceof Uint8Array)
      types.push(isMemory ? this.#given[at] : this.#typeOf(args[at], at))
    }
    for (let at = length; at < args.length; at++) types.push(this.#typeOf(args[at], at))
    let key = ''
    for (const { name } of types) key += `${name},`
    let special = this.#special.get(key)
    // Names of types are not unique (two structures): the types themselves decide.
    if (!special || special.types.some((type, i) => type !== types[i])) {
      special = { types, plan: this.#with(types) }
      this.#special.set(key, special)
    }
    return special.plan
  }

  /** The plan with these types in the place of what is open, and behind what is declared. */
  #with(types: readonly CType[]): Plan {
    let next = 0
    const parameters = this.#parameters.map(given => (given.isOpen ? { type: types[next++], isOut: false } : given))
    const more = types.slice(next).map(type => ({ type, isOut: false }))
    return new Plan(this.#arch, this.#routine, [...parameters, ...more], this.#restype, false, false)
  }

  /** ctypes' rules for what nobody declared. */
  #typeOf(value: unknown, index: number, depth = 0): CType {
    const type = typeof value === 'string' ? this.#text : undeclaredType(value)
    if (type) return type[FOR_ARCH](this.#arch)
    if (hasInner(value) && depth < mostInner) return this.#typeOf(value._as_parameter_, index, depth + 1)
    const hint =
      typeof value === 'number'
        ? 'use new c_double(…)'
        : typeof value === 'string'
          ? 'use new c_char_p(…) or new c_wchar_p(…)'
          : this.#undeclared
            ? 'declare argtypes'
            : 'give an object of ctypes'
    const more = typeof value === 'number' && this.#undeclared ? ' or declare argtypes' : ''
    throw this.#placed(new ArgumentError(`${describe(value)} has no type of its own: ${hint}${more}`), index)
  }

  snapshot(args: readonly unknown[]): readonly unknown[] {
    if (args.every(value => typeof value !== 'object')) return args
    const given = this.#given
    return args.map((value, i) => (i < given.length ? snapshotValue(value, given[i]) : value))
  }

  encode(sink: ArgumentSink, args: readonly unknown[], context: CallContext): ResultRoom | undefined {
    if (args.length !== this.#given.length) throw this.#wrongCount(args.length)
    if (this.#hidden || this.#outs.length > 0) return this.#encodeFramed(sink, args, context)
    for (let i = 0; i < args.length; i++) this.#lower(i, sink, i, args, i, context)
    return undefined
  }

  /** Writes a parameter as argument `at`. What is no argument itself may have one, as in ctypes: `_as_parameter_`. */
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
        if (!hasInner(value) || depth === mostInner) throw this.#placed(error, given)
        value = value._as_parameter_
      }
  }

  #encodeFramed(sink: ArgumentSink, args: readonly unknown[], context: CallContext): ResultRoom {
    const room: ResultRoom = { result: undefined, outs: [] }
    let at = 0
    if (this.#hidden) {
      room.result = LocalBlock.for(this.#hidden)
      sink.block(at++, room.result, 0, true)
    }
    let given = 0
    for (let i = 0; i < this.#parameters.length; i++, at++) {
      const { type, isOut } = this.#parameters[i]
      if (isOut) {
        const block = LocalBlock.for(type)
        room.outs.push(block)
        sink.block(at, block, 0, true)
        continue
      }
      this.#lower(i, sink, at, args, given++, context)
    }
    return room
  }

  decode(
    low: number,
    high: number,
    float: number,
    context: CallContext,
    room?: ResultRoom,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown {
    let before = this.#resultCells.length
    room?.outs.forEach((block, i) => {
      block.origin = context.memory
      this.#keep(block, this.#outCells[i], context, texts, before)
      before += this.#outCells[i].length
    })
    if (!this.#hidden || !room?.result) return this.#value(low, high, float, context, inside, texts)
    room.result.origin = context.memory
    this.#keep(room.result, this.#resultCells, context, texts)
    return viewAt(this.#hidden, room.result, 0)
  }

  everyArgument(args: readonly unknown[], room: ResultRoom | undefined): readonly unknown[] {
    if (!room || room.outs.length === 0) return args
    const objects = room.outs.map((block, i) => viewAt(this.#outs[i], block, 0)).values()
    const given = args.values()
    return this.#parameters.map(({ isOut }) => (isOut ? objects : given).next().value)
  }

  complete(value: unknown, room: ResultRoom | undefined): unknown {
    if (!room || room.outs.length === 0) return value
    const outs = room.outs.map((block, i) => this.#outs[i][READ](block, 0))
    if (this.#restype !== null) return [value, ...outs]
    return outs.length === 1 ? outs[0] : outs
  }

  #value(
    low: number,
    high: number,
    float: number,
    context: CallContext,
    inside: Inside | undefined,
    texts: TakenTexts | undefined,
  ): unknown {
    if (this.#resultText) return textTaken(texts?.(0), this.#resultText === 'wide', context.memory)
    const value = this.#decode(low, high, float, context)
    if (this.#holdsPointers) {
      const data = value as CData
      const block = data[BLOCK] as LocalBlock
      this.#keep(block, this.#resultCells, context, texts)
      if (inside) leadInside(block, typeOf(data), inside)
    }
    return value
  }

  /** Puts the texts of an object beside their pointers, the first of which is number `from`. */
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
    const few = this.fixed ? `${length}` : `at least ${length}`
    const plural = length === 1 && this.fixed ? '' : 's'
    const outs = this.#outs.length > 0 ? ' (what is "out" is not given)' : ''
    return new ArgumentError(`${this.#routine} takes ${few} argument${plural}${outs}, got ${given}`, {
      routine: this.#routine,
    })
  }

  /** A conversion knows what is wrong, only this knows where. */
  #placed(thrown: unknown, index: number): unknown {
    return placed(unreadable('it', thrown), `argument ${index + 1}`, { routine: this.#routine, position: index + 1 })
  }
}

const never: Lower = () => {
  throw new ArgumentError('an out parameter is not given')
}

/** How many `_as_parameter_` are followed, each of which may have another: a value that is its own would never come to an end. */
const mostInner = 100
const hasInner = (value: unknown) => hasMember(value, '_as_parameter_')

/** Text of the kind of the last parameter that is text or room for it. */
function textKind(parameters: readonly Parameter[]): CType | undefined {
  const kinds = parameters.map(({ type }) => pointeeOf(type)?.[CATEGORY])
  const last = kinds.findLast(kind => kind === 'char' || kind === 'wchar')
  return last === undefined ? undefined : last === 'char' ? c_char_p : c_wchar_p
}

/** The type that a value has without a declaration. */
function undeclaredType(value: unknown): CType | undefined {
  if (value === null) return c_void_p
  if (typeof value === 'bigint') return c_int
  if (typeof value === 'number') return Number.isInteger(value) ? c_int : undefined
  if (isA(value, Uint8Array)) return c_char_p
  if (isA(value, CData)) {
    const type = typeOf(value)
    // What C does to a float that meets `...`.
    if (type[CATEGORY] === 'float') return c_double
    return type
  }
  if (typeof value === 'object' && ['thunk', 'address', 'target'].some(name => hasMember(value, name))) return c_void_p
  return undefined
}
