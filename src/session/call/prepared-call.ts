/** What a call needs of its routine: numbers for the wire, encoding of arguments, and decoding of the result. */
import type { Target } from '../../ctypes/block.js'
import type { ResultRoom } from '../../ctypes/call-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import type { Inside } from '../../ctypes/reference.js'
import type { ArgumentSink } from '../../ctypes/sink.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import type { TextLengths } from './text-room.js'

export interface PreparedCall {
  readonly label: string
  /** The routine's number in the session. */
  readonly number: number
  /** How many arguments are on the wire. */
  readonly count: number
  /** Whether all arguments are scalars: none is memory or a callback. */
  readonly plain: boolean
  readonly keepsLastError: boolean
  readonly keepsErrno: boolean
  /** Copies arguments that are passed by value, for a call that has to wait. */
  snapshot(args: readonly unknown[]): readonly unknown[]
  /** Writes the arguments. Callbacks made for this call alone are added to `wrapped`. Throws ArgumentError. */
  encode(sink: ArgumentSink, args: readonly unknown[], wrapped?: Callback[]): ResultRoom | undefined
  /**
   * Called before the request is sent, when no earlier call can change the memory of the arguments. Throws
   * ArgumentError.
   */
  verify?(): void
  /** How many texts the routine leaves, and how long they have been. */
  readonly textCount: number
  readonly textLengths: TextLengths
  /** Reads the 8 bytes of the result. `inside` finds addresses in memory of the arguments, if there is any. */
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
  /** The result, if it is a pointer that leads to memory of this process. */
  pointTo?(target: Target, args: readonly unknown[], room: ResultRoom | undefined): unknown
  /** The error of the routine's declaration, if that failed. */
  declareError(): Error | undefined
}
