// Makes JavaScript of the tests, in `.tests`: it lies beside `test`, so that each path in them leads to where it led, and what they
// import of `src` is what is built of it. Node 20 reads no TypeScript; to have it compiled for each process and thread of the suites takes
// half a second each time.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const into = join(root, '.tests')

/** The JavaScript of a suite. */
export const compiled = file => join('.tests', file.slice('test/'.length).replace(/\.ts$/, '.js'))

const filesIn = folder =>
  readdirSync(folder, { recursive: true })
    .filter(name => !name.startsWith('dlls/build/'))
    .filter(name => statSync(join(folder, name)).isFile())

/** What is newer than its JavaScript; and what has no source any more is not to be found, either. */
export async function compileTests() {
  mkdirSync(into, { recursive: true })
  const sources = filesIn(join(root, 'test')).map(name => join('test', name))
  const wanted = new Set(sources.map(compiled))
  for (const name of filesIn(into)) if (!wanted.has(join('.tests', name))) rmSync(join(into, name))
  await Promise.all(sources.map(file => compile(join(root, file), join(root, compiled(file)))))
}

async function compile(from, to) {
  if (statSync(from).mtimeMs <= (statSync(to, { throwIfNoEntry: false })?.mtimeMs ?? 0)) return
  mkdirSync(dirname(to), { recursive: true })
  if (!from.endsWith('.ts')) return cpSync(from, to)
  const options = { loader: 'ts', format: 'esm', target: 'node20', sourcefile: from, sourcemap: 'inline' }
  const { code } = await transform(readFileSync(from, 'utf8'), options)
  writeFileSync(to, code.replace(/(["'`](?:\.\.\/)+)src\//g, '$1dist/src/'))
}
