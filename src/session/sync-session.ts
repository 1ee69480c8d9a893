/** The session as a job sees it: the same names, every call synchronous. */

import type { Header } from '../ctypes/header/index.js'
import type { ArgsOf, ArgType, ResType, ResultOf } from '../ctypes/inference.js'
import type { Types } from '../ctypes/types.js'
import type { WindowsError } from '../errors.js'
import type { Arch } from '../runtime/config.js'
import type { BatchDetail, BatchOf, BatchOptions, ColumnsOf, ResultsOf, RowsOf } from './batch.js'
import type { SessionCore } from './core.js'
import type { LibraryOptions } from './dll-state.js'
import type { AddressLike, SessionMemory } from './memory.js'
import type { Memsync } from './memsync.js'
import { toUnixPath } from './paths.js'
import type { CallDetail, ErrCheck } from './routine.js'
import { SessionSurface } from './surface.js'

export interface SyncRoutine<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  Rows = ResultsOf<R>,
  Results = Rows,
> {
  (...args: A): R
  sync(...args: A): R
  detail(...args: A): CallDetail<R>
  readonly batch: {
    (columns: ColumnsOf<A>, options?: BatchOptions & { readonly detail?: false }): Rows
    (columns: ColumnsOf<A>, options: BatchOptions & { readonly detail: true }): BatchDetail<Results>
  }
  argtypes: readonly ArgType[] | undefined
  restype: ResType
  errcheck: ErrCheck | undefined
  memsync: readonly Memsync[] | undefined
  readonly name: string
}

interface SyncLibraryMembers {
  readonly _name: string
  func<const A extends readonly ArgType[], R extends ResType>(
    name: string | number,
    argtypes: A,
    restype: R,
  ): SyncRoutine<ArgsOf<A>, ResultOf<R, A>, BatchOf<R, A>, RowsOf<R>>
  func<A extends readonly unknown[] = readonly unknown[], R = unknown>(prototype: string): SyncRoutine<A, R>
  declare(header: string): { readonly [name: string]: SyncRoutine }
}
export type SyncLibrary = SyncLibraryMembers & { readonly [routine: string]: SyncRoutine } & {
  readonly [ordinal: number]: SyncRoutine
}
export type SyncLoader = { LoadLibrary(name: string): SyncLibrary } & { readonly [dll: string]: SyncLibrary }

/** Needs no start and no end: the session it stands for has both. */
class WorkerSurface extends SessionSurface {
  constructor(private readonly worker: SessionCore) {
    super(worker.facts.arch, true)
    this.adopt(worker)
  }
  override get id(): string {
    return this.worker.facts.id
  }
  override get cwd(): string {
    return this.worker.facts.cwd
  }
  override whenReady(): Promise<SessionCore> {
    return Promise.resolve(this.worker)
  }
  override coreNow(): SessionCore {
    return this.worker
  }
  override toUnix(path: string | undefined): string | undefined {
    return path ? toUnixPath(path, this.worker.facts.prefix) : undefined
  }
}

export class SyncSession {
  readonly #surface: SessionSurface
  readonly cdll: SyncLoader
  readonly windll: SyncLoader
  readonly oledll: SyncLoader
  readonly types: Types
  readonly memory: SessionMemory
  readonly cast: SessionSurface['cast']
  readonly util: {
    find_library(name: string): string | null
    find_msvcrt(): string | null
  }

  constructor(core: SessionCore) {
    const surface = new WorkerSurface(core)
    this.#surface = surface
    this.cdll = surface.cdll as unknown as SyncLoader
    this.windll = surface.windll as unknown as SyncLoader
    this.oledll = surface.oledll as unknown as SyncLoader
    this.types = surface.types
    this.memory = surface.memory
    this.cast = surface.cast.bind(surface) as SessionSurface['cast']
    this.util = {
      find_library: name => surface.util.find_library.sync(name),
      find_msvcrt: () => surface.util.find_msvcrt.sync(),
    }
  }

  get id(): string {
    return this.#surface.id
  }
  get arch(): Arch {
    return this.#surface.arch
  }
  CDLL(name: string, options?: LibraryOptions): SyncLibrary {
    return this.#surface.CDLL(name, options) as unknown as SyncLibrary
  }
  WinDLL(name: string, options?: LibraryOptions): SyncLibrary {
    return this.#surface.WinDLL(name, options) as unknown as SyncLibrary
  }
  OleDLL(name: string, options?: LibraryOptions): SyncLibrary {
    return this.#surface.OleDLL(name, options) as unknown as SyncLibrary
  }
  get CFUNCTYPE(): SessionSurface['CFUNCTYPE'] {
    return this.#surface.CFUNCTYPE
  }
  get WINFUNCTYPE(): SessionSurface['WINFUNCTYPE'] {
    return this.#surface.WINFUNCTYPE
  }
  FormatError(code?: number): string {
    return this.#surface.FormatError.sync(code)
  }
  WinError(code?: number, text?: string): WindowsError {
    return this.#surface.WinError.sync(code, text)
  }
  GetLastError(): number {
    return this.#surface.GetLastError.sync()
  }
  get_last_error(): number {
    return this.#surface.get_last_error()
  }
  set_last_error(code: number): number {
    return this.#surface.set_last_error.sync(code)
  }
  get_errno(): number {
    return this.#surface.get_errno()
  }
  pathUnixToWine(path: string): string {
    return this.#surface.pathUnixToWine.sync(path)
  }
  pathWineToUnix(path: string): string {
    return this.#surface.pathWineToUnix.sync(path)
  }
  header(text: string): Header {
    return this.#surface.header(text)
  }
  string_at(address: AddressLike, size?: number): string {
    return this.#surface.string_at(address, size)
  }
  wstring_at(address: AddressLike, size?: number): string {
    return this.#surface.wstring_at(address, size)
  }
}
