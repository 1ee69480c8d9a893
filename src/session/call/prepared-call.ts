/** What a call needs to know of its routine: numbers for the wire, and how values become bits and bits values. */
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
  /** Arguments on the wire. */
  readonly count: number
  /** Scalars alone: nothing is memory, nothing a callback. */
  readonly plain: boolean
  readonly keepsLastError: boolean
  readonly keepsErrno: boolean
  /** The arguments for a call that has to wait, none of which changes meanwhile that is passed by value. */
  snapshot(args: readonly unknown[]): readonly unknown[]
  /** Throws ArgumentError. Callbacks that it makes for this call alone are added to `wrapped`. */
  encode(sink: ArgumentSink, args: readonly unknown[], wrapped?: Callback[]): ResultRoom | undefined
  /** Throws ArgumentError. The last look at the memory of the arguments: no earlier call changes it any more. */
  verify?(): void
  /** How many texts it leaves, and how long they are. */
  readonly textCount: number
  readonly textLengths: TextLengths
  /** Reads the 8 bytes of the result; `inside` knows the call's own memory, where it has any. */
  decode(
    view: DataView,
    at: number,
    args: readonly unknown[],
    room: ResultRoom | undefined,
    inside?: Inside,
    texts?: TakenTexts,
  ): unknown
  /** The result is a typed pointer. */
  readonly pointsBack?: boolean
  /** The result for a pointer that leads to memory of this process. */
  pointTo?(target: Target, args: readonly unknown[], room: ResultRoom | undefined): unknown
  /** Why the declaration failed, where it did. */
  declareError(): Error | undefined
}
