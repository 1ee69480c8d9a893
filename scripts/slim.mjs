#!/usr/bin/env node
// Takes out of dist what the package need not have: comments and indentation of what runs, source maps, and what no entry point of
// package.json leads to. Names stay as they are and lines stay short, so that a stack says where it was. Part of `npm pack`; the next
// build makes dist whole.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build, transformSync } from 'esbuild'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

/** Characters of a line; shorter ones cost more room than they help. */
const LINE = 400

const folder = 'dist/src'
const { exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.values(exports).flatMap(({ types }) => types ?? [])
const bundle = await rolldown({
  input: Object.fromEntries(entries.map(path => [relative(folder, path).replace(/\.d\.ts$/, ''), path])),
  external: /^[^./]/,
  plugins: [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false })],
})
const { output } = await bundle.generate({ entryFileNames: '[name].d.ts', chunkFileNames: 'types-[name].d.ts' })

const workers = readdirSync('dist/workers').filter(name => name.endsWith('.js'))
const { metafile } = await build({
  entryPoints: [
    ...Object.values(exports).flatMap(entry => entry.default ?? []),
    ...Object.values(bin),
    ...workers.map(name => join('dist/workers', name)),
  ],
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  metafile: true,
  outdir: '.',
  write: false,
})

for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  const file = join('dist', name)
  if (/\.d\.ts$|\.map$/.test(name) || (name.endsWith('.js') && !Object.hasOwn(metafile.inputs, file))) rmSync(file)
  else if (name.endsWith('.js')) {
    const { code } = transformSync(readFileSync(file, 'utf8'), {
      minifyWhitespace: true,
      minifySyntax: true,
      lineLimit: LINE,
      format: 'esm',
    })
    writeFileSync(file, code)
  }
}
for (const { fileName, code } of output) if (fileName.endsWith('.d.ts')) writeFileSync(join(folder, fileName), code)
