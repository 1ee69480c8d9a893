/**
 * Makes a private Wine that runs programs of both architectures, for sessions with arch win32: Debian's own has no 32-bit half, and
 * `wine32:i386` cannot be installed beside what many machines have. It is made of Debian's packages, changes nothing that is
 * installed, and needs no root.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SetupError } from '../errors.js'
import { hasApt } from './apt.js'
import { ownEnvironment } from './environment.js'
import { privateWine } from './locate.js'
import type { Progress, Step } from './progress.js'
import { needRoom } from './room.js'
import { type RunOptions, run, tail } from './run.js'
import { stripped } from './strip.js'

const PACKAGES = ['wine64:amd64', 'libwine:amd64', 'libwine:i386', 'libz-mingw-w64:all']
/**
 * From here on 64-bit programs and libraries of Linux are enough ("new WoW64"). Wine 8.0 has that, too, but starts a 32-bit program by
 * way of a 64-bit one, so that the process that was started is not the one that runs.
 */
const SINCE = 10
/**
 * What Wine needs before: programs of Linux of the other architecture, and these libraries of it with all that they need, which apt knows.
 * All that `wine32` names would be sixty packages, for sound, cameras and screens.
 */
const NARROW = 'wine32:i386'
const LIBRARIES = ['libc6:i386', 'libgcc-s1:i386', 'libfreetype6:i386', 'libfontconfig1:i386']
const WIDE = 'usr/lib/x86_64-linux-gnu/wine'
const OTHER = 'usr/lib/i386-linux-gnu/wine'
/** Where the library lies that libwine's own installation takes for a part of Wine. */
const ZLIB = { 'x86_64-windows': 'usr/x86_64-w64-mingw32', 'i386-windows': 'usr/i686-w64-mingw32' } as const
/** Where in a program Wine looks for the words by which it knows its own. */
const SIGNATURE_AT = 64
const SIGNATURE = 'Wine builtin DLL'.padEnd(32, '\0')
/** Debian's own names /usr/lib/wine. Without -p0 the server would linger after the last process of a prefix. */
const SERVER = '#!/bin/sh -e\nexec "$(dirname "$0")/wineserver64" -p0 "$@"\n'
/** Of the whole, in hundredths: after fetching, after unpacking. */
const FETCHED = 50
const UNPACKED = 75

/** Made aside; the folder is whole once it has the file `ready`. Throws SetupError. */
export async function makePrivateWine(progress: Progress): Promise<void> {
  if (!(await hasApt()))
    throw new SetupError(
      'A Wine that runs 32-bit programs is missing, and this system has no apt-get. Install one with your system’s packages, or name it as "wine" in the configuration.',
    )
  const folder = privateWine()
  await needRoom('A Wine for 32-bit programs', 0.8, folder)
  const aside = `${folder}.making`
  const step = progress.step('Wine for 32-bit programs, unpacked apart (200 MB of packages, 0.4 GB of disk)', 'steps')
  // a set-up that was killed may have left an apt-get at work: it is not waited for, and works elsewhere
  for (const left of await readdir(dirname(folder)))
    if (left.startsWith('packages-')) await rm(join(dirname(folder), left), { recursive: true, force: true })
  const packages = await mkdtemp(join(dirname(folder), 'packages-'))
  try {
    await rm(aside, { recursive: true, force: true })
    await mkdir(aside)
    const version = await fetchPackages(packages, step)
    // into a folder of its own: unpacking onto / would replace the link /lib
    for (const name of await readdir(packages))
      if (name.endsWith('.deb')) await must('dpkg', ['-x', join(packages, name), aside])
    step.advance(UNPACKED, 100)
    await arrange(aside)
    if (version < SINCE) await nameLibraries(aside, folder)
    else await widen(aside)
    await rm(folder, { recursive: true, force: true })
    await rename(aside, folder)
    const env = { ...ownEnvironment(), WINELOADER: join(folder, 'usr/lib/wine/wine') }
    await must(env.WINELOADER, ['--version'], { env })
    await writeFile(join(folder, 'ready'), '')
  } catch (error) {
    step.end('failed')
    if (!(error instanceof SetupError)) throw error
    throw new SetupError(`A Wine for 32-bit programs could not be made: ${error.message}`, { cause: error })
  } finally {
    await rm(packages, { recursive: true, force: true })
    await rm(aside, { recursive: true, force: true })
  }
  step.end(folder)
}

/** Into the folder, by lists of its own: the machine's need not have the other architecture. Gives the version of Wine. */
async function fetchPackages(folder: string, step: Step): Promise<number> {
  const format = '$(REPO_URI) $(CODENAME) $(COMPONENT)'
  const targets = await must('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  // the release alone, without what came later for the one architecture or the other: both are to have the same versions
  const [, mirror, codename] = /^(\S+) ([^-\s]+) main$/m.exec(targets) ?? []
  if (!mirror) throw new SetupError('apt-get knows no mirror of Debian (there is no suite "main" in its sources).')
  const at = (name: string) => join(folder, name)
  for (const name of ['lists/partial', 'cache', 'empty']) await mkdir(at(name), { recursive: true })
  await writeFile(at('status'), '')
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  await writeFile(at('main.list'), `deb [signed-by=${keyring}] ${mirror} ${codename} main\n`)
  await writeFile(
    at('apt.conf'),
    `Dir::Etc::sourcelist "${at('main.list')}"; Dir::Etc::sourceparts "${at('empty')}";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "${at('empty')}";
Dir::State "${folder}"; Dir::State::status "${at('status')}"; Dir::State::lists "${at('lists')}"; Dir::Cache "${at('cache')}";
APT::Architecture "amd64"; #clear APT::Architectures;
APT::Architectures { "amd64"; "i386"; };
APT::Sandbox::User "root"; Acquire::Languages "none"; #clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  )
  const env = { ...process.env, LC_ALL: 'C.UTF-8', APT_CONFIG: at('apt.conf') }
  await must('apt-get', ['update', '-q'], { env })
  const fetch = (names: readonly string[], from: number, to: number) =>
    must('apt-get', ['download', '-q', '-o', 'APT::Status-Fd=1', ...names], {
      env,
      cwd: folder,
      onLine: line => {
        const done = /^dlstatus:[^:]*:([\d.]+):/.exec(line)?.[1]
        if (done) step.advance(Math.round(from + (Number(done) / 100) * (to - from)), 100)
      },
    })
  await fetch(PACKAGES, 0, FETCHED)
  const version = Number(/(?:^|\s)libwine_(\d+)/.exec((await readdir(folder)).join(' '))?.[1])
  if (version < SINCE) {
    const needed = await must('apt-cache', ['depends', '--important', '--recurse', ...LIBRARIES], { env })
    const libraries = new Set(needed.match(/^\S+:i386$/gm))
    await fetch(['patchelf:amd64', NARROW, ...libraries], FETCHED, FETCHED)
  }
  return version
}

/** What both kinds have in common, which is small once what only debuggers read is gone. */
async function arrange(root: string): Promise<void> {
  const at = (...names: string[]) => join(root, ...names)
  for (const folder of [WIDE, OTHER])
    for (const [name, from] of Object.entries(ZLIB)) {
      await mkdir(at(folder, name), { recursive: true })
      const zlib = await readFile(at(from, 'lib/zlib1.dll'))
      zlib.write(SIGNATURE, SIGNATURE_AT, 'latin1')
      await writeFile(at(folder, name, 'zlib1.dll'), zlib)
      for (const file of await readdir(at(folder, name))) {
        const whole = await readFile(at(folder, name, file))
        const rest = stripped(whole)
        if (rest !== whole) await writeFile(at(folder, name, file), rest)
      }
    }
  for (const name of Object.values(ZLIB)) await rm(at(name), { recursive: true })
  await writeFile(at('usr/lib/wine/wineserver'), SERVER, { mode: 0o755 })
}

/** The 32-bit half beside the other one; of Linux nothing in it is of use. */
async function widen(root: string): Promise<void> {
  const at = (...names: string[]) => join(root, ...names)
  const half = 'i386-windows'
  await rm(at(WIDE, half), { recursive: true })
  await rename(at(OTHER, half), at(WIDE, half))
  await rm(at('usr/lib/i386-linux-gnu'), { recursive: true })
  // a loader whose name ends with 64 would look for another one for 32-bit programs
  await rename(at('usr/lib/wine/wine64'), at('usr/lib/wine/wine'))
}

/** The loader of 32-bit programs of Linux is told where their libraries are, and their interpreter, once the folder has its name. */
async function nameLibraries(root: string, folder: string): Promise<void> {
  const libraries = ['lib/i386-linux-gnu', 'usr/lib/i386-linux-gnu'].map(name => join(folder, name))
  await must(join(root, 'usr/bin/patchelf'), [
    ...['--set-interpreter', join(libraries[0], 'ld-linux.so.2'), '--force-rpath', '--set-rpath', libraries.join(':')],
    join(root, 'usr/lib/wine/wine'),
  ])
}

/** What a program prints; throws SetupError where it fails. */
async function must(program: string, args: readonly string[], options: Partial<RunOptions> = {}): Promise<string> {
  const { code, stdout, output } = await run(program, args, { seconds: 900, ...options })
  if (code === 0) return stdout
  const said = output.replace(/^(dl|pm)status:.*\n/gm, '')
  throw new SetupError(`${program} ${args.join(' ')} failed (exit code ${code}):\n${tail(said)}`)
}
