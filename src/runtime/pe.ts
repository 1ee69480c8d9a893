/**
 * Reads what the header of a Windows program or library tells: architecture and exports.
 * Trusts nothing in the file: each offset is checked against its size, each count against what the format allows.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { DllNotFoundError, WrongArchitectureError } from '../errors.js'
import type { Arch } from './config.js'

export interface PeHeader {
  /** IMAGE_FILE_HEADER.Machine, for instance 0x8664. */
  readonly machine: number
  readonly arch: 'win32' | 'win64' | 'arm64' | 'other'
  readonly isDll: boolean
  /** An assembly of .NET that holds no machine code. */
  readonly isManaged: boolean
}

export interface PeExport {
  /** Absent where the routine is exported by ordinal alone. */
  readonly name?: string
  readonly ordinal: number
  /** The `DLL.routine` it stands for, where it lies in another DLL. */
  readonly forward?: string
}

export interface Pe extends PeHeader {
  readonly exports: readonly PeExport[]
}

const machines: Readonly<Record<number, PeHeader['arch']>> = { 332: 'win32', 34404: 'win64', 43620: 'arm64' }
const longestName = 4096
const mostImports = 4096
/** Bytes of a symbol. */
const SYMBOL = 18
/** Which directory it is. */
const CERTIFICATES = 4
const CLI_HEADER = 14
/** IMAGE_COR20_HEADER: where its flags are, and the one for "no machine code". */
const CLI_FLAGS = 16
const IL_ONLY = 1
/** What may stand where a PE header would: programs of older systems, with the same first header. */
const older: Readonly<Record<string, string>> = {
  NE: 'for 16-bit Windows (NE)',
  LE: 'a virtual device driver or for OS/2 (LE)',
  LX: 'for OS/2 (LX)',
}

class Reader {
  readonly #fd: number
  readonly #path: string
  readonly #size: number

  constructor(path: string) {
    this.#path = path
    try {
      // to open a FIFO would otherwise wait for somebody who writes
      this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new DllNotFoundError(
        code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read (${code}).`,
        {
          dll: path,
          cause: error,
        },
      )
    }
    const stat = fstatSync(this.#fd)
    this.#size = stat.size
    if (stat.isFile()) return
    this.close()
    throw this.bad('it is not a file')
  }

  get size(): number {
    return this.#size
  }

  bad(why: string): DllNotFoundError {
    return new DllNotFoundError(`${this.#path} is not a usable Windows DLL: ${why}.`, { dll: this.#path })
  }

  wrong(what: string): WrongArchitectureError {
    const path = this.#path
    return new WrongArchitectureError(`${path} is ${what}: sessions load DLLs for Windows on x86 alone.`, { dll: path })
  }

  /** Throws where what begins in the file does not end in it. What does not even begin there is not said to be there: tools leave such behind. */
  whole(offset: number, length: number, what: string): void {
    if (offset < this.#size && offset + length > this.#size) throw this.bad(`it is cut short (within its ${what})`)
  }

  /** Up to `length` bytes; what the file does not have is not there. */
  some(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.#size - offset)))
    return bytes.subarray(0, bytes.length === 0 ? 0 : readSync(this.#fd, bytes, 0, bytes.length, offset))
  }

  all(offset: number, length: number, what: string): Buffer {
    const bytes = this.some(offset, length)
    if (bytes.length < length) throw this.bad(`it ends within its ${what} (${this.#size} bytes)`)
    return bytes
  }

  close(): void {
    closeSync(this.#fd)
  }
}

interface Headers extends PeHeader {
  /** Where and how long the export directory is, as addresses in memory. */
  readonly exportsAt: number
  readonly importsAt: number
  readonly exportsLength: number
  readonly sections: readonly { readonly address: number; readonly length: number; readonly offset: number }[]
}

function readHeaders(file: Reader): Headers {
  const dos = file.some(0, 64)
  if (dos.toString('latin1', 0, 4) === '\x7fELF') throw file.bad('it is for Linux (ELF)')
  if (dos.length < 2 || dos.toString('latin1', 0, 2) !== 'MZ') throw file.bad('it does not begin with "MZ"')
  if (dos.length < 64) throw file.bad('it ends within its first header')
  const at = dos.readUInt32LE(0x3c)
  const kind = older[file.some(at, 2).toString('latin1')]
  if (kind) throw file.wrong(kind)
  const coff = file.all(at, 24, 'header')
  if (coff.toString('latin1', 0, 4) !== 'PE\0\0') throw file.bad('it has no PE header')
  const machine = coff.readUInt16LE(4)
  const optionalLength = coff.readUInt16LE(20)
  const optional = file.all(at + 24, optionalLength, 'optional header')
  const magic = optional.length >= 2 ? optional.readUInt16LE(0) : 0
  if (magic !== 0x10b && magic !== 0x20b) throw file.bad('its optional header is of no known kind')
  const directories = magic === 0x20b ? 112 : 96
  const hasImports = optionalLength >= directories + 16 && optional.readUInt32LE(directories - 4) > 1
  const hasExports = optionalLength >= directories + 8 && optional.readUInt32LE(directories - 4) > 0
  const table = file.all(at + 24 + optionalLength, coff.readUInt16LE(6) * 40, 'section table')
  const [symbols, symbolCount] = [coff.readUInt32LE(12), coff.readUInt32LE(16)]
  if (symbols > 0) {
    const names = symbols + symbolCount * SYMBOL
    file.whole(symbols, symbolCount * SYMBOL + 4, 'symbols')
    const length = file.some(names, 4)
    if (length.length === 4) file.whole(names, length.readUInt32LE(0), 'names of symbols')
  }
  const certificates = directories + 8 * CERTIFICATES
  if (optionalLength >= certificates + 8 && optional.readUInt32LE(directories - 4) > CERTIFICATES)
    // the only directory that says where it is in the file
    file.whole(optional.readUInt32LE(certificates), optional.readUInt32LE(certificates + 4), 'certificates')
  const sections = []
  for (let i = 0; i < table.length; i += 40)
    sections.push({
      address: table.readUInt32LE(i + 12),
      length: table.readUInt32LE(i + 16),
      offset: table.readUInt32LE(i + 20),
    })
  // Windows refuses such a file; Wine takes what is missing for zeros
  for (const { offset, length } of sections)
    if (length > 0 && offset + length > file.size) throw file.bad('it is cut short (within a section)')
  const managed = directories + 8 * CLI_HEADER
  const hasManaged = optionalLength >= managed + 8 && optional.readUInt32LE(directories - 4) > CLI_HEADER
  const managedAt = hasManaged ? optional.readUInt32LE(managed) : 0
  const cli = sections.find(({ address, length }) => managedAt >= address && managedAt < address + length)
  const flags = cli ? file.some(managedAt - cli.address + cli.offset + CLI_FLAGS, 4) : Buffer.alloc(0)
  return {
    machine,
    isManaged: flags.length === 4 && (flags.readUInt32LE(0) & IL_ONLY) !== 0,
    arch: machines[machine] ?? 'other',
    isDll: (coff.readUInt16LE(22) & 0x2000) !== 0,
    exportsAt: hasExports ? optional.readUInt32LE(directories) : 0,
    importsAt: hasImports ? optional.readUInt32LE(directories + 8) : 0,
    exportsLength: hasExports ? optional.readUInt32LE(directories + 4) : 0,
    sections,
  }
}

/** Reads by addresses in memory, as the sections map them. */
function mapped(file: Reader, sections: Headers['sections']) {
  const place = (address: number, what: string): { offset: number; left: number } => {
    const section = sections.find(({ address: from, length }) => address >= from && address < from + length)
    if (!section) throw file.bad(`its ${what} lies outside of its sections`)
    return { offset: address - section.address + section.offset, left: section.address + section.length - address }
  }
  const bytes = (address: number, length: number, what: string): Buffer => {
    if (length === 0) return Buffer.alloc(0)
    const { offset, left } = place(address, what)
    if (length > left) throw file.bad(`its ${what} is longer than its section`)
    return file.all(offset, length, what)
  }
  // names that all lie in one place would be a thousand times the file
  let most = file.size
  const text = (address: number): string => {
    const { offset, left } = place(address, 'export name')
    let found = file.some(offset, Math.min(left, 128))
    if (!found.includes(0)) found = file.some(offset, Math.min(left, longestName))
    const end = found.indexOf(0)
    if (end < 0) throw file.bad('one of its export names has no end')
    most -= end
    if (most < 0) throw file.bad('its export names are longer than the file')
    return found.toString('utf8', 0, end)
  }
  return { bytes, text }
}

function readImports(file: Reader, { importsAt, sections }: Headers): string[] {
  if (importsAt === 0) return []
  const { bytes, text } = mapped(file, sections)
  const names: string[] = []
  for (let i = 0; i < mostImports; i++) {
    const name = bytes(importsAt + i * 20, 20, 'import directory').readUInt32LE(12)
    if (name === 0) return names
    names.push(text(name))
  }
  throw file.bad('it claims more imports than there can be')
}

function readExports(file: Reader, { exportsAt, exportsLength, sections }: Headers): PeExport[] {
  if (exportsAt === 0) return []
  const { bytes, text } = mapped(file, sections)
  const directory = bytes(exportsAt, 40, 'export directory')
  const base = directory.readUInt32LE(16)
  const routineCount = directory.readUInt32LE(20)
  const nameCount = directory.readUInt32LE(24)
  if (routineCount > 0x10000 || nameCount > 0x10000) throw file.bad('it claims more exports than there can be')
  const addresses = bytes(directory.readUInt32LE(28), routineCount * 4, 'export addresses')
  const names = bytes(directory.readUInt32LE(32), nameCount * 4, 'export names')
  const indexes = bytes(directory.readUInt32LE(36), nameCount * 2, 'export ordinals')
  const namesOf = new Map<number, string[]>()
  for (let i = 0; i < nameCount; i++) {
    const index = indexes.readUInt16LE(i * 2)
    if (index >= routineCount) throw file.bad('an export name belongs to no export')
    const name = text(names.readUInt32LE(i * 4))
    const others = namesOf.get(index)
    if (others) others.push(name)
    else namesOf.set(index, [name])
  }
  const exports: PeExport[] = []
  for (let index = 0; index < routineCount; index++) {
    const address = addresses.readUInt32LE(index * 4)
    if (address === 0) continue // a gap between ordinals
    const forward = address >= exportsAt && address < exportsAt + exportsLength ? { forward: text(address) } : {}
    const entry = { ordinal: base + index, ...forward }
    const all = namesOf.get(index)
    if (all) exports.push(...all.map(name => ({ name, ...entry })))
    else exports.push(entry)
  }
  return exports
}

function withFile<T>(path: string, read: (file: Reader) => T): T {
  const file = new Reader(path)
  try {
    return read(file)
  } finally {
    file.close()
  }
}

/** Architecture alone: a few small reads. Throws `DllNotFoundError` for what is missing or no PE file, `WrongArchitectureError` for what is older than such. */
export const readPeHeader = (path: string): PeHeader =>
  withFile(path, file => {
    const { machine, arch, isDll, isManaged } = readHeaders(file)
    return { machine, arch, isDll, isManaged }
  })

/** Architecture and exports, in the order of ordinals. Throws `DllNotFoundError` for what is missing, no PE file or damaged, `WrongArchitectureError` for what is older than such. */
export const readPe = (path: string): Pe =>
  withFile(path, file => {
    const headers = readHeaders(file)
    const { machine, arch, isDll, isManaged } = headers
    return { machine, arch, isDll, isManaged, exports: readExports(file, headers) }
  })

/**
 * The architecture of the sessions that can load a DLL, which is named in errors as `name`. Throws `WrongArchitectureError` for a DLL
 * that no session can.
 */
export function sessionArch(name: string, { arch, machine, isManaged }: PeHeader): Arch {
  const wrong = (what: string) => new WrongArchitectureError(`${name} is ${what}`, { dll: name })
  if (isManaged) throw wrong('a .NET assembly: it holds no routines, but code for the .NET runtime')
  if (arch === 'win32' || arch === 'win64') return arch
  const what = arch === 'arm64' ? 'for ARM64' : `for another machine (0x${machine.toString(16)})`
  throw wrong(`${what}: sessions load DLLs for Windows on x86 alone`)
}

/** The names of the DLLs that it needs. Throws `DllNotFoundError` for what is missing, no PE file or damaged. */
export const readPeImports = (path: string): readonly string[] =>
  withFile(path, file => readImports(file, readHeaders(file)))
