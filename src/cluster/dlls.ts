/**
 * DLLs that go along with the work: a file and the DLLs beside it that it needs, each under its SHA-256, and on the worker's side a
 * folder for each such set, where they are found beside one another as they were.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Redis } from 'ioredis'
import { ArgumentError, ClusterError, DllNotFoundError, ZugbrueckeError } from '../errors.js'
import type { DllSource } from '../pool/face.js'
import { cacheFolder } from '../runtime/locate.js'
import { readPeImports } from '../runtime/pe.js'
import { dllPath } from '../session/core/paths.js'
import { MOST } from './payload.js'
import type { DllFile, DllReference, Keys } from './queue.js'

const hash = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

/** Where a worker keeps what was uploaded; made if it is not there. */
export function makeUploadsFolder(): string {
  const folder = join(cacheFolder(), 'uploads')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** A DLL of the client's, and the files to upload for it. */
export interface LocalDll {
  readonly reference: DllReference
  /** By SHA-256. */
  readonly files: ReadonlyMap<string, string>
  /** Whether the files are still those that were read. */
  isCurrent(): boolean
}

const elsewhere = (path: string): LocalDll => ({ reference: { path }, files: new Map(), isCurrent: () => true })

/** Changes with every writing or replacing of the file. */
function stamp(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'gone'
}

/**
 * A path with slashes, or a file in the working folder, is the client's own and goes along; any other name is the workers' business, as
 * is `{ path }`. Throws DllNotFoundError, ArgumentError.
 */
export function resolveDll(source: DllSource): LocalDll {
  if (typeof source !== 'string') return elsewhere(source.path)
  const own = source.includes('/') ? dllPath(source, process.cwd()).unix : ownFile(source)
  if (!own) return elsewhere(source)
  const files = [own, ...neighbours(own)].map(path => {
    const read = stamp(path)
    const bytes = readFileSync(path)
    if (bytes.length > MOST)
      throw new ArgumentError(
        `${path} has ${bytes.length} bytes, and ${MOST} is the most that is uploaded: put it on the workers, and name it by { path }`,
      )
    return { path, read, name: basename(path), sha256: hash(bytes) }
  })
  return {
    reference: { name: basename(own), files: files.map(({ name, sha256 }) => ({ name, sha256 })) },
    files: new Map(files.map(({ sha256, path }) => [sha256, path])),
    isCurrent: () => files.every(({ path, read }) => stamp(path) === read),
  }
}

function ownFile(name: string): string | undefined {
  if (name.includes('\\') || /^[A-Za-z]:/.test(name)) return undefined
  try {
    return dllPath(`./${name}`, process.cwd()).unix
  } catch (error) {
    if (error instanceof DllNotFoundError) return undefined
    throw error
  }
}

/** The DLLs in its folder that it needs, and those that these need. */
function neighbours(main: string): string[] {
  const folder = dirname(main)
  const beside = new Map(readdirSync(folder).map(name => [name.toLowerCase(), join(folder, name)]))
  const found = new Set<string>()
  const queue = [main]
  for (let path = queue.pop(); path; path = queue.pop()) {
    for (const name of readPeImports(path)) {
      const file = beside.get(name.toLowerCase())
      if (!file || file === main || found.has(file)) continue
      found.add(file)
      queue.push(file)
    }
  }
  return [...found]
}

/** Uploads the files that Redis does not have yet. Throws ClusterError for one that has changed. */
export async function upload(redis: Redis, keys: Keys, dll: LocalDll, ttl: number): Promise<void> {
  for (const [sha256, path] of dll.files) {
    const key = keys.dll(sha256)
    // 1: it is there, and stays
    if ((await redis.pexpire(key, ttl)) === 1) continue
    const bytes = readFileSync(path)
    if (hash(bytes) !== sha256)
      throw new ClusterError(`${path} has changed since its routine was made: make the routine anew`)
    await redis.set(key, bytes, 'PX', ttl)
  }
}

/** An uploaded file has expired: its client is to upload it again. */
export class UploadGone extends ZugbrueckeError {}

/** The path of the DLL on this machine. Throws UploadGone, ClusterError for what is not what it says. */
export async function install(redis: Redis, keys: Keys, name: string, files: readonly DllFile[]): Promise<string> {
  for (const file of files)
    if (!/^[0-9a-f]{64}$/.test(file.sha256) || !isFileName(file.name)) throw badUpload(file.name)
  if (!files.some(file => file.name === name)) throw badUpload(name)
  const uploads = makeUploadsFolder()
  const folder = join(uploads, hash(files.map(file => `${file.sha256} ${file.name}`).join('\n')))
  const path = join(folder, name)
  if (existsSync(folder)) return path
  const aside = mkdtempSync(join(uploads, 'new-'))
  try {
    for (const file of files) {
      const bytes = await redis.getBuffer(keys.dll(file.sha256))
      if (!bytes) throw new UploadGone(`${file.name} is not there any more`)
      if (hash(bytes) !== file.sha256) throw badUpload(file.name)
      writeFileSync(join(aside, file.name), bytes, { mode: 0o400 })
    }
    renameSync(aside, folder)
  } catch (error) {
    rmSync(aside, { recursive: true, force: true })
    // another worker of this machine was faster
    if (!existsSync(folder)) throw error
  }
  return path
}

const isFileName = (name: string) =>
  /^[^/\\:\0]+$/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255
const badUpload = (name: string) =>
  new ClusterError(`the uploaded file "${name}" is not what its job says: it was not taken`)
