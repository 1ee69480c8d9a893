/** The SDK of docs/vendor-sdk.md: a zip as vendors ship them, with headers and DLLs for both architectures, one of which needs another. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('sdk/', import.meta.url))
const compilers = { x64: 'x86_64-w64-mingw32-gcc', x86: 'i686-w64-mingw32-gcc' }

export function makeSdk(folder: string): void {
  const sdk = join(folder, 'acme-sdk')
  mkdirSync(join(sdk, 'include'), { recursive: true })
  for (const name of ['meter.h', 'meter_types.h']) copyFileSync(join(sources, name), join(sdk, 'include', name))
  writeFileSync(
    join(sdk, 'README.txt'),
    'Acme meters 3.2\r\nLink with lib\\meter.lib, ship bin\\*.dll beside your program.\r\n',
  )
  for (const [name, compiler] of Object.entries(compilers)) {
    const bin = join(sdk, 'bin', name)
    mkdirSync(bin, { recursive: true })
    const make = (...args: string[]) =>
      execFileSync(compiler, ['-shared', '-O2', '-Wall', '-static-libgcc', '-s', ...args])
    make('-o', join(bin, 'calib.dll'), join(sources, 'calib.c'))
    make('-Wl,--kill-at', '-o', join(bin, 'meter.dll'), join(sources, 'meter.c'), join(bin, 'calib.dll'))
  }
  execFileSync('python3', ['-m', 'zipfile', '-c', 'acme-sdk.zip', 'acme-sdk/'], { cwd: folder })
  rmSync(sdk, { recursive: true })
}
