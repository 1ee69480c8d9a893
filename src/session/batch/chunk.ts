/**
 * Chunks: rows of a batch that are sent together. A chunk lays its rows out in the arena, sends one message for all of
 * them, and reads back what they left.
 */

import { Exchange, type Port, type Sender, sendFromArena } from '../../channel/exchange.js'
import { SharedWord } from '../../channel/shared.js'
import { BATCH_LAST_ERRORS, Batch, Kind, Reply, ROW_FAILURE_SIZE, Status } from '../../codec/layout.js'
import type { LocalBlock } from '../../ctypes/block.js'
import { bytesOf } from '../../ctypes/data.js'
import { lost, reading } from '../../ctypes/given.js'
import { placed, ZugbrueckeError } from '../../errors.js'
import { refusal } from '../call/refusal.js'
import { TextRoom } from '../call/text-room.js'
import { exceptionError } from '../core/exceptions.js'
import { ADDRESS_OF, type ColumnChunk, type RowTexts } from './column.js'
import type { RowRange } from './row-cursor.js'
import type { ShareState } from './share.js'

/** What memory of the arena is aligned to, in bytes. */
const ARENA_ALIGNED = 64

/** Base of both kinds of chunks: the inner ones, and the last one of a share, which is the share's exchange itself. */
export abstract class Chunk extends Exchange {
  #range: RowRange = { first: 0, count: 0 }
  /** Offset and size of the chunk's part of the arena. */
  #at = -1
  #size = 0
  #isAllocated = false
  /** Memory here for the results. Undefined: the Windows side writes them where the caller wants them. */
  #results: LocalBlock | undefined
  /** Offsets in the segment of the results, the list of failures, and the last errors. */
  #resultsAt = 0
  #failures = 0
  #lastErrors = 0
  /** What is to be copied back, how many bytes, and from which offsets. */
  #backs: { readonly chunk: ColumnChunk; readonly at: number; readonly size: number }[] = []
  #texts: TextRoom | undefined
  /** When the chunk was sent. */
  #sent = 0

  constructor(protected readonly state: ShareState) {
    super()
  }

  override get label(): string {
    return this.state.share.declared.label
  }

  /** The row that ran when the Windows process ended. */
  override runningRow(): number {
    return this.#range.first + Atomics.load(this.state.core.shared.i32, SharedWord.runningRow)
  }

  /** Sends the next rows, at most `most`; false if there is no room for them now. */
  protected sendRows(lane: Sender, port: Port, most: number): boolean {
    const { rows } = this.state.share.plan
    const range = rows.next(most)
    try {
      if (this.#send(lane, port, range)) return true
    } catch (error) {
      rows.giveBack(range)
      throw error
    }
    rows.giveBack(range)
    return false
  }

  #send(lane: Sender, port: Port, range: RowRange): boolean {
    const { share, core, alignment } = this.state
    const { plan, declared, columns } = share
    const { first, count } = range
    const chunks = reading(`${this.label}: a column`, () => columns.map(column => column.chunk(first, count)))
    const messageSize = Batch.columns + Batch.columnSize * chunks.length
    const outside = messageSize > port.room
    const align = (bytes: number) => Math.ceil(bytes / alignment) * alignment
    let size = outside ? align(messageSize) : 0
    for (const chunk of chunks) size += align(chunk.bytes.length)
    const resultsAt = size
    const resultSize = plan.results.size
    const written = plan.results.address?.(core)
    const results =
      written === undefined ? reading(`${this.label}: the results`, () => plan.results.block(first, count)) : undefined
    if (written === undefined) size += align(resultSize * count)
    const lastErrorsAt = size
    size += plan.lastErrors ? align(4 * count) : 0
    const failuresAt = size
    size += ROW_FAILURE_SIZE * count
    if (alignment > ARENA_ALIGNED) size += alignment
    if (size > lane.arena.size)
      throw new ZugbrueckeError(
        `${this.label}: one row of the batch takes ${size} bytes, more than the session's memory: start it with a larger "memory"`,
      )
    const at = lane.arena.allocate(size)
    this.state.tried(size, at)
    if (at < 0) return false
    const { textCount, textLengths } = declared
    if (textCount > 0) {
      this.#texts = new TextRoom(core)
      this.#texts.place(lane, textLengths.rows(count, textCount))
    }
    const { base } = core.facts
    const start = align(base + at) - base
    const { encoder } = core.builder
    const { u8 } = core.mapping
    let place = start + (outside ? align(messageSize) : 0)
    chunks.forEach((chunk, i) => {
      const column = columns[i]
      const pointer =
        'address' in column
          ? BigInt.asUintN(64, (column.address as bigint) + BigInt(first * column.stride))
          : BigInt(base + place)
      encoder.column(i, pointer, column.stride, column.kind.charCodeAt(0))
      if (chunk.bytes.length > 0) u8.set(absolute(chunk, base + place, core.facts.pointerSize), place)
      if (chunk.back) this.#backs.push({ chunk, at: place, size: chunk.bytes.length })
      place += align(chunk.bytes.length)
    })
    this.#results = results
    this.#resultsAt = start + resultsAt
    this.#failures = start + failuresAt
    this.#lastErrors = start + lastErrorsAt
    encoder.batch(
      this.#texts?.address ?? 0,
      declared.number,
      plan.lastErrors ? BATCH_LAST_ERRORS : 0,
      count,
      resultSize,
      written !== undefined ? written + first * resultSize : resultSize > 0 ? base + this.#resultsAt : 0,
      base + this.#failures,
      plan.lastErrors ? base + this.#lastErrors : 0,
      count,
      plan.results.kind.charCodeAt(0),
      chunks.length,
      this.#texts?.size ?? 0,
    )
    const { message } = encoder
    const sent = outside
      ? sendFromArena(lane, port, new Uint8Array(message.buffer, 0, messageSize), start, Kind.batch)
      : port.send(message, messageSize, Kind.batch)
    if (!sent) {
      lane.arena.free(at, size)
      this.#texts?.release(lane)
      this.#backs = []
      return false
    }
    this.#range = range
    this.#at = at
    this.#size = size
    this.#isAllocated = true
    this.state.underway.push(range)
    this.#sent = performance.now()
    return true
  }

  override settle(lane: Sender, at: number): void {
    const { state } = this
    const { share, core } = state
    state.underway.shift()
    state.ended++
    let carriedOut = 0
    try {
      const texts = this.#readTexts(at)
      const { view } = core.mapping
      const status = view.getUint32(at + Reply.status, true)
      const code = view.getUint32(at + Reply.code, true)
      if (this.thrown) state.failure ??= this.thrown
      if (status !== Status.done) throw share.declared.declareError() ?? refusal(this.label, status, code)
      const carried = view.getUint32(at + Reply.result, true)
      if (carried !== this.#range.count)
        throw new ZugbrueckeError(
          `${this.label}: the Windows side carried out ${carried} of ${this.#range.count} rows: this is a fault of zugbruecke`,
        )
      this.#readRows(code, texts)
      share.declared.pace.came(this.#range.count, this.#sent)
      carriedOut = carried
    } catch (error) {
      state.failure ??= error as Error
    }
    this.#release(lane)
    this.over(lane)
    // last, for it runs code of the program's, which may call and so settle other chunks
    try {
      share.plan.finished(carriedOut)
    } catch (error) {
      state.failure ??= error as Error
    }
  }

  /** It is under way no longer. */
  protected abstract over(lane: Sender): void

  override fail(lane: Sender, error: Error): void {
    const { state } = this
    state.failure ??= error
    state.share.plan.rows.giveBack(this.#range)
    this.#release(lane)
  }

  #readTexts(at: number): RowTexts | undefined {
    const { textCount, textLengths } = this.state.share.declared
    const { count } = this.#range
    const taken = this.#texts?.read(this.label, at, count * textCount)
    if (!taken) return undefined
    textLengths.cameFromRows(taken.size, count, textCount)
    return row => index => taken.texts(row * textCount + index)
  }

  /** Reads back what the rows left. `failed`: how many of them failed. */
  #readRows(failed: number, texts: RowTexts | undefined): void {
    const { share, core } = this.state
    const { plan } = share
    const { first, count } = this.#range
    const { u8 } = core.mapping
    if (this.#results) {
      this.#readInto(u8, this.#results.bytes, this.#resultsAt, count * plan.results.size)
      plan.results.collect(this.#results, first, count, core.memory, texts)
    }
    for (const { chunk, at, size } of this.#backs) {
      this.#readInto(u8, chunk.bytes, at, size)
      chunk.copiedBack?.(texts)
    }
    if (plan.lastErrors)
      this.#readInto(u8, bytesOf(plan.lastErrors.subarray(first, first + count)), this.#lastErrors, 4 * count)
    if (failed > 0) this.#readFailures(u8, Math.min(failed, count))
  }

  /** Throws ArgumentError for memory of the program's that it has taken away meanwhile. */
  #readInto(u8: Uint8Array, bytes: Uint8Array, at: number, size: number): void {
    if (bytes.length < size) throw placed(lost(), 'a column', { routine: this.label })
    bytes.set(u8.subarray(at, at + size))
  }

  #readFailures(u8: Uint8Array, count: number): void {
    const { label } = this
    const { core } = this.state
    const view = new DataView(u8.slice(this.#failures, this.#failures + count * ROW_FAILURE_SIZE).buffer)
    // without stack traces: all would be the same, and making one for each row would take longer than the row did
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    try {
      for (let i = 0; i < count; i++) {
        const at = i * ROW_FAILURE_SIZE
        const row = this.#range.first + view.getUint32(at, true)
        const code = view.getUint32(at + 4, true)
        const error = exceptionError(label, code, view.getBigUint64(at + 8, true), core.memory, row)
        this.state.share.plan.errors.push({ row, error })
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  #release(lane: Sender): void {
    // a DLL can still write only to what a column passes by its address
    const knows = this.state.share.columns.some(({ kind }) => kind === ADDRESS_OF)
    if (this.#isAllocated) lane.arena.free(this.#at, this.#size, knows)
    this.#texts?.release(lane)
    this.#isAllocated = false
    this.#backs = []
  }
}

/** The bytes of a column's chunk that lies at `address`, with its pointers into itself made addresses. */
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
