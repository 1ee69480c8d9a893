/** Makes the columns of a batch from what the caller gave for each parameter. */
import { ArrayData } from '../../ctypes/array.js'
import { type Block, LocalBlock, type RemoteBlock } from '../../ctypes/block.js'
import {
  BLOCK,
  bytesOf,
  CATEGORY,
  CData,
  type CType,
  describe,
  isBuffer,
  KIND,
  LENGTH,
  OFFSET,
  typeOf,
  WRITE,
} from '../../ctypes/data.js'
import { isA, isList } from '../../ctypes/given.js'
import { setAddress } from '../../ctypes/integers.js'
import { fits, placeOf, toAddress } from '../../ctypes/pointing.js'
import { addressIn, isCallbackTarget } from '../../ctypes/reference.js'
import { hasElements, holds } from '../../ctypes/typed-arrays.js'
import { isBigEndian } from '../../ctypes/variant.js'
import { ArgumentError, placed } from '../../errors.js'
import { ADDRESS_OF, type Column, type ColumnContext, elementsColumn, isArrayLike, sameColumn } from './column.js'
import { structureColumn } from './structures.js'
import { textColumn } from './texts.js'

export type TypedArray = ArrayBufferView & { readonly length: number; readonly BYTES_PER_ELEMENT: number }
type TypedArrayConstructor = { new (length: number): TypedArray; readonly name: string }
const ARRAYS: { readonly [kind: string]: TypedArrayConstructor } = {
  b: Int8Array,
  B: Uint8Array,
  '?': Uint8Array,
  c: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  u: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
}

const NOTHING = new Uint8Array(0)

/** The column for parameter number `position` (from 1). Throws ArgumentError. */
export function makeColumn(label: string, position: number, type: CType, given: unknown, core: ColumnContext): Column {
  const within = <T>(make: () => T): T => {
    try {
      return make()
    } catch (error) {
      throw placed(error, `column ${position}`, { routine: label, position })
    }
  }
  const column = within(() => columnOf(type, given, core))
  return { ...column, chunk: (first, rows) => within(() => column.chunk(first, rows)) }
}

function columnOf(type: CType, given: unknown, core: ColumnContext): Column {
  switch (type[CATEGORY]) {
    case 'pointer':
    case 'void pointer':
      return pointerColumn(type, given, core)
    case 'char pointer':
    case 'wchar pointer':
      if (typeof given === 'string' || given === null || isList(given)) return textColumn(type, given, core)
      return pointerColumn(type, given, core)
    case 'structure':
      return structureColumn(type, given, core.facts.pointerSize)
    case 'callback':
    case 'array':
      throw new ArgumentError(`a parameter of type ${type.name} has no column`)
    default:
      return scalarColumn(type, given, core)
  }
}

function scalarColumn(type: CType, given: unknown, core: ColumnContext): Column {
  const kind = type[KIND]
  const { size } = type
  if (
    ArrayBuffer.isView(given) &&
    !(given instanceof DataView) &&
    type[CATEGORY] !== 'bool' &&
    hasElements(given, type)
  ) {
    const { length } = given as unknown as { length: number }
    return (
      sharedColumn(bytesOf(given), kind, size, length, core) ?? elementsColumn(bytesOf(given), length, kind, size, size)
    )
  }
  if (isA(given, ArrayData)) {
    const { elementType, [LENGTH]: length } = typeOf(given)
    if (elementType[KIND] !== kind || isBigEndian(elementType) || !(given[BLOCK] instanceof LocalBlock))
      throw new ArgumentError(`an array of ${elementType.name} is not a column of ${type.name}`)
    const bytes = given[BLOCK].bytes.subarray(given[OFFSET], given[OFFSET] + length * size)
    return elementsColumn(bytes, length, kind, size, size)
  }
  if (isArrayLike(given)) {
    return {
      length: given.length,
      kind,
      stride: size,
      rowSize: size,
      chunk(first, rows) {
        const block = LocalBlock.allocate(rows * size)
        for (let i = 0; i < rows; i++) {
          try {
            type[WRITE](block, i * size, given[first + i])
          } catch (error) {
            throw placed(error, `row ${first + i}`, { row: first + i })
          }
        }
        return { bytes: block.bytes, back: false }
      },
    }
  }
  const block = LocalBlock.allocate(size)
  type[WRITE](block, 0, isA(given, CData) ? (given as unknown as { value: unknown }).value : given)
  return sameColumn(block.bytes, kind, size)
}

function pointerColumn(type: CType, given: unknown, core: ColumnContext): Column {
  const pointee = type[CATEGORY] === 'pointer' ? type.pointee : undefined
  if (isA(given, ArrayData)) return arrayColumn(given, pointee, core)
  // for a pointer to numbers this array is the numbers; for a pointer to a structure or to anything it is addresses
  if (isA(given, BigUint64Array) && (!pointee || pointee[CATEGORY] === 'structure'))
    return addressesColumn(type, given, core)
  if (isList(given)) return addressesColumn(type, given, core)
  if (isBuffer(given)) return bufferColumn(given, type, pointee, core)
  if (isA(given, CData) && typeOf(given)[KIND] !== 'p' && given[BLOCK] instanceof LocalBlock)
    throw new ArgumentError(`one ${typeOf(given).name} is not a column: give an array of them`)
  try {
    return constant(addressFor(type, given, core), type.size)
  } catch (error) {
    throw placed(
      error,
      `expected a contiguous buffer of ${pointee?.name ?? 'elements'}, an array of ctypes or addresses`,
    )
  }
}

function bufferColumn(
  given: ArrayBufferLike | ArrayBufferView,
  type: CType,
  pointee: CType | undefined,
  core: ColumnContext,
): Column {
  const bytes = bytesOf(given)
  const size = pointee?.size ?? (given as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
  if (pointee && !holds(given, pointee)) throw new ArgumentError(`expected ${type.name}, got ${describe(given)}`)
  if (bytes.length % size !== 0)
    throw new ArgumentError(
      `${bytes.length} bytes are no whole number of ${pointee?.name ?? 'element'}s of ${size} bytes`,
    )
  const length = bytes.length / size
  return sharedColumn(bytes, ADDRESS_OF, size, length, core) ?? inPlace(bytes, size, length, pointee?.alignment ?? size)
}

function arrayColumn(given: ArrayData, pointee: CType | undefined, core: ColumnContext): Column {
  const { elementType, [LENGTH]: length } = typeOf(given)
  const block: Block = given[BLOCK]
  if (!fits(elementType, pointee ?? null))
    throw new ArgumentError(`an array of ${elementType.name} is not a column of ${pointee?.name}`)
  if (!(block instanceof LocalBlock))
    return columnAt((block as RemoteBlock).addressAt(given[OFFSET]), ADDRESS_OF, elementType.size, length, block)
  const at = core.objects?.addressOf(block)
  // an object outside of the segment has an address, too, but is copied for each call: here, for each chunk
  if (at !== undefined && !block.lodging?.isFar) {
    checkWhole(block, core)
    return columnAt(BigInt(at + given[OFFSET]), ADDRESS_OF, elementType.size, length, block)
  }
  if (block.refs?.size) throw new ArgumentError('an array whose elements point to objects of JS cannot be a column')
  const bytes = block.bytes.subarray(given[OFFSET], given[OFFSET] + length * elementType.size)
  return inPlace(bytes, elementType.size, length, elementType.alignment)
}

/** A column with an address for each row. */
function addressesColumn(type: CType, given: ArrayLike<unknown>, core: ColumnContext): Column {
  const { size } = type
  return {
    length: given.length,
    kind: size === 8 ? 'p' : 'I',
    stride: size,
    rowSize: size,
    chunk(first, rows) {
      const view = new DataView(new ArrayBuffer(rows * size))
      for (let i = 0; i < rows; i++) {
        try {
          setAddress(view, i * size, size, addressFor(type, given[first + i], core))
        } catch (error) {
          throw placed(error, `row ${first + i}`, { row: first + i })
        }
      }
      return { bytes: bytesOf(view), back: false }
    },
  }
}

/** The address of a value in the session. Throws ArgumentError if it has none there. */
function addressFor(type: CType, value: unknown, core: ColumnContext): bigint {
  const { memory } = core
  const { arch } = core.facts
  if (typeof value === 'number') return toAddress(value, arch, type.name)
  const pointee = type[CATEGORY] === 'pointer' ? type.pointee : null
  const place = placeOf(value, { name: type.name, pointee, arch })
  if (place === null || typeof place === 'bigint') return place ?? 0n
  const address = addressIn(memory, place)
  if (!isCallbackTarget(place) && place.block instanceof LocalBlock) checkWhole(place.block, core)
  return address
}

/** Throws ArgumentError for an object with buffers of the program's in it, which are copied before and after a call, and so not in a batch. */
function checkWhole(block: LocalBlock, { objects }: ColumnContext): void {
  if (objects?.lodgers([block]).length)
    throw new ArgumentError(
      'what leads to a buffer of yours cannot be in a column, for the buffer is copied for each call: store an array of ctypes (such as session.memory.array makes) in its place',
    )
}

const inPlace = (bytes: Uint8Array, size: number, length: number, alignment: number): Column =>
  elementsColumn(bytes, length, ADDRESS_OF, size, alignment, true)

/** A column with the same address for each row. */
function constant(address: bigint, size: number): Column {
  const view = new DataView(new ArrayBuffer(size))
  setAddress(view, 0, size, address)
  return sameColumn(bytesOf(view), size === 8 ? 'p' : 'I', size)
}

/** A column of elements that the Windows process sees already, at `address`. Keeps the block `keeps` reachable. */
const columnAt = (
  address: bigint,
  kind: string,
  size: number,
  length: number,
  keeps: Block,
): Column & { readonly address: bigint; readonly keeps: Block } => ({
  length,
  kind,
  stride: size,
  rowSize: 0,
  address,
  keeps,
  chunk: () => ({ bytes: NOTHING, back: false }),
})

/** The column of a typed array that lies in memory that both sides see; undefined for another one. */
function sharedColumn(
  bytes: Uint8Array,
  kind: string,
  size: number,
  length: number,
  core: ColumnContext,
): Column | undefined {
  const address = addressInBoth(bytes, core)
  return address === undefined
    ? undefined
    : columnAt(BigInt(address), kind, size, length, LocalBlock.owning(bytes.buffer) as Block)
}

/** The address of bytes in the Windows process; undefined unless they lie in memory that both sides see. */
export function addressInBoth(bytes: Uint8Array, { objects }: ColumnContext): number | undefined {
  const owner = LocalBlock.owning(bytes.buffer)
  const at = owner && objects?.addressOf(owner)
  return owner && at !== undefined ? at + bytes.byteOffset - owner.whole.byteOffset : undefined
}

export const isAddress = (type: CType): boolean => type[CATEGORY] === 'pointer' || type[CATEGORY] === 'void pointer'

/** The class of typed arrays that holds values of a type as the routine leaves them; undefined if there is none. */
export function kindOfElements(type: CType): TypedArrayConstructor | undefined {
  switch (type[CATEGORY]) {
    case 'pointer':
    case 'void pointer':
      return type.size === 8 ? BigInt64Array : undefined
    case 'integer':
    case 'float':
      return ARRAYS[type[KIND]]
    default:
      return undefined
  }
}

/** The class of typed arrays in which the caller gets values of a type. It has a class for 32-bit addresses, too. */
export const kindOfResults = (type: CType): TypedArrayConstructor | undefined =>
  isAddress(type) ? BigInt64Array : kindOfElements(type)
