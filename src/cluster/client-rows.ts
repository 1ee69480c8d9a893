/** The client's side of a batch: packs rows of its columns, and puts the results where the caller expects them. */
import type { RemoteMemory } from '../ctypes/block.js'
import type { Encoding } from '../ctypes/encoding.js'
import { isList, isRecord } from '../ctypes/given.js'
import { isOutParameter } from '../ctypes/out-parameter.js'
import { type TakenTexts, textsIn } from '../ctypes/taken-texts.js'
import {
  ArgumentError,
  decodeError,
  type EncodedError,
  MemoryAccessError,
  placed,
  type ZugbrueckeError,
} from '../errors.js'
import type { MapOptions } from '../pool/pool-routine.js'
import type { Arch } from '../runtime/config.js'
import type { Column, ColumnChunk, ColumnContext, RowTexts } from '../session/batch/column.js'
import { BatchPlan, type BatchRoutine } from '../session/batch/plan.js'
import type { RowRange } from '../session/batch/row-cursor.js'
import { CHUNK_BYTES, type Payload, pack, unpack, unreadable } from './payload.js'

/** A column of a chunk of rows, as it is sent. */
export interface ColumnHead {
  readonly kind: string
  readonly stride: number
  readonly rowSize: number
  /** One value for every row. */
  readonly same: boolean
  readonly bytes: number
  readonly pointers?: readonly number[]
  readonly back: boolean
  /** The routine fills it: no bytes are sent to the worker. */
  readonly fill: boolean
}
/** The header of a chunk of rows; the bytes of the columns follow it. */
export interface RowsHead {
  readonly range: RowRange
  readonly columns: readonly ColumnHead[]
  readonly result: { readonly kind: string; readonly size: number }
  /** The number of texts that each row returns. */
  readonly texts: number
}
/** The header of a chunk's results. Sections follow: the results, the columns that come back, and, if there are texts, their lengths and the texts. */
export interface RowsResult {
  readonly errors: readonly { readonly row: number; readonly error: EncodedError }[]
  readonly back: readonly number[]
  readonly results: number
  readonly texts?: { readonly lengths: number; readonly bytes: number }
}
/** The lengths that stand for NULL, and for no text at all. */
export const NULL_TEXT = -1
export const NO_TEXT = -2

/** Addresses of a worker's session have no meaning for the client. */
const elsewhere = (encoding: Encoding): RemoteMemory => ({
  sessionId: 'of a worker',
  encoding,
  read(address) {
    throw unreachable(address)
  },
  write(address) {
    throw unreachable(address)
  },
})
const unreachable = (address: bigint) =>
  new MemoryAccessError(
    `0x${address.toString(16)} is an address in a session of a worker, and cannot be read from here`,
    {
      address,
    },
  )

/** The context for laying out columns without a session. */
export const contextFor = (arch: Arch, textEncoding: Encoding): ColumnContext => ({
  facts: { arch, pointerSize: arch === 'win64' ? 8 : 4 },
  textEncoding,
  memory: elsewhere(textEncoding),
})

/** A batch whose rows are carried out elsewhere. */
export class ClientRows {
  readonly plan: BatchPlan
  /** The largest number of rows of a chunk. */
  readonly most: number
  readonly #columns: readonly Column[]
  readonly #texts: number

  /** Throws ArgumentError. */
  constructor(
    private readonly routine: BatchRoutine,
    given: readonly unknown[],
    options: MapOptions,
    private readonly context: ColumnContext,
  ) {
    this.plan = new BatchPlan(routine, given, options, context)
    this.#columns = this.plan.columns(context)
    this.#columns.forEach((column, i) => {
      if ('address' in column)
        throw placed(new ArgumentError('memory of a session does not travel to workers'), `column ${i + 1}`, {
          routine: routine.label,
          position: i + 1,
        })
    })
    const outs = routine.argtypes.flatMap(type => (isOutParameter(type) ? [type.outType] : []))
    const { restype } = routine
    this.#texts = (restype ? textsIn(restype).length : 0) + outs.reduce((sum, type) => sum + textsIn(type).length, 0)
    const rowSize = this.#columns.reduce((sum, column) => sum + column.rowSize, this.plan.results.size)
    const fit = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, rowSize)))
    this.most = Math.min(fit, options.chunk ?? fit)
  }

  /** Packs rows with their present values. Throws ArgumentError. */
  pack(range: RowRange): Payload {
    const { first, count } = range
    const sections: Uint8Array[] = []
    const columns = this.#columns.map(({ kind, stride, rowSize, length, chunk }) => {
      const { bytes, pointers, back, copiedBack } = chunk(first, count)
      const fill = copiedBack !== undefined
      if (!fill) sections.push(bytes)
      const same = length === undefined
      return { kind, stride, rowSize, same, bytes: bytes.length, back, fill, ...(pointers ? { pointers } : {}) }
    })
    const { kind, size } = this.plan.results
    const head: RowsHead = { range, columns, result: { kind, size }, texts: this.#texts }
    const what = count === 1 ? `row ${first}` : `the chunk of rows ${first} to ${first + count - 1}`
    return pack(`${this.routine.label}: ${what}`, head, sections)
  }

  /** Puts the results of the rows in their places. Throws ClusterError if they do not fit these rows. */
  collect({ first, count }: RowRange, packed: Buffer): void {
    const what = `${this.routine.label}: what came of rows ${first} to ${first + count - 1}`
    const { header, read } = unpack<RowsResult>(what, packed)
    const { plan } = this
    const columns = this.#columns.filter(column => isBack(column, first))
    const places = columns.map(column => column.chunk(first, count))
    if (!isResult(header, plan.results.size * count, places)) throw unreadable(what)
    const results = read(header.results)
    const backs = header.back.map(read)
    const texts = header.texts && readTexts(read(header.texts.lengths), read(header.texts.bytes), this.#texts)
    const errors = header.errors.map(({ row, error }) => ({ row, error: decodeError(error) as ZugbrueckeError }))
    if (errors.some(({ row }) => !(row >= first && row < first + count))) throw unreadable(what)
    if (plan.results.size > 0) {
      const block = plan.results.block(first, count)
      block.bytes.set(results)
      plan.results.collect(block, first, count, this.context.memory, texts)
    }
    places.forEach((chunk, i) => {
      chunk.bytes.set(backs[i])
      chunk.copiedBack?.(texts)
    })
    plan.errors.push(...errors)
    plan.finished(count)
  }
}

/** Whether results, and columns that come back, are as long as their places. */
const isResult = (given: RowsResult, results: number, places: readonly ColumnChunk[]): boolean =>
  isRecord(given) &&
  given.results === results &&
  isList(given.errors) &&
  isList(given.back) &&
  given.back.length === places.length &&
  given.back.every((bytes, i) => bytes === places[i].bytes.length)

/** One row is packed to find out: packing all of them would encode them a second time. */
const isBack = (column: Column, first: number): boolean => column.chunk(first, 1).back

/** `RowTexts` counts rows from the first of the chunk. */
function readTexts(lengthBytes: Uint8Array, bytes: Uint8Array, each: number): RowTexts {
  const lengths = new Int32Array(new Uint8Array(lengthBytes).buffer)
  const starts = new Uint32Array(lengths.length)
  let at = 0
  lengths.forEach((length, i) => {
    starts[i] = at
    at += Math.max(0, length)
  })
  return (row): TakenTexts =>
    index => {
      const i = row * each + index
      if (lengths[i] === NULL_TEXT) return null
      return lengths[i] < 0 ? undefined : bytes.subarray(starts[i], starts[i] + lengths[i])
    }
}
