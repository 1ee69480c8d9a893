#!/usr/bin/env node
// Takes out of dist what the package need not have: comments and indentation of what runs, source maps, and declarations that no entry
// point of package.json leads to. Names stay as they are, so that a stack says where it was. Part of `npm pack`; the next build makes
// dist whole.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { transformSync } from 'esbuild'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

const folder = 'dist/src'
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.values(exports).flatMap(({ types }) => types ?? [])
const bundle = await rolldown({
  input: Object.fromEntries(entries.map(path => [relative(folder, path).replace(/\.d\.ts$/, ''), path])),
  external: /^[^./]/,
  plugins: [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false })],
})
const { output } = await bundle.generate({ entryFileNames: '[name].d.ts', chunkFileNames: 'types-[name].d.ts' })

for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  const file = join('dist', name)
  if (/\.d\.ts$|\.map$/.test(name)) rmSync(file)
  if (!name.endsWith('.js')) continue
  const { code } = transformSync(readFileSync(file, 'utf8'), { minifyWhitespace: true, format: 'esm' })
  writeFileSync(file, code)
}
for (const { fileName, code } of output) if (fileName.endsWith('.d.ts')) writeFileSync(join(folder, fileName), code)
