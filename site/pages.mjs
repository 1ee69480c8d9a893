// The pages of the repository that the site has beside the reference, in the order of the menu.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './links.mjs'

const guides = [
  'vendor-sdk',
  'coming-from-ctypes',
  'structures-and-memory',
  'memsync',
  'batches-and-pools',
  'callbacks',
  'errors',
]

/** What each part of the menu holds. A page of docs/ that no part names comes under the last. */
export function menu() {
  const docs = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'))
  const made = ['architecture', 'wire']
  const named = new Set([...guides, ...made])
  const rest = docs.map(name => name.replace(/\.md$/, '')).filter(name => !named.has(name))
  const folders = ['src/ctypes', 'src/codec', 'src/channel', 'src/session', 'src/pool', 'src/runtime', 'src/cli']
  const others = [...folders, 'workers', 'assembly', 'wine-host', 'wine-host/native', 'bench'].map(
    it => `${it}/README.md`,
  )
  return [
    { text: 'Guide', pages: ['README.md', ...guides.map(name => `docs/${name}.md`)] },
    { text: 'Running it', pages: [...rest.map(name => `docs/${name}.md`), 'SECURITY.md'] },
    { text: 'How it is made', pages: [...made.map(name => `docs/${name}.md`), 'CONTRIBUTING.md', 'CHANGELOG.md'] },
    { text: 'Its folders', pages: others },
  ].map(part => ({ ...part, pages: part.pages.filter(page => existsSync(join(root, page))) }))
}

export const pages = () => menu().flatMap(part => part.pages)

export const titleOf = page => /^# (.+)$/m.exec(readFileSync(join(root, page), 'utf8'))?.[1] ?? page
