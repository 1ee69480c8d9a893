/** What a Windows C compiler says: constant expressions are emitted as static data and read from its assembly. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import { windowsFiles } from '../../../src/ctypes/header/table.js'

export const compilers = { win64: 'x86_64-w64-mingw32-gcc', win32: 'i686-w64-mingw32-gcc' }

/** The values of `expressions`, as 64-bit integers, after `prelude`. */
export function compiled(arch: Arch, prelude: string, expressions: readonly string[]): bigint[] {
  const table = `long long answers[] = {\n${expressions.map(expression => `  (long long)(${expression}),`).join('\n')}\n  0x5a5a5a5a5a5a5a5aLL };\n`
  const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-header-'))
  try {
    writeFileSync(join(folder, 'nxplatform.h'), '')
    writeFileSync(join(folder, 'probe.c'), prelude + table)
    const args = ['-mms-bitfields', '-std=gnu11', '-w', '-I', folder, '-S', '-o', '-', join(folder, 'probe.c')]
    return answers(execFileSync(compilers[arch], args, { encoding: 'utf8', maxBuffer: 1 << 26 })).slice(
      0,
      expressions.length,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function answers(assembly: string): bigint[] {
  const lines = assembly.slice(assembly.indexOf('answers:')).split('\n').slice(1)
  const values: bigint[] = []
  const longs: bigint[] = []
  for (const line of lines) {
    const [, directive, operand] = /^\s*\.(quad|long|space|align)\s+(-?\d+)/.exec(line) ?? []
    if (directive === 'quad') values.push(BigInt.asIntN(64, BigInt(operand as string)))
    else if (directive === 'long') longs.push(BigInt.asUintN(32, BigInt(operand as string)))
    else if (directive === 'space') for (let left = Number(operand); left > 0; left -= 8) values.push(0n)
    else if (directive === undefined) break
    if (longs.length === 2) values.push(BigInt.asIntN(64, (longs[1] as bigint) * 2n ** 32n + (longs[0] as bigint)))
    if (longs.length === 2) longs.length = 0
  }
  return values
}

const before = '#include <winsock2.h>\n#include <windows.h>\n'
const includes = (headers: readonly string[]) => headers.map(name => `#include <${name}>\n`).join('')
const run = (arch: Arch, args: readonly string[], input: string) =>
  execFileSync(compilers[arch], [...args, '-x', 'c', '-'], {
    input,
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    stdio: 'pipe',
  })

/** All headers that lie beside windows.h. */
export function headersOf(arch: Arch): readonly string[] {
  const [, file = ''] = /^# \d+ "(.*\/windows\.h)"/m.exec(run(arch, ['-E'], before)) ?? []
  return readdirSync(dirname(file)).filter(name => name.endsWith('.h'))
}

/** The macros of windows.h, as text. */
const macrosOf = new Map<Arch, string>()
function windowsMacros(arch: Arch): string {
  const text = macrosOf.get(arch) ?? run(arch, ['-E', '-dM'], before)
  macrosOf.set(arch, text)
  return text
}

/** What headers say beyond those that the reader knows, after the compiler's preprocessor; throws where that stops. */
export function added(arch: Arch, headers: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-header-'))
  try {
    // with the macros of windows.h alone it is not read again for each
    const macros = join(folder, 'macros.h')
    writeFileSync(macros, windowsMacros(arch))
    const lines = run(arch, ['-E', '-dD', '-imacros', macros], includes(headers)).split('\n')
    let isKept = false
    return lines
      .filter(line => {
        const [, file] = /^# \d+ "(.*?)"/.exec(line) ?? []
        if (file === undefined) return isKept || line.startsWith('#pragma pack')
        const [, name] = /\/include\/([^"]*)$/.exec(file) ?? []
        isKept = name !== undefined && !/lib\/gcc/.test(file) && !windowsFiles().has(name.toLowerCase())
        return false
      })
      .join('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Does the compiler take a header behind windows.h? */
export function isAccepted(arch: Arch, header: string): boolean {
  try {
    run(arch, ['-fsyntax-only', '-w'], before + includes([header]))
    return true
  } catch {
    return false
  }
}

/** The text in front of what is asked of the compiler about these headers. */
export const preludeOf = (headers: readonly string[]) => before + includes(headers)

/** Which of the names are no types in C, but tags. */
export function tagsAmong(names: readonly string[], prelude: string, arch: Arch): ReadonlySet<string> {
  const input = `${prelude}\n#line 1 "names"\n${names.map(name => `extern ${name} *check_${name};\n`).join('')}`
  const tags = new Set<string>()
  try {
    execFileSync(compilers[arch], ['-fsyntax-only', '-fmax-errors=0', '-x', 'c', '-'], { input, stdio: 'pipe' })
  } catch (error) {
    const { stderr } = error as { stderr: Buffer }
    for (const [, line] of stderr.toString().matchAll(/^names:(\d+):(?:\d+:)? error/gm))
      tags.add(names[Number(line) - 1] as string)
  }
  return tags
}
