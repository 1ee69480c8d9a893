/** The session as a job sees it: the same names, every call synchronous. */

import type { CType } from '../../ctypes/data.js'
import type { Header } from '../../ctypes/header/index.js'
import type { ArgsOf, ArgType, ResType, ResultOf } from '../../ctypes/inference.js'
import type { Types } from '../../ctypes/types.js'
import type { WindowsError } from '../../errors.js'
import type { Arch } from '../../runtime/config.js'
import type { BatchDetail, BatchOf, BatchOptions, ColumnsOf, ResultsOf, RowsOf } from '../batch/batch.js'
import type { Blocking } from '../core/both.js'
import type { SessionCore } from '../core/core.js'
import type { LibraryOptions } from '../core/dll-state.js'
import { toUnixPath } from '../core/paths.js'
import type { Memsync } from '../memsync/memsync.js'
import type { AddressLike, Allocation, SessionMemory, TypedAllocation } from './memory.js'
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
  readonly detail: Blocking<A, CallDetail<R>>
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
export interface SyncLibraryConstructor {
  (name: string, options?: LibraryOptions): SyncLibrary
  new (name: string, options?: LibraryOptions): SyncLibrary
}
export type SyncLoader = { readonly LoadLibrary: Blocking<[name: string], SyncLibrary> } & {
  readonly [dll: string]: SyncLibrary
}

export type SyncAllocation<Of extends Allocation = Allocation> = Omit<Of, 'free'> & { free(): void }

export interface SyncDllDirectory {
  readonly path: string
  readonly close: Blocking<[], void>
}

export interface SyncMemory extends Pick<SessionMemory, 'read' | 'write' | 'at' | 'place' | 'array'> {
  readonly alloc: {
    (bytes: number): SyncAllocation
    <T extends CType>(type: T): SyncAllocation<TypedAllocation<T>>
    sync(bytes: number): SyncAllocation
    sync<T extends CType>(type: T): SyncAllocation<TypedAllocation<T>>
  }
  readonly free: Blocking<[memory: SyncAllocation | object], void>
}

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
    return path ? toUnixPath(path, this.worker.facts.prefix, this.arch) : undefined
  }
}

export class SyncSession {
  readonly #surface: SessionSurface
  readonly cdll: SyncLoader
  readonly windll: SyncLoader
  readonly oledll: SyncLoader
  readonly CDLL: SyncLibraryConstructor
  readonly WinDLL: SyncLibraryConstructor
  readonly OleDLL: SyncLibraryConstructor
  readonly types: Types
  readonly memory: SyncMemory
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
    this.CDLL = surface.CDLL as unknown as SyncLibraryConstructor
    this.WinDLL = surface.WinDLL as unknown as SyncLibraryConstructor
    this.OleDLL = surface.OleDLL as unknown as SyncLibraryConstructor
    this.types = surface.types
    this.memory = surface.memory as unknown as SyncMemory
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
  set_errno(value: number): number {
    return this.#surface.set_errno.sync(value)
  }
  pathUnixToWine(path: string): string {
    return this.#surface.pathUnixToWine.sync(path)
  }
  pathWineToUnix(path: string): string {
    return this.#surface.pathWineToUnix.sync(path)
  }
  add_dll_directory(path: string): SyncDllDirectory {
    return this.#surface.add_dll_directory.sync(path) as unknown as SyncDllDirectory
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
