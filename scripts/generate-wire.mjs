#!/usr/bin/env node
// Generates the readers of schema/wire.fbs, TypeScript for the library and Python for the tests, and what each language knows of
// schema/numbers.mjs. Needs flatc 2.0.8, the one that Debian 12 has (apt-get install flatbuffers-compiler). CI runs it and fails if a
// generated file changes.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateNumbers } from './generate-numbers.mjs'
import { writeChanged } from './write-changed.mjs'

const root = new URL('..', import.meta.url).pathname
const aside = mkdtempSync(join(tmpdir(), 'wire-'))
const typescript = join(root, 'src/codec/generated')
const python = join(root, 'test/wire/generated')
for (const folder of [typescript, python]) mkdirSync(folder, { recursive: true })
execFileSync('flatc', ['--ts', '--python', '-o', aside, join(root, 'schema/wire.fbs')], { stdio: 'inherit' })
const made = join(aside, 'zugbruecke/wire')
const names = readdirSync(made)
for (const [folder, suffix] of [
  [typescript, '.ts'],
  [python, '.py'],
])
  for (const name of readdirSync(folder))
    if (name.endsWith(suffix) && name !== 'numbers.ts' && !names.includes(name)) rmSync(join(folder, name))
for (const name of names) {
  const text = readFileSync(join(made, name), 'utf8')
  if (name.endsWith('.ts')) {
    // flatc's imports name no file type, which Node's ESM wants, and it imports what it does not use
    const fixed = text
      .replace(/from '(\.[^']*?)(?:\.js)?'/g, "from './$1.js'")
      .replaceAll("'././", "'./")
      .replaceAll("'./../../zugbruecke/wire/", "'./")
    writeChanged(join(typescript, name), `// @ts-nocheck: generated, and held to the generator's style\n${fixed}`)
  } else if (name.endsWith('.py')) writeChanged(join(python, name), text)
}
rmSync(aside, { recursive: true })
generateNumbers(root)
