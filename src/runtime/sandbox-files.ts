/**
 * What a sandboxed process sees of this machine's files: nothing but what is listed here. Programs and libraries of the system, of
 * Wine and of Windows Python, the working folder, and what the parameters name; `/tmp`, `/run`, `/var`, `/dev`, `/proc` and the home
 * folder are its own and begin empty, so that no socket, key or lock of anybody's is in them.
 */
import { copyFileSync, existsSync, lstatSync, mkdtempSync, readlinkSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../errors.js'
import type { Config } from './config.js'
import type { Installation } from './locate.js'

/** Links on most systems, and folders on others. */
const LINKED = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']
/** Programs and libraries, and what Wine wants to know of the processors. */
const SYSTEM = ['/usr', '/nix/store', '/gnu/store', '/sys/devices/system']
/** What the C library, fonts and Wine look at; keys and passwords lie beside it. */
const ETC = [
  ...['alternatives', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'nsswitch.conf', 'passwd', 'group', 'hosts'],
  ...['localtime', 'timezone', 'locale.alias', 'locale.conf', 'fonts', 'ssl/certs', 'ssl/openssl.cnf'],
].map(name => `/etc/${name}`)
const OWN = ['/tmp', '/run', '/var']
/** Settings of the whole machine's: in `/proc` they belong to root, who needs no capability to write them. */
const MACHINE = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'acpi', 'scsi'].map(name => `/proc/${name}`)
/** What the user's keys are called. */
const KEYS = ['/proc/keys', '/proc/key-users']
/** Whatever is above one of these would let in what is to stay outside. */
const NEVER_WITHIN = [...OWN, '/etc', '/proc', '/sys', '/dev', '/home', '/root']
const wineHost = fileURLToPath(new URL('../../../wine-host', import.meta.url))

export type SeenConfig = Pick<Config, 'sandbox' | 'cwd' | 'dll_directories'>

/** Plain data: crosses threads. */
export interface SandboxView {
  /** Files and folders that are as they are outside. */
  readonly seen: readonly string[]
  /** What is put into this folder can be read inside, by the same path. */
  readonly dlls: string
}

const isWithin = (path: string, folder: string) => !/^\.\.(\/|$)/.test(relative(folder, path))
const homes = () => [process.env.HOME ?? '', homedir()].filter(path => path.startsWith('/') && path !== '/')
const isTooMuch = (path: string) => [...NEVER_WITHIN, ...homes()].some(inside => isWithin(inside, path))

/** The folder that holds all of a program: the one above `bin`, or `lib`, with the `usr` around it. */
function rootOf(program: string): string {
  const [, root] = /^(.+?)(?:\/usr)?\/(?:bin|lib\w*)\/.*$/.exec(program) ?? []
  return root && !isTooMuch(root) ? root : dirname(program)
}

/** What a session needs of its own accord; none of it may be written, whatever is said of the folders around. */
function programs({ wine, wineserver, python }: Installation): string[] {
  const libraries = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter(path => path.startsWith('/'))
  const roots = [wine, wineserver].flatMap(program => [rootOf(program), rootOf(realpathSync(program))])
  return [...new Set([...roots, ...libraries, dirname(python), wineHost])].filter(path => existsSync(path))
}

/** Throws ConfigError for a path that is not there. */
function writableFolders({ sandbox, cwd }: SeenConfig): string[] {
  const paths = Array.isArray(sandbox) ? sandbox.map(path => resolve(cwd, path)) : []
  for (const path of paths)
    if (!existsSync(path))
      throw new ConfigError(`the parameter "sandbox" names ${path} to be written, which does not exist: make it first`)
  return paths
}

/** A Windows path leads somewhere else than into the prefix where its drive is Linux' own. */
function readableFolders({ cwd, dll_directories }: SeenConfig): string[] {
  const named = dll_directories
    .map(folder => (/^z:[\\/]/i.test(folder) ? folder.slice(2).replaceAll('\\', '/') : folder))
    .filter(folder => !/^[a-z]:|\\/i.test(folder))
    .map(folder => resolve(cwd, folder))
  return isTooMuch(cwd) ? named : [cwd, ...named]
}

/** The system's part, which all sandboxes have. */
export function systemFiles(): string[] {
  const linked = LINKED.map(name => `/${name}`).filter(existsSync)
  return [
    ...linked.flatMap(path =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    ),
    ...[...SYSTEM, ...ETC].flatMap(path => ['--ro-bind-try', path, path]),
    ...OWN.flatMap(path => ['--tmpfs', path]),
    ...['--dev', '/dev', '--proc', '/proc'],
    ...MACHINE.flatMap(path => ['--ro-bind-try', path, path]),
    ...KEYS.filter(existsSync).flatMap(path => ['--ro-bind', '/dev/null', path]),
  ]
}

/** The rest, as options of bubblewrap's: what is mounted later lies over what was mounted before. Throws ConfigError. */
export function sessionFiles(
  installation: Installation,
  config: SeenConfig,
  dlls: string,
): { options: string[]; view: SandboxView } {
  const [readable, writable, needed] = [readableFolders(config), writableFolders(config), programs(installation)]
  return {
    options: [
      ...homes()
        .filter(path => !SYSTEM.some(folder => isWithin(path, folder)))
        .flatMap(path => ['--tmpfs', path]),
      ...readable.flatMap(path => ['--ro-bind-try', path, path]),
      ...writable.flatMap(path => ['--bind', path, path]),
      ...[...needed, dlls].flatMap(path => ['--ro-bind', path, path]),
      ...(readable.includes(config.cwd) ? [] : ['--dir', config.cwd]),
    ],
    view: { seen: [...SYSTEM, ...readable, ...writable, ...needed, dlls], dlls },
  }
}

/** The path by which a DLL is seen inside: of a copy, where it is not seen itself. What it needs beside it is not copied. */
export function lendDll(file: string, { seen, dlls }: SandboxView): string {
  const isSeen = [file, realpathSync(file)].every(path => seen.some(folder => isWithin(path, folder)))
  if (isSeen) return file
  const copy = join(mkdtempSync(join(dlls, 'dll-')), basename(file))
  copyFileSync(file, copy)
  return copy
}
