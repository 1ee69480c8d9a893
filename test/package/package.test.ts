/** What `npm pack` makes, installed into an empty project, works there. */
// long: it builds the package, packs it and installs it
// 64-bit only: that the files are there, those for 32 bits too, and are found; what sessions do is tried by the other suites
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dll } from '../dlls/build.js'

const test = suite('package')
const run = promisify(execFile)
/** What the package is made of. */
const SOURCES = `assembly data scripts src wine-host workers CHANGELOG.md LICENSE README.md asconfig.json package.json
  package-lock.json tsconfig.json`.split(/\s+/)
let folder: string
let project: string
let tarball: string
const installed = (...path: string[]) => join(project, 'node_modules/zugbruecke', ...path)

async function inProject(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run(program, args, { cwd: project, timeout: 90_000, encoding: 'utf8' })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zb-package-'))
  // a path that is not plain
  project = join(folder, 'empty prüject')
  mkdirSync(project)
  // in a copy, for packing makes a `dist` of its own, and other suites run on the one here
  const copy = join(folder, 'sources')
  for (const name of SOURCES) cpSync(name, join(copy, name), { recursive: true, preserveTimestamps: true })
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: copy })
  tarball = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz')) as string)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  await inProject('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball)
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('it has what it needs, and nothing else', () => {
  for (const file of [
    'dist/encoder.wasm',
    'dist/windows-constants.br',
    'dist/windows-types.br',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/workers/session.js',
    'dist/workers/supervisor.js',
    'dist/workers/sweep.js',
    'wine-host/main.py',
    'wine-host/wire.py',
    'wine-host/native/bridge-win64.dll',
    'wine-host/native/bridge-win32.dll',
    'README.md',
    'LICENSE',
  ])
    assert.ok(existsSync(installed(file)), file)
  for (const file of ['src', 'test', 'bench', 'node_modules/typescript', 'assembly', 'data', 'schema', '.ci'])
    assert.not(existsSync(installed(file)), file)
  const hosts = readdirSync(resolve('wine-host')).filter(name => name.endsWith('.py'))
  for (const name of hosts) assert.ok(existsSync(installed('wine-host', name)), name)
})

test('it is small', () => {
  const { size } = statSync(tarball)
  assert.ok(size < 600_000, `${size} bytes: see what 'npm pack --dry-run' lists, and scripts/slim.mjs`)
})

test('no source map is in it, and no internal member in its types', () => {
  const names = readdirSync(installed('dist'), { recursive: true, encoding: 'utf8' })
  assert.equal(
    names.filter(name => name.endsWith('.map')),
    [],
  )
  for (const name of names.filter(name => name.endsWith('.d.ts')))
    assert.not.match(readFileSync(installed('dist', name), 'utf8'), /@internal/, name)
})

test('its lines are short enough to be found in a stack, and no file is in it that nothing leads to', () => {
  const names = readdirSync(installed('dist'), { recursive: true, encoding: 'utf8' })
  for (const name of names.filter(name => name.endsWith('.js'))) {
    const longest = Math.max(
      ...readFileSync(installed('dist', name), 'utf8')
        .split('\n')
        .map(line => line.length),
    )
    assert.ok(longest < 800, `${name} has a line of ${longest} characters`)
  }
  assert.not(names.includes('src/ctypes/inference.js'))
  assert.not(names.includes('src/codec/generated/batch.js'))
})

test('publint and attw find nothing to complain of', async () => {
  const program = (name: string) => resolve('node_modules/.bin', name)
  await Promise.all([
    inProject(program('publint'), tarball, '--strict'),
    inProject(program('attw'), tarball, '--profile', 'esm-only'),
  ])
})

test('every entry point is there, with its types', async () => {
  const { exports } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as {
    exports: { [path: string]: string | { types: string; default: string } }
  }
  for (const [path, target] of Object.entries(exports))
    for (const file of typeof target === 'string' ? [target] : Object.values(target))
      assert.ok(existsSync(installed(file)), `${path}: ${file}`)
  const names = await inProject(
    process.execPath,
    '--input-type=module',
    '--eval',
    `const all = await Promise.all(['zugbruecke', 'zugbruecke/win32', 'zugbruecke/wintypes'].map(name => import(name)))
    console.log(JSON.stringify(all.map(each => Object.keys(each))))`,
  )
  const [main, win32, wintypes] = JSON.parse(names) as string[][]
  for (const name of [
    'CtypesSession',
    'ctypes_session',
    'SessionPool',
    'Structure',
    'POINTER',
    'CFUNCTYPE',
    'c_int',
    'ArgumentError',
  ])
    assert.ok(main.includes(name), name)
  for (const name of ['Structure', 'c_int', 'POINTER']) assert.ok(win32.includes(name), `win32: ${name}`)
  for (const name of ['DWORD', 'HANDLE', 'RECT']) assert.ok(wintypes.includes(name), `wintypes: ${name}`)
})

test('what is not exported cannot be imported', async () => {
  const code = `await import('zugbruecke/dist/src/index.js').then(() => console.log('imported'), error => console.log(error.code))`
  assert.match(
    await inProject(process.execPath, '--input-type=module', '--eval', code),
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  )
})

const consumer = `
import { c_double, c_int, CFUNCTYPE, CtypesSession, POINTER, SessionPool, Structure, type Routine } from 'zugbruecke'
import { DWORD } from 'zugbruecke/wintypes'

class Point extends Structure({ x: c_int, y: c_double }) {}

export async function main(path: string): Promise<number> {
  const session = await CtypesSession.start({ arch: 'win64' })
  try {
    const library = await session.cdll.LoadLibrary(path)
    const add = library.func('add', [c_int, c_int], c_int)
    const typed: Promise<number> = add(1, 2)
    const sync: number = add.sync(3, 4)
    // @ts-expect-error a string is no int
    const wrong = () => add('x', 2)
    const rows: Int32Array = await add.batch([new Int32Array([1, 2]), 5])
    const callback = CFUNCTYPE(c_int, c_int)
    const move = library.func('move', [POINTER(Point), DWORD, callback], null)
    const unused: Routine = library.anything
    const point = new Point({ x: 1 })
    const x: number = point.x
    void [wrong, move, unused]
    return (await typed) + sync + Number(rows[1]) + x
  } finally {
    await session.terminate()
  }
}
export const pool: typeof SessionPool.start = options => SessionPool.start(options)
`

/** As projects are set up: those that Node runs, those that a bundler makes, and with no more of the language than Node 20 has. */
const setups = {
  NodeNext: { module: 'NodeNext', moduleResolution: 'NodeNext', lib: ['ES2022'] },
  bundler: { module: 'ESNext', moduleResolution: 'bundler', lib: ['ES2022', 'DOM'] },
  Node16: { module: 'Node16', moduleResolution: 'Node16', lib: ['ES2023', 'ESNext.Disposable'] },
}
/** TypeScript that imports whatever an entry point has when it runs. */
async function namesOf(entry: string): Promise<string> {
  const code = `import * as all from '${entry}'; console.log(Object.keys(all).filter(name => name !== 'default').join())`
  const names = (await inProject(process.execPath, '--input-type=module', '--eval', code)).trim()
  return `import { ${names} } from '${entry}'\nexport const names = [${names}]\n`
}

test.before(async () => {
  const write = (name: string, text: string) => writeFileSync(join(project, 'source', `${name}.ts`), text)
  mkdirSync(join(project, 'source'))
  write('main', consumer)
  const names = async (entry: string) => write(`all${entry.replaceAll('/', '-')}`, await namesOf(`zugbruecke${entry}`))
  await Promise.all(['', '/win32', '/wintypes', '/ctypes/util'].map(names))
})

for (const [name, setup] of Object.entries(setups))
  test(`a consumer in TypeScript compiles (${name}), the declarations checked too`, async () => {
    const options = {
      compilerOptions: {
        target: 'ES2022',
        ...setup,
        strict: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [resolve('node_modules/@types')],
        outDir: 'made',
        rootDir: 'source',
      },
      include: ['source'],
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(options))
    await inProject(process.execPath, resolve('node_modules/typescript/bin/tsc'), '-p', '.')
  })

test('the declarations are for older versions of TypeScript too', () => {
  for (const name of readdirSync(installed('dist'), { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.d.ts'))
      assert.not.match(readFileSync(installed('dist', name), 'utf8'), /\b(Uint8|Int32|Float64)Array</, name)
})

test('an import by a Node that is too old is one clear error', async () => {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } })
    for (const name of ['zugbruecke', 'zugbruecke/ctypes', 'zugbruecke/win32', 'zugbruecke/wintypes'])
      await import(name).catch(error => console.log(error.code, error.message))`
  const said = 'ERR_ZUGBRUECKE_SETUP zugbruecke needs Node.js 20 or later; this is 18.20.8.\n'
  assert.is(await inProject(process.execPath, '--input-type=module', '--eval', code), said.repeat(4))
})

test('importing it starts no thread and no process, and installs no signal handler', async () => {
  const code = `import { readFileSync } from 'node:fs'
    import { Worker } from 'node:worker_threads'
    await Promise.all(['zugbruecke', 'zugbruecke/win32', 'zugbruecke/wintypes'].map(name => import(name)))
    const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection']
    console.log(JSON.stringify({
      children: readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'),
      listeners: events.filter(name => process.listenerCount(name) > 0),
      firstThread: new Worker('', { eval: true }).threadId,
    }))`
  const found = JSON.parse(await inProject(process.execPath, '--input-type=module', '--eval', code))
  assert.equal(found, { children: '', listeners: [], firstThread: 1 })
})

test('and calls a DLL', async () => {
  const code = `import { main } from './made/main.js'; console.log('sum', await main(${JSON.stringify(dll('numbers'))}))`
  assert.match(await inProject(process.execPath, '--input-type=module', '--eval', code), 'sum 18')
})

test('the command line runs', async () => {
  const zugbruecke = join(project, 'node_modules/.bin/zugbruecke')
  const [environment, json, help, called] = await Promise.all([
    inProject('npx', 'zugbruecke', 'env'),
    inProject(zugbruecke, 'env', '--json'),
    inProject(zugbruecke, '--help'),
    inProject(zugbruecke, 'call', dll('numbers'), 'int add(int, int)', '40', '2'),
  ])
  assert.match(environment, /wine/i)
  assert.match(environment, /python/i)
  JSON.parse(json)
  assert.match(help, 'doctor')
  assert.match(called, '42')
})

test.run()
