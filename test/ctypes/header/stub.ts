/** A namespace whose types are their own description, so that a test can compare text. */
import * as real from '../../../src/ctypes/all-scalars.js'
import { CATEGORY, KIND } from '../../../src/ctypes/data.js'
import type { Arch, CType, RecordType, ScalarName, TypeNamespace } from '../../../src/ctypes/header/namespace.js'

/** A type of the stub: its text, and fields where it is a structure or union. */
export interface Stub extends RecordType {
  readonly text: string
  readonly options?: unknown
  readonly size: number
}

const sizes = {
  c_bool: 1,
  c_char: 1,
  c_wchar: 2,
  c_byte: 1,
  c_ubyte: 1,
  c_short: 2,
  c_ushort: 2,
  c_int: 4,
  c_uint: 4,
  c_long: 4,
  c_ulong: 4,
  c_longlong: 8,
  c_ulonglong: 8,
  c_size_t: 0,
  c_ssize_t: 0,
  c_float: 4,
  c_double: 8,
  c_longdouble: 8,
  c_char_p: 0,
  c_wchar_p: 0,
  c_void_p: 0,
  HRESULT: 4,
} satisfies { [name in ScalarName]: number }

function make(text: string, size: number, options?: unknown, kind = ''): Stub {
  const stub: object = Object.assign(() => {}, {
    [CATEGORY]: 'stub',
    [KIND]: kind,
    array: (length: number) => make(`${textOf(stub)}[${length}]`, size * length),
    define(fields: { readonly [name: string]: unknown }) {
      Object.assign(stub, { fields })
    },
  })
  Object.defineProperties(stub, { text: { value: text }, size: { value: size }, options: { value: options } })
  return stub as never
}

export const textOf = (type: unknown): string => {
  if (type === null) return 'void'
  const { text, name } = type as Stub
  return text === 'Structure' || text === 'Union' ? name : text
}
const list = (types: readonly (CType | null)[]) => types.map(textOf).join(', ')

export function stubNamespace(arch: Arch = 'win64'): TypeNamespace {
  const pointer = arch === 'win64' ? 8 : 4
  const scalars = Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [
      name,
      make(name, size || pointer, undefined, real[name as ScalarName][KIND]),
    ]),
  ) as {
    [name in ScalarName]: Stub
  }
  return {
    ...(scalars as { [name in ScalarName]: Stub }),
    Structure: (_fields, options) => make('Structure', 0, options),
    Union: (_fields, options) => make('Union', 0, options),
    POINTER: type =>
      Object.assign(make(`POINTER(${textOf(type)})`, pointer), { [CATEGORY]: 'pointer', pointee: type }) as never,
    CFUNCTYPE: (restype, ...argtypes) => make(`CFUNCTYPE(${list([restype, ...argtypes])})`, pointer),
    WINFUNCTYPE: (restype, ...argtypes) => make(`WINFUNCTYPE(${list([restype, ...argtypes])})`, pointer),
    bits: (type, width) => make(`${textOf(type)}:${width}`, 0) as never,
    out: type => make(`out(${textOf(type)})`, pointer) as never,
    sizeof: type => (type as Stub).size,
    alignment: type => (type as Stub).size,
    wintypes: {
      DWORD: scalars.c_ulong,
      BOOL: scalars.c_long,
      HANDLE: scalars.c_void_p,
      HWND: scalars.c_void_p,
      UINT: scalars.c_uint,
      WPARAM: scalars.c_size_t,
      LPARAM: scalars.c_ssize_t,
      LPCSTR: scalars.c_char_p,
      LPCWSTR: scalars.c_wchar_p,
      LPWSTR: scalars.c_wchar_p,
      LARGE_INTEGER: scalars.c_longlong,
      FILETIME: make('FILETIME', 8),
      SYSTEMTIME: make('SYSTEMTIME', 16),
      LPVOID: scalars.c_void_p,
      WORD: scalars.c_ushort,
      BYTE: scalars.c_ubyte,
      CHAR: scalars.c_char,
      WCHAR: scalars.c_wchar,
      LONG: scalars.c_long,
      MAX_PATH: 260,
    },
  }
}
