/**
 * A batch on its way: chunks of rows, several under way at once, so that writing, calling and reading overlap. It keeps its
 * place in the order: it stays at the head of the queue until its last chunk has been sent.
 */
import { readSync } from 'node:fs'
import { Exchange, type Port } from '../channel/exchange.js'
import type { Lane } from '../channel/lane.js'
import { Shared } from '../channel/shared.js'
import { Frame } from '../channel/strand.js'
import { Batch, Kind, MESSAGE, Reply, ROW_FAILURE_SIZE, SlotFlag, Status } from '../codec/layout.js'
import type { RowError } from '../errors.js'
import { AbortError, ZugbrueckeError } from '../errors.js'
import type { Column, ColumnChunk, ResultColumn } from './batch-columns.js'
import type { SessionCore } from './core.js'
import { exceptionError } from './exceptions.js'
import { refusal } from './refusal.js'
import type { Declared } from './routine-engine.js'

/** Rows of a chunk, at the most: small enough to stay in the cache, large enough that a wake-up is nothing beside it. */
const CHUNK_ROWS = 32768
/** Chunks under way at once. */
const DEPTH = 4
const LAST_ERRORS = 1

export interface BatchWork {
  readonly declared: Declared
  readonly columns: readonly Column[]
  readonly rows: number
  readonly results: ResultColumn
  readonly lastErrors: Uint32Array | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((done: number, total: number) => void) | undefined
}

export type BatchDone = (error: Error | undefined, errors: RowError[]) => void

/** What the whole batch knows. */
class BatchState {
  sent = 0
  done = 0
  failure: Error | undefined
  readonly errors: RowError[] = []
  readonly chunkRows: number
  readonly rowSize: number

  constructor(
    readonly core: SessionCore,
    readonly work: BatchWork,
    arenaSize: number,
  ) {
    let rowSize = work.results.size + ROW_FAILURE_SIZE + (work.lastErrors ? 4 : 0)
    for (const column of work.columns) rowSize += column.rowSize
    this.rowSize = rowSize
    const fit = Math.floor(arenaSize / (DEPTH + 1) / rowSize)
    // a row larger than that goes alone
    this.chunkRows = Math.max(1, Math.min(CHUNK_ROWS, fit))
  }
}

/** Base of both kinds of chunk: those that go ahead, and the last, which is the batch itself in the queue. */
abstract class Chunk extends Exchange {
  #first = 0
  #rows = 0
  #at = -1
  #size = 0
  #results = 0
  #failures = 0
  #lastErrors = 0
  #backs: { readonly bytes: Uint8Array; readonly at: number }[] = []
  /** Buffers of the user's that the chunk works on. */
  #taken = false

  constructor(protected readonly state: BatchState) {
    super()
  }

  override get label(): string {
    return this.state.work.declared.label
  }

  /** The row that ran when the Windows process ended. */
  runningRow(): number {
    return this.#first + Atomics.load(this.state.core.shared.i32, Shared.runningRow)
  }

  /** Sends rows `sent` and on; false if there is no room now. */
  protected sendRows(lane: Lane, port: Port): boolean {
    const { state } = this
    const { work, core } = state
    const first = state.sent
    const rows = Math.min(state.chunkRows, work.rows - first)
    const chunks = work.columns.map(column => column.chunk(first, rows))
    const messageSize = Batch.columns + Batch.columnSize * chunks.length
    const outside = messageSize > port.room
    let size = outside ? align(messageSize) : 0
    for (const chunk of chunks) size += align(chunk.bytes.length)
    const resultsAt = size
    size += align(work.results.size * rows)
    const lastErrorsAt = size
    size += work.lastErrors ? align(4 * rows) : 0
    const failuresAt = size
    size += ROW_FAILURE_SIZE * rows
    if (size > lane.arena.size)
      throw new ZugbrueckeError(
        `${this.label}: one row of the batch takes ${size} bytes, more than the session's memory: start it with a larger "memory"`,
      )
    const at = lane.arena.allocate(size)
    if (at < 0) return false
    const slot = port.claim()
    if (slot < 0) {
      lane.arena.free(at, size)
      return false
    }
    this.#first = first
    this.#rows = rows
    this.#at = at
    this.#size = size
    this.#taken = true
    const { base } = core.facts
    const { encoder, u8 } = core.shared
    const { scratch } = core.builder
    const message = outside ? scratch + MESSAGE : slot + MESSAGE
    let place = at + (outside ? align(messageSize) : 0)
    chunks.forEach((chunk, i) => {
      const column = work.columns[i]
      const pointer = 'address' in column ? (column.address as number) + first * column.stride : base + place
      encoder.column(message, i, pointer, column.stride, column.kind.charCodeAt(0))
      if (chunk.bytes.length > 0) lane.writeArena(absolute(chunk, base + place, core.facts.pointerSize), place)
      if (chunk.back) this.#backs.push({ bytes: chunk.bytes, at: place })
      place += align(chunk.bytes.length)
    })
    this.#results = at + resultsAt
    this.#failures = at + failuresAt
    this.#lastErrors = at + lastErrorsAt
    encoder.batch(
      message,
      0,
      work.declared.number,
      work.lastErrors ? LAST_ERRORS : 0,
      rows,
      work.results.size,
      work.results.size > 0 ? base + this.#results : 0,
      base + this.#failures,
      work.lastErrors ? base + this.#lastErrors : 0,
      rows,
      work.results.kind.charCodeAt(0),
      chunks.length,
    )
    if (outside) lane.writeArena(u8.slice(message, message + messageSize), at)
    port.publish(messageSize, Kind.batch | ((outside ? SlotFlag.messageInArena : 0) << 16), outside ? at : 0)
    state.sent += rows
    return true
  }

  override settle(lane: Lane, at: number): void {
    const { state } = this
    const { work, core } = state
    try {
      const { view } = core.shared
      const status = view.getUint32(at + Reply.status, true)
      const code = view.getUint32(at + Reply.code, true)
      const thrown = core.callbacks.takeThrown()
      if (thrown) state.failure ??= thrown
      if (status !== Status.done) throw work.declared.declareError() ?? refusal(this.label, status, code)
      const rows = this.#rows
      const { file } = core.facts.segment
      if (work.results.size > 0) readInto(file, work.results.bytes(this.#first, rows), this.#results)
      for (const { bytes, at } of this.#backs) readInto(file, bytes, at)
      if (work.lastErrors) {
        const part = work.lastErrors.subarray(this.#first, this.#first + rows)
        readInto(file, new Uint8Array(part.buffer, part.byteOffset, part.byteLength), this.#lastErrors)
      }
      if (code > 0) this.#readFailures(file, Math.min(code, rows))
      state.done += rows
      work.onProgress?.(state.done, work.rows)
    } catch (error) {
      state.failure ??= error as Error
    }
    this.#release(lane)
  }

  override fail(lane: Lane, error: Error): void {
    this.state.failure ??= error
    this.#release(lane)
  }

  #readFailures(file: number, count: number): void {
    const { label } = this
    const records = new Uint8Array(count * ROW_FAILURE_SIZE)
    readInto(file, records, this.#failures)
    const view = new DataView(records.buffer)
    // where each of them was made is the same place in this library: a trace for each row would cost more than the crash did
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    try {
      for (let i = 0; i < count; i++) {
        const at = i * ROW_FAILURE_SIZE
        const row = this.#first + view.getUint32(at, true)
        const error = exceptionError(label, view.getUint32(at + 4, true), view.getBigUint64(at + 8, true), row)
        this.state.errors.push({ row, error })
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  #release(lane: Lane): void {
    if (this.#taken) lane.arena.free(this.#at, this.#size)
    this.#taken = false
    this.#backs = []
  }
}

class InnerChunk extends Chunk {
  override attempt(lane: Lane, port: Port): boolean {
    return this.sendRows(lane, port)
  }
}

export class BatchExchange extends Chunk {
  #underway = 0
  #lent: ArrayBufferLike[] = []

  constructor(
    core: SessionCore,
    work: BatchWork,
    private readonly buffers: readonly ArrayBufferLike[],
    private readonly finished: BatchDone,
  ) {
    super(new BatchState(core, work, core.lane.arena.size))
  }

  override attempt(lane: Lane, port: Port): boolean {
    const { state } = this
    const { work } = state
    if (this.#lent.length === 0 && !(port instanceof Frame) && this.#isLent(lane)) return false
    this.#lend(lane)
    while (work.rows - state.sent > state.chunkRows) {
      if (this.#ends() || this.#underway >= DEPTH) return false
      if (!lane.sendFirst(new CountedChunk(state, () => this.#underway--), port)) return false
      this.#underway++
    }
    return !this.#ends() && this.sendRows(lane, port)
  }

  override settle(lane: Lane, at: number): void {
    super.settle(lane, at)
    this.#finish(lane)
  }

  override fail(lane: Lane, error: Error): void {
    super.fail(lane, error)
    this.#finish(lane)
  }

  /** Between chunks: has the user given up, or a chunk failed? True while chunks are still under way; then throws what ends the batch. */
  #ends(): boolean {
    const { signal, rows } = this.state.work
    if (!this.state.failure && !signal?.aborted) return false
    if (this.#underway > 0) return true
    if (this.state.failure) throw this.state.failure
    throw new AbortError(
      `${this.label}: the batch was stopped by its signal after ${this.state.done} of ${rows} rows`,
      { cause: signal?.reason },
    )
  }

  #isLent(lane: Lane): boolean {
    return this.buffers.some(buffer => lane.lent.has(buffer))
  }

  #lend(lane: Lane): void {
    if (this.#lent.length > 0) return
    this.#lent = this.buffers.filter(buffer => !lane.lent.has(buffer))
    for (const buffer of this.#lent) lane.lent.add(buffer)
  }

  #finish(lane: Lane): void {
    for (const buffer of this.#lent) lane.lent.delete(buffer)
    this.#lent = []
    this.finished(this.state.failure, this.state.errors)
  }
}

class CountedChunk extends InnerChunk {
  constructor(
    state: BatchState,
    private readonly over: () => void,
  ) {
    super(state)
  }
  override settle(lane: Lane, at: number): void {
    super.settle(lane, at)
    this.over()
  }
  override fail(lane: Lane, error: Error): void {
    super.fail(lane, error)
    this.over()
  }
}

const align = (size: number) => (size + 15) & ~15

/** The chunk's bytes with pointers into itself made absolute. */
function absolute(chunk: ColumnChunk, address: number, pointerSize: number): Uint8Array {
  if (!chunk.pointers) return chunk.bytes
  const view = new DataView(chunk.bytes.buffer, chunk.bytes.byteOffset)
  for (const at of chunk.pointers) {
    const target = address + view.getUint32(at, true)
    if (pointerSize === 8) view.setBigUint64(at, BigInt(target), true)
    else view.setUint32(at, target, true)
  }
  return chunk.bytes
}

function readInto(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(fd, bytes, done, bytes.length - done, at + done)
    if (count === 0) throw new ZugbrueckeError('the shared memory ended before it should')
    done += count
  }
}
