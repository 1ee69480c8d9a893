/**
 * What windows.h and the C library define, by name: lines of C that `scripts/generate-windows.mjs` takes from the
 * headers of mingw-w64. These are some megabytes, of which a text needs a few names, so they are read when the first
 * of those is asked for.
 */
import { existsSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { SetupError } from '../../errors.js'
import type { Arch } from './namespace.js'

const tables = new Map<string, ReadonlyMap<string, string>>()

/** The text for a name, such as `unsigned long` or `struct{int x;}`. */
export const windowsType = (name: string, arch: Arch): string | undefined => table('types', arch).get(name)
/** A literal of C, such as `-1` or `4294967295u`. */
export const windowsConstant = (name: string, arch: Arch): string | undefined => table('constants', arch).get(name)

/** The headers that the tables are made of, and those that they include. */
export const windowsFiles = (): ReadonlySet<string> => (files ??= new Set(windowsType('#files', 'win64')?.split(' ')))
let files: ReadonlySet<string> | undefined

/** What stands for a text that a table leaves out: the name itself, or one more than the constant before. */
const omitted = {
  types: (name: string) => name,
  constants: (_name: string, text: string) => `${Number(text) + 1}`,
}

function table(kind: 'types' | 'constants', arch: Arch): ReadonlyMap<string, string> {
  const key = `${kind} ${arch}`
  let entries = tables.get(key)
  if (!entries) tables.set(key, (entries = unpack(kind, arch)))
  return entries
}

/** Reads a table of the form that `scripts/pack-windows.mjs` describes. */
function unpack(kind: 'types' | 'constants', arch: Arch): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  const columns = brotliDecompressSync(readFileSync(fileOf(`windows-${kind}.br`))).toString('latin1')
  const [begins = '', names = '', texts = ''] = columns.split('\0')
  const ownNames = names.split('\n')
  const ownTexts = texts.split('\n')
  let name = ''
  let text = ''
  let isOfArch = true
  for (let row = 0; row < begins.length; row++) {
    const before = name
    const begin = begins.charCodeAt(row) - 0x20
    if (begin >= 0) name = before.slice(0, begin) + ownNames[row]
    else name = (begin === -2 ? '_' : 'tag') + before
    text = ownTexts[row] || omitted[kind](before, text)
    if (name.startsWith('[')) isOfArch = name === `[${arch}]`
    else if (isOfArch) entries.set(name, text)
  }
  return entries
}

/** Finds the file from `src/` and from `dist/src/`. Throws SetupError if the package was not built. */
function fileOf(name: string): URL {
  const places = ['../../..', '../../../dist'].map(folder => new URL(`${folder}/${name}`, import.meta.url))
  const file = places.find(place => existsSync(place))
  if (file) return file
  throw new SetupError(`dist/${name} is missing: run "npm run build", or install the package again`)
}
