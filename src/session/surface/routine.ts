/** A routine of a DLL as the user holds it: a function with ctypes' attributes and the faces of its calls. */
import { type Checks, checkOptions, MILLISECONDS, SIGNAL } from '../../ctypes/checks.js'
import type { ArgType, ResType } from '../../ctypes/inference.js'
import type { BatchFunction, ResultsOf } from '../batch/batch.js'
import type { Both } from '../core/both.js'
import type { Memsync } from '../memsync/memsync.js'
import type { RoutineEngine } from './routine-engine.js'

/** What it is declared with, and what that makes of it. */
export type { ArgsOf, ArgType, ResType, ResultOf } from '../../ctypes/inference.js'

/** Limits of single calls, for `routine.with(options)`. */
export interface CallOptions {
  /** Milliseconds. A call that passes it ends its session: nothing else stops a routine that runs. */
  readonly timeout?: number
  /** Aborting a call that is under way ends its session. (`.sync` sees an abort of before it only: it blocks this thread.) */
  readonly signal?: AbortSignal
}

export const CALL_OPTIONS: Checks = { timeout: MILLISECONDS, signal: SIGNAL }

/** What `detail` gives beside the value. */
export interface CallDetail<R> {
  readonly value: R
  readonly lastError: number
  readonly errno: number
}

/**
 * As in ctypes: sees the bare result, the routine and all arguments, with an object in the place of each `out(T)`. What it returns is
 * the call's result (but for these very arguments: then the call gives what it would have given), what it throws its error.
 */
export type ErrCheck = (result: unknown, routine: Routine, args: readonly unknown[]) => unknown

/** `Rows` and `Results` are of a batch: see `BatchFunction`. */
export interface Routine<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  Rows = ResultsOf<R>,
  Results = Rows,
> {
  /** Calls the routine; rejects with ArgumentError, RoutineNotFoundError, StructuredExceptionError, SessionCrashedError, … */
  (...args: A): Promise<R>
  /** The same, blocking this thread; throws. */
  sync(...args: A): R
  /** The routine with a time limit or a signal. */
  with(options: CallOptions): Both<A, R>
  /** With the last error and errno as the call left them (of libraries that keep them). */
  readonly detail: Both<A, CallDetail<R>>
  /** One call for each row. */
  readonly batch: BatchFunction<A, Rows, Results>
  /** `undefined`, or `null` (Python's `None`): inferred from the values, as in ctypes. */
  get argtypes(): readonly ArgType[] | undefined
  set argtypes(types: readonly ArgType[] | null | undefined)
  get restype(): ResType
  set restype(type: ResType)
  get errcheck(): ErrCheck | undefined
  set errcheck(check: ErrCheck | null | undefined)
  get memsync(): readonly Memsync[] | undefined
  set memsync(directives: readonly Memsync[] | undefined)
  /** Its name in the DLL, or `#3` for an ordinal. */
  readonly name: string
}

const ENGINE: unique symbol = Symbol('engine')

/** The arguments for a call of the routine that has to wait: what is passed by value is copied. Throws ArgumentError. */
export const snapshotArguments = (routine: object, args: readonly unknown[]): readonly unknown[] =>
  (routine as HasEngine)[ENGINE].snapshot(args)

type HasEngine = { readonly [ENGINE]: RoutineEngine }

/** Shared by all routines. Its prototype is a function's, so that `call`, `apply` and `bind` work. */
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

/** Until it has once not thrown. */
function once(check: () => void): () => void {
  let done = false
  return () => {
    if (!done) check()
    done = true
  }
}

/** The function for an engine; `blocking`: its plain call blocks, as inside jobs. */
export function makeRoutine(engine: RoutineEngine, blocking = false): Routine {
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
