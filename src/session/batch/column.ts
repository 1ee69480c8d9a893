/** A column of a batch: memory in which each row has an element. */

import type { LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import type { Encoding } from '../../ctypes/encoding.js'
import { isList, lost } from '../../ctypes/given.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import type { SessionFacts } from '../core/facts.js'

/** Kind of a column whose argument is the address of the row's element. */
export const ADDRESS_OF = '&'

/** What columns are laid out for: the core of a session, or what a client knows of sessions on other machines. */
export interface ColumnContext {
  /** Finds blocks that live in memory that both sides see. Absent where rows go to another machine. */
  readonly objects?: {
    addressOf(block: LocalBlock): number | undefined
    /** The blocks that are copied before and after a call that is given `blocks`. */
    lodgers(blocks: readonly LocalBlock[]): readonly LocalBlock[]
  }
  readonly facts: Pick<SessionFacts, 'arch' | 'pointerSize'>
  readonly textEncoding: Encoding
  readonly memory: RemoteMemory
}

/** The texts that a row of a chunk left; `row` counts from the first row of the chunk. */
export type RowTexts = (row: number) => TakenTexts

/** The part of a column that some rows need. */
export interface ColumnChunk {
  /** Copied to the arena before the call. Empty where the column lies in memory that the Windows side sees already. */
  readonly bytes: Uint8Array
  /** Offsets in `bytes` of pointers that are offsets in `bytes` themselves, to be made addresses. */
  readonly pointers?: readonly number[]
  /** Whether the bytes are copied back after the call. */
  readonly back: boolean
  /** Called when the bytes have been copied back. */
  copiedBack?(texts: RowTexts | undefined): void
}

export interface Column {
  /** How many rows the column has; undefined: it has one value for every row. */
  readonly length: number | undefined
  /** The kind of value, a character of docs/wire.md. */
  readonly kind: string
  /** Bytes from one row's element to the next. */
  readonly stride: number
  /** Bytes of arena that a row takes, at the most. */
  readonly rowSize: number
  /** What the address of the first row must be a multiple of; 16 where nothing is said. */
  readonly alignment?: number
  chunk(first: number, count: number): ColumnChunk
}

/** A column of elements of `size` bytes, one behind the other. `back`: they are copied back after the call. */
export function elementsColumn(
  bytes: Uint8Array,
  length: number,
  kind: string,
  size: number,
  alignment: number,
  back = false,
): Column {
  return {
    length,
    kind,
    stride: size,
    rowSize: size,
    alignment,
    chunk: (first, rows) => ({ bytes: rowsOf(bytes, first, rows, size), back }),
  }
}

/** The bytes of some rows. Throws ArgumentError for memory of the program's that it has taken away meanwhile. */
export function rowsOf(bytes: Uint8Array, first: number, rows: number, size: number): Uint8Array {
  if (bytes.length < (first + rows) * size) throw lost()
  return bytes.subarray(first * size, (first + rows) * size)
}

/** A column with one element for every row. */
export function sameColumn(bytes: Uint8Array, kind: string, alignment: number): Column {
  return { length: undefined, kind, stride: 0, rowSize: 0, alignment, chunk: () => ({ bytes, back: false }) }
}

export const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  isList(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
