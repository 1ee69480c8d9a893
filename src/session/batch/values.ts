/** What the rows of a batch give: results, and what is left in their `out` parameters. */
import { LocalBlock, type RemoteMemory } from '../../ctypes/block.js'
import { ARCH, bytesOf, CATEGORY, type CType, KIND, pointerSizeOf, READ } from '../../ctypes/data.js'
import { passedAs } from '../../ctypes/passing.js'
import { keepTexts, textOf, textsIn, textTaken } from '../../ctypes/taken-texts.js'
import { ADDRESS_OF, type Column, type ColumnContext, type RowTexts } from './column.js'
import { addressInBoth, isAddress, kindOfElements, type TypedArray } from './columns.js'

export interface RowValues {
  /** Character of docs/wire.md; `v` for none. */
  readonly kind: string
  /** Bytes of a row. */
  readonly size: number
  /** Where the Windows side writes the first row itself; undefined, or not there: rows come back in blocks. */
  address?(core: ColumnContext): number | undefined
  /** Memory for the values of some rows, to be filled. */
  block(first: number, count: number): LocalBlock
  /** The block is filled: makes of it what the caller gets. `memory` is whose addresses it holds. */
  collect(block: LocalBlock, first: number, count: number, memory: RemoteMemory, texts: RowTexts | undefined): void
  /** All rows: a typed array, an array, or undefined for none. */
  readonly all: unknown
}

const NOTHING = new LocalBlock(new Uint8Array(0))
const none: RowValues = { kind: 'v', size: 0, block: () => NOTHING, collect: () => {}, all: undefined }

/**
 * Room for `rows` values of a type; numbers and addresses come in a typed array, `given` if there is one. Of the texts that a row leaves,
 * those in the value begin with number `firstText`.
 */
export function rowValues(type: CType | null, rows: number, firstText = 0, given?: TypedArray): RowValues {
  if (type === null) return none
  const { size } = type
  const category = type[CATEGORY]
  // a small structure comes back as the integer that it is to Windows
  const kind = category === 'structure' ? passedAs(type, 'win64', true).kind : type[KIND]
  const Elements = kindOfElements(type)
  if (Elements) {
    const all = given ?? new Elements(rows)
    const bytes = bytesOf(all)
    return {
      kind,
      size,
      all,
      address: core => addressInBoth(bytes, core),
      block: (first, count) => new LocalBlock(bytes.subarray(first * size, (first + count) * size)),
      collect: () => {},
    }
  }
  if (isAddress(type)) return narrowAddresses(kind, (given as BigInt64Array | undefined) ?? new BigInt64Array(rows))
  const all: unknown[] = new Array(rows).fill(null)
  const text = textOf(type)
  const cells = textsIn(type)
  const pointerSize = pointerSizeOf(type[ARCH] ?? 'win64')
  return {
    kind,
    size,
    all,
    block: (_first, count) => LocalBlock.allocate(count * size),
    collect(block, first, count, memory, texts) {
      block.origin = memory
      for (let i = 0; i < count; i++) {
        const ofRow = texts?.(i)
        if (text) {
          // of a row that failed there is none, whatever its pointer is
          all[first + i] = textTaken(ofRow?.(firstText), text === 'wide', memory)
          continue
        }
        if (ofRow) keepTexts(block, i * size, cells, pointerSize, memory, index => ofRow(firstText + index))
        all[first + i] = type[READ](block, i * size)
      }
    },
  }
}

/** Addresses of a 32-bit process, as the bigints that addresses are everywhere. */
function narrowAddresses(kind: string, all: BigInt64Array): RowValues {
  return {
    kind,
    size: 4,
    all,
    block: (_first, count) => LocalBlock.allocate(count * 4),
    collect(block, first, count) {
      for (let i = 0; i < count; i++) all[first + i] = BigInt(block.whole.getUint32(i * 4, true))
    },
  }
}

/** Memory that the routine fills, one element for each row: an `out` parameter, or a structure returned through a hidden pointer. */
export function outColumn(values: RowValues, rows: number, memory: RemoteMemory): Column {
  return {
    length: rows,
    kind: ADDRESS_OF,
    stride: values.size,
    rowSize: values.size,
    chunk(first, count) {
      const block = values.block(first, count)
      return { bytes: block.bytes, back: true, taken: texts => values.collect(block, first, count, memory, texts) }
    },
  }
}
