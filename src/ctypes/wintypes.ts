/** The types of Windows by their names there: all of Python's `ctypes.wintypes`, and a few that it lacks. */
import * as c from './all-scalars.js'
import { type Arch, type CType, FOR_ARCH } from './data.js'
import type { SimpleType } from './inference.js'
import { readInteger, writeInteger } from './integers.js'
import { POINTER } from './pointer.js'
import { defineSimple, toBool, unwrap } from './simple.js'
import { structuresFor } from './structure.js'

const MAX_PATH = 260

function named<T extends CType>(name: string, type: T): T {
  Object.defineProperty(type, 'name', { value: name, configurable: true })
  return type
}

/** A COLORREF of three bytes, from 0 to 255 each: red is the lowest. */
export function RGB(red: number, green: number, blue: number): number {
  return red + (green << 8) + (blue << 16)
}

/** COM's boolean of 2 bytes, in which true is -1. */
const VARIANT_BOOL = defineSimple<SimpleType<'VARIANT_BOOL', boolean>>({
  name: 'VARIANT_BOOL',
  size: 2,
  category: 'bool',
  kind: 'h',
  read: (block, offset) => readInteger(block, offset, 2, true, true) !== 0,
  write(block, offset, value) {
    writeInteger(block, offset, 2, true, -toBool(unwrap(value, this), this.name))
  },
})

function make(arch: Arch) {
  const { Structure } = structuresFor(arch)
  const fit = <T extends CType>(type: T) => type[FOR_ARCH](arch) as T
  const to = <T extends CType>(type: T) => fit(POINTER(type))
  const HANDLE = fit(c.c_void_p)
  const WPARAM = fit(c.c_size_t)
  const LPARAM = fit(c.c_ssize_t)
  const LPSTR = fit(c.c_char_p)
  const LPWSTR = fit(c.c_wchar_p)
  const DWORD = c.c_ulong
  const LONG = c.c_long
  const SHORT = c.c_short
  const WORD = c.c_ushort

  const RECT = named('RECT', Structure({ left: LONG, top: LONG, right: LONG, bottom: LONG }))
  const SMALL_RECT = named('SMALL_RECT', Structure({ Left: SHORT, Top: SHORT, Right: SHORT, Bottom: SHORT }))
  const COORD = named('COORD', Structure({ X: SHORT, Y: SHORT }))
  const POINT = named('POINT', Structure({ x: LONG, y: LONG }))
  const SIZE = named('SIZE', Structure({ cx: LONG, cy: LONG }))
  const FILETIME = named('FILETIME', Structure({ dwLowDateTime: DWORD, dwHighDateTime: DWORD }))
  const SYSTEMTIME = named(
    'SYSTEMTIME',
    Structure({
      wYear: WORD,
      wMonth: WORD,
      wDayOfWeek: WORD,
      wDay: WORD,
      wHour: WORD,
      wMinute: WORD,
      wSecond: WORD,
      wMilliseconds: WORD,
    }),
  )
  const MSG = named(
    'MSG',
    Structure({ hWnd: HANDLE, message: c.c_uint, wParam: WPARAM, lParam: LPARAM, time: DWORD, pt: POINT }),
  )
  const findData = {
    dwFileAttributes: DWORD,
    ftCreationTime: FILETIME,
    ftLastAccessTime: FILETIME,
    ftLastWriteTime: FILETIME,
    nFileSizeHigh: DWORD,
    nFileSizeLow: DWORD,
    dwReserved0: DWORD,
    dwReserved1: DWORD,
  }
  const WIN32_FIND_DATAA = named(
    'WIN32_FIND_DATAA',
    Structure({ ...findData, cFileName: c.c_char.array(MAX_PATH), cAlternateFileName: c.c_char.array(14) }),
  )
  const WIN32_FIND_DATAW = named(
    'WIN32_FIND_DATAW',
    Structure({ ...findData, cFileName: c.c_wchar.array(MAX_PATH), cAlternateFileName: c.c_wchar.array(14) }),
  )

  const BYTE = c.c_ubyte
  const integers = {
    BYTE,
    WORD,
    DWORD,
    CHAR: c.c_char,
    WCHAR: c.c_wchar,
    UINT: c.c_uint,
    INT: c.c_int,
    DOUBLE: c.c_double,
    FLOAT: c.c_float,
    BOOLEAN: BYTE,
    BOOL: c.c_long,
    VARIANT_BOOL,
    ULONG: c.c_ulong,
    LONG,
    USHORT: c.c_ushort,
    SHORT,
    LARGE_INTEGER: c.c_longlong,
    _LARGE_INTEGER: c.c_longlong,
    ULARGE_INTEGER: c.c_ulonglong,
    _ULARGE_INTEGER: c.c_ulonglong,
    WPARAM,
    LPARAM,
    ATOM: WORD,
    LANGID: WORD,
    COLORREF: DWORD,
    LGRPID: DWORD,
    LCTYPE: DWORD,
    LCID: DWORD,
    UCHAR: c.c_ubyte,
    DWORD64: c.c_ulonglong,
    LONGLONG: c.c_longlong,
    ULONGLONG: c.c_ulonglong,
    SIZE_T: WPARAM,
    SSIZE_T: LPARAM,
    ULONG_PTR: WPARAM,
    UINT_PTR: WPARAM,
    DWORD_PTR: WPARAM,
    LONG_PTR: LPARAM,
    INT_PTR: LPARAM,
    LRESULT: LPARAM,
    NTSTATUS: LONG,
    HRESULT: c.HRESULT,
  }
  const texts = {
    LPCOLESTR: LPWSTR,
    LPOLESTR: LPWSTR,
    OLESTR: LPWSTR,
    LPCWSTR: LPWSTR,
    LPWSTR,
    PWSTR: LPWSTR,
    PCWSTR: LPWSTR,
    LPCSTR: LPSTR,
    LPSTR,
    PSTR: LPSTR,
    PCSTR: LPSTR,
    LPCVOID: HANDLE,
    LPVOID: HANDLE,
    PVOID: HANDLE,
  }
  const handles = {
    HANDLE,
    HACCEL: HANDLE,
    HBITMAP: HANDLE,
    HBRUSH: HANDLE,
    HCOLORSPACE: HANDLE,
    HCURSOR: HANDLE,
    HDC: HANDLE,
    HDESK: HANDLE,
    HDWP: HANDLE,
    HENHMETAFILE: HANDLE,
    HFONT: HANDLE,
    HGDIOBJ: HANDLE,
    HGLOBAL: HANDLE,
    HHOOK: HANDLE,
    HICON: HANDLE,
    HINSTANCE: HANDLE,
    HKEY: HANDLE,
    HKL: HANDLE,
    HLOCAL: HANDLE,
    HMENU: HANDLE,
    HMETAFILE: HANDLE,
    HMODULE: HANDLE,
    HMONITOR: HANDLE,
    HPALETTE: HANDLE,
    HPEN: HANDLE,
    HRGN: HANDLE,
    HRSRC: HANDLE,
    HSTR: HANDLE,
    HTASK: HANDLE,
    HWINSTA: HANDLE,
    HWND: HANDLE,
    SC_HANDLE: HANDLE,
    SERVICE_STATUS_HANDLE: HANDLE,
  }
  const structures = {
    RECT,
    tagRECT: RECT,
    _RECTL: RECT,
    RECTL: RECT,
    SMALL_RECT,
    _SMALL_RECT: SMALL_RECT,
    COORD,
    _COORD: COORD,
    POINT,
    tagPOINT: POINT,
    _POINTL: POINT,
    POINTL: POINT,
    SIZE,
    tagSIZE: SIZE,
    SIZEL: SIZE,
    FILETIME,
    _FILETIME: FILETIME,
    SYSTEMTIME,
    MSG,
    tagMSG: MSG,
    WIN32_FIND_DATAA,
    WIN32_FIND_DATAW,
  }
  const pointers = {
    LPBOOL: to(c.c_long),
    PBOOL: to(c.c_long),
    PBOOLEAN: to(BYTE),
    PBYTE: to(BYTE),
    LPBYTE: to(BYTE),
    PCHAR: to(c.c_char),
    LPCOLORREF: to(DWORD),
    PDWORD: to(DWORD),
    LPDWORD: to(DWORD),
    PFILETIME: to(FILETIME),
    LPFILETIME: to(FILETIME),
    PFLOAT: to(c.c_float),
    PHANDLE: to(HANDLE),
    LPHANDLE: to(HANDLE),
    PHKEY: to(HANDLE),
    LPHKL: to(HANDLE),
    PINT: to(c.c_int),
    LPINT: to(c.c_int),
    PLARGE_INTEGER: to(c.c_longlong),
    PLCID: to(DWORD),
    PLONG: to(LONG),
    LPLONG: to(LONG),
    PMSG: to(MSG),
    LPMSG: to(MSG),
    PPOINT: to(POINT),
    LPPOINT: to(POINT),
    PPOINTL: to(POINT),
    PRECT: to(RECT),
    LPRECT: to(RECT),
    PRECTL: to(RECT),
    LPRECTL: to(RECT),
    LPSC_HANDLE: to(HANDLE),
    PSHORT: to(SHORT),
    PSIZE: to(SIZE),
    LPSIZE: to(SIZE),
    PSIZEL: to(SIZE),
    LPSIZEL: to(SIZE),
    PSMALL_RECT: to(SMALL_RECT),
    PUINT: to(c.c_uint),
    LPUINT: to(c.c_uint),
    PULARGE_INTEGER: to(c.c_ulonglong),
    PULONG: to(c.c_ulong),
    PUSHORT: to(c.c_ushort),
    PWCHAR: to(c.c_wchar),
    PWIN32_FIND_DATAA: to(WIN32_FIND_DATAA),
    LPWIN32_FIND_DATAA: to(WIN32_FIND_DATAA),
    PWIN32_FIND_DATAW: to(WIN32_FIND_DATAW),
    LPWIN32_FIND_DATAW: to(WIN32_FIND_DATAW),
    PWORD: to(WORD),
    LPWORD: to(WORD),
    PSYSTEMTIME: to(SYSTEMTIME),
    LPSYSTEMTIME: to(SYSTEMTIME),
  }
  return { MAX_PATH, RGB, ...integers, ...texts, ...handles, ...structures, ...pointers }
}

/** All of `wintypes`, with the layouts of one architecture. */
export interface WinTypes extends ReturnType<typeof make> {}

const namespaces = new Map<Arch, WinTypes>()

/** The `wintypes` of an architecture; the same object each time. */
export function wintypesFor(arch: Arch): WinTypes {
  let namespace = namespaces.get(arch)
  if (!namespace) namespaces.set(arch, (namespace = make(arch)))
  return namespace
}
