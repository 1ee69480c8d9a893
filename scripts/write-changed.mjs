import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** Writes a file that is made of others, unless it says that already: what is no newer need not be built again. */
export function writeChanged(file, text) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
}
