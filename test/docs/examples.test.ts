/** The examples run, one after the other, and print what they promise. */
// 64-bit only: a user builds their DLL once; the example that is about 32 bits has a DLL of each kind
import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveConfig } from '../../src/runtime/config.js'
import { locate } from '../../src/runtime/locate.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

function run(file: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [file], { cwd: root, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    )
  })
}

async function prints(file: string, ...lines: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(file)
  assert.is(code, 0, `${stdout}${stderr}`)
  for (const line of lines) assert.ok(stdout.split('\n').includes(line), `${line}\nis not in\n${stdout}`)
}

test.before(() => {
  execFileSync('bash', ['scripts/build-examples.sh'], { cwd: root })
})

test('the first call finds every result right', () =>
  prints('examples/first-call/run.mjs', `  ok    ${'add(3, 4)'.padEnd(44)} 7`, 'All as it should be.'))

test('the batch example', () =>
  prints(
    'examples/batch.mjs',
    'add Int32Array(3) [ 120, 270, 95 ]',
    'move [{"x":1,"y":10},{"x":5,"y":20},{"x":5,"y":33}]',
    'between Float64Array(3) [ 0, 116, 545 ] [{"x":1,"y":10},{"x":3,"y":15},{"x":3,"y":21.5}]',
    'collatz longest of 50000 rows: 261 steps',
    'stream 5285279',
  ))

test('the callback example', () =>
  prints(
    'examples/callback.mjs',
    'sorted by size Int32Array(5) [ 0, -3, 5, -8, 9 ] true',
    'zero 3.000000',
    'caught true not this one true',
  ))

test('the pool example', () =>
  prints(
    'examples/pool/main.mjs',
    'func [ 7, 11 ]',
    'use 6',
    'map 200000 111',
    'jobs [ { n: 1161, steps: 181 }, { n: 51359, steps: 308 } ]',
    'stats true 0',
  ))

/** Without it the suites of 32-bit sessions are skipped, too. */
function isNarrowSetUp(): boolean {
  try {
    return locate(resolveConfig({ arch: 'win32' })) !== undefined
  } catch {
    return false
  }
}

const both = isNarrowSetUp() ? test : test.skip
both('the example with a 64-bit and a 32-bit DLL', async () => {
  execFileSync('examples/both/get.sh', { cwd: root })
  await prints(
    'examples/both/main.mjs',
    'sessions win64 win32',
    '64 bits encode 44100 samples',
    'smaller than it was true',
    '32 bits decode 44100 samples, the same: true',
    'peak 11999 then 5999',
  )
})

test.run()
