/** The macros that a Windows compiler and `windows.h` bring along, as far as declarations use them. */

import type { Macro } from './macros.js'
import type { Arch } from './namespace.js'
import { preprocess } from './preprocessor.js'
import { Source } from './source.js'

/** Names that a header may define itself (`enum { FALSE, TRUE }`) are not here but among the constants of `builtin.ts`. */
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
#define DEFINE_ENUM_FLAG_OPERATORS(name)
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
const byArch: { readonly [arch in Arch]: string } = {
  win64: '#define _WIN64 1\n#define _M_X64 100\n#define _M_AMD64 100\n',
  win32: '#define _M_IX86 600\n',
}

/** Made when first asked for. */
const tables = new Map<Arch, ReadonlyMap<string, Macro>>()

function baseTable(arch: Arch): ReadonlyMap<string, Macro> {
  const table = new Map<string, Macro>()
  preprocess(new Source(common + byArch[arch], 'header'), table, true)
  tables.set(arch, table)
  return table
}

/** A table of one's own with the macros of `arch`, and with `defines` read as `#define NAME VALUE`. */
export function predefinedMacros(
  arch: Arch,
  defines: { readonly [name: string]: string | number | bigint | boolean },
): Map<string, Macro> {
  const table = new Map(tables.get(arch) ?? baseTable(arch))
  const lines = Object.entries(defines)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => `#define ${name} ${value === true ? 1 : value}\n`)
  preprocess(new Source(lines.join(''), 'header'), table, true)
  return table
}
