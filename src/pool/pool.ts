/** Several sessions that share work. A session that dies is replaced; what it had is rejected, or done again where that is allowed. */
import {
  ArgumentError,
  QueueFullError,
  SessionCrashedError,
  SessionTerminatedError,
  ZugbrueckeError,
} from '../errors.js'
import type { Config } from '../runtime/config.js'
import type { BatchOptions } from '../session/batch.js'
import { CtypesSession } from '../session/session.js'
import { concatenate, sliceColumn } from './split.js'

export interface PoolOptions extends Partial<Omit<Config, 'id'>> {
  /** Sessions; 2 unless given. */
  readonly size?: number
  /** Work that may wait for a session; 10 000 unless given. One more is a QueueFullError. */
  readonly maxQueue?: number
  /** How often work is done again when its session died; 0 unless given. */
  readonly retries?: number
}

export interface PoolStats {
  readonly size: number
  readonly idle: number
  readonly busy: number
  readonly starting: number
  /** Work that waits. */
  readonly queued: number
  readonly completed: number
  readonly failed: number
  /** Sessions that died and were replaced. */
  readonly replaced: number
}

export interface MapOptions extends Pick<BatchOptions, 'signal' | 'onProgress'> {
  /** Rows of a piece of work; by measured speed unless given. */
  readonly chunk?: number
}

/** A piece of `map` should take about so many milliseconds: short enough to balance, long enough to be worth its wake-ups. */
const PIECE_MS = 20
const FIRST_PIECE = 65536

type Work = (session: CtypesSession) => Promise<unknown>
interface Waiting {
  readonly work: Work
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  retries: number
  readonly signal: AbortSignal | undefined
}

export class SessionPool {
  readonly #options: PoolOptions
  readonly #config: Partial<Config>
  readonly #size: number
  readonly #idle: CtypesSession[] = []
  readonly #all = new Set<CtypesSession>()
  readonly #queue: Waiting[] = []
  #starting = 0
  #busy = 0
  #completed = 0
  #failed = 0
  #replaced = 0
  #closed = false

  private constructor(options: PoolOptions) {
    const { size = 2, maxQueue: _queue, retries: _retries, ...config } = options
    if (!Number.isInteger(size) || size < 1)
      throw new ArgumentError(`a pool has a whole number of sessions from 1, not ${String(size)}`)
    this.#options = options
    this.#size = size
    this.#config = config
  }

  /** Starts all sessions of a pool and waits until they are up. */
  static async start(options: PoolOptions = {}): Promise<SessionPool> {
    const pool = new SessionPool(options)
    try {
      await Promise.all(Array.from({ length: pool.#size }, () => pool.#add()))
    } catch (error) {
      await pool.close()
      throw error
    }
    return pool
  }

  /** Borrows a session for as long as `work` takes. */
  use<T>(
    work: (session: CtypesSession) => Promise<T> | T,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    return this.#enqueue(async session => work(session), options.signal) as Promise<T>
  }

  /** Runs a job module (`export default (session, input) => …`) in a session's own thread. Aborting it ends that session. */
  run<T = unknown>(module: URL | string, input?: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<T> {
    return this.#enqueue(session => session.runJob(module, input, options), options.signal) as Promise<T>
  }

  /** A batch split over the sessions; the results are in order. */
  async map(dll: string, prototype: string, columns: readonly unknown[], options: MapOptions = {}): Promise<unknown> {
    const lengths = columns.map(lengthOf)
    const rows = lengths.find(length => length !== undefined)
    if (rows === undefined) throw new ArgumentError('map: no column tells how many rows there are')
    const other = lengths.findIndex(length => length !== undefined && length !== rows)
    if (other >= 0)
      throw new ArgumentError(`map: column ${other + 1} has ${lengths[other]} rows, others have ${rows}`, {
        position: other + 1,
      })
    // nothing to split, but the type of the results is the batch's to say
    if (rows === 0) return this.#enqueue(session => routine(session, dll, prototype).batch(columns), options.signal)
    const pieces: { readonly first: number; readonly results: unknown }[] = []
    let next = 0
    let done = 0
    let size = options.chunk ?? FIRST_PIECE
    if (!Number.isInteger(size) || size < 1)
      throw new ArgumentError(`map: a chunk is a whole number of rows from 1, not ${String(size)}`)
    let failed = false
    const piece = async (): Promise<void> => {
      while (next < rows && !failed) {
        const first = next
        const count = Math.min(size, Math.max(1, Math.ceil((rows - first) / this.#size)), rows - first)
        next += count
        const part = columns.map((column, i) => (lengths[i] === undefined ? column : sliceColumn(column, first, count)))
        const begun = performance.now()
        try {
          const results = await this.#enqueue(
            session => routine(session, dll, prototype).batch(part, options.signal ? { signal: options.signal } : {}),
            options.signal,
          )
          pieces.push({ first, results })
        } catch (error) {
          failed = true
          throw error
        }
        done += count
        options.onProgress?.(done, rows)
        if (options.chunk === undefined)
          size = Math.max(1024, Math.round((count * PIECE_MS) / Math.max(0.1, performance.now() - begun)))
      }
    }
    await Promise.all(Array.from({ length: this.#size }, piece))
    pieces.sort((a, b) => a.first - b.first)
    return concatenate(pieces.map(({ results }) => results))
  }

  stats(): PoolStats {
    return {
      size: this.#size,
      idle: this.#idle.length,
      busy: this.#busy,
      starting: this.#starting,
      queued: this.#queue.length,
      completed: this.#completed,
      failed: this.#failed,
      replaced: this.#replaced,
    }
  }

  /** Ends all sessions; work that waits or runs fails. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#queue.splice(0)) reject(new SessionTerminatedError('the pool has been closed'))
    await Promise.all([...this.#all].map(session => session.terminate()))
    this.#idle.length = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #enqueue(work: Work, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#closed) return Promise.reject(new SessionTerminatedError('the pool has been closed'))
    const { maxQueue = 10_000, retries = 0 } = this.#options
    if (this.#idle.length === 0 && this.#queue.length >= maxQueue)
      return Promise.reject(
        new QueueFullError(
          `${this.#queue.length} pieces of work wait already: await some of them, or raise "maxQueue"`,
        ),
      )
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject, retries, signal })
      this.#next()
    })
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const session = this.#idle.pop() as CtypesSession
      if (!session.up) continue
      void this.#work(session, this.#queue.shift() as Waiting)
    }
  }

  async #work(session: CtypesSession, waiting: Waiting): Promise<void> {
    this.#busy++
    try {
      waiting.signal?.throwIfAborted()
      const value = await waiting.work(session)
      this.#completed++
      waiting.resolve(value)
    } catch (error) {
      const died = error instanceof SessionCrashedError || error instanceof SessionTerminatedError
      if (died && waiting.retries > 0 && !this.#closed) {
        waiting.retries--
        this.#queue.unshift(waiting)
      } else {
        this.#failed++
        waiting.reject(error as Error)
      }
    } finally {
      this.#busy--
      if (session.up) this.#idle.push(session)
      this.#next()
    }
  }

  /** Starts a session and puts another in its place when it dies. */
  async #add(): Promise<void> {
    this.#starting++
    let session: CtypesSession
    try {
      session = await CtypesSession.start(this.#config)
    } finally {
      this.#starting--
    }
    this.#all.add(session)
    session.on('end', () => {
      this.#all.delete(session)
      const at = this.#idle.indexOf(session)
      if (at >= 0) this.#idle.splice(at, 1)
      if (this.#closed) return
      this.#replaced++
      this.#add().catch((error: unknown) => this.#cannotReplace(error))
    })
    if (this.#closed) {
      await session.terminate()
      return
    }
    this.#idle.push(session)
    this.#next()
  }

  /** With no session left and none to be had, waiting work would wait for ever. */
  #cannotReplace(error: unknown): void {
    if (this.#all.size + this.#starting > 0) return
    const failure = error instanceof Error ? error : new ZugbrueckeError(String(error))
    for (const { reject } of this.#queue.splice(0)) reject(failure)
  }
}

const routines = new WeakMap<CtypesSession, Map<string, ReturnType<typeof makeRoutine>>>()
const makeRoutine = (session: CtypesSession, dll: string, prototype: string) => session.CDLL(dll).func(prototype)

function routine(session: CtypesSession, dll: string, prototype: string) {
  let known = routines.get(session)
  if (!known) {
    known = new Map()
    routines.set(session, known)
  }
  const key = `${dll}\0${prototype}`
  let made = known.get(key)
  if (!made) {
    made = makeRoutine(session, dll, prototype)
    known.set(key, made)
  }
  return made
}

function lengthOf(column: unknown): number | undefined {
  if (Array.isArray(column)) return column.length
  if (ArrayBuffer.isView(column) && !(column instanceof DataView))
    return (column as unknown as { length: number }).length
  return undefined
}
