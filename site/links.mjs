// Where links of the pages lead that are no pages: to files and folders of the repository, which the site shows as pages of their own.
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** The file or folder of the repository that a link in a page leads to, as a path from the root; undefined for any other link. */
export function sourceOf(link, page) {
  const path = decodeURI(link.replace(/[#?].*/, ''))
  if (!path || /^([a-z]+:|\/)/i.test(path) || /\.(md|svg|png)$/.test(path)) return undefined
  const file = relative(root, join(dirname(page), path))
  return !file.startsWith('..') && existsSync(join(root, file)) ? file.replace(/\/$/, '') : undefined
}

/** The page that shows it. The name ends so that no server takes it for the file's kind. */
export const pageOf = source => `/source/${source.replaceAll('.', '-')}`

/** The anchor of a heading. As in the repository an apostrophe goes without a trace; all else is as the reference's theme has it. */
export const anchorOf = title =>
  title
    .normalize('NFKD')
    .replace(/['’]/g, '')
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .replace(/^(\d)/, '_$1')
    .toLowerCase()
