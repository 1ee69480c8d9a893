/** A routine of a pool, and its declarations in the sessions. */
import {
  type BatchDetail,
  type BatchOptions,
  type ColumnsOf,
  type ResultsOf,
  streamOf,
} from '../session/batch/batch.js'
import type { CtypesSession } from '../session/life/session.js'
import type { CallOptions, Routine } from '../session/surface/routine.js'

/** Options of a batch that the sessions of a pool share. */
export interface MapOptions extends BatchOptions {
  /** Resolve with all that the batch brings, failed rows too, as `batch` does. */
  readonly detail?: boolean
}

/**
 * A routine of a pool, as `pool.func` gives it: each call goes to a session that is free. Calls of different sessions
 * have no order.
 */
export interface PoolRoutine<
  A extends readonly unknown[] = readonly unknown[],
  R = unknown,
  Rows = ResultsOf<R>,
  Results = Rows,
> {
  /** Calls it in a session that is free. Rejects as a session's routine does, and with QueueFullError. */
  (...args: A): Promise<R>
  /**
   * The routine with a signal, which also withdraws a call that waits for a session, or a time limit, which begins when
   * the call has a session.
   */
  with(options: CallOptions): (...args: A) => Promise<R>
  /** A batch whose rows all sessions share; see `SessionPool.map`. */
  readonly batch: {
    (columns: ColumnsOf<A>, options?: MapOptions & { readonly detail?: false }): Promise<Rows>
    /** The same with all that the batch brings, failed rows too. */
    (columns: ColumnsOf<A>, options: MapOptions & { readonly detail: true }): Promise<BatchDetail<Results>>
    /** Results for each of many sets of columns: work larger than memory. A few sets are under way at once. */
    stream(
      sets: Iterable<ColumnsOf<A>> | AsyncIterable<ColumnsOf<A>>,
      options?: BatchOptions,
    ): AsyncGenerator<Rows, void, undefined>
  }
}

/** Makes a routine of a pool from a function that calls it and one that carries out its batches. */
export function poolRoutine(
  label: string,
  call: (args: readonly unknown[], options?: CallOptions) => Promise<unknown>,
  batch: (columns: readonly unknown[], options?: MapOptions) => Promise<unknown>,
): unknown {
  return Object.assign((...args: readonly unknown[]) => call(args), {
    with:
      (options: CallOptions) =>
      (...args: readonly unknown[]) =>
        call(args, options),
    batch: Object.assign(batch, { stream: streamOf(label, batch) }),
  })
}

/** Declares a routine in a session. */
export type Declare = (session: CtypesSession) => Routine

/** Declares the routine once in each session, and gives that object from then on. */
export function oncePerSession(declare: Declare): Declare {
  const routines = new WeakMap<CtypesSession, Routine>()
  return session => {
    const routine = routines.get(session) ?? declare(session)
    routines.set(session, routine)
    return routine
  }
}
