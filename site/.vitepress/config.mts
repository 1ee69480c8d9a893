/** The pages are the repository's own, where they are: docs/, the README, the READMEs of the folders. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { anchorOf, pageOf, root, sourceOf } from '../links.mjs'
import { menu, pages, titleOf } from '../pages.mjs'

const require = createRequire(import.meta.url)
const reference = join(root, 'site/reference/typedoc-sidebar.json')
const addressOf = (page: string) => `/${page.replace(/(README)?\.md$/, '')}`

const guide: DefaultTheme.SidebarItem[] = [
  ...menu().map(({ text, pages }) => ({
    text,
    collapsed: text === 'Its folders',
    items: pages.map(page => ({ text: titleOf(page), link: addressOf(page) })),
  })),
  { text: 'Reference', link: '/reference/' },
]

export default defineConfig({
  title: 'zugbruecke',
  description: 'Call Windows DLLs from Node.js on Linux',
  base: process.env.SITE_BASE ?? '/',
  srcDir: root,
  // a pattern for each folder that is none of the site's would miss the next one; so all is left out that is not named
  srcExclude: ['**/node_modules/**', '.*/**', 'dist/**', 'test/**', 'examples/**'],
  rewrites: {
    ...Object.fromEntries(
      pages()
        .filter(page => page.endsWith('README.md'))
        .map(page => [page, page.replace('README', 'index')]),
    ),
    'site/reference/README.md': 'reference/index.md',
    'site/reference/:rest*/README.md': 'reference/:rest*/index.md',
    'site/:rest*': ':rest*',
  },
  // the pages lie outside this folder, where Vue is not found
  vite: {
    resolve: {
      alias: [
        { find: /^vue$/, replacement: require.resolve('vue/dist/vue.runtime.esm-bundler.js') },
        {
          find: /^vue\/server-renderer$/,
          replacement: require.resolve('@vue/server-renderer/dist/server-renderer.esm-bundler.js'),
        },
      ],
    },
  },
  markdown: {
    anchor: { slugify: anchorOf },
    config(md) {
      md.core.ruler.push('repository', ({ tokens, env }) => {
        for (const { children } of tokens)
          for (const token of children ?? []) {
            const link = token.type === 'link_open' && token.attrGet('href')
            const source = link && env.path && sourceOf(link, env.path)
            if (source) token.attrSet('href', pageOf(source))
            else if (link) token.attrSet('href', link.replace(/(^|\/)README\.md(?=#|$)/, '$1index.md'))
          }
      })
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/' },
      { text: 'Reference', link: '/reference/' },
    ],
    // the names of the reference are listed beside its own pages alone: they would make each page as long as all of them
    sidebar: { '/reference/': sidebar(), '/': guide },
    outline: [2, 3],
  },
})

function sidebar(): DefaultTheme.SidebarItem[] {
  return existsSync(reference) ? JSON.parse(readFileSync(reference, 'utf8')) : []
}
