/** What a column of a batch is: memory that rows walk through. */

import type { LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import type { Encoding } from '../../ctypes/encoding.js'
import { isList } from '../../ctypes/given.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import type { SessionFacts } from '../core/facts.js'

/** Kind of a column whose argument is the address of the row's element. */
export const ADDRESS_OF = '&'

/** What columns are laid out for: a session's core, or what is known of sessions elsewhere. */
export interface ColumnContext {
  /** Where what lies in memory of both sides is; none where rows go to another machine. */
  readonly objects?: { addressOf(block: LocalBlock): number | undefined }
  readonly facts: Pick<SessionFacts, 'arch' | 'pointerSize'>
  readonly textEncoding: Encoding
  readonly memory: RemoteMemory
}

/** The texts that the rows of a chunk left: those of its row number `row`. */
export type RowTexts = (row: number) => TakenTexts

/** The bytes of some rows of a column, and how rows find theirs in them. */
export interface ColumnChunk {
  /** Laid out in the arena; empty: `pointer` is all there is. */
  readonly bytes: Uint8Array
  /** Texts that the bytes point to: offsets in `bytes` to be made absolute. */
  readonly pointers?: readonly number[]
  /** Copied back after the call. */
  readonly back: boolean
  /** Called once they have been copied back. */
  taken?(texts: RowTexts | undefined): void
}

export interface Column {
  /** Rows that it has; undefined: one value for every row. */
  readonly length: number | undefined
  /** Character of docs/wire.md. */
  readonly kind: string
  /** Bytes from row to row. */
  readonly stride: number
  /** Bytes of arena that a row takes, at the most. */
  readonly rowSize: number
  chunk(first: number, count: number): ColumnChunk
}

/** Elements of `size` bytes, one behind the other, a row for each. `back`: what the routine made of them is copied back. */
export function elementsColumn(bytes: Uint8Array, length: number, kind: string, size: number, back = false): Column {
  return {
    length,
    kind,
    stride: size,
    rowSize: size,
    chunk: (first, rows) => ({ bytes: bytes.subarray(first * size, (first + rows) * size), back }),
  }
}

/** The same element for every row. */
export function sameColumn(bytes: Uint8Array, kind: string): Column {
  return { length: undefined, kind, stride: 0, rowSize: 0, chunk: () => ({ bytes, back: false }) }
}

export const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  isList(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
