/**
 * What windows.h and the C library define, by name: lines of C that `scripts/generate-windows.mjs` took from the headers of mingw-w64.
 * They are some megabytes for the few names that a text has, so they are read when the first of them is asked for.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { Arch } from './namespace.js'

const read = new Map<string, ReadonlyMap<string, string>>()

/** The text for a name, such as `unsigned long` or `struct{int x;}`. */
export const windowsType = (name: string, arch: Arch): string | undefined => table('types', arch).get(name)
/** A literal of C, such as `-1` or `4294967295u`. */
export const windowsConstant = (name: string, arch: Arch): string | undefined => table('constants', arch).get(name)

/** The headers that the table is made of, with those that they include. */
export const windowsFiles = (): ReadonlySet<string> => (files ??= new Set(windowsType('#files', 'win64')?.split(' ')))
let files: ReadonlySet<string> | undefined

function table(kind: 'types' | 'constants', arch: Arch): ReadonlyMap<string, string> {
  const key = `${kind} ${arch}`
  const known = read.get(key)
  if (known) return known
  const made = new Map<string, string>()
  let section = ''
  for (const line of readFileSync(fileOf(`windows-${kind}.txt`), 'latin1').split('\n')) {
    const gap = line.indexOf(' ')
    if (gap < 0) section = line
    else if (section === '' || section === `[${arch}]`) made.set(line.slice(0, gap), line.slice(gap + 1))
  }
  read.set(key, made)
  return made
}

/** Found alike from `src/` and from `dist/src/`. */
function fileOf(name: string): URL {
  const inSource = new URL(`../../../data/${name}`, import.meta.url)
  return existsSync(inSource) ? inSource : new URL(`../../../../data/${name}`, import.meta.url)
}
