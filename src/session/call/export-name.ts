/** How an export of a DLL is named. */
import { describe } from '../../ctypes/data.js'
import { ArgumentError } from '../../errors.js'

/** Throws ArgumentError for what is neither a name nor an ordinal; `what` begins the sentence. */
export function checkExportName(what: string, target: unknown): void {
  const isOrdinal = Number.isInteger(target) && (target as number) >= 0 && (target as number) <= 0xffff
  // Windows reads a name up to its NUL, and would find another
  const isName = typeof target === 'string' && target !== '' && !target.includes('\0')
  if (!isOrdinal && !isName)
    throw new ArgumentError(`${what} is named by its name or its ordinal (0 to 65535), not by ${describe(target)}`)
}
