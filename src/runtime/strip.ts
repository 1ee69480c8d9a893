/** Takes the debugging information off a Windows program or library, which is most of what Debian's Wine is. */

const SECTION = 40
/** Of a section: in memory only until the program has been loaded. */
const DISCARDABLE = 0x02000000

/**
 * A program as the linker of MinGW leaves it without debugging information. The sections that only debuggers read are its last ones
 * (their names are too long for the table, which then has a slash and where the name is); behind them are symbols, which nothing but debuggers reads either.
 * Anything else is given back as it is.
 */
export function stripped(file: Buffer): Buffer {
  const pe = file.length >= 64 && file.toString('latin1', 0, 2) === 'MZ' ? file.readUInt32LE(60) : file.length
  if (pe + 24 > file.length || file.toString('latin1', pe, pe + 4) !== 'PE\0\0') return file
  const optional = pe + 24
  const table = optional + file.readUInt16LE(pe + 20)
  const count = file.readUInt16LE(pe + 6)
  if (table + count * SECTION > file.length) return file
  const field = (section: number, offset: number) => file.readUInt32LE(table + section * SECTION + offset)
  const isDebug = (section: number) =>
    file[table + section * SECTION] === 0x2f && (field(section, 36) & DISCARDABLE) !== 0
  let kept = count
  while (kept > 0 && isDebug(kept - 1)) kept--
  if (kept === 0 || kept === count) return file
  const end = field(kept, 20)
  const ends = Array.from({ length: kept }, (_, section) => field(section, 20) + field(section, 16))
  if (end === 0 || end > file.length || ends.some(one => one > end)) return file
  const rest = Buffer.from(file.subarray(0, end))
  rest.fill(0, table + kept * SECTION, table + count * SECTION)
  rest.writeUInt16LE(kept, pe + 6)
  rest.writeBigUInt64LE(0n, pe + 12) // where the symbols are, and how many
  rest.writeUInt32LE(field(kept, 12), optional + 56) // the size in memory ends where the first section that is gone began
  return rest
}
