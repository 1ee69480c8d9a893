/** The worker's side of a batch: rows that came as bytes are carried out by a session as a share of a batch, under their own numbers. */
import { LocalBlock } from '../ctypes/block.js'
import { wholeNumber } from '../ctypes/checks.js'
import { isList, isRecord } from '../ctypes/given.js'
import { encodeError, type RowError } from '../errors.js'
import type { Column, ColumnChunk, RowTexts } from '../session/batch/column.js'
import type { PlannedRows } from '../session/batch/plan.js'
import { RowCursor } from '../session/batch/row-cursor.js'
import { type ColumnHead, NO_TEXT, NULL_TEXT, type RowsHead, type RowsResult } from './client-rows.js'
import { MOST, type Payload, pack, unpack, unreadable } from './payload.js'

const [, IS_SIZE] = wholeNumber(0, MOST)
const [, IS_COUNT] = wholeNumber(0, Number.MAX_SAFE_INTEGER)

/** The rows of one job, for a session's share of a batch. */
export class WorkerRows implements PlannedRows {
  readonly rows: RowCursor
  readonly results: PlannedRows['results']
  readonly lastErrors = undefined
  readonly errors: RowError[] = []
  readonly chunk = undefined
  readonly buffers = []
  readonly #head: RowsHead
  readonly #memory: Uint8Array[]
  readonly #results: Uint8Array
  /** Of all rows, `head.texts` of each. */
  readonly #texts: (Uint8Array | null | undefined)[] = []
  #from = 0
  #expect: (milliseconds: number) => void = () => {}

  /** Throws ClusterError. */
  constructor(
    packed: Buffer,
    readonly signal: AbortSignal | undefined,
  ) {
    const { header, read } = unpack<RowsHead>('the rows of a job', packed)
    if (!isRowsHead(header)) throw unreadable('the rows of a job')
    const { range, result } = header
    this.#head = header
    this.rows = new RowCursor(range.first + range.count, range.first)
    this.#memory = header.columns.map(({ fill, bytes }) => (fill ? new Uint8Array(bytes) : read(bytes)))
    this.#results = new Uint8Array(result.size * range.count)
    this.results = {
      ...result,
      block: (first, count) => {
        const at = (first - range.first) * result.size
        return new LocalBlock(this.#results.subarray(at, at + count * result.size))
      },
      collect: (_block, first, count, _memory, texts) => this.#keep(first, count, texts),
    }
  }

  columns(): Column[] {
    const { columns, range } = this.#head
    return columns.map((head, i) => {
      const memory = this.#memory[i]
      const { kind, stride, rowSize, same, pointers, back } = head
      const at = (first: number) => (first - range.first) * stride
      const chunk = (first: number, count: number): ColumnChunk => {
        if (same) return pointers ? { bytes: memory, pointers, back } : { bytes: memory, back }
        if (pointers) return someTexts(head, pointers, memory, at(first), count)
        return { bytes: memory.subarray(at(first), at(first + count)), back }
      }
      return { length: same ? undefined : range.count, kind, stride, rowSize, chunk }
    })
  }

  /** To be called when a session begins. `expect` is then told now and then how many milliseconds the rows still take. */
  begin(expect: (milliseconds: number) => void): void {
    this.#expect = expect
    this.#from = performance.now()
  }

  finished(count: number): void {
    const { rows } = this
    rows.done += count
    const left = this.#head.range.count - rows.done
    this.#expect(((performance.now() - this.#from) / Math.max(1, rows.done)) * left)
  }

  /** Keeps the texts that some rows return. Called for each chunk, also where the routine returns none. */
  #keep(first: number, count: number, texts: RowTexts | undefined): void {
    const { texts: each, range } = this.#head
    if (each === 0) return
    for (let row = 0; row < count; row++)
      for (let i = 0; i < each; i++) this.#texts[(first - range.first + row) * each + i] = texts?.(row)(i)
  }

  /** What came of them, as it travels. */
  pack(): Payload {
    const { columns, range, texts: each } = this.#head
    const back = this.#memory.filter((_, i) => columns[i].back)
    const errors = this.errors.map(({ row, error }) => ({ row, error: encodeError(error) }))
    const sections = [this.#results, ...back]
    let texts: RowsResult['texts']
    if (each > 0) {
      const lengths = Int32Array.from({ length: each * range.count }, (_, i) => {
        const text = this.#texts[i]
        return text ? text.length : text === null ? NULL_TEXT : NO_TEXT
      })
      const bytes = Buffer.concat(this.#texts.filter(text => text !== null && text !== undefined))
      texts = { lengths: lengths.byteLength, bytes: bytes.length }
      sections.push(new Uint8Array(lengths.buffer), bytes)
    }
    const result: RowsResult = {
      errors,
      back: back.map(({ length }) => length),
      results: this.#results.length,
      ...(texts ? { texts } : {}),
    }
    return pack(`what rows ${range.first} to ${range.first + range.count - 1} gave`, result, sections)
  }
}

/** Whether the columns are as long as the rows need, and all that is to be made has a size that a client's may have. */
function isRowsHead(given: RowsHead): boolean {
  if (!isRecord(given) || !isRecord(given.range) || !isRecord(given.result) || !isList(given.columns)) return false
  const { range, result, texts, columns } = given
  const isColumn = ({ same, stride, bytes }: ColumnHead) =>
    IS_SIZE(stride) && IS_SIZE(bytes) && (same || bytes >= stride * range.count)
  return (
    [range.first, range.count, result.size, texts].every(IS_COUNT) &&
    [result.size * range.count, texts * range.count].every(IS_SIZE) &&
    columns.every(column => isRecord(column) && isColumn(column))
  )
}

/** The pointers of some rows, and the texts that these lead to, which lie one behind the other. */
function someTexts(
  { stride }: ColumnHead,
  pointers: readonly number[],
  memory: Uint8Array,
  from: number,
  count: number,
): ColumnChunk {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length)
  const to = from + count * stride
  const table = count * stride
  const inside = pointers.filter(at => at >= from && at < to)
  if (inside.length === 0) return { bytes: new Uint8Array(table), pointers: [], back: false }
  const next = pointers.find(at => at >= to)
  const begin = view.getUint32(inside[0], true)
  const end = next === undefined ? memory.length : view.getUint32(next, true)
  const bytes = new Uint8Array(table + end - begin)
  bytes.set(memory.subarray(begin, end), table)
  const own = new DataView(bytes.buffer)
  for (const at of inside) own.setUint32(at - from, view.getUint32(at, true) - begin + table, true)
  return { bytes, pointers: inside.map(at => at - from), back: false }
}
