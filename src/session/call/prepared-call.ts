import type { Target } from '../../ctypes/block.js'
import type { ResultRoom } from '../../ctypes/call-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import type { Inside } from '../../ctypes/reference.js'
import type { ArgumentSink } from '../../ctypes/sink.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import type { TextLengths } from './text-room.js'

/**
 * What a call needs of its routine: its number on the wire, how arguments are encoded, and how the result is decoded.
 */
export interface PreparedCall {
  /** Names the routine in errors. */
  readonly label: string
  /** The routine's number in the session. */
  readonly number: number
  /** How many arguments are on the wire. */
  readonly count: number
  /** Whether all arguments are scalars: none is memory or a callback. */
  readonly plain: boolean
  /** Whether the core keeps Windows' last error, and C's errno, after a call. */
  readonly keepsLastError: boolean
  readonly keepsErrno: boolean
  /** Copies arguments that are passed by value, for a call that has to wait. */
  snapshot(args: readonly unknown[]): readonly unknown[]
  /**
   * Writes the arguments. Callbacks made for this call alone are added to `wrapped`. Returns the memory that was made
   * for the result and `out` parameters. Throws ArgumentError.
   */
  encode(sink: ArgumentSink, args: readonly unknown[], wrapped?: Callback[]): ResultRoom | undefined
  /**
   * Called before the request is sent, when no earlier call can change the memory of the arguments. Throws
   * ArgumentError.
   */
  verify?(): void
  /** How many texts the routine leaves, and how much room those of earlier calls needed. */
  readonly textCount: number
  readonly textLengths: TextLengths
  /**
   * The call's result, from 8 bytes at `at` of `view`. `inside` finds what lies at an address in memory of the
   * arguments; `texts` are those that the routine left. Throws what `errcheck` throws.
   */
  decode(
    view: DataView,
    at: number,
    args: readonly unknown[],
    room: ResultRoom | undefined,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown
  /** Whether the result is a typed pointer. */
  readonly pointsBack?: boolean
  /** The call's result where it is a pointer that leads to memory of this process. */
  pointTo?(target: Target, args: readonly unknown[], room: ResultRoom | undefined): unknown
  /** The error of the routine's declaration, if that failed. */
  declareError(): Error | undefined
}
