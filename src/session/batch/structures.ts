/** Columns of structures that are passed by value. */
import { ArrayData } from '../../ctypes/array.js'
import { LocalBlock } from '../../ctypes/block.js'
import { BLOCK, CData, type CType, describe, INIT, LENGTH, OFFSET, typeOf, WRITE } from '../../ctypes/data.js'
import { ADDRESS_OF, type Column, elementsColumn, isArrayLike, sameColumn, type Wrong } from './column.js'

export function structureColumn(type: CType, given: unknown, pointerSize: number, wrong: Wrong): Column {
  const { size } = type
  // In win64 these travel in a register; in win32 every structure is copied from where it lies.
  const small = pointerSize === 8 && (size === 1 || size === 2 || size === 4 || size === 8)
  const kind = small ? ({ 1: 'B', 2: 'H', 4: 'I', 8: 'Q' }[size] ?? 'Q') : ADDRESS_OF
  let bytes: Uint8Array
  let length: number
  if (isLiteral(given)) {
    const block = LocalBlock.allocate(size)
    type[WRITE](block, 0, given)
    if (block.refs?.size) throw wrong('structures that point to objects of JS cannot be a column')
    return sameColumn(block.bytes, kind)
  }
  if (given instanceof CData && typeOf(given) === type) {
    return sameColumn(localBytes(given, size, wrong).slice(), kind)
  }
  if (given instanceof ArrayData && typeOf(given).elementType === type) {
    length = typeOf(given)[LENGTH]
    bytes = localBytes(given, size * length, wrong)
  } else if (isArrayLike(given)) {
    length = given.length
    const block = LocalBlock.allocate(size * length)
    for (let i = 0; i < length; i++) type[INIT](block, i * size, given[i])
    if (block.refs?.size) throw wrong('structures that point to objects of JS cannot be a column')
    bytes = block.bytes
  } else throw wrong(`expected an array of ${type.name}, found ${describe(given)}`)
  return elementsColumn(bytes, length, kind, size)
}

const isLiteral = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

function localBytes(data: CData, size: number, wrong: Wrong): Uint8Array {
  const block = data[BLOCK]
  if (!(block instanceof LocalBlock)) return new Uint8Array(block.view(data[OFFSET], size).buffer)
  if (block.refs?.size) throw wrong('structures that point to objects of JS cannot be a column')
  return block.bytes.subarray(data[OFFSET], data[OFFSET] + size)
}
