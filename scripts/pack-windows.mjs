#!/usr/bin/env node
// Packs data/windows-*.txt for src/ctypes/header/table.ts, as part of `npm run build`: the package has these files alone.
//
// A packed table is three columns, compressed together. How each name begins: as the one before for so many characters, or as that one
// as a whole behind `_` or `tag`. Then what else the names have, and the texts; none is what mostly follows: one more than the number
// before, or in the table of types the name before.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'

const script = fileURLToPath(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
export const tables = ['types', 'constants']
export const textOf = table => `${root}data/windows-${table}.txt`
const packedOf = table => `${root}dist/windows-${table}.br`

const follows = {
  types: (text, before) => text === before.name,
  constants: (text, before) => /^-?\d+$/.test(before.text) && text === `${Number(before.text) + 1}`,
}

function columns(table, text) {
  const [begins, names, texts] = [[], [], []]
  let before = { name: '', text: '' }
  // only one of the tables need tell of the files
  const isLeftOut = line => line === '' || line.startsWith(table === 'types' ? '# ' : '#')
  for (const line of text.split('\n')) {
    if (isLeftOut(line)) continue
    const gap = line.indexOf(' ')
    const name = gap < 0 ? line : line.slice(0, gap)
    const own = gap < 0 ? '-' : line.slice(gap + 1)
    let alike = 0
    while (alike < 90 && alike < before.name.length && name[alike] === before.name[alike]) alike++
    const prefix = ['_', 'tag'].indexOf(name.slice(0, name.length - before.name.length))
    const whole = prefix >= 0 && name.endsWith(before.name)
    begins.push(String.fromCharCode(whole ? 0x1e + prefix : 0x20 + alike))
    names.push(whole ? '' : name.slice(alike))
    texts.push(follows[table](own, before) ? '' : own)
    before = { name, text: own }
  }
  return [begins.join(''), names.join('\n'), texts.join('\n')].join('\0')
}

/** Writes what is packed of a table's text, of a file's where none is given. */
export function pack(table, text = readFileSync(textOf(table), 'latin1')) {
  const bytes = Buffer.from(columns(table, text), 'latin1')
  const params = {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  }
  mkdirSync(`${root}dist`, { recursive: true })
  writeFileSync(packedOf(table), brotliCompressSync(bytes, { params }))
}

if (process.argv[1] === script)
  for (const table of tables) {
    const made = existsSync(packedOf(table)) ? statSync(packedOf(table)).mtimeMs : 0
    if ([textOf(table), script].some(file => statSync(file).mtimeMs > made)) pack(table)
  }
