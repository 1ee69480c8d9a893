/**
 * memsync around a call. A call copies memory of JS as a whole, there and back; for it a directive only means a check
 * that it is as long as the directive says. Where the routine has made a pointer lead to memory of the DLL, that memory
 * is copied after the call, and the pointer made to lead to the copy.
 */
import { LocalBlock, RemoteRange, type Target } from '../../ctypes/block.js'
import type { ResultRoom } from '../../ctypes/call-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import {
  type Arch,
  BLOCK,
  CATEGORY,
  CData,
  FOR_ARCH,
  isType,
  OFFSET,
  pointerSizeOf,
  typeOf,
} from '../../ctypes/data.js'
import type { ArgType } from '../../ctypes/inference.js'
import { checkPaths, type Directive, type PathTypes } from '../../ctypes/memsync.js'
import { isOutParameter } from '../../ctypes/out-parameter.js'
import { isScalar } from '../../ctypes/parameter.js'
import { type Inside, isRemotePlace } from '../../ctypes/reference.js'
import { SimpleData } from '../../ctypes/simple.js'
import type { ArgumentSink } from '../../ctypes/sink.js'
import { copyOfObject } from '../../ctypes/snapshot.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import { readText, upToZero } from '../../ctypes/text.js'
import { ArgumentError } from '../../errors.js'
import type { DeclaredRoutine } from '../call/declared-routine.js'
import type { PreparedCall } from '../call/prepared-call.js'
import type { TextLengths } from '../call/text-room.js'
import type { SessionCore } from '../core/core.js'
import { Copies, remoteAddressOf } from './copies.js'
import { copyOf, inDirective, isWhole, isWide, lengthOf, pointerTo } from './directive.js'
import { type End, endOf, follow, type Origin, type Spot, spotOf } from './path.js'

export { checkMemsync, type Memsync, type MemsyncDirective } from '../../ctypes/memsync.js'

/** The directives of a routine, checked against its types. */
export class MemsyncPlan {
  /** Throws ArgumentError for a path that does not exist in these types. */
  constructor(
    readonly directives: readonly Directive[],
    readonly types: PathTypes,
  ) {
    checkPaths(directives, types)
  }

  /** The arguments, converted by the `custom` functions of the directives. */
  convert(args: readonly unknown[]): readonly unknown[] {
    if (!this.directives.some(({ custom }) => custom)) return args
    const converted = [...args]
    for (const { custom, pointer } of this.directives) {
      const at = givenAt(this.types.argtypes, pointer[0] as number)
      if (custom && at < converted.length) converted[at] = custom(converted[at])
    }
    return converted
  }
}

/**
 * The position among the given arguments of the one with number `index` in a path. Those of `out` parameters are not
 * given.
 */
function givenAt(argtypes: readonly ArgType[] | undefined, index: number): number {
  return index - (argtypes ?? []).slice(0, index).filter(isOutParameter).length
}

/** One call of a routine with directives. */
export class MemsyncCall implements PreparedCall {
  readonly label: string
  readonly number: number
  readonly count: number
  readonly plain: boolean
  readonly keepsLastError: boolean
  readonly keepsErrno: boolean
  readonly textCount: number
  readonly textLengths: TextLengths
  readonly #arch: Arch
  /** Pointers into the Windows process as they were before the call, by directive and position in its path. */
  readonly #before = new Map<string, bigint>()

  /** The arguments; scalars among them as they were when the call was made, since lengths may be read from them. */
  readonly #args: readonly unknown[]

  constructor(
    private readonly inner: DeclaredRoutine,
    private readonly plan: MemsyncPlan,
    private readonly core: SessionCore,
    args: readonly unknown[],
  ) {
    const types = plan.types.argtypes?.filter(isType) ?? []
    this.#args = args.map((value, i) =>
      value instanceof SimpleData && isScalar(types[i] ?? typeOf(value)) ? copyOfObject(value) : value,
    )
    this.label = inner.label
    this.number = inner.number
    this.count = inner.count
    this.plain = inner.plain
    this.keepsLastError = inner.keepsLastError
    this.keepsErrno = inner.keepsErrno
    this.textCount = inner.textCount
    this.textLengths = inner.textLengths
    this.#arch = plan.types.arch
  }

  snapshot(args: readonly unknown[]): readonly unknown[] {
    return this.inner.snapshot(args)
  }

  encode(sink: ArgumentSink, args: readonly unknown[], wrapped?: Callback[]): ResultRoom | undefined {
    return this.inner.encode(sink, args, wrapped)
  }

  declareError(): Error | undefined {
    return this.inner.declareError()
  }

  /** Checks that memory of JS is as long as its directive says: otherwise the routine would go beyond its end. */
  verify(): void {
    const { directives } = this.plan
    const origin = this.#origin(undefined, undefined)
    this.#before.clear()
    for (const directive of directives) {
      if (directive.pointer[0] === 'r') continue
      inDirective(this.label, directive, 'pointer', directive.pointer, () => {
        const spot = follow(directive.pointer, origin, (segment, _cell, place) => {
          if (isRemotePlace(place)) this.#before.set(`${directive.number}:${segment}`, remoteAddressOf(place))
          return place
        })
        const end = spot && endOf(spot, this.#arch)
        if (!end?.place) return
        if (isRemotePlace(end.place)) this.#before.set(`${directive.number}:end`, remoteAddressOf(end.place))
        else checkLength(directive, end, end.place, this.#arch, () => lengthOf(this.label, directive, origin, false))
      })
    }
  }

  decode(
    view: DataView,
    at: number,
    args: readonly unknown[],
    room: ResultRoom | undefined,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown {
    const bare = this.inner.bareResult(view, at, room, inside, texts)
    const address = this.#arch === 'win64' ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))
    return this.inner.finish(this.#finish(bare, address, room), args, room)
  }

  /** Makes pointers that the routine has set lead to copies. Returns the result, which may be such a pointer. */
  #finish(value: unknown, address: bigint, room: ResultRoom | undefined): unknown {
    const { memory } = this.core
    const copies = new Copies(memory, pointerSizeOf(this.#arch), false)
    let result = value
    for (const directive of this.plan.directives) {
      const { pointer, number } = directive
      const origin = this.#origin(room, result)
      inDirective(this.label, directive, 'pointer', pointer, () => {
        if (pointer.length === 1 && pointer[0] === 'r' && !(result instanceof CData)) {
          result = this.#plainResult(directive, result, address, origin, copies)
          return
        }
        const isNew = (segment: string, place: Target) =>
          pointer[0] === 'r' || this.#before.get(`${number}:${segment}`) !== remoteAddressOf(place)
        const spot = follow(pointer, origin, (segment, cell, place, pointee, count) =>
          isRemotePlace(place) && cell.block instanceof LocalBlock && isNew(segment, place)
            ? copies.lead(cell, place, pointee, count)
            : place,
        )
        const end = spot && endOf(spot, this.#arch)
        if (!end?.cell || !isRemotePlace(end.place) || !(end.cell.block instanceof LocalBlock)) return
        if (!isNew('end', end.place) || (end.isVoid && !isWhole(end.cell.block, end.cell.size))) return
        copies.put(end.cell, copyOf(this.label, directive, end, origin, copies))
      })
    }
    return result
  }

  /**
   * The same for a result that is no object of ctypes: an address becomes a pointer, and text gets the length that the
   * directive says.
   */
  #plainResult(directive: Directive, value: unknown, address: bigint, origin: Origin, copies: Copies): unknown {
    if (value === null || value === undefined || address === 0n) return value
    const block = new RemoteRange(this.core.memory, address)
    const end = { place: { block, offset: 0 }, pointee: undefined }
    if (typeof value === 'bigint')
      return pointerTo(directive, copyOf(this.label, directive, end, origin, copies), this.#arch)
    if (directive.terminated) return value
    const isWide = this.plan.types.restype?.[CATEGORY] === 'wchar pointer'
    const length = lengthOf(this.label, directive, origin, true)
    const bytes = (length ?? 0) * directive.type.size
    return readText(end.place, isWide, isWide ? bytes >> 1 : bytes)
  }

  #origin(room: ResultRoom | undefined, result: unknown): Origin {
    const { core } = this
    const args = this.#args
    const { argtypes } = this.plan.types
    const spots: Spot[] = []
    let given = 0
    let outs = 0
    for (const type of argtypes ?? []) {
      if (!isOutParameter(type))
        spots.push(spotOf(args[given++], isType(type) ? type : undefined, this.#arch, core.memory))
      else {
        const block = room?.outs[outs++]
        const place = block ? { block, offset: 0 } : null
        spots.push({
          is: 'passed pointer',
          place,
          pointee: type.outType[FOR_ARCH](this.#arch),
          given: undefined,
          text: false,
        })
      }
    }
    while (given < args.length) spots.push(spotOf(args[given++], undefined, this.#arch, core.memory))
    return { arch: this.#arch, memory: core.memory, arguments: spots, result: resultSpot(result, this.#arch, core) }
  }
}

/**
 * The result as the start of a path. A pointer is an object in memory there, so that it can be made to lead to a copy.
 */
const resultSpot = (result: unknown, arch: Arch, core: SessionCore): Spot =>
  result instanceof CData
    ? { is: 'memory', type: typeOf(result), block: result[BLOCK], offset: result[OFFSET] }
    : spotOf(result, undefined, arch, core.memory)

function checkLength(
  directive: Directive,
  end: End,
  { block, offset }: Target,
  arch: Arch,
  lengthNow: () => number | undefined,
): void {
  const room = block.size - offset
  if (directive.terminated) {
    const unit = isWide(directive, end.pointee) ? 2 : 1
    const text = upToZero(block, offset, unit)
    if (!end.text && text.length + unit > room)
      throw new ArgumentError(`there is no zero in the ${room} bytes that it leads to`)
    return
  }
  const length = lengthNow()
  if (length === undefined) return
  const type = directive.type[FOR_ARCH](arch)
  if (length * type.size > room)
    throw new ArgumentError(
      `it leads to ${room} bytes, and ${length} elements of ${type.name} are ${length * type.size}`,
    )
}
