/** What types need to know of the session in which a call is made. */
import type { CallbackTarget, RemoteMemory } from './block.js'
import type { Callback, CallbackClass } from './callback-type.js'

/** The session that a call, or the answer of a callback, belongs to. */
export interface CallContext {
  readonly memory: RemoteMemory
  /** Makes a callback of a JS function that was given for a callback type, for the duration of the call. */
  wrapCallback?(type: CallbackClass, fn: Callback['fn']): CallbackTarget
  /** The error for a Windows code (an HRESULT). */
  windowsError?(code: number): Error
}
