import { Reply, Status } from '../../codec/layout.js'
import type { SessionCore } from '../core/core.js'
import { exceptionError } from '../core/exceptions.js'
import type { PreparedCall } from './prepared-call.js'
import { refusal } from './refusal.js'

/**
 * Reads the reply at offset `at`: the error that the call failed with; undefined if the routine returned. Keeps the
 * last error and errno in the core, if the routine's library asks for that.
 */
export function failureOf(core: SessionCore, call: PreparedCall, at: number): Error | undefined {
  const { view } = core.mapping
  const status = view.getUint32(at + Reply.status, true)
  if (status === Status.done) {
    if (call.keepsLastError) core.lastError = view.getUint32(at + Reply.lastError, true)
    if (call.keepsErrno) core.errno = view.getInt32(at + Reply.errno, true)
    return undefined
  }
  const code = view.getUint32(at + Reply.code, true)
  if (status === Status.exception)
    return exceptionError(call.label, code, view.getBigUint64(at + Reply.result, true), core.memory)
  return call.declareError() ?? refusal(call.label, status, code)
}
