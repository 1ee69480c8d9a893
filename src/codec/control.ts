/** Control messages and their outcomes: ordinary FlatBuffers, built by the stock library. */
import { Builder, ByteBuffer } from 'flatbuffers'
import { ZugbrueckeError } from '../errors.js'
import { Control } from './generated/control.js'
import { Outcome as OutcomeTable } from './generated/outcome.js'

export interface Outcome {
  readonly ok: boolean
  readonly numbers: readonly bigint[]
  readonly texts: readonly string[]
}

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

/** A number of an outcome. Throws ZugbrueckeError if the outcome has none there. */
export function numberOf({ numbers }: Outcome, index = 0): bigint {
  if (index >= numbers.length) throw damaged()
  return numbers[index]
}
/** A text of an outcome. Throws ZugbrueckeError if the outcome has none there. */
export function textOf({ texts }: Outcome, index = 0): string {
  if (index >= texts.length) throw damaged()
  return texts[index]
}

/** Reads an outcome. Throws ZugbrueckeError when it is cut short or anything in it leads outside. */
export function decodeOutcome(bytes: Uint8Array): Outcome {
  try {
    // checked first, for the reader of flatbuffers reads zeros beyond the end, and believes a damaged length
    checkOutcome(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (error) {
    throw damaged(error)
  }
  const table = OutcomeTable.getRootAsOutcome(new ByteBuffer(bytes))
  const numbers: bigint[] = []
  for (let i = 0; i < table.numbersLength(); i++) numbers.push(table.numbers(i) ?? 0n)
  const texts: string[] = []
  for (let i = 0; i < table.textsLength(); i++) texts.push(table.texts(i) ?? '')
  return { ok: table.ok(), numbers, texts }
}

/** Indices of fields in the Outcome table's vtable. */
const NUMBERS = 1
const TEXTS = 2

/** Follows each offset of an Outcome; a DataView throws RangeError for what lies outside. */
function checkOutcome(view: DataView): void {
  const table = view.getUint32(0, true)
  const vtable = table - view.getInt32(table, true)
  const entries = view.getUint16(vtable, true)
  const vector = (field: number, elementSize: number): { at: number; length: number } => {
    const entry = 4 + 2 * field
    const offset = entry + 2 <= entries ? view.getUint16(vtable + entry, true) : 0
    if (offset === 0) return { at: 0, length: 0 }
    const at = table + offset + view.getUint32(table + offset, true)
    const length = view.getUint32(at, true)
    if (at + 4 + length * elementSize > view.byteLength)
      throw new RangeError('a list in the outcome is longer than the outcome')
    return { at: at + 4, length }
  }
  vector(NUMBERS, 8)
  const texts = vector(TEXTS, 4)
  for (let i = 0; i < texts.length; i++) {
    const at = texts.at + 4 * i
    const text = at + view.getUint32(at, true)
    if (text + 4 + view.getUint32(text, true) > view.byteLength)
      throw new RangeError('a text in the outcome is longer than the outcome')
  }
}
