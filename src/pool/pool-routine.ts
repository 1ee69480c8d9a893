/** A routine of a DLL that each session of a pool has for itself. */
import {
  type BatchDetail,
  type BatchOptions,
  type ColumnsOf,
  type ResultsOf,
  streamOf,
} from '../session/batch/batch.js'
import type { CtypesSession } from '../session/life/session.js'
import type { CallOptions, Routine } from '../session/surface/routine.js'

/** How a batch that the sessions of a pool share is carried out. */
export interface MapOptions extends BatchOptions {
  /** Resolves all that the batch brought, failed rows too, as `batch` does. */
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
  /** Calls it in whichever session is free; rejects as a session's routine does, or with QueueFullError. */
  (...args: A): Promise<R>
  /** With a signal, which also takes back a call that waits, or a time limit, which counts from the moment that it has a session. */
  with(options: CallOptions): (...args: A) => Promise<R>
  /** A batch whose rows all sessions share; see `SessionPool.map`. */
  readonly batch: {
    (columns: ColumnsOf<A>, options?: MapOptions & { readonly detail?: false }): Promise<Rows>
    /** The same with all that the batch brought, failed rows too. */
    (columns: ColumnsOf<A>, options: MapOptions & { readonly detail: true }): Promise<BatchDetail<Results>>
    /** Results for each of many sets of columns: work larger than memory. A few sets are under way at once. */
    stream(
      sets: Iterable<ColumnsOf<A>> | AsyncIterable<ColumnsOf<A>>,
      options?: BatchOptions,
    ): AsyncGenerator<Rows, void, undefined>
  }
}

/** A routine of a pool, made of how it calls and how it batches. */
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
export type Declaring = (session: CtypesSession) => Routine

/** Declares only once in each session. */
export function oncePerSession(declare: Declaring): Declaring {
  const made = new WeakMap<CtypesSession, Routine>()
  return session => {
    const routine = made.get(session) ?? declare(session)
    made.set(session, routine)
    return routine
  }
}
