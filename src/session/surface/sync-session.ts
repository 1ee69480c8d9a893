/** The session as a job gets it: with the same names, and all calls block. */

import type { CType } from '../../ctypes/data.js'
import type { Header, ParsedHeader } from '../../ctypes/header/index.js'
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
import type { Allocation, TypedAllocation } from './allocation.js'
import type { AddressLike, SessionMemory } from './memory.js'
import type { CallDetail, ErrCheck } from './routine.js'
import { SessionSurface } from './surface.js'

/** A routine inside a job: calling it blocks the job's thread, and throws errors. */
export interface SyncRoutine<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  Rows = ResultsOf<R>,
  Results = Rows,
> {
  (...args: A): R
  /** The same as calling it. */
  sync(...args: A): R
  /** A call that gives its value with the last error and errno that it left. */
  readonly detail: Blocking<A, CallDetail<R>>
  /** One call for each row of the columns. */
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
  declare(header: string | ParsedHeader): { readonly [name: string]: SyncRoutine }
}
/** A loaded DLL inside a job; its routines block. */
export type SyncLibrary = SyncLibraryMembers & { readonly [routine: string]: SyncRoutine } & {
  readonly [ordinal: number]: SyncRoutine
}
/** `CDLL`, `WinDLL` and `OleDLL` inside a job. */
export interface SyncLibraryConstructor {
  (name: string, options?: LibraryOptions): SyncLibrary
  new (name: string, options?: LibraryOptions): SyncLibrary
}
/** `cdll`, `windll` and `oledll` inside a job. */
export type SyncLoader = { readonly LoadLibrary: Blocking<[name: string], SyncLibrary> } & {
  readonly [dll: string]: SyncLibrary
}

/** Memory of the Windows process, allocated inside a job. */
export type SyncAllocation<Of extends Allocation = Allocation> = Omit<Of, 'free'> & {
  /** Frees it; blocks. */
  free(): void
}

/** A folder that `add_dll_directory` added inside a job. Windows looks there until it is closed. */
export interface SyncDllDirectory {
  /** Its Windows path. */
  readonly path: string
  /** Ends that. Throws ArgumentError the second time. */
  readonly close: Blocking<[], void>
}

/** `session.memory` inside a job. */
export interface SyncMemory extends Pick<SessionMemory, 'read' | 'write' | 'at' | 'place' | 'array'> {
  /** Zeroed memory of the Windows process for so many bytes, or for an object of a type. */
  readonly alloc: {
    (bytes: number): SyncAllocation
    <T extends CType>(type: T): SyncAllocation<TypedAllocation<T>>
    /** The same. */
    sync(bytes: number): SyncAllocation
    /** The same. */
    sync<T extends CType>(type: T): SyncAllocation<TypedAllocation<T>>
  }
  /** Frees what `alloc` gave, or the memory in which both sides see an object of ctypes, which keeps its values. */
  readonly free: Blocking<[memory: SyncAllocation | object], void>
}

/** The surface of a session in its worker, where everything blocks. */
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

/**
 * The session that a job gets. It has the names of a `CtypesSession`; its functions block the job's thread and throw.
 */
export class SyncSession {
  readonly #surface: SessionSurface
  /** DLLs of the calling convention cdecl, loaded at first use. */
  readonly cdll: SyncLoader
  /** DLLs of the calling convention stdcall. */
  readonly windll: SyncLoader
  /** As `windll`; a result that is a failing HRESULT is thrown as `WindowsError`. */
  readonly oledll: SyncLoader
  /** Makes a new library of the kind of `cdll`; the two below, of `windll` and `oledll`. */
  readonly CDLL: SyncLibraryConstructor
  readonly WinDLL: SyncLibraryConstructor
  readonly OleDLL: SyncLibraryConstructor
  /** The types in this session's layout. */
  readonly types: Types
  /** Memory of the Windows process. */
  readonly memory: SyncMemory
  /** As `cast` without a session; takes addresses, too. */
  readonly cast: SessionSurface['cast']
  readonly util: {
    /** The full Windows path of a DLL that Windows finds by a name, in any case; null if there is none. */
    find_library(name: string): string | null
    /** The name of the C runtime of Windows Python, as that gives it: null with the versions of today. */
    find_msvcrt(): string | null
  }

  /** @internal */
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

  /** Name of the session. */
  get id(): string {
    return this.#surface.id
  }
  /** Architecture of the session. */
  get arch(): Arch {
    return this.#surface.arch
  }
  /** Callback types of the convention cdecl, in this session's layout. */
  get CFUNCTYPE(): SessionSurface['CFUNCTYPE'] {
    return this.#surface.CFUNCTYPE
  }
  /** The same for stdcall. */
  get WINFUNCTYPE(): SessionSurface['WINFUNCTYPE'] {
    return this.#surface.WINFUNCTYPE
  }
  /** The text of a Windows error code; without one, of the last error that `GetLastError` gives. */
  FormatError(code?: number): string {
    return this.#surface.FormatError.sync(code)
  }
  /** A WindowsError for a code, to throw; without one, for the last error that `GetLastError` gives. */
  WinError(code?: number, text?: string): WindowsError {
    return this.#surface.WinError.sync(code, text)
  }
  /** The last error of the Windows side's main thread, as Windows has it now. */
  GetLastError(): number {
    return this.#surface.GetLastError.sync()
  }
  /** The last error of the last call, for DLLs with `use_last_error`. */
  get_last_error(): number {
    return this.#surface.get_last_error()
  }
  /** Sets the copy of the last error that routines with `use_last_error` see; gives the old one. */
  set_last_error(code: number): number {
    return this.#surface.set_last_error.sync(code)
  }
  /** C's `errno` after the last call, for DLLs with `use_errno`. */
  get_errno(): number {
    return this.#surface.get_errno()
  }
  /** Sets the copy of `errno` that routines with `use_errno` see; gives the old one. */
  set_errno(value: number): number {
    return this.#surface.set_errno.sync(value)
  }
  /** A path of Linux as Windows programs name it, also of what does not exist. */
  pathUnixToWine(path: string): string {
    return this.#surface.pathUnixToWine.sync(path)
  }
  /** A path of Windows as Linux names it, also of what does not exist. */
  pathWineToUnix(path: string): string {
    return this.#surface.pathWineToUnix.sync(path)
  }
  /** Makes Windows look for DLLs also in a folder, until what this returns is closed. */
  add_dll_directory(path: string): SyncDllDirectory {
    return this.#surface.add_dll_directory.sync(path) as unknown as SyncDllDirectory
  }
  /** The types of a header, with this session's layouts: see `CtypesSession.header`. */
  header(text: string | ParsedHeader): Header {
    return this.#surface.header(text)
  }
  /** Text at an address of the Windows process: `size` bytes, or up to the first zero. */
  string_at(address: AddressLike, size?: number): string {
    return this.#surface.string_at(address, size)
  }
  /** UTF-16 text at an address: `size` units, or up to the first zero. */
  wstring_at(address: AddressLike, size?: number): string {
    return this.#surface.wstring_at(address, size)
  }
}
