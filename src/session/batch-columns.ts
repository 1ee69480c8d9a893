/** The columns of a batch: what the user gave for each parameter, as memory that rows walk through. */
import { type Block, LocalBlock, RemoteBlock } from '../ctypes/block.js'
import {
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
import { ArgumentError } from '../errors.js'
import type { SessionCore } from './core.js'

/** Kind of a column whose argument is the address of the row's element. */
export const ADDRESS_OF = '&'

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

/** The bytes of some rows of a column, and how rows find theirs in them. */
export interface ColumnChunk {
  /** Laid out in the arena; empty: `pointer` is all there is. */
  readonly bytes: Uint8Array
  /** Texts that the bytes point to: offsets in `bytes` to be made absolute. */
  readonly pointers?: readonly number[]
  /** Copied back after the call. */
  readonly back: boolean
  /** Called once they have been copied back. */
  taken?(): void
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

type Wrong = (what: string) => ArgumentError

function scalarColumn(type: CType, given: unknown, wrong: Wrong): Column {
  const kind = type[KIND]
  const { size } = type
  const Fitting = ARRAYS[kind]
  if (ArrayBuffer.isView(given) && Fitting && given instanceof (Fitting as never) && type[CATEGORY] !== 'bool') {
    const bytes = bytesOf(given)
    return {
      length: (given as unknown as { length: number }).length,
      kind,
      stride: size,
      rowSize: size,
      chunk: (first, rows) => ({ bytes: bytes.subarray(first * size, (first + rows) * size), back: false }),
    }
  }
  if (given instanceof CData && typeOf(given)[CATEGORY] === 'array') {
    const { elementType, length } = typeOf(given) as CType & { elementType: CType; length: number }
    if (elementType[KIND] !== kind || !(given[BLOCK] instanceof LocalBlock))
      throw wrong(`an array of ${elementType.name} is not a column of ${type.name}`)
    const bytes = given[BLOCK].bytes.subarray(given[OFFSET], given[OFFSET] + length * size)
    return {
      length,
      kind,
      stride: size,
      rowSize: size,
      chunk: (first, rows) => ({ bytes: bytes.subarray(first * size, (first + rows) * size), back: false }),
    }
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
  return { length: undefined, kind, stride: 0, rowSize: 0, chunk: () => ({ bytes: block.bytes, back: false }) }
}

function pointerColumn(type: CType, given: unknown, wrong: Wrong): Column {
  const pointee = (type as CType & { pointee?: CType }).pointee
  if (given === null) return constant(0, type.size)
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
      return walking((block as RemoteBlock).address + given[OFFSET], elementType.size, length)
    }
    if (block instanceof RemoteBlock) return constant(block.address + given[OFFSET], type.size)
    throw wrong(`one ${given_.name} is not a column: give an array of them`)
  }
  const address =
    typeof given === 'number' && Number.isSafeInteger(given)
      ? BigInt(given)
      : typeof given === 'bigint'
        ? given
        : (given as { address?: bigint } | undefined)?.address
  if (typeof address === 'bigint' && address >= 0n) return constant(Number(address), type.size)
  throw wrong(
    `expected a contiguous buffer of ${pointee?.name ?? 'elements'}, an array of ctypes or an address, found ${describe(given)}`,
  )
}

const inPlace = (bytes: Uint8Array, size: number, length: number): Column => ({
  length,
  kind: ADDRESS_OF,
  stride: size,
  rowSize: size,
  chunk: (first, rows) => ({ bytes: bytes.subarray(first * size, (first + rows) * size), back: true }),
})

/** The same address for each row. */
function constant(address: number, size: number): Column {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(address), true)
  return {
    length: undefined,
    kind: size === 8 ? 'p' : 'I',
    stride: 0,
    rowSize: 0,
    chunk: () => ({ bytes: bytes.subarray(0, size), back: false }),
  }
}

/** Elements that lie in the Windows process already. */
const walking = (address: number, size: number, length: number): Column & { readonly address: number } => ({
  length,
  kind: ADDRESS_OF,
  stride: size,
  rowSize: 0,
  address,
  chunk: () => ({ bytes: NOTHING, back: false }),
})

function textColumn(type: CType, given: string | null | readonly unknown[], core: SessionCore, wrong: Wrong): Column {
  const wide = type[CATEGORY] === 'wchar pointer'
  const pointer = type.size
  const encode = (text: unknown, row: string): Uint8Array | undefined => {
    if (text === null) return undefined
    if (text instanceof Uint8Array && !wide) return terminated(text, 1)
    if (typeof text !== 'string') throw wrong(`${row}expected a string or null, found ${describe(text)}`)
    try {
      return wide ? terminated(Buffer.from(text, 'utf16le'), 2) : terminated(core.textEncoding.encode(text), 1)
    } catch (error) {
      throw wrong(`${row}${(error as Error).message}`)
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
    const text = encode(given, '')
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
    chunk: (first, rows) => lay(Array.from({ length: rows }, (_, i) => encode(given[first + i], `row ${first + i}: `))),
  }
}

function structureColumn(type: CType, given: unknown, pointerSize: number, wrong: Wrong): Column {
  const { size } = type
  // In win64 these travel in a register; in win32 every structure is copied from where it lies.
  const small = pointerSize === 8 && (size === 1 || size === 2 || size === 4 || size === 8)
  const kind = small ? ({ 1: 'B', 2: 'H', 4: 'I', 8: 'Q' }[size] ?? 'Q') : ADDRESS_OF
  let bytes: Uint8Array
  let length: number | undefined
  if (isLiteral(given)) {
    const block = LocalBlock.allocate(size)
    type[WRITE](block, 0, given)
    if (block.refs?.size) throw wrong('structures that point to objects of JS cannot be a column')
    return { length: undefined, kind, stride: 0, rowSize: 0, chunk: () => ({ bytes: block.bytes, back: false }) }
  }
  if (given instanceof CData && typeOf(given) === type) {
    bytes = localBytes(given, size, wrong)
    const copy = bytes.slice()
    return { length: undefined, kind, stride: 0, rowSize: 0, chunk: () => ({ bytes: copy, back: false }) }
  }
  if (
    given instanceof CData &&
    typeOf(given)[CATEGORY] === 'array' &&
    (typeOf(given) as CType & { elementType: CType }).elementType === type
  ) {
    length = (typeOf(given) as CType & { length: number }).length
    bytes = localBytes(given, size * length, wrong)
  } else if (isArrayLike(given)) {
    length = given.length
    const block = LocalBlock.allocate(size * length)
    for (let i = 0; i < length; i++) type[WRITE](block, i * size, given[i])
    if (block.refs?.size) throw wrong('structures that point to objects of JS cannot be a column')
    bytes = block.bytes
  } else throw wrong(`expected an array of ${type.name}, found ${describe(given)}`)
  return {
    length,
    kind,
    stride: size,
    rowSize: size,
    chunk: (first, rows) => ({ bytes: bytes.subarray(first * size, (first + rows) * size), back: false }),
  }
}

const isLiteral = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

function localBytes(data: CData, size: number, wrong: Wrong): Uint8Array {
  const block = data[BLOCK]
  if (!(block instanceof LocalBlock)) return new Uint8Array(block.view(data[OFFSET], size).buffer)
  if (block.refs?.size) throw wrong('structures that point to objects of JS cannot be a column')
  return block.bytes.subarray(data[OFFSET], data[OFFSET] + size)
}

function terminated(bytes: Uint8Array, zeros: number): Uint8Array {
  const whole = new Uint8Array(bytes.length + zeros)
  whole.set(bytes)
  return whole
}

const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))

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
