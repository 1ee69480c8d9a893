/** The DLLs that the suites call, built from the sources beside this file where they are missing or older. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// not beside this file, which may be one that `npm test` has made of it
const folder = fileURLToPath(new URL('../../test/dlls', import.meta.url))
const into = join(folder, 'build')
const compilers = { win64: 'x86_64-w64-mingw32-gcc', win32: 'i686-w64-mingw32-gcc' } as const
type Arch = keyof typeof compilers

/** What the suite runs for. */
const own: Arch = process.env.ZUGBRUECKE_ARCH === 'win32' ? 'win32' : 'win64'

/** Path of the DLL made of `name.c` (and `name.def`, where there is one). */
export function dll(name: string, arch: Arch = own): string {
  const target = join(into, `${name}${arch === 'win32' ? '-win32' : ''}.dll`)
  const sources = [join(folder, `${name}.c`), join(folder, `${name}.def`)].filter(existsSync)
  if (existsSync(target) && sources.every(source => statSync(source).mtimeMs < statSync(target).mtimeMs)) return target
  mkdirSync(into, { recursive: true })
  // aside first: suites may run at the same time
  const aside = `${target}.${process.pid}`
  compile(aside, arch, ['-O1', '-Wall', '-Wno-infinite-recursion', '-Wno-maybe-uninitialized', ...sources, '-lgdi32'])
  renameSync(aside, target)
  return target
}

/** Makes a DLL of C text at a path, with more options of the compiler's (libraries to link, for instance). */
export function makeDll(target: string, text: string, options: readonly string[] = [], arch: Arch = own): string {
  mkdirSync(dirname(target), { recursive: true })
  compile(target, arch, ['-O1', '-Wall', '-x', 'c', '-', '-x', 'none', ...options], text)
  return target
}

function compile(target: string, arch: Arch, options: readonly string[], input?: string): void {
  const all = ['-shared', '-static-libgcc', '-s', '-o', target, ...options]
  execFileSync(compilers[arch], all, { stdio: [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'], input })
}
