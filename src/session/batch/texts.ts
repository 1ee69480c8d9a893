/** Columns of strings: a chunk has the pointers of its rows, and behind them the texts. */
import { CATEGORY, type CType, describe } from '../../ctypes/data.js'
import { terminated } from '../../ctypes/text.js'
import { ArgumentError, placed } from '../../errors.js'
import type { Column, ColumnChunk, ColumnContext } from './column.js'

export function textColumn(type: CType, given: string | null | readonly unknown[], core: ColumnContext): Column {
  const wide = type[CATEGORY] === 'wchar pointer'
  const pointer = type.size
  const encode = (text: unknown): Uint8Array | undefined => {
    if (text === null) return undefined
    if (text instanceof Uint8Array && !wide) return terminated(text, 1)
    if (typeof text !== 'string') throw new ArgumentError(`expected a string or null, found ${describe(text)}`)
    return wide ? terminated(Buffer.from(text, 'utf16le'), 2) : terminated(core.textEncoding.encode(text), 1)
  }
  const encodeRow = (row: number): Uint8Array | undefined => {
    try {
      return encode(given?.[row])
    } catch (error) {
      throw placed(error, `row ${row}`, { row })
    }
  }
  const lay = (texts: readonly (Uint8Array | undefined)[]): ColumnChunk => {
    let size = texts.length * pointer
    for (const text of texts) if (text) size += (text.length + 1) & ~1
    const bytes = new Uint8Array(size)
    const view = new DataView(bytes.buffer)
    const pointers: number[] = []
    let at = texts.length * pointer
    texts.forEach((text, i) => {
      if (!text) return
      bytes.set(text, at)
      view.setUint32(i * pointer, at, true)
      pointers.push(i * pointer)
      at += (text.length + 1) & ~1
    })
    return { bytes, pointers, back: false }
  }
  const kind = pointer === 8 ? 'p' : 'I'
  if (!Array.isArray(given)) {
    const text = encode(given)
    return { length: undefined, kind, stride: 0, rowSize: 0, chunk: () => lay([text]) }
  }
  const longest = given.reduce(
    (most: number, text) =>
      Math.max(most, typeof text === 'string' ? text.length * 3 : text instanceof Uint8Array ? text.length : 0),
    0,
  )
  return {
    length: given.length,
    kind,
    stride: pointer,
    rowSize: pointer + longest + 2,
    chunk: (first, rows) => lay(Array.from({ length: rows }, (_, i) => encodeRow(first + i))),
  }
}
