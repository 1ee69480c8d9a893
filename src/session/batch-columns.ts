/** The columns of a batch: what the user gave for each parameter, as memory that rows walk through. */
import { type Block, LocalBlock, RemoteBlock } from '../ctypes/block.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  bytesOf,
  CATEGORY,
  CData,
  type CType,
  describe,
  isBuffer,
  KIND,
  OFFSET,
  typeOf,
  WRITE,
} from '../ctypes/data.js'
import { placeOf, toAddress } from '../ctypes/pointing.js'
import { isRemotePlace } from '../ctypes/reference.js'
import { ArgumentError } from '../errors.js'
import { ADDRESS_OF, type Column, elementsColumn, isArrayLike, sameColumn, type Wrong } from './batch-column.js'
import { structureColumn } from './batch-structures.js'
import { textColumn } from './batch-texts.js'
import type { SessionCore } from './core.js'

type TypedArrayConstructor = {
  new (length: number): ArrayBufferView & { readonly length: number; readonly BYTES_PER_ELEMENT: number }
}
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

/** A column for parameter number `position` (from 1); throws ArgumentError. */
export function makeColumn(label: string, position: number, type: CType, given: unknown, core: SessionCore): Column {
  const wrong = (what: string) =>
    new ArgumentError(`${label}, column ${position}: ${what}`, { routine: label, position })
  const category = type[CATEGORY]
  switch (category) {
    case 'pointer':
    case 'void pointer':
      return pointerColumn(type, given, wrong)
    case 'char pointer':
    case 'wchar pointer':
      if (typeof given === 'string' || given === null || Array.isArray(given))
        return textColumn(type, given, core, wrong)
      return pointerColumn(type, given, wrong)
    case 'structure':
      return structureColumn(type, given, core.facts.pointerSize, wrong)
    case 'callback':
    case 'array':
      throw wrong(`a parameter of type ${type.name} has no column`)
    default:
      return scalarColumn(type, given, wrong)
  }
}

function scalarColumn(type: CType, given: unknown, wrong: Wrong): Column {
  const kind = type[KIND]
  const { size } = type
  const Fitting = ARRAYS[kind]
  if (ArrayBuffer.isView(given) && Fitting && given instanceof (Fitting as never) && type[CATEGORY] !== 'bool') {
    return elementsColumn(bytesOf(given), (given as unknown as { length: number }).length, kind, size)
  }
  if (given instanceof CData && typeOf(given)[CATEGORY] === 'array') {
    const { elementType, length } = typeOf(given) as CType & { elementType: CType; length: number }
    if (elementType[KIND] !== kind || !(given[BLOCK] instanceof LocalBlock))
      throw wrong(`an array of ${elementType.name} is not a column of ${type.name}`)
    const bytes = given[BLOCK].bytes.subarray(given[OFFSET], given[OFFSET] + length * size)
    return elementsColumn(bytes, length, kind, size)
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
            throw wrong(`row ${first + i}: ${(error as Error).message}`)
          }
        }
        return { bytes: block.bytes, back: false }
      },
    }
  }
  const block = LocalBlock.allocate(size)
  try {
    type[WRITE](block, 0, given instanceof CData ? (given as unknown as { value: unknown }).value : given)
  } catch (error) {
    throw wrong((error as Error).message)
  }
  return sameColumn(block.bytes, kind)
}

function pointerColumn(type: CType, given: unknown, wrong: Wrong): Column {
  const pointee = (type as CType & { pointee?: CType }).pointee
  if (given === null) return constant(0n, type.size)
  if (isBuffer(given)) {
    const bytes = bytesOf(given)
    const size = pointee?.size ?? (given as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    if (bytes.length % size !== 0)
      throw wrong(`${bytes.length} bytes are no whole number of ${pointee?.name ?? 'element'}s of ${size} bytes`)
    return inPlace(bytes, size, bytes.length / size)
  }
  if (given instanceof CData) {
    const given_ = typeOf(given)
    const block: Block = given[BLOCK]
    if (given_[CATEGORY] === 'array') {
      const { elementType, length } = given_ as CType & { elementType: CType; length: number }
      if (pointee && elementType.size !== pointee.size)
        throw wrong(`an array of ${elementType.name} is not a column of ${pointee.name}`)
      if (block instanceof LocalBlock) {
        if (block.refs?.size) throw wrong('an array whose elements point to objects of JS cannot be a column')
        return inPlace(
          block.bytes.subarray(given[OFFSET], given[OFFSET] + length * elementType.size),
          elementType.size,
          length,
        )
      }
      return walking((block as RemoteBlock).addressAt(given[OFFSET]), elementType.size, length)
    }
    if (given_[KIND] === 'p') {
      const place = placeOf(given, { name: type.name, pointee: pointee ?? null, arch: type[ARCH] as Arch })
      if (place === null || typeof place === 'bigint') return constant(place ?? 0n, type.size)
      if (isRemotePlace(place)) return constant(place.block.addressAt(place.offset), type.size)
    } else if (block instanceof RemoteBlock) return constant(block.addressAt(given[OFFSET]), type.size)
    throw wrong(`one ${given_.name} is not a column: give an array of them`)
  }
  const address: unknown = typeof given === 'object' ? (given as { address?: unknown }).address : given
  if (typeof address === 'bigint' || typeof address === 'number')
    return constant(toAddress(address, type[ARCH] as Arch, type.name), type.size)
  throw wrong(
    `expected a contiguous buffer of ${pointee?.name ?? 'elements'}, an array of ctypes or an address, found ${describe(given)}`,
  )
}

const inPlace = (bytes: Uint8Array, size: number, length: number): Column =>
  elementsColumn(bytes, length, ADDRESS_OF, size, true)

/** The same address for each row. */
function constant(address: bigint, size: number): Column {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, address, true)
  return sameColumn(bytes.subarray(0, size), size === 8 ? 'p' : 'I')
}

/** Elements that lie in the Windows process already. */
const walking = (address: bigint, size: number, length: number): Column & { readonly address: bigint } => ({
  length,
  kind: ADDRESS_OF,
  stride: size,
  rowSize: 0,
  address,
  chunk: () => ({ bytes: NOTHING, back: false }),
})

export const isAddress = (type: CType): boolean => type[CATEGORY] === 'pointer' || type[CATEGORY] === 'void pointer'

/** The typed array in which values of a type come back as they are; undefined for what is no number and no wide address. */
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
