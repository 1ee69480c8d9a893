// A picture of the board while the example runs (docs/cluster-board.png), taken in Debian's Chromium: npm run screenshot
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const file = path => fileURLToPath(new URL(path, import.meta.url))
const example = spawn(process.execPath, [file('main.mjs'), ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let board
for await (const line of createInterface(example.stdout)) {
  console.log(line)
  board = /http:\S+/.exec(line)?.[0] ?? board
  // a part of the rows is done, others are under way
  if (/^[1-9]\d* of/.test(line)) break
}
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } })
  await page.goto(board)
  await page.getByText('collatz').first().waitFor()
  await page.screenshot({ path: file('../../docs/cluster-board.png') })
} finally {
  await browser.close()
  example.kill('SIGTERM')
}
