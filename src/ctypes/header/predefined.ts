/** The macros that Microsoft's compiler and `windows.h` define, as far as declarations use them. */
import type { Macro } from './macros.js'
import type { Arch } from './namespace.js'
import { preprocess } from './preprocessor.js'
import { Source } from './source.js'

/** Names that a header may define itself (`enum { FALSE, TRUE }`) are not here: they are constants of `builtin.ts`. */
const common = `
#define _WIN32 1
#define WIN32 1
#define _MSC_VER 1900
#define _MSC_EXTENSIONS 1
#define _INTEGRAL_MAX_BITS 64
#define WINAPI __stdcall
#define WINAPIV __cdecl
#define APIENTRY __stdcall
#define APIPRIVATE __stdcall
#define CALLBACK __stdcall
#define NTAPI __stdcall
#define PASCAL __stdcall
#define CDECL __cdecl
#define STDMETHODCALLTYPE __stdcall
#define STDMETHODVCALLTYPE __cdecl
#define STDAPICALLTYPE __stdcall
#define EXTERN_C extern
#define STDAPI EXTERN_C HRESULT __stdcall
#define STDAPI_(type) EXTERN_C type __stdcall
#define STDMETHODIMP HRESULT __stdcall
#define STDMETHODIMP_(type) type __stdcall
#define DECLSPEC_IMPORT __declspec(dllimport)
#define DECLSPEC_EXPORT __declspec(dllexport)
#define DECLSPEC_ALIGN(bytes) __declspec(align(bytes))
#define DECLSPEC_NORETURN __declspec(noreturn)
#define DECLARE_HANDLE(name) typedef struct name##__ *name
#define DEFINE_GUID(name, ...) extern const GUID name
#define EXTERN_GUID(name, ...) extern const IID name
#define DEFINE_OLEGUID(name, ...) extern const GUID name
#define DEFINE_PROPERTYKEY(name, ...) extern const PROPERTYKEY name
#define DEFINE_DEVPROPKEY(name, ...) extern const DEVPROPKEY name
#define DEFINE_ENUM_FLAG_OPERATORS(name)
#define STDAPIV EXTERN_C HRESULT __cdecl
#define STDAPIV_(type) EXTERN_C type __cdecl
#define WINOLEAPI STDAPI
#define WINOLEAPI_(type) STDAPI_(type)
#define WINOLEAUTAPI STDAPI
#define WINOLEAUTAPI_(type) STDAPI_(type)
#define STDMETHOD(method) HRESULT (__stdcall *method)
#define STDMETHOD_(type, method) type (__stdcall *method)
#define STDMETHODV(method) HRESULT (__cdecl *method)
#define STDMETHODV_(type, method) type (__cdecl *method)
#define IFACEMETHOD(method) STDMETHOD(method)
#define IFACEMETHOD_(type, method) STDMETHOD_(type, method)
#define DECLARE_INTERFACE(name) typedef struct name { const struct name##Vtbl *lpVtbl; } name; \\
  typedef const struct name##Vtbl name##Vtbl; const struct name##Vtbl
#define DECLARE_INTERFACE_(name, base) DECLARE_INTERFACE(name)
#define DECLARE_INTERFACE_IID(name, iid) DECLARE_INTERFACE(name)
#define DECLARE_INTERFACE_IID_(name, base, iid) DECLARE_INTERFACE(name)
#define MIDL_INTERFACE(iid) struct
#define CONST_VTBL const
#define BEGIN_INTERFACE
#define END_INTERFACE
#define DECLSPEC_UUID(iid)
#define DECLSPEC_NOVTABLE
#define DECLSPEC_XFGVIRT(base, method)
#define __RPCNDR_H_VERSION__ 500
#define MAKEWORD(low, high) ((WORD)((low) & 0xff | ((high) & 0xff) << 8))
#define MAKELONG(low, high) ((LONG)((low) & 0xffff | ((high) & 0xffff) << 16))
#define LOBYTE(word) ((BYTE)(word))
#define HIBYTE(word) ((BYTE)((word) >> 8))
#define LOWORD(number) ((WORD)(number))
#define HIWORD(number) ((WORD)((number) >> 16))
#define RGB(red, green, blue) ((COLORREF)((BYTE)(red) | (WORD)((BYTE)(green)) << 8 | (DWORD)(BYTE)(blue) << 16))
#define MAKEFOURCC(a, b, c, d) ((DWORD)(BYTE)(a) | (DWORD)(BYTE)(b) << 8 | (DWORD)(BYTE)(c) << 16 | (DWORD)(BYTE)(d) << 24)
#define mmioFOURCC(a, b, c, d) MAKEFOURCC(a, b, c, d)
#define MAKELANGID(primary, sub) ((USHORT)(sub) << 10 | (USHORT)(primary))
#define MAKELCID(language, sort) ((DWORD)(WORD)(sort) << 16 | (DWORD)(WORD)(language))
#define CTL_CODE(device, function, method, access) ((device) << 16 | (access) << 14 | (function) << 2 | (method))
#define MAKE_HRESULT(failed, facility, code) ((HRESULT)((DWORD)(failed) << 31 | (DWORD)(facility) << 16 | (DWORD)(code)))
#define MAKE_SCODE(failed, facility, code) MAKE_HRESULT(failed, facility, code)
#define HRESULT_FROM_WIN32(code) ((HRESULT)(code) <= 0 ? (HRESULT)(code) : (HRESULT)((code) & 0xffff | 7 << 16 | 0x80000000))
#define _HRESULT_TYPEDEF_(code) ((HRESULT)code)
#define _NDIS_ERROR_TYPEDEF_(code) ((DWORD)code)
#define INT8_C(value) value
#define INT16_C(value) value
#define INT32_C(value) value
#define INT64_C(value) value##ll
#define INTMAX_C(value) value##ll
#define UINT8_C(value) value
#define UINT16_C(value) value
#define UINT32_C(value) value##u
#define UINT64_C(value) value##ull
#define UINTMAX_C(value) value##ull
#define CONST const
#define WINVER 0x0A00
#define _WIN32_WINNT 0x0A00
#define _WIN32_IE 0x0A00
#define NTDDI_VERSION 0x0A00000B
#define OSVER(version) ((version) & 0xFFFF0000)
#define SPVER(version) ((version) >> 8 & 0xFF)
#define SUBVER(version) ((version) & 0xFF)
#define WINAPI_FAMILY WINAPI_FAMILY_DESKTOP_APP
#define WINAPI_FAMILY_PC_APP 2
#define WINAPI_FAMILY_PHONE_APP 3
#define WINAPI_FAMILY_SYSTEM 4
#define WINAPI_FAMILY_SERVER 5
#define WINAPI_FAMILY_GAMES 6
#define WINAPI_FAMILY_DESKTOP_APP 100
#define WINAPI_FAMILY_APP WINAPI_FAMILY_PC_APP
#define WINAPI_PARTITION_DESKTOP (WINAPI_FAMILY == WINAPI_FAMILY_DESKTOP_APP)
#define WINAPI_PARTITION_PC_APP (WINAPI_PARTITION_DESKTOP || WINAPI_FAMILY == WINAPI_FAMILY_PC_APP)
#define WINAPI_PARTITION_PHONE_APP (WINAPI_FAMILY == WINAPI_FAMILY_PHONE_APP)
#define WINAPI_PARTITION_PHONE WINAPI_PARTITION_PHONE_APP
#define WINAPI_PARTITION_SYSTEM (WINAPI_FAMILY == WINAPI_FAMILY_SYSTEM || WINAPI_FAMILY == WINAPI_FAMILY_SERVER)
#define WINAPI_PARTITION_SERVER (WINAPI_FAMILY == WINAPI_FAMILY_SERVER)
#define WINAPI_PARTITION_GAMES (WINAPI_PARTITION_DESKTOP || WINAPI_FAMILY == WINAPI_FAMILY_GAMES)
#define WINAPI_PARTITION_APP (WINAPI_PARTITION_GAMES || WINAPI_PARTITION_PC_APP || WINAPI_PARTITION_PHONE_APP)
#define WINAPI_FAMILY_PARTITION(partitions) (partitions)
#define WINAPI_FAMILY_ONE_PARTITION(family, partition) (WINAPI_FAMILY == WINAPI_FAMILY_##family && (partition))
`
const everywhere: { readonly [arch in Arch]: string } = {
  win64: `${common}#define _WIN64 1\n#define _M_X64 100\n#define _M_AMD64 100\n`,
  win32: `${common}#define _M_IX86 600\n`,
}

/** Macros for headers that declare COM interfaces; other headers may use these words for something else. */
const com = '#define PURE\n#define THIS INTERFACE *This\n#define THIS_ THIS,\n'

/** Macros that a text has for what is in it. */
function macrosFor(text: string, table: ReadonlyMap<string, Macro>): string {
  const wide = table.has('UNICODE') || table.has('_UNICODE') || /^[ \t]*#[ \t]*define[ \t]+_?UNICODE\b/m.test(text)
  const letters = `#define __TEXT(text) ${wide ? 'L##' : ''}text\n#define TEXT(text) __TEXT(text)\n#define _T(text) __TEXT(text)\n`
  return letters + (/\bDECLARE_INTERFACE/.test(text) ? com : '')
}

/** Tables by the text that defines them: each text is read once, for every prototype needs them. */
const tables = new Map<string, ReadonlyMap<string, Macro>>()

function macrosOf(text: string): ReadonlyMap<string, Macro> {
  const known = tables.get(text)
  if (known) return known
  const table = new Map<string, Macro>()
  preprocess(new Source(text, 'header'), table, true)
  tables.set(text, table)
  return table
}

/** A new table with the macros of `arch` for `text`, and with `defines` read as `#define NAME VALUE`. */
export function predefinedMacros(
  arch: Arch,
  defines: { readonly [name: string]: string | number | bigint | boolean } = {},
  text = '',
): Map<string, Macro> {
  const table = new Map(macrosOf(everywhere[arch]))
  const lines = Object.entries(defines)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => `#define ${name} ${value === true ? 1 : value}\n`)
  preprocess(new Source(lines.join(''), 'header'), table, true)
  for (const [name, macro] of macrosOf(macrosFor(text, table))) table.set(name, macro)
  return table
}
