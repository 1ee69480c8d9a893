/** Columns of structures that are passed by value. */
import { ArrayData } from '../../ctypes/array.js'
import { LocalBlock } from '../../ctypes/block.js'
import { BLOCK, CData, type CType, describe, INIT, LENGTH, OFFSET, typeOf, WRITE } from '../../ctypes/data.js'
import { ArgumentError, placed } from '../../errors.js'
import { ADDRESS_OF, type Column, elementsColumn, isArrayLike, sameColumn } from './column.js'

export function structureColumn(type: CType, given: unknown, pointerSize: number): Column {
  const { size, alignment } = type
  // 64-bit Windows passes structures of these sizes in a register; 32-bit Windows copies every structure
  const small = pointerSize === 8 && (size === 1 || size === 2 || size === 4 || size === 8)
  const kind = small ? ({ 1: 'B', 2: 'H', 4: 'I', 8: 'Q' }[size] ?? 'Q') : ADDRESS_OF
  let bytes: Uint8Array
  let length: number
  if (isLiteral(given)) {
    const block = LocalBlock.allocate(size)
    type[WRITE](block, 0, given)
    return sameColumn(bytesOf(block), kind, alignment)
  }
  if (given instanceof CData && typeOf(given) === type) {
    return sameColumn(localBytes(given, size).slice(), kind, alignment)
  }
  if (given instanceof ArrayData && typeOf(given).elementType === type) {
    length = typeOf(given)[LENGTH]
    bytes = localBytes(given, size * length)
  } else if (isArrayLike(given)) {
    length = given.length
    const block = LocalBlock.allocate(size * length)
    for (let i = 0; i < length; i++) {
      try {
        type[INIT](block, i * size, given[i])
      } catch (error) {
        throw placed(error, `row ${i}`, { row: i })
      }
    }
    bytes = bytesOf(block)
  } else throw new ArgumentError(`expected an array of ${type.name}, found ${describe(given)}`)
  return elementsColumn(bytes, length, kind, size, alignment)
}

const isLiteral = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

function localBytes(data: CData, size: number): Uint8Array {
  const block = data[BLOCK]
  if (!(block instanceof LocalBlock)) return new Uint8Array(block.view(data[OFFSET], size).buffer)
  return bytesOf(block).subarray(data[OFFSET], data[OFFSET] + size)
}

function bytesOf({ refs, bytes }: LocalBlock): Uint8Array {
  if (refs?.size) throw new ArgumentError('structures that point to objects of JS cannot be a column')
  return bytes
}
