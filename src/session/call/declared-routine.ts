/**
 * A routine as the Windows side knows it: with one signature and a number. Encodes the arguments of its calls and
 * decodes their results.
 */
import { Call, MESSAGE, REQUEST_SIZE } from '../../codec/layout.js'
import type { Target } from '../../ctypes/block.js'
import type { CallPlan, ResultRoom } from '../../ctypes/call-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import { CATEGORY, type CType, FOR_ARCH, isType } from '../../ctypes/data.js'
import type { ResType } from '../../ctypes/inference.js'
import { castTo } from '../../ctypes/memory.js'
import type { Inside } from '../../ctypes/reference.js'
import type { ArgumentSink } from '../../ctypes/sink.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import type { SessionCore } from '../core/core.js'
import type { Declaration } from '../core/declarations.js'
import type { DllState } from '../core/dll-state.js'
import { Pace } from './pace.js'
import type { PreparedCall } from './prepared-call.js'
import { TextLengths } from './text-room.js'

/** What a declared routine needs of the routine that the program holds, whose attributes may change. */
export interface RoutineSource {
  /** Names the routine in errors. */
  readonly label: string
  readonly dll: DllState
  readonly keepsLastError: boolean
  readonly keepsErrno: boolean
  readonly restype: ResType
  /** Whether the routine has an `errcheck`. */
  readonly isChecked: boolean
  /** Calls `errcheck` with a result and all arguments, and returns what it returns. */
  check(value: unknown, args: readonly unknown[]): unknown
}

/** A routine declared with one signature. */
export class DeclaredRoutine implements PreparedCall {
  readonly label: string
  readonly count: number
  readonly plain: boolean
  /**
   * Whether its calls are scalar ones: all arguments are scalars, it leaves no texts, and the message fits any slot.
   */
  readonly isScalar: boolean
  /** Whether `callDirect` can make those of its calls whose arguments allow it: see direct-call.ts. */
  readonly isDirect: boolean
  readonly keepsLastError: boolean
  readonly keepsErrno: boolean
  readonly number: number
  readonly textCount: number
  readonly textLengths = new TextLengths()
  /** How fast the rows of its batches are. */
  readonly pace = new Pace()

  constructor(
    readonly routine: RoutineSource,
    readonly core: SessionCore,
    readonly plan: CallPlan,
    readonly declaration: Declaration,
  ) {
    this.number = declaration.number
    this.label = routine.label
    this.count = plan.count
    this.plain = plan.plain
    this.textCount = plan.texts.length
    const isShort = this.textCount === 0 && MESSAGE + Call.arguments + 8 * plan.count <= REQUEST_SIZE
    this.isScalar = plan.plain && isShort
    this.isDirect = plan.direct && isShort && !this.pointsBack
    this.keepsLastError = routine.keepsLastError
    this.keepsErrno = routine.keepsErrno
  }

  snapshot(args: readonly unknown[]): readonly unknown[] {
    return this.plan.snapshot(args)
  }

  encode(sink: ArgumentSink, args: readonly unknown[], wrapped?: Callback[]): ResultRoom | undefined {
    const { plan, core } = this
    return plan.encode(sink, args, wrapped ? core.contextFor(wrapped) : core.context)
  }

  decode(
    view: DataView,
    at: number,
    args: readonly unknown[],
    room: ResultRoom | undefined,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown {
    return this.finish(this.bareResult(view, at, room, inside, texts), args, room)
  }

  /** The result as the routine gave it, which `errcheck` and memsync see. */
  bareResult(view: DataView, at: number, room: ResultRoom | undefined, inside?: Inside, texts?: TakenTexts): unknown {
    const { plan, core } = this
    const kind = plan.result
    const float = kind === 'd' ? view.getFloat64(at, true) : kind === 'f' ? view.getFloat32(at, true) : 0
    return plan.decode(view.getInt32(at, true), view.getInt32(at + 4, true), float, core.context, room, inside, texts)
  }

  get pointsBack(): boolean {
    const type = this.routine.restype
    return isType(type) && type[CATEGORY] === 'pointer'
  }

  pointTo(target: Target, args: readonly unknown[], room: ResultRoom | undefined): unknown {
    const type = (this.routine.restype as CType)[FOR_ARCH](this.core.facts.arch)
    return this.finish(castTo(target, type), args, room)
  }

  /**
   * What the call gives. As in ctypes `errcheck` sees the bare result and all arguments, and the call gives what it
   * returns; but if it returns the arguments, the call gives what it would give without an `errcheck`.
   */
  finish(value: unknown, args: readonly unknown[], room: ResultRoom | undefined): unknown {
    const { plan, routine } = this
    if (routine.isChecked) {
      const all = plan.everyArgument(args, room)
      const checked = routine.check(value, all)
      if (checked !== all) return checked
    }
    return plan.complete(value, room)
  }

  declareError(): Error | undefined {
    return this.routine.dll.error ?? this.declaration.error
  }
}
