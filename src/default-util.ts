/** `ctypes.util` of the default session, which importing this starts. */
import { util } from './default-session.js'

export const {
  /** The path of a DLL of this name, looked for where Windows looks; `null` where there is none. */
  find_library,
  /** The name of the C library that Windows Python was built with, or `null`. */
  find_msvcrt,
} = util
