/** The types whose layout depends on the architecture that the suite runs for, under the names that `zugbruecke` has for them. */
import { types } from 'zugbruecke'

export const arch = process.env.ZUGBRUECKE_ARCH === 'win32' ? 'win32' : 'win64'
export const {
  byref,
  c_char_p,
  c_size_t,
  c_ssize_t,
  c_void_p,
  c_wchar_p,
  CFUNCTYPE,
  cast,
  out,
  POINTER,
  pointer,
  Structure,
  sizeof,
  string_at,
  Union,
  WINFUNCTYPE,
  wstring_at,
} = types(arch)
