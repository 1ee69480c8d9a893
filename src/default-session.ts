/**
 * The default session: importing this starts one and waits until it is up. It exports the session's names, bound, and all types,
 * so that `import * as ctypes from 'zugbruecke/ctypes'` reads like Python.
 */
import './runtime/node-version.js'
import { CData } from './ctypes/data.js'
import * as memoryOf from './ctypes/memory.js'
import { CtypesSession } from './session/life/session.js'
import type { AddressLike } from './session/surface/memory.js'

/** The default session. It ends with the program. */
export const session = await CtypesSession.start()

export const {
  /** DLLs of the calling convention cdecl, loaded at first use: `cdll.msvcrt`. */
  cdll,
  /** DLLs of the calling convention stdcall (in 64 bits there is only one). */
  windll,
  /** As `windll`; a result is an HRESULT, and one that says failure is thrown as `WindowsError`. */
  oledll,
  /** Loads a DLL by name or path, with options; cdecl. */
  CDLL,
  /** The same for stdcall. */
  WinDLL,
  /** The same for stdcall, with results that are HRESULTs. */
  OleDLL,
  /** Memory of the session's Windows process: allocating, reading, writing. */
  memory,
  /** `find_library` and `find_msvcrt`. */
  util,
  /** The text that Windows has for an error code; the last error's, if none is given. */
  FormatError,
  /** The last error of Windows itself, asked for now; `get_last_error()` is the one that the last reply brought. */
  GetLastError,
  /** Sets the copy of the last error that the next call of a DLL with `use_last_error` begins with; gives the one before. */
  set_last_error,
  /** The same for `errno`. */
  set_errno,
  /** A `WindowsError` of an error code, to throw. */
  WinError,
  /** A path of Linux as Windows programs on Wine name it. */
  pathUnixToWine,
  /** A path of Windows as Linux names it. */
  pathWineToUnix,
} = session
/** The last error of Windows as the last reply that this thread processed brought it; of DLLs with `use_last_error`. */
export const get_last_error = session.get_last_error.bind(session)
/** C's `errno` likewise; of DLLs with `use_errno`. */
export const get_errno = session.get_errno.bind(session)
/** Reads a header of C: its structures, constants and routines, ready for this session. */
export const header = session.header.bind(session)

const isAddress = (at: object | AddressLike): at is AddressLike =>
  typeof at !== 'object' || ('address' in at && !(at instanceof CData))

/** As without a session, and for bare addresses, which are this one's. */
export function string_at(at: object | AddressLike, size?: number): string {
  return isAddress(at) ? session.string_at(at, size) : memoryOf.string_at(at, size)
}
/** The same for UTF-16 text. */
export function wstring_at(at: object | AddressLike, length?: number): string {
  return isAddress(at) ? session.wstring_at(at, length) : memoryOf.wstring_at(at, length)
}
/** An object or an address as a pointer of another type. */
export const cast = session.cast.bind(session) as CtypesSession['cast']

export * from './ctypes/index.js'
export * from './errors.js'
