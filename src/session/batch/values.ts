/** What the rows of a batch leave: their results, and the values of their `out` parameters. */
import { LocalBlock, type RemoteMemory } from '../../ctypes/block.js'
import { ARCH, bytesOf, CATEGORY, type CType, KIND, pointerSizeOf, READ } from '../../ctypes/data.js'
import { passedAs } from '../../ctypes/passing.js'
import { keepTexts, textKindOf, textsIn, textTaken } from '../../ctypes/taken-texts.js'
import { ADDRESS_OF, type Column, type ColumnContext, type RowTexts, rowsOf } from './column.js'
import { addressInBoth, isAddress, kindOfElements, type TypedArray } from './columns.js'

/** The values that all rows leave in one place: as results, or in one `out` parameter. */
export interface RowValues {
  /** The kind of value, a character of docs/wire.md; `v` for none. */
  readonly kind: string
  /** Bytes of a value. */
  readonly size: number
  readonly alignment: number
  /**
   * Where the Windows side writes the value of the first row, if it can write directly to where the caller wants them.
   * Otherwise undefined, and values come back in blocks.
   */
  address?(core: ColumnContext): number | undefined
  /** Memory for the values of some rows, which the caller of this method fills. */
  block(first: number, count: number): LocalBlock
  /** Converts a block that has been filled to what the caller gets. Addresses in it are those of `memory`. */
  collect(block: LocalBlock, first: number, count: number, memory: RemoteMemory, texts: RowTexts | undefined): void
  /** All rows: a typed array, an array, or undefined for none. */
  readonly all: unknown
}

const NOTHING = new LocalBlock(new Uint8Array(0))
const none: RowValues = { kind: 'v', size: 0, alignment: 1, block: () => NOTHING, collect: () => {}, all: undefined }

/**
 * Room for `rows` values of a type. Numbers and addresses go to a typed array: to `given`, if there is one. Texts in a
 * value are those of its row from number `firstText` on.
 */
export function rowValues(type: CType | null, rows: number, firstText = 0, given?: TypedArray): RowValues {
  if (type === null) return none
  const { size, alignment } = type
  const category = type[CATEGORY]
  // Windows returns a small structure like an integer of its size
  const kind = category === 'structure' ? passedAs(type, 'win64', true).kind : type[KIND]
  const Elements = kindOfElements(type)
  if (Elements) {
    const all = given ?? new Elements(rows)
    const bytes = bytesOf(all)
    return {
      kind,
      size,
      alignment,
      all,
      address: core => addressInBoth(bytes, core),
      block: (first, count) => new LocalBlock(rowsOf(bytes, first, count, size)),
      collect: () => {},
    }
  }
  if (isAddress(type)) return narrowAddresses(kind, (given as BigInt64Array | undefined) ?? new BigInt64Array(rows))
  const all: unknown[] = new Array(rows).fill(null)
  const text = textKindOf(type)
  const cells = textsIn(type)
  const pointerSize = pointerSizeOf(type[ARCH] ?? 'win64')
  return {
    kind,
    size,
    alignment,
    all,
    block: (_first, count) => LocalBlock.allocate(count * size),
    collect(block, first, count, memory, texts) {
      block.origin = memory
      for (let i = 0; i < count; i++) {
        const ofRow = texts?.(i)
        if (text) {
          // a row that failed left no text, whatever its pointer is
          all[first + i] = textTaken(ofRow?.(firstText), text === 'wide', memory)
          continue
        }
        if (ofRow) keepTexts(block, i * size, cells, pointerSize, memory, index => ofRow(firstText + index))
        all[first + i] = type[READ](block, i * size)
      }
    },
  }
}

/** Addresses of a 32-bit process, which the caller gets as 64-bit integers like all addresses. */
function narrowAddresses(kind: string, all: BigInt64Array): RowValues {
  return {
    kind,
    size: 4,
    alignment: 4,
    all,
    block: (_first, count) => LocalBlock.allocate(count * 4),
    collect(block, first, count) {
      for (let i = 0; i < count; i++) all[first + i] = BigInt(block.whole.getUint32(i * 4, true))
    },
  }
}

/** A column that the routine fills: an `out` parameter, or structures that it returns through a hidden pointer. */
export function outColumn(values: RowValues, rows: number, memory: RemoteMemory): Column {
  return {
    length: rows,
    kind: ADDRESS_OF,
    stride: values.size,
    rowSize: values.size,
    alignment: values.alignment,
    chunk(first, count) {
      const block = values.block(first, count)
      return { bytes: block.bytes, back: true, copiedBack: texts => values.collect(block, first, count, memory, texts) }
    },
  }
}
