#!/usr/bin/env node
// Holds the order of the folders of src/ and of the rooms of src/session, and finds circles: whatever an import brings (values,
// types alone, side effects, a module that is loaded later) points one way.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What each folder may import beside itself; `src/errors.ts` and what is generated of the schema may be imported by all. */
const mayImport = {
  'src/ctypes': [],
  'src/codec': ['src/ctypes'],
  'src/channel': ['src/codec', 'src/ctypes'],
  'src/runtime': [],
  'src/session': ['src/channel', 'src/codec', 'src/ctypes', 'src/runtime'],
  'src/pool': ['src/session', 'src/ctypes', 'src/runtime'],
  'src/cluster': ['src/pool', 'src/session', 'src/ctypes', 'src/runtime'],
  'src/cli': ['src/runtime', 'src/ctypes', 'src'],
  src: ['src/ctypes', 'src/session', 'src/pool', 'src/runtime'],
  workers: ['src/session', 'src/channel', 'src/codec', 'src/ctypes', 'src/runtime'],
}
/** Rooms of a folder in order: each may import those before it, and no neighbour. */
const rooms = { 'src/session': [['core'], ['call'], ['memsync', 'batch'], ['surface'], ['life']] }
/** The entry files of the threads that a folder starts: types alone. */
const typesOnly = { 'src/session': ['workers'] }
/** Folders whose files may know each other's types: an array has pointers, which have arrays. */
const family = ['src/ctypes', 'src/ctypes/header', 'src/session/core', 'src/session/surface']
/** Files that need each other when they run: a grammar whose rules do. */
const grammar = ['alignment', 'declarator', 'records', 'specifiers'].map(name => `src/ctypes/header/${name}.ts`)

const files = ['src', 'workers'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name)),
)
const statement =
  /^(import type|export type|import|export)\b[^'"()]*?from\s*['"](\.[^'"]+)['"]|^(import)\s*['"](\.[^'"]+)['"]|\b(import)\(\s*['"](\.[^'"]+)['"]/gms
const imports = new Map(
  files.map(file => [
    file,
    [...readFileSync(join(root, file), 'utf8').matchAll(statement)].map(([, ...found]) => {
      const [kind, from] = found.filter(Boolean)
      const target = relative(root, resolve(root, dirname(file), from)).replace(/\.js$/, '.ts')
      return { target, isType: kind.endsWith(' type') }
    }),
  ]),
)

const wrong = []
for (const [file, targets] of imports) {
  const folder = folderOf(file)
  for (const { target, isType } of targets) {
    const other = folderOf(target)
    if (!files.includes(target)) wrong.push(`${file} imports ${target}, which is not there`)
    else if (target === 'src/errors.ts') continue
    else if (other === folder) {
      const order = rooms[folder]
      const [room, otherRoom] = [file, target].map(path => relative(folder, path).split('/')[0])
      const place = name => order?.findIndex(level => level.includes(name))
      if (room !== otherRoom && place(room) <= place(otherRoom))
        wrong.push(`${file} imports ${target}: ${room} may not know ${otherRoom}`)
    } else if (!mayImport[folder]?.includes(other) && !(isType && typesOnly[folder]?.includes(other)))
      wrong.push(`${file} imports ${target}: ${folder} may not know ${other}`)
  }
}
for (const circle of findCircles(true))
  if (!family.some(folder => circle.every(file => dirname(file) === folder)))
    wrong.push(`these know each other: ${circle.join(', ')}`)
for (const circle of findCircles(false))
  if (!circle.every(file => grammar.includes(file))) wrong.push(`these need each other: ${circle.join(', ')}`)
for (const line of wrong) console.error(line)
if (wrong.length > 0) process.exit(1)
console.log(`imports of ${files.length} files point one way`)

/** Groups of files each of which leads to all others of it (Tarjan's strongly connected components). */
function findCircles(withTypes) {
  const found = []
  const index = new Map()
  const low = new Map()
  const stack = []
  const visit = file => {
    index.set(file, index.size)
    low.set(file, index.get(file))
    stack.push(file)
    for (const { target, isType } of imports.get(file) ?? []) {
      if (isType && !withTypes) continue
      if (!index.has(target)) visit(target)
      if (stack.includes(target)) low.set(file, Math.min(low.get(file), low.get(target)))
    }
    if (low.get(file) !== index.get(file)) return
    const group = stack.splice(stack.indexOf(file))
    if (group.length > 1) found.push(group.sort())
  }
  for (const file of files) if (!index.has(file)) visit(file)
  return found
}

function folderOf(path) {
  return path.split('/').slice(0, -1).slice(0, 2).join('/')
}
