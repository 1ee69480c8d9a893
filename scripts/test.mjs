#!/usr/bin/env node
// Runs every test suite, each file in a process of its own, and ends with the true sum.
//   node scripts/test.mjs [FILTER…] [--unit] [--concurrency N] [--timeout SECONDS]
// FILTER is a part of a suite's path; --unit leaves out what needs Wine, a Windows compiler or Redis. Builds first what is not up to date,
// so that no suite runs code that is not there any more; run `zugbruecke setup` before.
// Suites that use the Windows side run for 64 and for 32 bits, unless ZUGBRUECKE_ARCH says which, or their file says in words why not;
// those for 32 bits and test/win32 count as skipped where `zugbruecke setup --arch win32` was not run.
// As many run at a time as there are processors, two at the most unless --concurrency says more, and beside them one of those that say in
// words why they leave the processors idle (`// waits: …`). Those that say why they take long (`// long: …`) begin before the others, so
// that all come to their end together.
// A suite that crashes, prints no sum, or takes too long counts as one failure beside those it reported.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compiled, compileTests } from './compile-tests.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    concurrency: {
      type: 'string',
      default: process.env.TEST_CONCURRENCY ?? String(Math.min(2, availableParallelism())),
    },
    timeout: { type: 'string', default: process.env.TEST_TIMEOUT ?? '300' },
    unit: { type: 'boolean', default: false },
  },
})
const concurrency = Math.max(1, Number(options.concurrency) || 1)
const timeout = (Number(options.timeout) || 300) * 1000

const built = spawnSync(join(root, 'scripts/build.sh'), { stdio: ['ignore', 'ignore', 'inherit'] })
if (built.status !== 0) {
  console.log('0 passed, 1 failed: the build')
  process.exit(1)
}
await compileTests()

const venv = join(root, '.venv/bin/python')
const python = existsSync(venv) ? venv : 'python3'

/** How to run a suite, and how to read its sum. */
const runners = [
  {
    folder: 'test',
    matches: name => name.endsWith('.test.ts'),
    command: file => [process.execPath, '--enable-source-maps', compiled(file)],
    sum(output) {
      const read = word => [...output.matchAll(new RegExp(`^ {2}${word}:\\s+(\\d+)`, 'gm'))].at(-1)?.[1]
      const [total, passed, skipped] = ['Total', 'Passed', 'Skipped'].map(read)
      if (total === undefined) return undefined
      // uvu counts a skipped test neither as passed nor in the total.
      return { passed: Number(passed), failed: Number(total) - Number(passed), skipped: Number(skipped ?? 0) }
    },
  },
  {
    // the native bridge's own, in C
    folder: 'test/native',
    matches: name => name === 'run.sh',
    command: file => ['sh', file],
    sum(output) {
      const match = [...output.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1)
      return match && { passed: Number(match[1]), failed: Number(match[2]), skipped: 0 }
    },
  },
  {
    folder: 'test/python',
    matches: name => /^test_.*\.py$/.test(name),
    command: file => [python, '-m', 'pytest', '-q', '--color=no', '-p', 'no:cacheprovider', file],
    sum(output) {
      const last = output.trimEnd().split('\n').at(-1) ?? ''
      const read = word => Number(new RegExp(`(\\d+) ${word}`).exec(last)?.[1] ?? 0)
      if (!/ in [\d.]+s/.test(last)) return undefined
      return { passed: read('passed'), failed: read('failed') + read('errors?'), skipped: read('skipped') }
    },
  },
]

/** What a file imports, or names, that uses the Windows side; the bridge's own tests are built for it. */
const windows = /^(?!import type ).*from 'zugbruecke['/]|\/runtime\/prefix\.js'|cli\/main\.js|\$\{?WINE\b/m

/** Whether a suite, or what it imports of the tests, uses the Windows side. */
function usesWindows(file, seen = new Set()) {
  seen.add(file)
  const text = readFileSync(join(root, file), 'utf8')
  return (
    windows.test(text) ||
    [...text.matchAll(/from '(\.[^']+)\.js'/g)]
      .map(([, path]) => `${join(dirname(file), path)}.ts`)
      .some(path => path.startsWith('test/') && !seen.has(path) && usesWindows(path, seen))
  )
}

/** Suites of what needs nothing but Node; some others of these folders ask a Windows compiler. */
function isUnit({ file }) {
  return (
    /^test\/(channel|cli|codec|ctypes|pool|runtime|session|wire)\//.test(file) &&
    !usesWindows(file) &&
    !/mingw/.test(readFileSync(join(root, file), 'utf8'))
  )
}

/** What uses the Windows side runs for both architectures, unless the suite's file says in words why it cannot: `// 64-bit only: …`. */
function variants(suite) {
  if (!usesWindows(suite.file) || process.env.ZUGBRUECKE_ARCH) return [suite]
  if (suite.file.startsWith('test/win32/')) return [{ ...suite, needs32: true }]
  const narrow = { ...suite, variant: ' (win32)', needs32: true, environment: { ZUGBRUECKE_ARCH: 'win32' } }
  return says(suite.file, '64-bit only') ? [suite] : [suite, narrow]
}

/** Whether a suite's file says something of itself, and why. */
function says(file, what) {
  return new RegExp(`^// ${what}: \\S`, 'm').test(readFileSync(join(root, file), 'utf8'))
}

const wines = new Map()
/** The Wine and the prefix that sessions of an architecture use, where it is set up: suites in C take them, for to make a prefix takes longer. */
function wineFor(arch) {
  if (!wines.has(arch)) wines.set(arch, findWine(arch))
  return wines.get(arch)
}

function findWine(arch) {
  const main = join(root, 'dist/src/cli/main.js')
  const { status, stdout } = spawnSync(process.execPath, [main, 'env', '--arch', arch, '--json'], { encoding: 'utf8' })
  if (status !== 0) return undefined
  const { wine, python, prefix } = JSON.parse(stdout)
  const needed = `drive_c/windows/${arch === 'win32' ? 'syswow64' : 'system32'}/kernel32.dll`
  return wine && python && existsSync(join(prefix, needed)) ? { WINE: wine, WINEPREFIX: prefix } : undefined
}

const suites = runners
  .flatMap(({ folder, matches, ...runner }) => {
    const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder), { recursive: true }) : []
    return names
      .filter(name => matches(name.split('/').at(-1)) && !name.includes('node_modules'))
      .flatMap(name => variants({ ...runner, file: join(folder, name) }))
  })
  .filter(suite => !options.unit || isUnit(suite))
  .filter(({ file }) => filters.length === 0 || filters.some(filter => file.includes(filter)))
  .sort((a, b) => Number(says(b.file, 'long')) - Number(says(a.file, 'long')) || (a.file < b.file ? -1 : 1))

const total = { passed: 0, failed: 0, skipped: 0 }

/** Ends the suites that run now: in groups of their own they would outlive an interrupted run. */
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    for (const end of running) end()
    process.kill(process.pid, signal)
  })

function run({ file, command, sum, variant = '', environment = {} }) {
  return new Promise(resolve => {
    const from = performance.now()
    const [program, ...args] = command(file)
    const inC = file.endsWith('.sh')
      ? wineFor(environment.ZUGBRUECKE_ARCH ?? process.env.ZUGBRUECKE_ARCH ?? 'win64')
      : {}
    const child = spawn(program, args, {
      cwd: root,
      detached: true, // a group of its own: a suite that hangs is ended with all that it started
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment, ...inC, FORCE_COLOR: '0', NO_COLOR: '1' },
    })
    let output = ''
    let late = false
    const take = text => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const timer = setTimeout(() => {
      late = true
      end()
    }, timeout)
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It ended by itself.
      }
    }
    running.add(end)
    let settled = false
    const settle = why => {
      if (settled) return
      settled = true
      running.delete(end)
      clearTimeout(timer)
      child.stdout.destroy()
      child.stderr.destroy()
      const found = sum(output)
      const counts = found ?? { passed: 0, failed: 0, skipped: 0 }
      const broken = late ? `ended after ${timeout / 1000} s` : why || (found ? '' : 'it printed no sum')
      if (broken && counts.failed === 0) counts.failed = 1
      for (const key of Object.keys(total)) total[key] += counts[key]
      const took = `${((performance.now() - from) / 1000).toFixed(1)} s`
      const skipped = counts.skipped ? `, ${counts.skipped} skipped` : ''
      console.log(
        `${counts.failed ? 'FAIL' : 'ok  '} ${file}${variant}: ${counts.passed} passed, ${counts.failed} failed${skipped} (${took})`,
      )
      if (counts.failed) console.log(`${broken ? `  ${broken}\n` : ''}${output.trimEnd().replace(/^/gm, '  | ')}`)
      resolve()
    }
    child.once('error', error => settle(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      // What it left running may hold its pipes: read what is there, do not wait for their end.
      setTimeout(() => settle(signal ? `ended by ${signal}` : code ? `exit code ${code}` : ''), 100)
    })
  })
}

const without32 = suites.some(suite => suite.needs32) && !wineFor('win32')
if (without32) console.log('skip 32-bit sessions: zugbruecke setup --arch win32 was not run')
const queue = suites.filter(suite => !(suite.needs32 && without32))
total.skipped += suites.length - queue.length
const waiting = queue.filter(({ file }) => says(file, 'waits'))
const computing = queue.filter(suite => !waiting.includes(suite))
async function runAll(...queues) {
  const next = () => queues.find(({ length }) => length > 0)?.shift()
  for (let suite = next(); suite; suite = next()) await run(suite)
}
const lanes = Array.from({ length: concurrency }, () => runAll(computing, waiting))
await Promise.all(concurrency > 1 ? [...lanes, runAll(waiting)] : lanes)
if (suites.length === 0) {
  console.log(`no suite matches ${filters.join(' ')}`)
  total.failed = 1
}
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`)
process.exitCode = total.failed ? 1 : 0
