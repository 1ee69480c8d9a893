import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { CtypesSession, c_int } from 'zugbruecke'
import { dll, sessionSuite, until } from '../support.js'
import { byref, c_void_p, POINTER } from '../types.js'

const test = sessionSuite('what the Windows side prints', { stdout: false, stderr: false })
const run = promisify(execFile)

test('a megabyte on stdout and on stderr blocks nobody, awaited or not', async ({ session }) => {
  const faults = session.CDLL(dll('faults'))
  for (const name of ['print_out', 'print_error']) {
    const print = faults.func(name, [c_int], c_int)
    assert.is(await print(1 << 20), 1 << 20)
    assert.is(print.sync(1 << 20), 1 << 20)
  }
})

test('its standard input is empty, for every C runtime and for Windows', async () => {
  // a session of its own, which is ended here
  const session = await CtypesSession.start()
  try {
    for (const runtime of ['msvcrt', 'ucrtbase']) {
      const getchar = session.CDLL(runtime).func('getchar', [], c_int).with({ timeout: 30_000 })
      assert.is(await getchar(), -1, runtime)
      assert.is(getchar.sync(), -1, runtime)
    }
    const { kernel32 } = session.windll
    const handle = kernel32.func('GetStdHandle', [c_int], c_void_p)
    const read = kernel32.func('ReadFile', [c_void_p, c_void_p, c_int, POINTER(c_int), c_void_p], c_int)
    const count = new c_int(7)
    assert.is(await read.with({ timeout: 30_000 })(await handle(-10), new Uint8Array(8), 8, byref(count), null), 1)
    assert.is(count.value, 0)
    // and it still hears of its end
    await session.terminate()
    await until(() => !existsSync(`/proc/${session.pid}`), 'the process ends')
  } finally {
    await session.terminate()
  }
})

const program = (body: string, config: string) => `
  import { CtypesSession, c_int } from 'zugbruecke'
  const session = await CtypesSession.start(${config})
  const faults = session.CDLL(${JSON.stringify(dll('faults'))})
  ${body}
  await session.terminate()
`

async function output(body: string, config = '{}'): Promise<{ stdout: string; stderr: string }> {
  // Node's own warnings, of running as root, are not of the Windows side
  const args = ['--no-warnings', '--input-type=module', '--eval', program(body, config)]
  return run(process.execPath, args, { maxBuffer: 1 << 26, timeout: 60_000 })
}

test('it is shown by default, all of it', async () => {
  const { stdout, stderr } = await output(`
    await faults.print_out(1 << 20)
    faults.print_error.sync(5000)`)
  assert.is(stdout.replaceAll('\r', '').match(/^o{1023}$/gm)?.length, 1024)
  assert.match(stderr, /^e{1023}/m)
})

for (const stdio of ['pipe', 'a shell’s pipe'] as const)
  test(`all of it reaches who reads late, and holds up no other session (${stdio})`, async () => {
    const body = `
      await faults.print_out(2 << 20)
      const other = await CtypesSession.start()
      await other.terminate()
      process.stderr.write('other')`
    const args = ['--input-type=module', '--eval', program(body, '{}')]
    const child =
      stdio === 'pipe'
        ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
        : spawn('/bin/sh', ['-c', '"$0" "$@" | { sleep 1; cat; }', process.execPath, ...args])
    let said = ''
    let got = 0
    child.stderr?.on('data', chunk => {
      said += chunk
    })
    const closed = new Promise(resolve => child.once('close', resolve))
    if (stdio === 'pipe') await until(() => said.includes('other'), 'another session starts and ends', 30)
    child.stdout?.on('data', chunk => {
      got += chunk.length
    })
    await closed
    assert.match(said, 'other')
    assert.is(got, 2 << 20)
  })

test('what is more than may wait is dropped, and that is said', async () => {
  const body = `
    await faults.print_out(16 << 20)
    process.stderr.write('printed')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program(body, '{}')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let got = 0
  child.stderr.on('data', chunk => {
    said += chunk
  })
  const closed = new Promise(resolve => child.once('close', resolve))
  await until(() => said.includes('printed'), 'the routine returns', 30)
  child.stdout.on('data', chunk => {
    got += chunk.length
  })
  await closed
  const dropped = Number(/(\d+) bytes that the Windows process \d+ printed were dropped/.exec(said)?.[1])
  assert.is(got + dropped, 16 << 20)
})

test('it is not shown when that is not wanted, from the start or later', async () => {
  const quiet = await output(
    `await faults.print_out(5000); await faults.print_error(5000)`,
    '{ stdout: false, stderr: false, sandbox: false }',
  )
  assert.equal(quiet, { stdout: '', stderr: '' })
  const later = await output(`
    await session.setParameter({ stdout: false })
    await faults.print_out(5000)
    await faults.print_error(2000)`)
  assert.is(later.stdout, '')
  assert.match(later.stderr, /e{1023}/)
})

test.run()
