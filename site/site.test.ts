/** The built site in a real browser: Debian's Chromium, driven by playwright-core. `npm run test:site` builds it and runs this. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf } from '../test/docs/page.js'
import { root } from './links.mjs'
import { pages } from './pages.mjs'

const dist = fileURLToPath(new URL('.vitepress/dist', import.meta.url))
const kinds: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const built = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.html'))
const addressOf = (page: string) => `/${page.replace(/(README)?\.md$/, '')}`

/** The file that a server of static files gives for an address, or undefined. */
function fileAt(address: string): string | undefined {
  const path = join(dist, decodeURIComponent(address))
  return [path, `${path}.html`, join(path, 'index.html')].find(it => existsSync(it) && statSync(it).isFile())
}

let browser: Browser
let server: Server
let origin: string

test.before(async () => {
  server = createServer(({ url }, reply) => {
    const file = fileAt(new URL(url ?? '/', 'http://site').pathname)
    if (!file) return reply.writeHead(404).end()
    reply.writeHead(200, { 'content-type': kinds[extname(file)] ?? 'text/html' }).end(readFileSync(file))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
})
test.after(async () => {
  await browser?.close()
  server?.close()
})

test('no link of any page is dead, nor is its anchor', () => {
  const anchors = new Map<string, Set<string>>()
  const anchorsOf = (file: string) => {
    const known = anchors.get(file)
    if (known) return known
    const found = new Set([...readFileSync(file, 'utf8').matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id))
    anchors.set(file, found)
    return found
  }
  const dead = new Set<string>()
  for (const name of built.filter(it => it !== '404.html')) {
    const html = readFileSync(join(dist, name), 'utf8')
    for (const [, link] of html.matchAll(/<(?:a|img|link|script)\b[^>]*?\b(?:href|src)="([^"]+)"/g)) {
      if (/^(https?|data|mailto):/.test(link)) continue
      const { pathname, hash } = new URL(link, `http://site/${name}`)
      const file = fileAt(pathname)
      if (!file) dead.add(`${name}: ${link}`)
      else if (hash && !anchorsOf(file).has(decodeURIComponent(hash.slice(1)))) dead.add(`${name}: ${link}`)
    }
  }
  assert.ok(built.length > 100, 'the reference is there')
  assert.equal([...dead], [])
})

test('the search finds POINTER, and leads to it', async () => {
  const page = await browser.newPage()
  await page.goto(origin, { waitUntil: 'networkidle' })
  await page.getByRole('button', { name: 'Search' }).first().click()
  await page.locator('#localsearch-input').fill('POINTER')
  await page.locator('#localsearch-list a', { hasText: 'POINTER' }).first().click()
  await page.waitForURL(address => address.pathname !== '/')
  assert.match((await page.locator('main').textContent()) ?? '', 'POINTER')
  await page.close()
})

test('each page shows the code that the tests run', async () => {
  const page = await browser.newPage()
  for (const source of pages()) {
    await page.goto(origin + addressOf(source))
    const shown = await page
      .locator('.vp-doc div[class*="language-"] > pre:not(.vp-code-dark) > code')
      .allTextContents()
    const run = blocksOf(join(root, source)).map(({ code }) => code.trimEnd())
    assert.equal(
      shown.map(code => code.trimEnd()),
      run,
      source,
    )
  }
  await page.close()
})

test('each page can be read on a phone: nothing is wider than the screen, and no text is tiny', async () => {
  const page = await browser.newPage({ viewport: { width: 375, height: 720 }, isMobile: true, hasTouch: true })
  for (const source of pages()) {
    await page.goto(origin + addressOf(source))
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(wide <= 375, `${source} is ${wide} pixels wide`)
    const sizes = await page
      .locator('.vp-doc p, .vp-doc li')
      .evaluateAll(all => all.map(it => Number.parseFloat(getComputedStyle(it).fontSize)))
    assert.ok(Math.min(...sizes) >= 14, `${source} has text of ${Math.min(...sizes)} pixels`)
  }
  await page.close()
})

test.run()
