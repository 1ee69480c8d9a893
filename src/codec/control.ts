/** Control messages and their outcomes: ordinary FlatBuffers. The stock library builds messages; outcomes, which a DLL may write over, are read here. */
import { Builder } from 'flatbuffers'
import { utf8 } from '../ctypes/encoding.js'
import { ZugbrueckeError } from '../errors.js'
import { Control } from './generated/control.js'

/**
 * What the Windows side answers to a control message. Where `ok` is false it says why: docs/wire.md, "Control
 * operations".
 */
export interface Outcome {
  readonly ok: boolean
  readonly numbers: readonly bigint[]
  readonly texts: readonly string[]
}

/**
 * A control message. Its outcome goes to `roomSize` bytes at offset `room` of the segment; where that is 0, to the
 * mailbox.
 */
export function encodeControl(
  op: number,
  numbers: readonly (number | bigint)[],
  texts: readonly string[],
  room: number,
  roomSize: number,
): Uint8Array {
  const builder = new Builder(256)
  const textOffsets = texts.map(text => builder.createString(text))
  const textVector = Control.createTextsVector(builder, textOffsets)
  const numberVector = Control.createNumbersVector(builder, numbers.map(BigInt))
  Control.startControl(builder)
  Control.addOp(builder, op)
  Control.addNumbers(builder, numberVector)
  Control.addTexts(builder, textVector)
  Control.addRoom(builder, BigInt(room))
  Control.addRoomSize(builder, roomSize)
  builder.finish(Control.endControl(builder))
  return builder.asUint8Array()
}

const damaged = (cause?: unknown) =>
  new ZugbrueckeError(
    'the Windows side gave an answer that is damaged: this is a fault of zugbruecke, or of a DLL that wrote over it',
    { cause },
  )

/** The number at an index of an outcome. Throws ZugbrueckeError if it has fewer. */
export function numberOf({ numbers }: Outcome, index = 0): bigint {
  if (index >= numbers.length) throw damaged()
  return numbers[index]
}
/** The text at an index of an outcome. Throws ZugbrueckeError if it has fewer. */
export function textOf({ texts }: Outcome, index = 0): string {
  if (index >= texts.length) throw damaged()
  return texts[index]
}

/** Reads an outcome. Throws ZugbrueckeError when it is cut short or anything in it leads outside. */
export function decodeOutcome(bytes: Uint8Array): Outcome {
  try {
    return readOutcome(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (error) {
    throw damaged(error)
  }
}

/** Indices of fields in the Outcome table's vtable. */
const OK = 0
const NUMBERS = 1
const TEXTS = 2

/**
 * Reads an Outcome through a DataView, which throws RangeError for what lies outside. The reader of the flatbuffers
 * package gives zeros beyond the end and believes every length, so a damaged one would have it read for minutes; and a
 * check before it would have to take each odd offset exactly as that reader does.
 */
function readOutcome(view: DataView): Outcome {
  const table = view.getUint32(0, true)
  const vtable = table - view.getInt32(table, true)
  const vtableSize = view.getUint16(vtable, true)
  /** Where a field is, or 0 when the table has none such. */
  const field = (index: number): number => {
    const entry = 4 + 2 * index
    const offset = entry + 2 <= vtableSize ? view.getUint16(vtable + entry, true) : 0
    return offset && table + offset
  }
  /** The places of a vector's elements. */
  const elements = (index: number, elementSize: number): number[] => {
    const at = field(index)
    if (at === 0) return []
    const vector = at + view.getUint32(at, true)
    const length = view.getUint32(vector, true)
    if (vector + 4 + length * elementSize > view.byteLength)
      throw new RangeError('a list in the outcome is longer than the outcome')
    return Array.from({ length }, (_, i) => vector + 4 + i * elementSize)
  }
  // texts that lie over one another would be a great deal of memory made of few bytes
  let left = view.byteLength
  const textAt = (at: number): string => {
    const text = at + view.getUint32(at, true)
    const length = view.getUint32(text, true)
    left -= length
    if (left < 0 || text + 4 + length > view.byteLength)
      throw new RangeError('a text in the outcome is longer than the outcome')
    return utf8.decode(new Uint8Array(view.buffer, view.byteOffset + text + 4, length))
  }
  const ok = field(OK)
  return {
    ok: ok !== 0 && view.getUint8(ok) !== 0,
    numbers: elements(NUMBERS, 8).map(at => view.getBigInt64(at, true)),
    texts: elements(TEXTS, 4).map(textAt),
  }
}
