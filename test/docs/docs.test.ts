/** Every code block of the documentation runs, against real DLLs, and gives what its comments say. */
// long: it runs every block of code of every page
// 64-bit only: the pages are written for sessions as they are unless something else is said, and their blocks that are about 32 bits say so
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveConfig } from '../../src/runtime/config.js'
import { wineEnvironment } from '../../src/runtime/environment.js'
import { locate } from '../../src/runtime/locate.js'
import { ensureServices } from '../../src/runtime/prefix.js'
import type { Report } from './checks.js'
import { type Block, blocksOf, checkedProgram, fileOf, plainProgram, pythonProgram } from './page.js'
import { makeSdk } from './sdk.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const only = process.argv[2]
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`)].filter(
  name => name.endsWith('.md') && (!only || name.includes(only)),
)

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(file: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<Run> {
  return new Promise(resolve => {
    const limits = { timeout: 120_000, maxBuffer: 1 << 26 }
    const child = execFile(file, args, { ...options, ...limits }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    )
    child.stdin?.end()
  })
}

/** A folder in which `zugbruecke` is installed, as in a user's project. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-docs-'))
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/zugbruecke'))
  mkdirSync(join(folder, 'node_modules/.bin'))
  const command = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/src/cli/main.js')}' "$@"\n`
  writeFileSync(join(folder, 'node_modules/.bin/zugbruecke'), command, { mode: 0o755 })
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n')
  return folder
}

const isOwn = ({ marks }: Block) => marks.includes('own')
const runs = ({ language, marks }: Block) => (language === 'ts' || language === 'js') && !marks.includes('norun')

const programsOf = (blocks: readonly Block[]) => blocks.filter(block => runs(block) && !fileOf(block))

for (const page of pages) {
  const blocks = blocksOf(join(root, page))
  const programs = programsOf(blocks)
  const python = blocks.filter(({ language, marks }) => language === 'py' && !marks.includes('norun'))
  if (programs.length === 0 && python.length === 0) continue

  test(`${page}: its blocks run and give what they say`, async () => {
    const folder = project()
    try {
      await build(folder, blocks)
      if (page.endsWith('vendor-sdk.md')) makeSdk(folder)
      const shared = programs.filter(block => !isOwn(block))
      const groups = [...(shared.length > 0 ? [shared] : []), ...programs.filter(isOwn).map(block => [block])]
      const problems: string[] = []
      for (const block of blocks)
        if (block.language === 'sh' && block.marks.includes('run')) problems.push(...(await runShell(folder, block)))
      for (const [i, group] of groups.entries()) problems.push(...(await runGroup(folder, group, i)))
      for (const block of blocks)
        if (block.language === 'py' && block.marks.includes('norun'))
          problems.push(...(await compilePython(folder, block)))
      if (python.length > 0) problems.push(...(await runPython(folder, python)))
      assert.is(problems.join('\n\n'), '')
    } finally {
      if (!process.env.ZUGBRUECKE_TEST_KEEP) rmSync(folder, { recursive: true, force: true })
    }
  })

  test(`${page}: its blocks are well typed`, async () => {
    assert.equal((await typeErrors()).get(page), [])
  })
}

let checked: ReturnType<typeof checkTypes> | undefined
/** What the compiler has to say of each page: one run of it reads them all. */
const typeErrors = () => (checked ??= checkTypes())

async function checkTypes(): Promise<ReadonlyMap<string, readonly string[]>> {
  const folder = project()
  try {
    for (const page of pages) {
      const blocks = blocksOf(join(root, page))
      const programs = programsOf(blocks)
      const own = join(folder, basename(page))
      const write = (file: string, text: string) => writeFileSync(join(own, file), text)
      mkdirSync(own)
      for (const block of blocks) {
        const file = fileOf(block)
        if (file && runs(block)) write(file, block.code)
      }
      const shared = programs.filter(block => !isOwn(block))
      if (shared.length > 0) write('page.ts', plainProgram(shared))
      for (const block of programs.filter(isOwn)) write(`own-${block.line}.ts`, plainProgram([block]))
    }
    writeFileSync(join(folder, 'tsconfig.json'), TSCONFIG)
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { code, stdout } = await run(tsc, ['-p', '.', '--pretty', 'false'], { cwd: folder })
    // lines that are moved in belong to the one before
    const said = stdout.split(/\n(?=\S)/)
    const errors = new Map(pages.map(page => [page, said.filter(text => text.startsWith(`${basename(page)}/`))]))
    if (code !== 0 && [...errors.values()].every(({ length }) => length === 0)) throw new Error(stdout)
    return errors
  } finally {
    if (!process.env.ZUGBRUECKE_TEST_KEEP) rmSync(folder, { recursive: true, force: true })
  }
}

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable', 'DOM'],
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  },
  include: ['*/*.ts'],
})

/** Files and DLLs that the page shows. */
async function build(folder: string, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) {
    const file = fileOf(block)
    if (!file) continue
    writeFileSync(join(folder, file), block.code)
    if (!file.endsWith('.c')) continue
    const dll = file.replace(/\.c$/, '.dll')
    const compiled = await run('x86_64-w64-mingw32-gcc', ['-shared', '-O2', '-Wall', '-o', dll, file], { cwd: folder })
    if (compiled.code !== 0 || !existsSync(join(folder, dll))) throw new Error(`${file}:\n${compiled.stderr}`)
  }
}

/** What Node 20 reads of a program in TypeScript. */
const javascript = (text: string) => transformSync(text, { loader: 'ts', format: 'esm', target: 'node20' }).code

async function runGroup(folder: string, group: readonly Block[], number: number): Promise<string[]> {
  const file = `program-${number}.js`
  writeFileSync(join(folder, 'checks.js'), javascript(readFileSync(join(root, 'test/docs/checks.ts'), 'utf8')))
  writeFileSync(join(folder, file), javascript(checkedProgram(group, './checks.js')))
  const { code, stdout, stderr } = await run(process.execPath, [file], { cwd: folder })
  const reports = [...stdout.matchAll(/^@@ (.*)$/gm)].map(([, json]) => JSON.parse(json) as Report)
  const problems = reports
    .filter(({ ok }) => !ok)
    .map(({ line, actual, expected }) =>
      expected === undefined ? `line ${line}: ${actual}` : `line ${line}: ${actual}\n  instead of ${expected}`,
    )
  for (const { line } of group)
    if (!reports.some(it => it.done && it.line === line)) problems.push(`the block at line ${line} was not reached`)
  if (code !== 0) problems.push(`exit code ${code}: ${stderr}`)
  if (problems.length > 0 && stderr && code === 0) problems.push(`stderr: ${stderr}`)
  return problems
}

/** What a block of commands prints is what its lines `# → …` say. */
async function runShell(folder: string, { code, line }: Block): Promise<string[]> {
  const { stdout, stderr, ...result } = await run('sh', ['-ec', code], { cwd: folder })
  const expected = [...code.matchAll(/^# → (.*)$/gm)].map(([, text]) => text).join('\n')
  const same = stdout.trimEnd().replace(/^ +/gm, '') === expected
  return result.code === 0 && same
    ? []
    : [`the commands at line ${line} print\n${stdout}instead of\n${expected}\n${stderr}`]
}

async function compilePython(folder: string, { code, line }: Block): Promise<string[]> {
  const { stderr, ...result } = await run('python3', ['-c', `compile(${JSON.stringify(code)}, 'block', 'exec')`], {
    cwd: folder,
  })
  return result.code === 0 ? [] : [`Python, the block at line ${line}: ${stderr}`]
}

async function runPython(folder: string, blocks: readonly Block[]): Promise<string[]> {
  const file = join(folder, 'page.py')
  writeFileSync(file, pythonProgram(blocks))
  const config = resolveConfig()
  const installation = locate(config)
  const hold = setInterval(() => {}, 1000) // to wait for the services does not keep Node alive
  await ensureServices(installation).finally(() => clearInterval(hold))
  const { code, stdout, stderr } = await run(installation.wine, [installation.python, basename(file)], {
    cwd: folder,
    env: wineEnvironment(config, installation),
  })
  const lines = stdout.split(/\r?\n/)
  const problems = lines.filter(line => /^line \d+: /.test(line)).map(line => `Python, ${line}`)
  if (code !== 0 || !lines.includes('PAGE DONE')) problems.push(`Python, exit code ${code}: ${stderr}`)
  return problems
}

test.run()
