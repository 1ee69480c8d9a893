// 64-bit only: the limits are those of Linux, and set-up is the same for both.
/** What a system may lack: each is one clear error, and no other. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as assert from 'uvu/assert'
import { CtypesSession } from 'zugbruecke'
import { findBubblewrap, sandboxProblem } from '../../../dist/src/runtime/sandbox.js'
import { suiteAtOnce } from '../../at-once.js'
import { dll } from '../support.js'

const test = suiteAtOnce('systems that lack something', 3)
let folder: string
/** Keeps Wine's services, which all suites share: started by a program with few descriptors they would have as few. */
let keeper: CtypesSession
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zb-scarcity-'))
  keeper = await CtypesSession.start()
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await keeper.terminate()
})

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; text: string }> {
  return new Promise(done =>
    execFile(command, args, { env: { ...process.env, ...env }, timeout: 120_000 }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
    ),
  )
}

/** Starts a session, calls, and says how it went; also what nobody has caught. */
const program = (between = '') => `
  process.on('uncaughtException', error => console.log('uncaught', error))
  const { execFileSync } = await import('node:child_process')
  const { readdirSync } = await import('node:fs')
  const { CtypesSession, c_int } = await import('zugbruecke')
  const hold = setInterval(() => {}, 1000)
  try {
    const session = new CtypesSession({ sandbox: false, stderr: false, timeout_start: 20 })
    ${between}
    await session.ready
    const add = session.CDLL(${JSON.stringify(dll('faults'))}).func('add', [c_int, c_int], c_int)
    console.log('value', await add(3, 4))
    await session.terminate()
  } catch ({ name, message }) {
    console.log('error', name, message)
  }
  clearInterval(hold)`
const node = (script: string) => [process.execPath, '--input-type=module', '-e', script]

test('few descriptors', async () => {
  const { text } = await run('sh', ['-c', 'ulimit -n 200; exec "$0" "$@"', ...node(program())])
  assert.match(text, /^error SessionStartError session \w+ cannot be started: .* no more than 200 files.*ulimit -n/m)
  assert.is(text.match(/^(error|uncaught|value)/gm)?.length, 1, text)
})

test('few that are left', async () => {
  const script = program().replace(
    'try {',
    `const { openSync } = await import('node:fs')
    for (let left = 300 - readdirSync('/proc/self/fd').length - 20; left > 0; left--) openSync('/dev/null')
    try {`,
  )
  const { text } = await run('sh', ['-c', 'ulimit -n 300; exec "$0" "$@"', ...node(script)])
  assert.match(text, /^error SessionStartError session \w+ cannot be started: .* files open of the 300 that it may/m)
  assert.is(text.match(/^(error|uncaught|value)/gm)?.length, 1, text)
})

for (const spare of [1, 4, 8, 12, 16, 20])
  test(`none that are left once the start has begun, but ${spare}: a value or one error`, async () => {
    // it lowers what this process may have, in the middle of things
    const lower = `const limit = readdirSync('/proc/self/fd').length - 1 + ${spare}
      execFileSync('prlimit', ['--nofile=' + limit + ':', '--pid', String(process.pid)])`
    const { text } = await run(process.execPath, node(program(lower)).slice(1))
    assert.is(text.match(/^(error (SessionStart|Setup)Error|uncaught|value)/gm)?.length, 1, text)
    assert.not.match(text, /^uncaught/m)
  })

for (const [what, value] of [
  ['another folder for temporary files', () => folder],
  ['one that is not there', () => '/nonexistent/tmp'],
] as const)
  test(what, async () => {
    const { text } = await run(process.execPath, node(program()).slice(1), { TMPDIR: value() })
    assert.match(text, /^value 7$/m)
    assert.equal(readdirSync(folder), [])
  })

const bwrap = findBubblewrap() ?? ''
const apart = (await sandboxProblem(bwrap)) ? test.skip : test
const system = ['--bind', '/', '/', '--dev-bind', '/dev', '/dev', '--proc', '/proc']
const setup = ['--', process.execPath, resolve('dist/src/cli/main.js'), 'setup']

apart('a disk that is full: set-up says so before it begins', async () => {
  const { code, text } = await run(bwrap, [...system, '--size', '20000000', '--tmpfs', folder, ...setup], {
    XDG_CACHE_HOME: folder,
    ZUGBRUECKE_PREFIX: '',
  })
  assert.is(code, 1, text)
  assert.match(text, /A Wine prefix takes 0.7 GB, and where .* is to be 0.0 GB are left.*XDG_CACHE_HOME/)
})

apart('a home that cannot be written', async () => {
  const home = join(folder, 'home')
  const { code, text } = await run(bwrap, ['--ro-bind', '/', '/', '--dev-bind', '/dev', '/dev', ...setup], {
    HOME: home,
    XDG_CACHE_HOME: '',
  })
  assert.is(code, 1, text)
  assert.match(text, 'must be writable')
  assert.match(text, 'XDG_CACHE_HOME')
})

test.run()
