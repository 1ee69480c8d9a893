import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { zipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SetupError } from '../../src/errors.js'
import { download, SourceUnavailable } from '../../src/runtime/download.js'
import { cachedPythons } from '../../src/runtime/locate.js'
import { withLock } from '../../src/runtime/lock.js'
import { noProgress } from '../../src/runtime/progress.js'
import { fetchPython } from '../../src/runtime/python.js'

const test = suite('setup')
const before = { ...process.env }
const text = (content: string) => new TextEncoder().encode(content)
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
let folder: string
let server: Server | undefined

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'zb-setup-'))
  process.env.XDG_CACHE_HOME = folder
})
test.after.each(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
  rmSync(folder, { recursive: true })
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})

async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
  server = createServer(answer as never)
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/python-3.99.1-embed-amd64.zip`
}

async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

/** Makes a file the only source of Python. */
function mirror(bytes: Uint8Array, sha256 = digest(bytes)): void {
  const path = join(folder, 'python-3.99.1-embed-amd64.zip')
  writeFileSync(path, bytes)
  process.env.ZUGBRUECKE_PYTHON_URL = pathToFileURL(path).href
  process.env.ZUGBRUECKE_PYTHON_SHA256 = sha256
}

const inCache = () => readdirSync(join(folder, 'zugbruecke'), { recursive: true }) as string[]

test('unpacks what lies beside python.exe, and nothing else', async () => {
  mirror(
    zipSync({
      'a/b/python.exe': text('MZ'),
      'a/b/lib/os.py': text('x'),
      'a/b/lib/test/big.py': text('x'),
      'a/b/include/Python.h': text('x'),
      'other/file': text('x'),
    }),
  )
  assert.is(await fetchPython('win64', '3.99.1', noProgress), '3.99.1')
  assert.equal(inCache().sort(), [
    'downloads',
    'python-3.99.1-win64',
    'python-3.99.1-win64/lib',
    'python-3.99.1-win64/lib/os.py',
    'python-3.99.1-win64/python.exe',
  ])
  assert.is(cachedPythons('win64')[0].version, '3.99.1')
})

test('a wrong checksum is a SetupError, and the file is gone', async () => {
  mirror(zipSync({ 'python.exe': text('MZ') }), '0'.repeat(64))
  const error = await failure(fetchPython('win64', '3.99.1', noProgress))
  assert.instance(error, SetupError)
  assert.match(error.message, /Wrong checksum.*expected 0{64}/)
  assert.equal(inCache(), ['downloads'])
})

test('a damaged archive is a SetupError, and nothing is left', async () => {
  const whole = zipSync({ 'python.exe': text('MZ'.repeat(1000)), 'lib/os.py': text('y'.repeat(1000)) })
  for (const bytes of [whole.subarray(0, whole.length - 30), text('no zip'), new Uint8Array(0)]) {
    mirror(bytes)
    assert.instance(await failure(fetchPython('win64', '3.99.1', noProgress)), SetupError)
    assert.equal(inCache(), ['downloads'])
  }
})

test('an archive cannot write outside of its folder', async () => {
  mirror(zipSync({ 'python.exe': text('MZ'), '../../../escaped': text('x') }))
  const error = await failure(fetchPython('win64', '3.99.1', noProgress))
  assert.match(error.message, 'outside of its folder')
  assert.not.ok(existsSync(join(folder, 'escaped')) || existsSync(join(folder, '../escaped')))
})

test('an unpacking that was interrupted is done again', async () => {
  mkdirSync(join(folder, 'zugbruecke/python-3.99.1-win64.making/lib'), { recursive: true })
  writeFileSync(join(folder, 'zugbruecke/python-3.99.1-win64.making/half'), '')
  assert.equal(cachedPythons('win64'), [])
  mirror(zipSync({ 'python.exe': text('MZ') }))
  await fetchPython('win64', '3.99.1', noProgress)
  assert.equal(inCache().sort(), ['downloads', 'python-3.99.1-win64', 'python-3.99.1-win64/python.exe'])
})

test('sources that do not answer are passed over, with reasons', async () => {
  process.env.ZUGBRUECKE_PYTHON_URL = 'http://127.0.0.1:1/python-3.99.1-embed-amd64.zip'
  const lines: string[] = []
  const error = await failure(fetchPython('win64', '3.99.1', { ...noProgress, line: line => lines.push(line) }))
  assert.instance(error, SetupError)
  assert.match(lines[0], /Passed over 127\.0\.0\.1:1: /)
  assert.match(error.message, 'ZUGBRUECKE_PYTHON_URL')
})

test('a version that nobody has is a SetupError that says which there are', async () => {
  const error = await failure(fetchPython('win64', '3.1.0', noProgress))
  assert.match(error.message, /3\.12\.10 and 3\.13\.0/)
})

test('a download that broke off is taken up where it stopped', async () => {
  const bytes = new Uint8Array(100_000).map((_, i) => i * 7)
  const ranges: (string | undefined)[] = []
  const url = await serve((request, response) => {
    ranges.push(request.headers.range)
    if (ranges.length === 1) {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 50))
      return
    }
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
    response.writeHead(206, { 'content-length': bytes.length - from })
    response.end(bytes.subarray(from))
  })
  const path = join(folder, 'file')
  const error = await failure(download(url, path, digest(bytes), noProgress))
  assert.instance(error, SourceUnavailable)
  assert.not.ok(existsSync(path))
  await download(url, path, digest(bytes), noProgress)
  assert.is(digest(readFileSync(path)), digest(bytes))
  assert.match(ranges[1] ?? '', /^bytes=[1-9]/)
  assert.equal(readdirSync(folder), ['file'])
})

test('HTTP errors and silence pass a source over', async () => {
  const url = await serve((_request, response) => response.writeHead(503).end())
  assert.match((await failure(download(url, join(folder, 'x'), '0'.repeat(64), noProgress))).message, '503')
  server?.close()
  const mute = await serve(() => {})
  const from = performance.now()
  assert.match((await failure(download(mute, join(folder, 'x'), '0'.repeat(64), noProgress))).message, 'no answer')
  assert.ok(performance.now() - from < 8000)
})

test('two set-ups take turns', async () => {
  const lock = join(folder, 'lock')
  const order: string[] = []
  const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
  let waited = 0
  const work = (name: string) => async () => {
    order.push(`${name} in`)
    await sleep(200)
    order.push(`${name} out`)
  }
  await Promise.all(['a', 'b', 'c'].map(name => withLock(lock, () => waited++, work(name))))
  assert.is(waited, 2)
  for (let i = 0; i < order.length; i += 2) assert.is(order[i].replace('in', 'out'), order[i + 1])
})

test('the lock goes with work that fails', async () => {
  const lock = join(folder, 'lock')
  await failure(withLock(lock, assert.unreachable, () => Promise.reject(new Error('x'))))
  await new Promise(resolve => setTimeout(resolve, 100))
  assert.is(
    await withLock(
      lock,
      () => assert.unreachable('still locked'),
      async () => 7,
    ),
    7,
  )
})

test.run()
