import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession, SessionStartError, SetupError } from 'zugbruecke'
import { resolveConfig } from '../../../src/runtime/config.js'
import { locate } from '../../../src/runtime/locate.js'
import { rejects, throws } from '../support.js'
import { arch } from '../types.js'

const test = suite('sessions that cannot start')
let folder: string
let other: CtypesSession
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zb-start-'))
  // Wine's services run as long as it does: none of the Wines here that are none has to start them
  other = await CtypesSession.start()
})
test.after(async () => {
  await other.terminate()
  rmSync(folder, { recursive: true })
})

function script(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

async function fails(config: object, Class: new (...args: never) => Error, ...words: (string | RegExp)[]) {
  const session = new CtypesSession(config)
  const call = session.windll.kernel32.GetCurrentProcessId()
  call.catch(() => {})
  await rejects(session.ready, Class, ...words)
  await rejects(call, Class, ...words)
  assert.is(session.up, false)
  throws(() => session.FormatError.sync(1), SessionStartError)
  await session.terminate()
  // its id is free again
  if ('id' in config) throws(() => new CtypesSession({ ...config, archh: 1 } as never), Error, 'archh')
}

test('no Python', () => fails({ python: '/nonexistent/python.exe' }, SetupError, '/nonexistent/python.exe'))

test('no Wine', () => fails({ wine: '/nonexistent/wine', id: 'no-wine' }, SetupError, '/nonexistent/wine'))

test('a prefix that is none', () => fails({ prefix: '/dev/null/prefix' }, SetupError, '/dev/null/prefix'))

test('a Node without WebAssembly', async () => {
  const program = `import { CtypesSession } from 'zugbruecke'
    await CtypesSession.start().catch(error => { console.log(error.name, error.message) })`
  const flags = ['--jitless', '--no-warnings', '--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)(process.execPath, flags)
  assert.match(stdout, /^SetupError .*--jitless/)
})

test('a Windows side that ends at once says its last words', async () => {
  const python = join(folder, 'python.exe')
  writeFileSync(python, 'this is no program')
  await fails({ python, stderr: false, stdout: false }, SessionStartError, 'ended while it started', 'doctor')
})

test('a Windows side that never answers passes timeout_start', async () => {
  // the loader of Wine in name, and nothing in fact
  const wine = script('wine64', 'exec sleep 60')
  script('wineserver', 'exit 0')
  await fails({ wine, timeout_start: 1, timeout_stop: 1 }, SessionStartError, '1 s', 'timeout_start')
})

for (const words of ['', 'echo "wine client error:0: recvmsg: Connection reset by peer" >&2']) {
  const turnsAway = (times: number) => {
    const { wine } = locate(resolveConfig({ arch }))
    const tries = join(folder, 'tries')
    rmSync(tries, { force: true })
    const path = script(
      'wine64',
      // starting the services is not turned away, and tried again for itself
      `[ "$1" = wineboot ] && exec '${wine}' "$@"\n[ "$(grep -c . '${tries}' 2>/dev/null)" = ${times} ] && exec '${wine}' "$@"\necho >>'${tries}' again\n${words}\nexit 1`,
    )
    return { wine: path, stderr: false }
  }
  const said = words ? 'with a word' : 'without a word'
  test(`services that are about to go turn away who comes, ${said}: the start is tried again`, async () => {
    const session = new CtypesSession(turnsAway(2))
    const ended: string[] = []
    session.on('end', () => ended.push('end'))
    await session.ready
    assert.ok(Number(await session.windll.kernel32.GetCurrentProcessId()) > 0)
    assert.equal(ended, [])
    await session.terminate()
    assert.equal(ended, ['end'])
  })
  test(`services that turn away whoever comes, ${said}`, () =>
    fails({ ...turnsAway(99), id: 'turned-away' }, SessionStartError, 'ended while it started', 'doctor'))
}

test('two halves of different versions', async () => {
  // a copy of the package with another version on the Windows side
  const copy = join(folder, 'package')
  cpSync('dist', join(copy, 'dist'), { recursive: true })
  cpSync('wine-host', join(copy, 'wine-host'), { recursive: true })
  cpSync('package.json', join(copy, 'package.json'))
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
  const control = join(copy, 'wine-host/control.py')
  const text = readFileSync(control, 'utf8')
  assert.match(text, /^VERSION = "/m)
  writeFileSync(control, text.replace(/^VERSION = .*$/m, 'VERSION = "9.9.9"'))
  const { CtypesSession: Other } = (await import(join(copy, 'dist/src/index.js'))) as typeof import('zugbruecke')
  const error = await Other.start().then(
    () => new Error('it started'),
    (thrown: Error) => thrown,
  )
  assert.is(error.name, 'SessionStartError')
  assert.match(error.message, '9.9.9')
  assert.match(error.message, /install the package again/)
})

test('a native bridge of another version than the host beside it', async () => {
  const copy = join(folder, 'bridge')
  cpSync('dist', join(copy, 'dist'), { recursive: true })
  cpSync('wine-host', join(copy, 'wine-host'), { recursive: true })
  const text = readFileSync('package.json', 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  // all but the bridge is newer
  writeFileSync(join(copy, 'package.json'), text.replace(`"version": "${version}"`, '"version": "8.8.8"'))
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
  const control = join(copy, 'wine-host/control.py')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^VERSION = .*$/m, 'VERSION = "8.8.8"'))
  const { CtypesSession: Other } = (await import(join(copy, 'dist/src/index.js'))) as typeof import('zugbruecke')
  const error = await Other.start().then(
    () => new Error('it started'),
    (thrown: Error) => thrown,
  )
  assert.is(error.name, 'SessionStartError')
  assert.match(error.message, '8.8.8')
  assert.match(error.message, `bridge is zugbruecke ${version}`)
})

const bridge = `wine-host/native/bridge-${arch}.dll`
for (const [name, file, mend] of [
  ['encoder', 'dist/encoder.wasm', 'npm run build'],
  ['native bridge', bridge, 'npm run build:native'],
])
  test(`a missing ${name}`, async () => {
    const copy = join(folder, 'package')
    renameSync(join(copy, file), join(copy, 'gone'))
    const code = `
      import { CtypesSession } from ${JSON.stringify(join(copy, 'dist/src/index.js'))}
      await CtypesSession.start().catch(error => console.log(error.name, error.message))`
    const output = await new Promise<string>((done, fail) =>
      execFile(
        process.execPath,
        ['--input-type=module', '--eval', code],
        { timeout: 30_000 },
        (error, stdout, stderr) => (error ? fail(new Error(stderr)) : done(stdout)),
      ),
    )
    renameSync(join(copy, 'gone'), join(copy, file))
    assert.match(output, /^SetupError/)
    assert.match(output, basename(file))
    assert.match(output, mend)
  })

test('an own wine and python that are there', async () => {
  const session = await CtypesSession.start()
  const { wine, python } = { wine: session.getParameter('wine'), python: session.getParameter('python') }
  assert.is(wine, null)
  assert.is(python, null)
  await session.terminate()
})

test.run()
