/** What types need to know of the session in which a call is made. */
import type { CallbackTarget, RemoteMemory } from './block.js'
import type { CType } from './data.js'
import type { Encoding } from './encoding.js'

export interface CallContext {
  readonly memory: RemoteMemory
  readonly encoding: Encoding
  /** Wraps a JS function that was given where a callback type is declared, for the duration of the call. */
  wrapCallback?(type: CType, fn: (...args: never[]) => unknown): CallbackTarget
  /** Makes a function pointer that the DLL gave callable. */
  foreignRoutine?(address: bigint, type: CType): object
  /** The error for a Windows code (an HRESULT). */
  windowsError?(code: number): Error
}
