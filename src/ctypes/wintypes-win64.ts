/** `ctypes.wintypes` as named exports, with the layouts of win64; `session.types.wintypes` fits a session. */
import { wintypesFor } from './wintypes.js'

export const {
  MAX_PATH,
  RGB,
  BYTE,
  WORD,
  DWORD,
  CHAR,
  WCHAR,
  UINT,
  INT,
  DOUBLE,
  FLOAT,
  BOOLEAN,
  BOOL,
  VARIANT_BOOL,
  ULONG,
  LONG,
  USHORT,
  SHORT,
  LARGE_INTEGER,
  _LARGE_INTEGER,
  ULARGE_INTEGER,
  _ULARGE_INTEGER,
  WPARAM,
  LPARAM,
  ATOM,
  LANGID,
  COLORREF,
  LGRPID,
  LCTYPE,
  LCID,
  UCHAR,
  DWORD64,
  LONGLONG,
  ULONGLONG,
  SIZE_T,
  SSIZE_T,
  ULONG_PTR,
  UINT_PTR,
  DWORD_PTR,
  LONG_PTR,
  INT_PTR,
  LRESULT,
  NTSTATUS,
  HRESULT,
  LPCOLESTR,
  LPOLESTR,
  OLESTR,
  LPCWSTR,
  LPWSTR,
  PWSTR,
  PCWSTR,
  LPCSTR,
  LPSTR,
  PSTR,
  PCSTR,
  LPCVOID,
  LPVOID,
  PVOID,
  HANDLE,
  HACCEL,
  HBITMAP,
  HBRUSH,
  HCOLORSPACE,
  HCURSOR,
  HDC,
  HDESK,
  HDWP,
  HENHMETAFILE,
  HFONT,
  HGDIOBJ,
  HGLOBAL,
  HHOOK,
  HICON,
  HINSTANCE,
  HKEY,
  HKL,
  HLOCAL,
  HMENU,
  HMETAFILE,
  HMODULE,
  HMONITOR,
  HPALETTE,
  HPEN,
  HRGN,
  HRSRC,
  HSTR,
  HTASK,
  HWINSTA,
  HWND,
  SC_HANDLE,
  SERVICE_STATUS_HANDLE,
  RECT,
  tagRECT,
  _RECTL,
  RECTL,
  SMALL_RECT,
  _SMALL_RECT,
  COORD,
  _COORD,
  POINT,
  tagPOINT,
  _POINTL,
  POINTL,
  SIZE,
  tagSIZE,
  SIZEL,
  FILETIME,
  _FILETIME,
  SYSTEMTIME,
  MSG,
  tagMSG,
  WIN32_FIND_DATAA,
  WIN32_FIND_DATAW,
  LPBOOL,
  PBOOL,
  PBOOLEAN,
  PBYTE,
  LPBYTE,
  PCHAR,
  LPCOLORREF,
  PDWORD,
  LPDWORD,
  PFILETIME,
  LPFILETIME,
  PFLOAT,
  PHANDLE,
  LPHANDLE,
  PHKEY,
  LPHKL,
  PINT,
  LPINT,
  PLARGE_INTEGER,
  PLCID,
  PLONG,
  LPLONG,
  PMSG,
  LPMSG,
  PPOINT,
  LPPOINT,
  PPOINTL,
  PRECT,
  LPRECT,
  PRECTL,
  LPRECTL,
  LPSC_HANDLE,
  PSHORT,
  PSIZE,
  LPSIZE,
  PSIZEL,
  LPSIZEL,
  PSMALL_RECT,
  PUINT,
  LPUINT,
  PULARGE_INTEGER,
  PULONG,
  PUSHORT,
  PWCHAR,
  PWIN32_FIND_DATAA,
  LPWIN32_FIND_DATAA,
  PWIN32_FIND_DATAW,
  LPWIN32_FIND_DATAW,
  PWORD,
  LPWORD,
  PSYSTEMTIME,
  LPSYSTEMTIME,
} = wintypesFor('win64')

export type BYTE = InstanceType<typeof BYTE>
export type WORD = InstanceType<typeof WORD>
export type DWORD = InstanceType<typeof DWORD>
export type CHAR = InstanceType<typeof CHAR>
export type WCHAR = InstanceType<typeof WCHAR>
export type UINT = InstanceType<typeof UINT>
export type INT = InstanceType<typeof INT>
export type DOUBLE = InstanceType<typeof DOUBLE>
export type FLOAT = InstanceType<typeof FLOAT>
export type BOOLEAN = InstanceType<typeof BOOLEAN>
export type BOOL = InstanceType<typeof BOOL>
export type VARIANT_BOOL = InstanceType<typeof VARIANT_BOOL>
export type ULONG = InstanceType<typeof ULONG>
export type LONG = InstanceType<typeof LONG>
export type USHORT = InstanceType<typeof USHORT>
export type SHORT = InstanceType<typeof SHORT>
export type LARGE_INTEGER = InstanceType<typeof LARGE_INTEGER>
export type _LARGE_INTEGER = InstanceType<typeof _LARGE_INTEGER>
export type ULARGE_INTEGER = InstanceType<typeof ULARGE_INTEGER>
export type _ULARGE_INTEGER = InstanceType<typeof _ULARGE_INTEGER>
export type WPARAM = InstanceType<typeof WPARAM>
export type LPARAM = InstanceType<typeof LPARAM>
export type ATOM = InstanceType<typeof ATOM>
export type LANGID = InstanceType<typeof LANGID>
export type COLORREF = InstanceType<typeof COLORREF>
export type LGRPID = InstanceType<typeof LGRPID>
export type LCTYPE = InstanceType<typeof LCTYPE>
export type LCID = InstanceType<typeof LCID>
export type UCHAR = InstanceType<typeof UCHAR>
export type DWORD64 = InstanceType<typeof DWORD64>
export type LONGLONG = InstanceType<typeof LONGLONG>
export type ULONGLONG = InstanceType<typeof ULONGLONG>
export type SIZE_T = InstanceType<typeof SIZE_T>
export type SSIZE_T = InstanceType<typeof SSIZE_T>
export type ULONG_PTR = InstanceType<typeof ULONG_PTR>
export type UINT_PTR = InstanceType<typeof UINT_PTR>
export type DWORD_PTR = InstanceType<typeof DWORD_PTR>
export type LONG_PTR = InstanceType<typeof LONG_PTR>
export type INT_PTR = InstanceType<typeof INT_PTR>
export type LRESULT = InstanceType<typeof LRESULT>
export type NTSTATUS = InstanceType<typeof NTSTATUS>
export type HRESULT = InstanceType<typeof HRESULT>
export type LPCOLESTR = InstanceType<typeof LPCOLESTR>
export type LPOLESTR = InstanceType<typeof LPOLESTR>
export type OLESTR = InstanceType<typeof OLESTR>
export type LPCWSTR = InstanceType<typeof LPCWSTR>
export type LPWSTR = InstanceType<typeof LPWSTR>
export type PWSTR = InstanceType<typeof PWSTR>
export type PCWSTR = InstanceType<typeof PCWSTR>
export type LPCSTR = InstanceType<typeof LPCSTR>
export type LPSTR = InstanceType<typeof LPSTR>
export type PSTR = InstanceType<typeof PSTR>
export type PCSTR = InstanceType<typeof PCSTR>
export type LPCVOID = InstanceType<typeof LPCVOID>
export type LPVOID = InstanceType<typeof LPVOID>
export type PVOID = InstanceType<typeof PVOID>
export type HANDLE = InstanceType<typeof HANDLE>
export type HACCEL = InstanceType<typeof HACCEL>
export type HBITMAP = InstanceType<typeof HBITMAP>
export type HBRUSH = InstanceType<typeof HBRUSH>
export type HCOLORSPACE = InstanceType<typeof HCOLORSPACE>
export type HCURSOR = InstanceType<typeof HCURSOR>
export type HDC = InstanceType<typeof HDC>
export type HDESK = InstanceType<typeof HDESK>
export type HDWP = InstanceType<typeof HDWP>
export type HENHMETAFILE = InstanceType<typeof HENHMETAFILE>
export type HFONT = InstanceType<typeof HFONT>
export type HGDIOBJ = InstanceType<typeof HGDIOBJ>
export type HGLOBAL = InstanceType<typeof HGLOBAL>
export type HHOOK = InstanceType<typeof HHOOK>
export type HICON = InstanceType<typeof HICON>
export type HINSTANCE = InstanceType<typeof HINSTANCE>
export type HKEY = InstanceType<typeof HKEY>
export type HKL = InstanceType<typeof HKL>
export type HLOCAL = InstanceType<typeof HLOCAL>
export type HMENU = InstanceType<typeof HMENU>
export type HMETAFILE = InstanceType<typeof HMETAFILE>
export type HMODULE = InstanceType<typeof HMODULE>
export type HMONITOR = InstanceType<typeof HMONITOR>
export type HPALETTE = InstanceType<typeof HPALETTE>
export type HPEN = InstanceType<typeof HPEN>
export type HRGN = InstanceType<typeof HRGN>
export type HRSRC = InstanceType<typeof HRSRC>
export type HSTR = InstanceType<typeof HSTR>
export type HTASK = InstanceType<typeof HTASK>
export type HWINSTA = InstanceType<typeof HWINSTA>
export type HWND = InstanceType<typeof HWND>
export type SC_HANDLE = InstanceType<typeof SC_HANDLE>
export type SERVICE_STATUS_HANDLE = InstanceType<typeof SERVICE_STATUS_HANDLE>
export type RECT = InstanceType<typeof RECT>
export type tagRECT = InstanceType<typeof tagRECT>
export type _RECTL = InstanceType<typeof _RECTL>
export type RECTL = InstanceType<typeof RECTL>
export type SMALL_RECT = InstanceType<typeof SMALL_RECT>
export type _SMALL_RECT = InstanceType<typeof _SMALL_RECT>
export type COORD = InstanceType<typeof COORD>
export type _COORD = InstanceType<typeof _COORD>
export type POINT = InstanceType<typeof POINT>
export type tagPOINT = InstanceType<typeof tagPOINT>
export type _POINTL = InstanceType<typeof _POINTL>
export type POINTL = InstanceType<typeof POINTL>
export type SIZE = InstanceType<typeof SIZE>
export type tagSIZE = InstanceType<typeof tagSIZE>
export type SIZEL = InstanceType<typeof SIZEL>
export type FILETIME = InstanceType<typeof FILETIME>
export type _FILETIME = InstanceType<typeof _FILETIME>
export type SYSTEMTIME = InstanceType<typeof SYSTEMTIME>
export type MSG = InstanceType<typeof MSG>
export type tagMSG = InstanceType<typeof tagMSG>
export type WIN32_FIND_DATAA = InstanceType<typeof WIN32_FIND_DATAA>
export type WIN32_FIND_DATAW = InstanceType<typeof WIN32_FIND_DATAW>
export type LPBOOL = InstanceType<typeof LPBOOL>
export type PBOOL = InstanceType<typeof PBOOL>
export type PBOOLEAN = InstanceType<typeof PBOOLEAN>
export type PBYTE = InstanceType<typeof PBYTE>
export type LPBYTE = InstanceType<typeof LPBYTE>
export type PCHAR = InstanceType<typeof PCHAR>
export type LPCOLORREF = InstanceType<typeof LPCOLORREF>
export type PDWORD = InstanceType<typeof PDWORD>
export type LPDWORD = InstanceType<typeof LPDWORD>
export type PFILETIME = InstanceType<typeof PFILETIME>
export type LPFILETIME = InstanceType<typeof LPFILETIME>
export type PFLOAT = InstanceType<typeof PFLOAT>
export type PHANDLE = InstanceType<typeof PHANDLE>
export type LPHANDLE = InstanceType<typeof LPHANDLE>
export type PHKEY = InstanceType<typeof PHKEY>
export type LPHKL = InstanceType<typeof LPHKL>
export type PINT = InstanceType<typeof PINT>
export type LPINT = InstanceType<typeof LPINT>
export type PLARGE_INTEGER = InstanceType<typeof PLARGE_INTEGER>
export type PLCID = InstanceType<typeof PLCID>
export type PLONG = InstanceType<typeof PLONG>
export type LPLONG = InstanceType<typeof LPLONG>
export type PMSG = InstanceType<typeof PMSG>
export type LPMSG = InstanceType<typeof LPMSG>
export type PPOINT = InstanceType<typeof PPOINT>
export type LPPOINT = InstanceType<typeof LPPOINT>
export type PPOINTL = InstanceType<typeof PPOINTL>
export type PRECT = InstanceType<typeof PRECT>
export type LPRECT = InstanceType<typeof LPRECT>
export type PRECTL = InstanceType<typeof PRECTL>
export type LPRECTL = InstanceType<typeof LPRECTL>
export type LPSC_HANDLE = InstanceType<typeof LPSC_HANDLE>
export type PSHORT = InstanceType<typeof PSHORT>
export type PSIZE = InstanceType<typeof PSIZE>
export type LPSIZE = InstanceType<typeof LPSIZE>
export type PSIZEL = InstanceType<typeof PSIZEL>
export type LPSIZEL = InstanceType<typeof LPSIZEL>
export type PSMALL_RECT = InstanceType<typeof PSMALL_RECT>
export type PUINT = InstanceType<typeof PUINT>
export type LPUINT = InstanceType<typeof LPUINT>
export type PULARGE_INTEGER = InstanceType<typeof PULARGE_INTEGER>
export type PULONG = InstanceType<typeof PULONG>
export type PUSHORT = InstanceType<typeof PUSHORT>
export type PWCHAR = InstanceType<typeof PWCHAR>
export type PWIN32_FIND_DATAA = InstanceType<typeof PWIN32_FIND_DATAA>
export type LPWIN32_FIND_DATAA = InstanceType<typeof LPWIN32_FIND_DATAA>
export type PWIN32_FIND_DATAW = InstanceType<typeof PWIN32_FIND_DATAW>
export type LPWIN32_FIND_DATAW = InstanceType<typeof LPWIN32_FIND_DATAW>
export type PWORD = InstanceType<typeof PWORD>
export type LPWORD = InstanceType<typeof LPWORD>
export type PSYSTEMTIME = InstanceType<typeof PSYSTEMTIME>
export type LPSYSTEMTIME = InstanceType<typeof LPSYSTEMTIME>
