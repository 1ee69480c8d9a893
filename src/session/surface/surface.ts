/**
 * What a session offers apart from its start and end: libraries, errors of Windows, paths, memory. It is the same for
 * the thread that started the session and for threads that joined.
 */

import { numberOf, textOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { RemoteRange, type Target } from '../../ctypes/block.js'
import type { CallbackType, ForeignRoutine } from '../../ctypes/callback-type.js'
import { checkText } from '../../ctypes/checks.js'
import { type CType, describe, FOR_ARCH, isType } from '../../ctypes/data.js'
import { hasMember, isA, reading } from '../../ctypes/given.js'
import { type Header, openHeader, type ParsedHeader, parseHeader, Shelf } from '../../ctypes/header/index.js'
import type { InstanceOf } from '../../ctypes/inference.js'
import { toNumber } from '../../ctypes/integers.js'
import { castIn } from '../../ctypes/memory.js'
import type { Pointer, PointerType } from '../../ctypes/pointer.js'
import { readText } from '../../ctypes/text.js'
import { type Types, types } from '../../ctypes/types.js'
import { ArgumentError, WindowsError } from '../../errors.js'
import type { Arch } from '../../runtime/config.js'
import { type Both, both } from '../core/both.js'
import type { SessionCore } from '../core/core.js'
import { DllState } from '../core/dll-state.js'
import { type DllDirectory, directoryAdder } from './dll-directory.js'
import { type LibraryConstructor, type LibraryLoader, makeConstructor, makeLoader } from './library.js'
import { type AddressLike, addressFrom, SessionMemory } from './memory.js'
import { makeRoutine } from './routine.js'
import { RoutineEngine } from './routine-engine.js'

/** What `session.cast` takes: an address, or whatever `cast` does. */
export type CastFrom = AddressLike | object | string | null

export interface SessionUtil {
  /** Full Windows path of a DLL, or null; case does not matter. */
  readonly find_library: Both<[name: string], string | null>
  /** What Windows Python says: null today. */
  readonly find_msvcrt: Both<[], string | null>
}

const int32 = (value: unknown, name: string) => toNumber(value, { name, bytes: 4, signed: true })

function text(operation: string, given: string): string {
  checkText(operation, given)
  return given
}

/**
 * A header that `readHeader` has read; undefined for anything else. Throws ArgumentError if it was read for the other
 * architecture.
 */
function checkParsed(given: unknown, { id, arch }: SessionSurface): ParsedHeader | undefined {
  if (!hasMember(given, 'bytes')) return undefined
  const parsed = reading('a header', () => ({ ...given })) as ParsedHeader
  if (!isA(parsed.bytes, SharedArrayBuffer)) return undefined
  if (parsed.arch === arch) return parsed
  const advice = `read the text for this session: await readHeader(text, { arch: '${arch}' })`
  throw new ArgumentError(`this header was read for ${parsed.arch}, and session "${id}" is ${arch}: ${advice}`)
}

export abstract class SessionSurface {
  /** Libraries by attribute or `LoadLibrary`, each loaded when it is first needed; one object for each name. */
  readonly cdll: LibraryLoader
  readonly windll: LibraryLoader
  readonly oledll: LibraryLoader
  /** Make a new library each time, also for a DLL that is loaded already. */
  readonly CDLL: LibraryConstructor
  readonly WinDLL: LibraryConstructor
  readonly OleDLL: LibraryConstructor
  /** All types with the layouts that fit this session. */
  readonly types: Types
  /** Callback types of the convention cdecl, in this session's layout. */
  readonly CFUNCTYPE: Types['CFUNCTYPE']
  /** Callback types of the convention stdcall, in this session's layout. */
  readonly WINFUNCTYPE: Types['WINFUNCTYPE']
  readonly memory: SessionMemory
  readonly util: SessionUtil
  /** The text of a Windows error code; without one, of the thread's last error. */
  readonly FormatError: Both<[code?: number], string>
  /** The last error of the Windows side's main thread, as Windows has it now. */
  readonly GetLastError: Both<[], number>
  /** Sets the copy of the last error that routines with `use_last_error` see; gives the old one. */
  readonly set_last_error: Both<[code: number], number>
  /** Sets the copy of errno that routines with `use_errno` see; gives the old one. */
  readonly set_errno: Both<[value: number], number>
  /** A WindowsError for a code, with its text; without one, for the last error. */
  readonly WinError: Both<[code?: number, text?: string], WindowsError>
  /**
   * Makes Windows look for DLLs, and for DLLs that they need, also in a folder (a Unix path or a Windows path). It
   * looks there after the places where it always looks: the folder of the DLL, the folders of Windows, the working
   * folder, PATH. Throws ArgumentError if the folder does not exist.
   */
  readonly add_dll_directory: Both<[path: string], DllDirectory>
  /** The Windows path that Wine has for a Unix path. */
  readonly pathUnixToWine: Both<[path: string], string>
  /**
   * The Unix path that a Windows path leads to, whether or not anything is there. Throws ArgumentError for a drive that
   * Wine has not.
   */
  readonly pathWineToUnix: Both<[path: string], string>

  /** Headers by their texts: `declare` and `header` give the same types for the same text. */
  readonly #headers = new Map<string, Header>()
  /** Holds types that different texts define alike, so that they are the same types. */
  readonly #shelf = new Shelf()

  constructor(
    readonly arch: Arch,
    private readonly blocking = false,
  ) {
    this.types = types(arch)
    this.CFUNCTYPE = this.types.CFUNCTYPE
    this.WINFUNCTYPE = this.types.WINFUNCTYPE
    this.cdll = makeLoader(this, 'cdll', blocking)
    this.windll = makeLoader(this, 'windll', blocking)
    this.oledll = makeLoader(this, 'oledll', blocking)
    this.CDLL = makeConstructor(this, 'cdll', blocking)
    this.WinDLL = makeConstructor(this, 'windll', blocking)
    this.OleDLL = makeConstructor(this, 'oledll', blocking)
    this.memory = new SessionMemory(this, blocking)
    const numbers = (given: number | undefined) => (given === undefined ? [] : [int32(given, 'a code of Windows')])
    this.FormatError = both(this, (io, given) => io('FormatError', Op.formatError, numbers(given), [], o => textOf(o)))
    this.GetLastError = both(this, io => io('GetLastError', Op.getLastError, [], [], o => Number(numberOf(o, 2))))
    this.set_last_error = both(this, (io, value) => {
      const code = int32(value, 'a code of Windows') >>> 0
      return io('set_last_error', Op.setLastError, [code, -1], [], (_, core) => {
        const old = core.lastError
        core.lastError = code
        return old
      })
    })
    this.set_errno = both(this, (io, value) => {
      const errno = int32(value, 'errno')
      return io('set_errno', Op.setLastError, [-1, errno >>> 0], [], (_, core) => {
        const old = core.errno
        core.errno = errno
        return old
      })
    })
    this.WinError = both(this, (io, given, words) => {
      if (words !== undefined && typeof words !== 'string')
        throw new ArgumentError(`the text of WinError is a string, not ${describe(words)}`)
      return io('WinError', Op.formatError, numbers(given), [], o => {
        const winerror = Number(numberOf(o))
        const strerror = words ?? textOf(o)
        return new WindowsError(`[WinError ${winerror}] ${strerror}`, { winerror, strerror })
      })
    })
    this.add_dll_directory = directoryAdder(this, blocking)
    this.pathUnixToWine = both(this, (io, path) =>
      io('pathUnixToWine', Op.path, [0], [text('pathUnixToWine', path)], o => textOf(o)),
    )
    this.pathWineToUnix = both(this, (io, path) =>
      io('pathWineToUnix', Op.path, [1], [text('pathWineToUnix', path)], o => textOf(o)),
    )
    this.util = {
      find_library: both(this, (io, name) =>
        io('find_library', Op.findLibrary, [], [text('find_library', name)], o => (numberOf(o) ? textOf(o) : null)),
      ),
      find_msvcrt: both(this, io => io('find_msvcrt', Op.findMsvcrt, [], [], o => (numberOf(o) ? textOf(o) : null))),
    }
  }

  /** Names the session in errors. */
  abstract get id(): string
  /** @internal */
  abstract whenReady(): Promise<SessionCore>
  /** @internal The core; undefined before the session is up. */
  abstract coreNow(): SessionCore | undefined
  /** @internal The folder that relative paths of DLLs start from. */
  abstract get cwd(): string

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const core = this.coreNow()
    return `CtypesSession { id: '${this.id}', arch: '${this.arch}', up: ${core?.alive === true}, pid: ${core?.facts.pid} }`
  }

  /** The last error of the last call that this thread has had answered, for libraries with `use_last_error`. */
  get_last_error(): number {
    return this.coreNow()?.lastError ?? 0
  }
  /** C's `errno` after the last call that this thread has had answered, for libraries with `use_errno`. */
  get_errno(): number {
    return this.coreNow()?.errno ?? 0
  }

  /** Bytes at an address of the Windows process, up to a NUL or `size`. */
  string_at(address: AddressLike, size?: number): string {
    return readText(this.#place(address), false, size)
  }
  /** UTF-16 text at an address of the Windows process, up to a NUL or `size` units. */
  wstring_at(address: AddressLike, size?: number): string {
    return readText(this.#place(address), true, size)
  }

  /** @internal The Unix path of a Windows path, where the prefix's drives tell it without asking the Windows side. */
  abstract toUnix(path: string | undefined): string | undefined

  /** A pointer of a type to an address of the Windows process, to an object, or to where another pointer leads. */
  cast<T extends CType>(from: CastFrom, type: PointerType<T>): Pointer<T>
  /** The function at an address, for instance one that GetProcAddress gave. */
  cast<R extends CType | null, A extends readonly CType[]>(
    from: CastFrom,
    type: CallbackType<R, A>,
  ): ForeignRoutine<R, A> | null
  cast<T extends CType>(from: CastFrom, type: T): InstanceOf<T>
  cast(from: unknown, type: CType): object | null {
    const { memory } = this.memory.core()
    return castIn(memory, from, isType(type) ? type[FOR_ARCH](this.arch) : type)
  }

  /**
   * The types of a header, with this session's layouts. `dll.declare` gives the routines of the same header, which take
   * the same types. `given` is the header's text, or what `readHeader` has made of it, which takes a millisecond.
   */
  header(given: string | ParsedHeader): Header {
    const parsed = checkParsed(given, this)
    const key = parsed?.id ?? (given as string)
    let header = this.#headers.get(key)
    const ns = this.types as never
    header ??= parsed
      ? openHeader(parsed, ns, this.#shelf)
      : parseHeader(given as string, { arch: this.arch, ns, shelf: this.#shelf })
    this.#headers.set(key, header)
    return header
  }

  /** @internal Makes function pointers that DLLs give callable. To be called for each core of the session's. */
  protected adopt(core: SessionCore): void {
    const foreign = new DllState('function', 'cdll', {}, this.cwd)
    core.memory.routineAt = (address, type) => {
      const engine = new RoutineEngine(this, foreign, `0x${address.toString(16)}`, address)
      engine.convention = type.convention
      engine.declareTyped(type.argtypes as readonly CType[], type.restype as CType | null)
      engine.declareNow(core)
      return Object.assign(makeRoutine(engine, this.blocking), { address, memory: core.memory })
    }
  }

  #place(address: AddressLike): Target {
    const { memory } = this.memory.core()
    return { block: new RemoteRange(memory, addressFrom(address, memory, this.arch)), offset: 0 }
  }
}
