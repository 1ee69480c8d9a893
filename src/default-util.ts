/** `ctypes.util` of the default session, which importing this starts. */
import { util } from './default-session.js'

export const { find_library, find_msvcrt } = util
