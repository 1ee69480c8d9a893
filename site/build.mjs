#!/usr/bin/env node
// Builds the site into site/.vitepress/dist: the reference of all exports (TypeDoc), a page for each file of the repository that a page
// links to, and the pages themselves (VitePress). Ends with an error if an export has no docstring, or a link leads nowhere.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pageOf, root, sourceOf } from './links.mjs'
import { pages } from './pages.mjs'

const site = fileURLToPath(new URL('.', import.meta.url))

function run(program, ...args) {
  const { status, error } = spawnSync(join(site, 'node_modules/.bin', program), args, { cwd: site, stdio: 'inherit' })
  if (error) console.error(`site: ${program}: ${error.message}: run npm ci --prefix site`)
  if (status !== 0) process.exit(status ?? 1)
}

rmSync(join(site, 'source'), { recursive: true, force: true })
const written = new Set()
for (const page of pages()) {
  const text = readFileSync(join(root, page), 'utf8')
  for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    const source = sourceOf(link, join(root, page))
    if (source) show(source)
  }
}
run('typedoc', '--options', 'typedoc.json')
run('vitepress', 'build')

/** A page with the text of a file, or with the files of a folder. */
function show(source) {
  if (written.has(source)) return
  written.add(source)
  const path = join(root, source)
  const page = join(site, `${pageOf(source)}.md`)
  let body
  if (statSync(path).isDirectory()) {
    const files = readdirSync(path, { withFileTypes: true }).filter(
      it => it.isFile() && /\.(mjs|ts|c|py|md)$/.test(it.name),
    )
    for (const { name } of files) show(`${source}/${name}`)
    body = files.map(({ name }) => `- [\`${name}\`](${pageOf(`${source}/${name}`)})`).join('\n')
  } else {
    const text = readFileSync(path, 'utf8')
    body = `\`\`\`\`${/\.(\w+)$/.exec(source)?.[1].replace(/^h$/, 'c').replace('mjs', 'js') ?? ''}\n${text.trimEnd()}\n\`\`\`\``
  }
  mkdirSync(dirname(page), { recursive: true })
  writeFileSync(page, `---\nsearch: false\neditLink: false\n---\n\n# ${source}\n\n${body}\n`)
}
