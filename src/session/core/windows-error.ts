/**
 * Errors of Windows that a call meets while its result is decoded. Their texts are requested from the Windows side
 * afterwards.
 */

import { textOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { isA } from '../../ctypes/given.js'
import { WindowsError } from '../../errors.js'
import type { SessionCore } from './core.js'

/** Errors that have no text yet. */
const bare = new WeakSet<WindowsError>()

/** The error of an HRESULT below zero, without its text. */
export function hresultError(code: number): WindowsError {
  const error = new WindowsError(`[WinError ${code}] HRESULT 0x${(code >>> 0).toString(16).padStart(8, '0')}`, {
    winerror: code,
    strerror: '',
  })
  bare.add(error)
  return error
}

function fill(error: WindowsError, text: string): WindowsError {
  Object.assign(error, { message: `[WinError ${error.winerror}] ${text}`, strerror: text })
  return error
}

/** Whether it is an error whose text can be requested now; true once for each. What was thrown need not be an error. */
const lacksText = (core: SessionCore, error: unknown): error is WindowsError =>
  isA(error, WindowsError) && bare.delete(error) && core.alive

/**
 * Rejects with the error once it has its text. The error is never the value of a promise: what a callback threw may
 * have a `then`.
 */
export function failWith(core: SessionCore, error: Error, reject: (error: Error) => void): void {
  if (!lacksText(core, error)) return reject(error)
  void core.control
    .request('FormatError', Op.formatError, [error.winerror])
    .then(outcome => fill(error, textOf(outcome)))
    .catch(() => {})
    .then(() => reject(error))
}

/** The error, with its text if it lacks that. Blocks this thread. */
export function filledError(core: SessionCore, error: Error): Error {
  if (!lacksText(core, error)) return error
  return fill(error, textOf(core.control.requestSync('FormatError', Op.formatError, [error.winerror])))
}
