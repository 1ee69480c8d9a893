/** Libraries: DLLs of a session, with their routines as properties. */
import type { Block } from '../../ctypes/block.js'
import { type CType, DATA_EXPORT, type DataExports, FOR_ARCH, viewAt } from '../../ctypes/data.js'
import { lazyObject, type ParsedHeader, type Prototype } from '../../ctypes/header/index.js'
import type { ArgsOf, ArgType, ResType, ResultOf } from '../../ctypes/inference.js'
import { ArgumentError } from '../../errors.js'
import type { BatchOf, RowsOf } from '../batch/batch.js'
import { checkExportName } from '../call/export-name.js'
import type { Both } from '../core/both.js'
import { DllState, type LibraryKind, type LibraryOptions } from '../core/dll-state.js'
import { coreForSync, whenUp } from '../core/owner.js'
import { DataExportBlock } from './data-export.js'
import { makeRoutine, type Routine } from './routine.js'
import { RoutineEngine } from './routine-engine.js'
import type { SessionSurface } from './surface.js'

/** The properties of a library that are no routines. */
export interface LibraryMembers extends DataExports {
  /** Its name as it was given. */
  readonly _name: string
  /**
   * A routine with its types: a new object each time. `name` may be an ordinal. Throws ArgumentError; that the DLL has
   * no such routine is an error of its calls.
   */
  func<const A extends readonly ArgType[], R extends ResType>(
    name: string | number,
    argtypes: A,
    restype: R,
  ): Routine<ArgsOf<A>, ResultOf<R, A>, BatchOf<R, A>, RowsOf<R>>
  /**
   * A routine from its C prototype, e.g. `int add(int a, int b)`; or by its name alone, without types, which may be
   * declared later.
   */
  func<A extends readonly unknown[] = readonly unknown[], R = unknown>(prototype: string | number): Routine<A, R>
  /**
   * All routines of a header, by name. `header` is its text, or what `readHeader` has made of the text. Throws
   * ArgumentError.
   */
  declare(header: string | ParsedHeader): { readonly [name: string]: Routine }
  /** Loads the DLL now, unless it is loaded. Rejects with DllNotFoundError or WrongArchitectureError. */
  readonly load: Both<[], Library>
  /**
   * Unloads the library. From now on its routines, data exports and function pointers fail with DllNotFoundError. The
   * DLL itself stays for as long as another library, or another DLL, has it loaded. Rejects with ArgumentError where it
   * is not loaded.
   */
  unload(): Promise<void>
}

/** A DLL: `library.name` is the routine `name`, one object for each name. */
export type Library = LibraryMembers & { readonly [routine: string]: Routine } & { readonly [ordinal: number]: Routine }

/** The properties of a loader that are no libraries. */
export interface LoaderMembers {
  /**
   * Loads a DLL now, into a new library: a Unix path, a Windows path, or a name that Windows finds. Rejects with
   * DllNotFoundError, WrongArchitectureError, ArgumentError.
   */
  readonly LoadLibrary: Both<[name: string], Library>
}
/** `loader.kernel32` is the DLL of that name. It is loaded when one of its routines is first called. */
export type LibraryLoader = LoaderMembers & { readonly [dll: string]: Library }

/** The method that `console.log` calls to show an object. */
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/** Names that JS itself reads of any object: they are no routines by attribute, and no DLLs. `func` takes them. */
const NEVER_EXPORTS = new Set(['then', 'toJSON', 'constructor', 'prototype', 'inspect', 'valueOf', 'toString'])

/**
 * A library of a session. `blocking`: its functions block also without `.sync`, as inside jobs. `onUnload` is called
 * when the program unloads it. Throws ArgumentError for a bad name or bad options.
 */
function makeLibrary(
  session: SessionSurface,
  name: string,
  kind: LibraryKind,
  options: LibraryOptions,
  blocking: boolean,
  onUnload = () => {},
): Library {
  const state = new DllState(name, kind, options, session.cwd)
  const cache = new Map<string, Routine>()
  const engine = (routine: string | number) => new RoutineEngine(session, state, routine)
  const members: LibraryMembers & { [INSPECT](): string } = {
    _name: name,
    func(target: string | number, argtypes?: readonly ArgType[], restype?: ResType) {
      if (argtypes === undefined && isPrototype(target))
        return makeRoutine(RoutineEngine.fromPrototype(session, state, target), blocking) as never
      const routine = engine(target)
      if (argtypes !== undefined) routine.declareTyped(argtypes, restype)
      return makeRoutine(routine, blocking) as never
    },
    declare(header) {
      const { routines } = session.header(header)
      return lazyObject(routines.keys(), symbol =>
        makeRoutine(RoutineEngine.fromParsed(session, state, routines.get(symbol) as Prototype), blocking),
      )
    },
    load: Object.assign(() => (blocking ? (loadSync() as never) : load()), { sync: () => loadSync() }),
    async unload() {
      onUnload()
      await whenUp(session, core => state.unload(core))
    },
    [INSPECT]: () => `Library { ${name} (${kind}, ${state.number === 0 ? 'not loaded' : 'loaded'}) }`,
    [DATA_EXPORT](type: CType, symbol: string | number) {
      checkExportName('a data export', symbol)
      const fitting = type[FOR_ARCH](session.arch)
      const block: Block = new DataExportBlock(session, state, symbol, fitting.size)
      return viewAt(fitting, block, 0)
    },
  }
  const loadSync = () => {
    state.loadedSync(coreForSync(session))
    return library
  }
  const load = async () => {
    await whenUp(session, core => state.loaded(core))
    return library
  }
  const library = new Proxy(members, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target) return Reflect.get(target, key)
      if (NEVER_EXPORTS.has(key)) return undefined
      let routine = cache.get(key)
      if (!routine) {
        routine = makeRoutine(engine(/^\d+$/.test(key) ? Number(key) : key), blocking)
        cache.set(key, routine)
      }
      return routine
    },
    set(_, key) {
      throw new ArgumentError(`${name}.${String(key)} cannot be set: declare its argtypes and restype instead`)
    },
  }) as unknown as Library
  return library
}

/** May be called with `new`, like a class of JS, or without, like a class of Python. */
export interface LibraryConstructor {
  (name: string, options?: LibraryOptions): Library
  new (name: string, options?: LibraryOptions): Library
}

/** `CDLL`, `WinDLL` or `OleDLL` of a session. */
export function makeConstructor(session: SessionSurface, kind: LibraryKind, blocking: boolean): LibraryConstructor {
  // no arrow function, since that could not be called with `new`
  return function construct(name: string, options: LibraryOptions = {}) {
    return makeLibrary(session, name, kind, options, blocking)
  } as unknown as LibraryConstructor
}

/** `cdll`, `windll` or `oledll` of a session. */
export function makeLoader(session: SessionSurface, kind: LibraryKind, blocking: boolean): LibraryLoader {
  const cache = new Map<string, Library>()
  const get = (name: string): Library => {
    const known = cache.get(name)
    if (known) return known
    const library = makeLibrary(session, name, kind, {}, blocking, () => cache.delete(name))
    cache.set(name, library)
    return library
  }
  const make = (name: string) => makeLibrary(session, name, kind, {}, blocking)
  const sync = (name: string) => make(name).load.sync()
  const members: LoaderMembers = {
    LoadLibrary: Object.assign(blocking ? sync : async (name: string) => make(name).load(), { sync }) as never,
  }
  return new Proxy(members, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target) return Reflect.get(target, key)
      return NEVER_EXPORTS.has(key) ? undefined : get(key)
    },
  }) as LibraryLoader
}

/**
 * Whether it is a prototype: a name has no spaces and no brackets. The empty text counts as one, whose error says more.
 */
const isPrototype = (target: string | number): target is string => typeof target === 'string' && /[\s(]|^$/.test(target)
