/** A batch over a cluster: its rows become jobs, a limited number at a time, and their results one outcome. */
import { AbortError, WorkerLostError } from '../errors.js'
import { closedError } from '../pool/face.js'
import type { FairQueue, Lease } from '../pool/fair-queue.js'
import type { RowRange } from '../session/batch/row-cursor.js'
import type { Attempts, Work } from './attempts.js'
import type { ClientRows } from './client-rows.js'
import type { LocalDll } from './dlls.js'
import type { RowPace } from './row-pace.js'

/** What a batch needs of its pool. */
export interface BatchPool {
  readonly attempts: Attempts
  /** Resolves when one more job may be put into Redis. */
  readonly queue: FairQueue<true>
  end(lease: Lease<true>): void
  readonly isClosed: boolean
  readonly sessions: number
}

/** A routine, as workers find it. */
export interface WorkersRoutine {
  readonly label: string
  readonly reference: Pick<Work, 'dll' | 'prototype'>
  readonly dll: LocalDll
  readonly pace: RowPace
}

/** Resolves what the batch brought. Rejects with BatchError, AbortError, WorkerLostError with all rows that are in doubt, and what else a job fails with. */
export async function carryOutBatch(
  pool: BatchPool,
  { label, reference, dll, pace }: WorkersRoutine,
  rows: ClientRows,
  { signal, chunk }: { readonly signal?: AbortSignal; readonly chunk?: number },
): Promise<unknown> {
  const { plan, most } = rows
  const inner = new AbortController()
  const stop = () => inner.abort(signal?.reason)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  let failure: Error | undefined
  const lost: RowRange[] = []
  const failed = new AbortController()
  const stops = { signal: inner.signal, withdraw: failed.signal }
  const carryOut = async (range: RowRange) => {
    const { first, count } = range
    const work: Work = { kind: 'rows', ...reference, rows: `${first} to ${first + count - 1}` }
    try {
      const { packed, took } = await pool.attempts.run(label, work, () => rows.pack(range), stops, dll)
      pace.came(count, took)
      rows.collect(range, packed)
    } catch (error) {
      if (error instanceof WorkerLostError) lost.push(range)
      // an error that stopping the rest brought about is not the cause
      if (failure || inner.signal.aborted) return
      failure = error as Error
      failed.abort()
    }
  }
  const underway = new Set<Promise<void>>()
  try {
    for (let first = true; plan.rows.left > 0; first = false) {
      const lease = await pool.queue.lease(`batches ${label}`, inner.signal, first)
      if (failure || inner.signal.aborted) {
        pool.end(lease)
        break
      }
      const count = chunk ? most : pace.rows(most, plan.rows.left, pool.sessions)
      const one = carryOut(plan.rows.next(count)).finally(() => {
        underway.delete(one)
        pool.end(lease)
      })
      underway.add(one)
    }
  } catch (error) {
    // that it is stopped by its signal is said below, with what was done by then
    if (!inner.signal.aborted) failure ??= error as Error
  } finally {
    // those that run come to their end: no other row is in doubt, and nobody works on the caller's memory when this returns
    await Promise.all(underway)
    signal?.removeEventListener('abort', stop)
  }
  if (failure instanceof WorkerLostError) throw lostRows(label, lost, failure)
  if (failure) throw failure
  if (pool.isClosed) throw closedError()
  if (inner.signal.aborted)
    throw new AbortError(
      `${label}: the batch was stopped by its signal after ${plan.rows.done} of ${plan.rows.total} rows`,
      { cause: signal?.reason },
    )
  return plan.outcome()
}

function lostRows(label: string, lost: readonly RowRange[], { cause }: Error): WorkerLostError {
  const rows: RowRange[] = []
  for (const range of [...lost].sort((a, b) => a.first - b.first)) {
    const last = rows.at(-1)
    if (last && last.first + last.count === range.first)
      rows[rows.length - 1] = { first: last.first, count: last.count + range.count }
    else rows.push(range)
  }
  const said = rows.map(({ first, count }) => `${first} to ${first + count - 1}`).join(', ')
  return new WorkerLostError(
    `${label}: who had rows ${said} is lost (a worker that died, hung or was cut off), or what came of them is: they may have been done or not; "retries" lets others do them again`,
    { routine: label, rows, ...(cause === undefined ? {} : { cause }) },
  )
}
