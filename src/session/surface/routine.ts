/** A routine of a DLL: a function with the attributes of ctypes, and the ways to call it. */
import { type Checks, checkOptions, MILLISECONDS, SIGNAL } from '../../ctypes/checks.js'
import type { ArgType, ResType } from '../../ctypes/inference.js'
import type { BatchFunction, ResultsOf } from '../batch/batch.js'
import type { Both } from '../core/both.js'
import type { Memsync } from '../memsync/memsync.js'
import type { RoutineEngine } from './routine-engine.js'

/** Types that a routine is declared with, and the types of its arguments and result. */
export type { ArgsOf, ArgType, ResType, ResultOf } from '../../ctypes/inference.js'

/** Limits of single calls, for `routine.with(options)`. */
export interface CallOptions {
  /** Milliseconds. A call that passes it ends its session: nothing else stops a routine that runs. */
  readonly timeout?: number
  /**
   * Aborting a call that is under way ends its session. (`.sync` only checks it before the call, since it blocks this
   * thread.)
   */
  readonly signal?: AbortSignal
}

/** The checks of `CallOptions`. */
export const CALL_OPTIONS: Checks = { timeout: MILLISECONDS, signal: SIGNAL }

/** What `detail` gives beside the value. */
export interface CallDetail<R> {
  readonly value: R
  /** The copy of Windows' last error that routines of libraries with `use_last_error` leave, after the call. */
  readonly lastError: number
  /** The copy of C's errno that routines of libraries with `use_errno` leave, after the call. */
  readonly errno: number
}

/**
 * As in ctypes, gets the bare result, the routine and all arguments, with an object in the place of each `out(T)`. The
 * call gives what it returns; but if it returns the same list of arguments, the call gives what it would give without
 * it. An error that it throws is the call's.
 */
export type ErrCheck = (result: unknown, routine: Routine, args: readonly unknown[]) => unknown

/** A routine of a DLL. `Rows` and `Results` are what its batches give: see `BatchFunction`. */
export interface Routine<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  Rows = ResultsOf<R>,
  Results = Rows,
> {
  /**
   * Calls the routine. Rejects with what a callback or `errcheck` throws, and with ArgumentError (nothing was sent
   * then), DllNotFoundError, RoutineNotFoundError, WindowsError, StructuredExceptionError, SessionCrashedError,
   * SessionTerminatedError.
   */
  (...args: A): Promise<R>
  /** The same, blocking this thread; throws. */
  sync(...args: A): R
  /** The routine with a time limit or a signal. Its calls reject also with CallTimeoutError, AbortError. */
  with(options: CallOptions): Both<A, R>
  /** A call that gives its value with the last error and errno that it left. */
  readonly detail: Both<A, CallDetail<R>>
  /** One call for each row of some columns. */
  readonly batch: BatchFunction<A, Rows, Results>
  /**
   * The types of its parameters. With `undefined` or `null` (Python's `None`) they are inferred from the arguments, as
   * in ctypes. Setting it throws ArgumentError.
   */
  get argtypes(): readonly ArgType[] | undefined
  set argtypes(types: readonly ArgType[] | null | undefined)
  /**
   * The type of its result, null for none, or a function of the int that it returns. Setting it throws ArgumentError.
   */
  get restype(): ResType
  set restype(type: ResType)
  /** Called with each result, which it may replace or refuse by throwing. Setting it throws ArgumentError. */
  get errcheck(): ErrCheck | undefined
  set errcheck(check: ErrCheck | null | undefined)
  /** Says how much memory pointers lead to, where types do not. Setting it throws ArgumentError. */
  get memsync(): readonly Memsync[] | undefined
  set memsync(directives: readonly Memsync[] | undefined)
  /** Its name in the DLL, or `#3` for an ordinal. */
  readonly name: string
}

const ENGINE: unique symbol = Symbol('engine')
type HasEngine = { readonly [ENGINE]: RoutineEngine }

/** Copies arguments that are passed by value, for a call of the routine that has to wait. Throws ArgumentError. */
export const snapshotArguments = (routine: object, args: readonly unknown[]): readonly unknown[] =>
  (routine as HasEngine)[ENGINE].snapshot(args)

/** The prototype of all routines. It inherits from that of functions, so that `call`, `apply` and `bind` work. */
const prototype = Object.create(Function.prototype, {
  argtypes: accessor('argtypes'),
  restype: accessor('restype'),
  errcheck: accessor('errcheck'),
  memsync: accessor('memsync'),
})

function accessor(name: 'argtypes' | 'restype' | 'errcheck' | 'memsync'): PropertyDescriptor {
  return {
    get(this: HasEngine) {
      return this[ENGINE][name]
    },
    set(this: HasEngine, value: never) {
      this[ENGINE][name] = value as never
    },
    enumerable: true,
  }
}

/** Runs a check each time, until it has passed once. */
function once(check: () => void): () => void {
  let done = false
  return () => {
    if (!done) check()
    done = true
  }
}

/** The routine that a program gets for an engine. `blocking`: calling it blocks, as inside jobs. */
export function makeRoutine(engine: RoutineEngine, blocking: boolean): Routine {
  const awaited = (...args: unknown[]) => engine.call(args)
  const sync = (...args: unknown[]) => engine.callSync(args)
  const detailSync = (...args: unknown[]) => engine.detailSync(args)
  const routine = blocking ? (...args: unknown[]) => engine.callSync(args) : awaited
  Object.setPrototypeOf(routine, prototype)
  Object.defineProperties(routine, {
    [ENGINE]: { value: engine },
    name: { value: engine.name },
    sync: { value: sync },
    with: {
      value: (options: CallOptions) => {
        const check = once(() => checkOptions(`${engine.label}.with`, options, CALL_OPTIONS))
        const awaitedWith = async (...args: unknown[]) => {
          check()
          return engine.call(args, options)
        }
        const syncWith = (...args: unknown[]) => {
          check()
          return engine.callSync(args, options)
        }
        return Object.assign(blocking ? syncWith : awaitedWith, { sync: syncWith })
      },
    },
    detail: {
      value: Object.assign(blocking ? detailSync : (...args: unknown[]) => engine.detail(args), { sync: detailSync }),
    },
    batch: { value: engine.batchFunction(blocking) },
  })
  engine.routine = routine as unknown as Routine
  return engine.routine
}
