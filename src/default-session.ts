/**
 * The default session: importing this starts one and waits until it is up. It exports the session's names, bound, and all types,
 * so that `import * as ctypes from 'zugbruecke/ctypes'` reads like Python.
 */
import './runtime/node-version.js'
import { CtypesSession } from './session/session.js'

export const session = await CtypesSession.start()

export const {
  cdll,
  windll,
  oledll,
  memory,
  util,
  FormatError,
  GetLastError,
  set_last_error,
  WinError,
  pathUnixToWine,
  pathWineToUnix,
} = session
export const CDLL = session.CDLL.bind(session)
export const WinDLL = session.WinDLL.bind(session)
export const OleDLL = session.OleDLL.bind(session)
export const get_last_error = session.get_last_error.bind(session)
export const get_errno = session.get_errno.bind(session)
export const header = session.header.bind(session)

export * from './ctypes/index.js'
export * from './errors.js'
