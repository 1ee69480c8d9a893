/**
 * What a session offers apart from its start and end: libraries, types, memory, errors of Windows, paths. It is the
 * same for the thread that started the session, for threads that joined, and, where all of it blocks, for jobs.
 */

import { numberOf, type Outcome, textOf } from '../../codec/control.js'
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

/** `session.util`: functions of `ctypes.util`. */
export interface SessionUtil {
  /** The full Windows path of a DLL that Windows finds by a name, in any case; null if there is none. */
  readonly find_library: Both<[name: string], string | null>
  /** The name of the C runtime of Windows Python, as that gives it: null with the versions of today. */
  readonly find_msvcrt: Both<[], string | null>
}

const firstText = (outcome: Outcome) => textOf(outcome)
/** What the Windows side has found, if it has. */
const foundText = (outcome: Outcome) => (numberOf(outcome) ? textOf(outcome) : null)
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
  /**
   * Libraries whose routines have the convention cdecl, by attribute: one for each name, whose DLL is loaded when it is
   * first needed. `LoadLibrary` loads a DLL now.
   */
  readonly cdll: LibraryLoader
  /** The same for the convention stdcall. */
  readonly windll: LibraryLoader
  /** As `windll`, for routines that return an HRESULT: one that says failure is thrown as WindowsError. */
  readonly oledll: LibraryLoader
  /** Makes a new library of the kind of `cdll`, also for a DLL that is loaded already. Throws ArgumentError. */
  readonly CDLL: LibraryConstructor
  /** The same for the kind of `windll`. */
  readonly WinDLL: LibraryConstructor
  /** The same for the kind of `oledll`. */
  readonly OleDLL: LibraryConstructor
  /** All types with the layouts that fit this session. */
  readonly types: Types
  /** Makes callback types of the convention cdecl, in this session's layout. */
  readonly CFUNCTYPE: Types['CFUNCTYPE']
  /** Makes callback types of the convention stdcall, in this session's layout. */
  readonly WINFUNCTYPE: Types['WINFUNCTYPE']
  /** Memory of the Windows process. */
  readonly memory: SessionMemory
  /** Functions of `ctypes.util`. */
  readonly util: SessionUtil
  /** The text of a Windows error code; without one, of the last error that `GetLastError` gives. */
  readonly FormatError: Both<[code?: number], string>
  /** The last error of the Windows side's main thread, as Windows has it now. */
  readonly GetLastError: Both<[], number>
  /** Sets the copy of the last error that routines with `use_last_error` see; gives the old one. */
  readonly set_last_error: Both<[code: number], number>
  /** Sets the copy of errno that routines with `use_errno` see; gives the old one. */
  readonly set_errno: Both<[value: number], number>
  /**
   * A WindowsError for a code, with the text of Windows unless one is given; without a code, for the last error that
   * `GetLastError` gives.
   */
  readonly WinError: Both<[code?: number, text?: string], WindowsError>
  /**
   * Makes Windows look for DLLs, and for DLLs that they need, also in a folder (a Unix path or a Windows path). It
   * looks there after the places where it always looks: the folder of the DLL, the folders of Windows, the working
   * folder, PATH. Rejects with ArgumentError if the folder does not exist.
   */
  readonly add_dll_directory: Both<[path: string], DllDirectory>
  /** The Windows path that Wine has for a Unix path, whether or not anything is there. */
  readonly pathUnixToWine: Both<[path: string], string>
  /**
   * The Unix path that a Windows path leads to, whether or not anything is there. Rejects with ArgumentError for a
   * drive that Wine does not have.
   */
  readonly pathWineToUnix: Both<[path: string], string>

  /** Headers by their texts, so that `declare` and `header` give the same types for the same text. */
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
    this.FormatError = both(this, (ask, given) => ask('FormatError', Op.formatError, numbers(given), [], firstText))
    this.GetLastError = both(this, ask =>
      ask('GetLastError', Op.getLastError, [], [], outcome => Number(numberOf(outcome, 2))),
    )
    this.set_last_error = both(this, (ask, value) => {
      const code = int32(value, 'a code of Windows') >>> 0
      return ask('set_last_error', Op.setLastError, [code, -1], [], (_, core) => {
        const old = core.lastError
        core.lastError = code
        return old
      })
    })
    this.set_errno = both(this, (ask, value) => {
      const errno = int32(value, 'errno')
      return ask('set_errno', Op.setLastError, [-1, errno >>> 0], [], (_, core) => {
        const old = core.errno
        core.errno = errno
        return old
      })
    })
    this.WinError = both(this, (ask, given, words) => {
      if (words !== undefined && typeof words !== 'string')
        throw new ArgumentError(`the text of WinError is a string, not ${describe(words)}`)
      return ask('WinError', Op.formatError, numbers(given), [], outcome => {
        const winerror = Number(numberOf(outcome))
        const strerror = words ?? textOf(outcome)
        return new WindowsError(`[WinError ${winerror}] ${strerror}`, { winerror, strerror })
      })
    })
    this.add_dll_directory = directoryAdder(this, blocking)
    this.pathUnixToWine = both(this, (ask, path) =>
      ask('pathUnixToWine', Op.path, [0], [text('pathUnixToWine', path)], firstText),
    )
    this.pathWineToUnix = both(this, (ask, path) =>
      ask('pathWineToUnix', Op.path, [1], [text('pathWineToUnix', path)], firstText),
    )
    this.util = {
      find_library: both(this, (ask, name) =>
        ask('find_library', Op.findLibrary, [], [text('find_library', name)], foundText),
      ),
      find_msvcrt: both(this, ask => ask('find_msvcrt', Op.findMsvcrt, [], [], foundText)),
    }
  }

  /** Names the session in errors. */
  abstract get id(): string
  /** @internal The core, once the session is up. */
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

  /**
   * Windows' last error after the latest call of this thread to a routine of a library with `use_last_error` that has
   * been answered.
   */
  get_last_error(): number {
    return this.coreNow()?.lastError ?? 0
  }
  /** C's `errno` likewise, for libraries with `use_errno`. */
  get_errno(): number {
    return this.coreNow()?.errno ?? 0
  }

  /**
   * Text at an address of the Windows process, as it is now: `size` bytes, or up to the first NUL. Throws
   * MemoryAccessError, ArgumentError.
   */
  string_at(address: AddressLike, size?: number): string {
    return readText(this.#place(address), false, size)
  }
  /** The same for UTF-16: `size` units of 16 bits. */
  wstring_at(address: AddressLike, size?: number): string {
    return readText(this.#place(address), true, size)
  }

  /** @internal The Unix path of a Windows path, where the prefix's drives tell it without asking the Windows side. */
  abstract toUnix(path: string | undefined): string | undefined

  /**
   * A pointer of a type to an address of the Windows process, to an object, or to where another pointer leads. Throws
   * ArgumentError.
   */
  cast<T extends CType>(from: CastFrom, type: PointerType<T>): Pointer<T>
  /** The function at an address, for instance one that GetProcAddress gave. */
  cast<R extends CType | null, A extends readonly CType[]>(
    from: CastFrom,
    type: CallbackType<R, A>,
  ): ForeignRoutine<R, A> | null
  /** An object of any other type that `cast` takes. */
  cast<T extends CType>(from: CastFrom, type: T): InstanceOf<T>
  cast(from: unknown, type: CType): object | null {
    const { memory } = this.memory.core()
    return castIn(memory, from, isType(type) ? type[FOR_ARCH](this.arch) : type)
  }

  /**
   * The types of a header, with this session's layouts. `dll.declare` gives the routines of the same header, which take
   * the same types. `given` is the header's text, or what `readHeader` has made of it, which takes milliseconds. Throws
   * ArgumentError.
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

  /**
   * @internal Makes function pointers in memory of the Windows process callable. To be called with this thread's core.
   */
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
