/** The names of Python's `ctypes.wintypes`, with the layouts of 64-bit Windows; `session.types.wintypes` fits the session. */
import './runtime/node-version.js'

export * from './ctypes/wintypes-win64.js'
