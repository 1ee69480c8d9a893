import { describe } from '../../ctypes/data.js'
import { ArgumentError } from '../../errors.js'

/** Throws ArgumentError for a value that is neither a name nor an ordinal. `what` is the subject of its message. */
export function checkExportName(what: string, target: unknown): void {
  const isOrdinal = Number.isInteger(target) && (target as number) >= 0 && (target as number) <= 0xffff
  // Windows reads a name up to its first NUL, and would find another export
  const isName = typeof target === 'string' && target !== '' && !target.includes('\0')
  if (!isOrdinal && !isName)
    throw new ArgumentError(`${what} is named by its name or its ordinal (0 to 65535), not by ${describe(target)}`)
}
