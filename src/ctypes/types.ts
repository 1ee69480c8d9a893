/** All types and functions for one architecture, in one object. */
import * as scalars from './all-scalars.js'
import { bits } from './bitfield.js'
import { CFUNCTYPE as cdecl, WINFUNCTYPE as stdcall } from './callback-type.js'
import { check } from './checks.js'
import { type Arch, type CType, FOR_ARCH } from './data.js'
import * as memory from './memory.js'
import { out } from './out-parameter.js'
import { plain } from './plain.js'
import { byref, type Pointer, pointerFor, POINTER as pointerTo } from './pointer.js'
import { structuresFor } from './structure.js'
import { view } from './view.js'
import { wintypesFor } from './wintypes.js'

function make(arch: Arch) {
  const fit = <T extends CType>(type: T) => type[FOR_ARCH](arch) as T
  const structures = structuresFor(arch)
  const POINTER = ((type: CType | null) => fit(type === null ? scalars.c_void_p : pointerTo(type))) as typeof pointerTo
  const CFUNCTYPE: typeof cdecl = (restype, ...argtypes) =>
    fit(cdecl<typeof restype, typeof argtypes>(restype, ...argtypes))
  const WINFUNCTYPE: typeof stdcall = (restype, ...argtypes) =>
    fit(stdcall<typeof restype, typeof argtypes>(restype, ...argtypes))
  const {
    sizeof,
    alignment,
    addressof,
    cast,
    create_string_buffer,
    create_unicode_buffer,
    string_at,
    wstring_at,
    memmove,
    memset,
    resize,
  } = memory
  return {
    arch,
    ...scalars,
    c_size_t: fit(scalars.c_size_t),
    c_ssize_t: fit(scalars.c_ssize_t),
    c_void_p: fit(scalars.c_void_p),
    c_voidp: fit(scalars.c_voidp),
    c_char_p: fit(scalars.c_char_p),
    c_wchar_p: fit(scalars.c_wchar_p),
    ...structures,
    bits,
    POINTER,
    pointer: <T extends object>(target: T): Pointer<CType<T>> => pointerFor(target, arch),
    byref,
    cast: ((from: object | null, type: CType) => cast(from, fit(type))) as typeof cast,
    addressof,
    sizeof,
    alignment,
    create_string_buffer,
    create_unicode_buffer,
    string_at,
    wstring_at,
    memmove,
    memset,
    resize,
    out,
    view,
    plain,
    wintypes: wintypesFor(arch),
    CFUNCTYPE,
    WINFUNCTYPE,
  }
}

/** The types of ctypes with the layouts of one architecture, and the functions on them: what `session.types` and `types(arch)` are. */
export interface Types extends ReturnType<typeof make> {}

const namespaces = new Map<Arch, Types>()

/** The types of an architecture; the same object each time. Throws ArgumentError for a name that is none. */
export function types(arch: Arch): Types {
  check('an architecture', arch, ['"win64" or "win32"', given => given === 'win64' || given === 'win32'])
  let namespace = namespaces.get(arch)
  if (!namespace) namespaces.set(arch, (namespace = make(arch)))
  return namespace
}
