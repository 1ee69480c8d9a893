/**
 * The default session: importing this starts one and waits until it is up. It exports the session's names, bound, and all types,
 * so that `import * as ctypes from 'zugbruecke/ctypes'` reads like Python.
 */
import './runtime/node-version.js'
import { CData } from './ctypes/data.js'
import * as memoryOf from './ctypes/memory.js'
import { CtypesSession } from './session/life/session.js'
import type { AddressLike } from './session/surface/memory.js'

export const session = await CtypesSession.start()

export const {
  cdll,
  windll,
  oledll,
  CDLL,
  WinDLL,
  OleDLL,
  memory,
  util,
  FormatError,
  GetLastError,
  set_last_error,
  set_errno,
  WinError,
  pathUnixToWine,
  pathWineToUnix,
} = session
export const get_last_error = session.get_last_error.bind(session)
export const get_errno = session.get_errno.bind(session)
export const header = session.header.bind(session)

const isAddress = (at: object | AddressLike): at is AddressLike =>
  typeof at !== 'object' || ('address' in at && !(at instanceof CData))

/** As without a session, and for bare addresses, which are this one's. */
export function string_at(at: object | AddressLike, size?: number): string {
  return isAddress(at) ? session.string_at(at, size) : memoryOf.string_at(at, size)
}
export function wstring_at(at: object | AddressLike, length?: number): string {
  return isAddress(at) ? session.wstring_at(at, length) : memoryOf.wstring_at(at, length)
}
export const cast = session.cast.bind(session) as CtypesSession['cast']

export * from './ctypes/index.js'
export * from './errors.js'
