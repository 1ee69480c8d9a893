#!/usr/bin/env node
// Holds the order of the folders of src/: data goes ctypes → codec → channel → session → pool, and imports point the other way
// only. `runtime` stands beside: it may be used by session and cli, and knows nothing but the errors.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const src = new URL('../src', import.meta.url).pathname
const workers = new URL('../workers', import.meta.url).pathname

/** What each folder may import, beside itself and src/errors.ts. */
const allowed = {
  ctypes: [],
  codec: ['ctypes'],
  channel: ['codec', 'ctypes'],
  runtime: [],
  session: ['channel', 'codec', 'ctypes', 'runtime'],
  pool: ['session', 'ctypes', 'runtime'],
  cluster: ['pool', 'session', 'ctypes', 'runtime'],
  cli: ['runtime', '.'],
  '.': ['ctypes', 'session', 'pool', 'runtime'],
}
/** Types alone may come from the entry files of the threads that a folder starts. */
const typesFrom = { session: [workers] }

const files = readdirSync(src, { recursive: true })
  .filter(name => name.endsWith('.ts'))
  .map(name => join(src, name))
const wrong = []
for (const file of files) {
  const folder = folderOf(file)
  for (const [, kind, from] of readFileSync(file, 'utf8').matchAll(
    /^(import type|import|export)\b[^'"]*?from ['"](\.[^'"]+)['"]/gms,
  )) {
    const target = resolve(dirname(file), from)
    if (target.startsWith(workers)) {
      if (kind !== 'import type' || !typesFrom[folder]?.includes(workers))
        wrong.push(`${relative(src, file)} imports ${from}`)
      continue
    }
    const other = folderOf(target)
    if (other === folder || target === join(src, 'errors.js')) continue
    if (!allowed[folder]?.includes(other))
      wrong.push(`${relative(src, file)} imports ${from}: ${folder} may not know ${other}`)
  }
}
for (const line of wrong) console.error(line)
if (wrong.length > 0) process.exit(1)
console.log(`imports of ${files.length} files point one way`)

function folderOf(path) {
  const parts = relative(src, path).split('/')
  return parts.length === 1 ? '.' : parts[0]
}
