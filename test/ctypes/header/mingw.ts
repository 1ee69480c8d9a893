/** What a Windows C compiler says: constant expressions are emitted as static data and read from its assembly. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Arch } from '../../../src/ctypes/header/namespace.js'

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
