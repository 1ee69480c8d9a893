/** The text of a Windows error is asked of the Windows side, once the call that met it has settled. */
import { textOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { WindowsError } from '../../errors.js'
import type { SessionCore } from './core.js'

/** Errors whose text is still to be had. */
const bare = new WeakSet<WindowsError>()

/** The error of an HRESULT below zero. */
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

/** Rejects with the error, once its text is there. */
export function failWith(core: SessionCore, error: Error, reject: (error: Error) => void): void {
  void fillWindowsError(core, error).then(reject)
}

export const fillWindowsError = Object.assign(
  async (core: SessionCore, error: Error): Promise<Error> => {
    if (!(error instanceof WindowsError) || !bare.delete(error) || !core.alive) return error
    return core.control
      .request('FormatError', Op.formatError, [error.winerror])
      .then(outcome => fill(error, textOf(outcome)))
      .catch(() => error)
  },
  {
    sync(core: SessionCore, error: Error): Error {
      if (!(error instanceof WindowsError) || !bare.delete(error) || !core.alive) return error
      return fill(error, textOf(core.control.requestSync('FormatError', Op.formatError, [error.winerror])))
    },
  },
)
