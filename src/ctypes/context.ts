/** What types need to know of the session in which a call is made. */
import type { CallbackTarget, RemoteMemory } from './block.js'
import type { CType } from './data.js'

export interface CallContext {
  readonly memory: RemoteMemory
  /** Wraps a JS function that was given where a callback type is declared, for the duration of the call. */
  wrapCallback?(type: CType, fn: (...args: never[]) => unknown): CallbackTarget
  /** The error for a Windows code (an HRESULT). */
  windowsError?(code: number): Error
}
