// Needs `zugbruecke setup` to have run: works on the default prefix.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SetupError } from '../../src/errors.js'
import { resolveConfig } from '../../src/runtime/config.js'
import { wineEnvironment } from '../../src/runtime/environment.js'
import { locate } from '../../src/runtime/locate.js'
import { ensureServices, servicesRun } from '../../src/runtime/prefix.js'
import { run } from '../../src/runtime/run.js'

const test = suite('prefix')
// to wait for the services does not keep Node alive
let hold: NodeJS.Timeout
test.before(() => {
  hold = setInterval(() => {}, 1000)
})
test.after(() => clearInterval(hold))
const config = resolveConfig()
const installation = locate(config)
const python = (program: string, env = wineEnvironment(config, installation)) =>
  run(installation.wine, [installation.python, '-I', '-S', '-E', '-X', 'utf8', '-c', program], { seconds: 60, env })

test('services start once, and are known to run at once', async () => {
  await Promise.all([1, 2, 3].map(() => ensureServices(installation)))
  assert.ok(await servicesRun(installation.prefix))
  // no program is started once they run: this one could not be
  await ensureServices({ ...installation, wine: '/nowhere' })
})

test('no prefix, no services', async () => {
  assert.is(await servicesRun('/nowhere'), false)
  assert.is(await servicesRun(tmpdir()), false)
})

test('a Wine that fails: what it said is in the error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zb-prefix-'))
  try {
    const wine = join(folder, 'wine')
    writeFileSync(wine, '#!/bin/sh\necho "the prefix is not owned by you" >&2\nexit 3\n', { mode: 0o755 })
    const error = await ensureServices({ ...installation, wine, prefix: folder }).catch(error => error)
    assert.instance(error, SetupError)
    assert.match(error.message, /wineboot failed with exit code 3 \(prefix .*\):\nthe prefix is not owned by you/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the services hold no pipe of ours', async () => {
  await ensureServices(installation)
  const child = spawn(installation.wine, [installation.python, '-I', '-S', '-E', '-c', 'print(1)'], {
    env: wineEnvironment(config, installation),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdout.resume()
  child.stderr.resume()
  const at = { exit: 0, close: 0 }
  child.once('exit', () => {
    at.exit = performance.now()
  })
  await new Promise(resolve => child.once('close', resolve))
  at.close = performance.now()
  assert.ok(at.close - at.exit < 500, `pipes ended ${at.close - at.exit} ms after the process`)
})

test('file names beyond ASCII are right, also in locale C', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zb-brücke-'))
  const before = process.env.LC_ALL
  process.env.LC_ALL = 'C'
  try {
    writeFileSync(join(folder, 'zug-ü-橋.txt'), 'there')
    await ensureServices(installation)
    const path = `Z:${join(folder, 'zug-ü-橋.txt').replaceAll('/', '\\\\')}`
    const { stdout, output } = await python(`print(open('${path}').read())`)
    assert.is(stdout.trim(), 'there', output)
  } finally {
    rmSync(folder, { recursive: true })
    if (before === undefined) delete process.env.LC_ALL
    else process.env.LC_ALL = before
  }
})

test.run()
