/** `T.array(n)`: arrays of anything, in any number of dimensions. */
import { ArgumentError, placed } from '../errors.js'
import { isText, textAt, writeText } from './array-text.js'
import { type Block, LocalBlock, POINTERS } from './block.js'
import { allocated, check, wholeNumber } from './checks.js'
import type { CallContext } from './context.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  bytesOf,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  INIT,
  isBuffer,
  isType,
  KIND,
  LENGTH,
  lay,
  NAMESPACE,
  NESTING,
  OFFSET,
  provideArrays,
  READ,
  shown,
  type TYPE,
  type TypeStatics,
  typeOf,
  viewAt,
  WRITE,
} from './data.js'
import { hasMember, isA, reading } from './given.js'
import { makeIndexed } from './indexed.js'
import { checkPointers, nestingOf } from './limits.js'
import { copyCells } from './reference.js'
import { type AnyTypedArray, hasElements, typedArrays } from './typed-arrays.js'
import { isBigEndian } from './variant.js'

/** The class of an array as the library sees it. */
export interface ArrayClass<I extends object = object> extends TypeStatics<'array', I> {
  readonly elementType: CType
  /** @internal Not `length`, which a class that extends it has of its own: that of its constructor. */
  readonly [LENGTH]: number
}

/** The class behind all arrays. */
export abstract class ArrayData extends CData {
  static override readonly [CATEGORY] = 'array'
  declare readonly [TYPE]: ArrayClass
  declare static readonly elementType: CType
  constructor(...values: unknown[]) {
    super()
    const type = typeOf(this)
    if ((type as unknown as { length: number }).length !== type[LENGTH])
      Object.defineProperty(type, 'length', { value: type[LENGTH] })
    lay(
      this,
      allocated(type.name, () => LocalBlock.for(type)),
    )
    if (values.length > type[LENGTH])
      throw new ArgumentError(`${type.name} has ${type[LENGTH]} elements, got ${values.length}`)
    for (let i = 0; i < values.length; i++) this.set(i, values[i])
  }
  /** The same as the constructor, for any number of values: a call in JS takes some hundred thousand arguments at the most. */
  static from(this: ArrayClass, values: unknown): object {
    const array = new (this as unknown as new () => ArrayData)()
    writeArray(this, array[BLOCK], 0, values)
    return array
  }
  get length(): number {
    return typeOf(this)[LENGTH]
  }
  at(index: number): unknown {
    const { elementType } = typeOf(this)
    return elementType[READ](this[BLOCK], placeIn(this, index, elementType))
  }
  set(index: number, value: unknown): void {
    const { elementType } = typeOf(this)
    elementType[WRITE](this[BLOCK], placeIn(this, index, elementType), value)
  }
  slice(from = 0, to = this.length): unknown[] {
    const length = this.length
    const values: unknown[] = []
    const end = Math.min(to < 0 ? to + length : to, length)
    for (let i = Math.max(from < 0 ? from + length : from, 0); i < end; i++) values.push(this.at(i))
    return values
  }
  *[Symbol.iterator](): Generator<unknown> {
    for (let i = 0; i < this.length; i++) yield this.at(i)
  }
  asTypedArray(): AnyTypedArray {
    const type = typeOf(this)
    const { elementType } = type
    const make = typedArrays[elementType[KIND]]
    const block = this[BLOCK]
    if (!make || elementType[KIND] === 'p')
      throw new ArgumentError(`${type.name} has no typed array: its elements are not numbers`)
    if (isBigEndian(elementType))
      throw new ArgumentError(`${type.name} is big-endian and has no typed array: read it with slice()`)
    if (!(block instanceof LocalBlock))
      throw new ArgumentError(`${type.name} lies in the Windows process: read it with slice()`)
    const bytes = block.handOut()
    const start = bytes.byteOffset + this[OFFSET]
    if (start % elementType.size !== 0)
      throw new ArgumentError(
        `${type.name} lies at an odd place in a packed structure, where a typed array cannot begin`,
      )
    return make(bytes.buffer, start, type[LENGTH])
  }
  get raw(): Uint8Array {
    const { size } = textType(this, 'char')
    const block = this[BLOCK]
    const offset = this[OFFSET]
    if (block instanceof LocalBlock) return block.handOut().subarray(offset, offset + size)
    const view = block.view(offset, size)
    return new Uint8Array(view.buffer, view.byteOffset, size)
  }
  set raw(bytes: Uint8Array) {
    const { name, size } = textType(this, 'char')
    if (!isBuffer(bytes) || bytes.byteLength > size)
      throw new ArgumentError(`${name} holds ${size} bytes, got ${describe(bytes)}`)
    const view = this[BLOCK].view(this[OFFSET], size)
    new Uint8Array(view.buffer, view.byteOffset, size).set(bytesOf(bytes))
    this[BLOCK].overwritten(this[OFFSET], bytes.byteLength)
    this[BLOCK].commit(this[OFFSET], view)
  }
  get value(): string {
    return textAt(textType(this), this[BLOCK], this[OFFSET])
  }
  set value(text: string) {
    writeText(textType(this), this[BLOCK], this[OFFSET], text)
  }
  override toString(): string {
    return isText(typeOf(this)) ? this.value : this.slice().join()
  }
  toJSON(): unknown {
    const type = typeOf(this)
    if (isText(type)) return shown(type.name, () => this.value)
    return elementsShown(this, type, type[LENGTH]).map(value => (typeof value === 'bigint' ? String(value) : value))
  }
  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ) {
    const type = typeOf(this)
    if (isText(type))
      return `${type.name} ${inspect(
        shown(type.name, () => this.value),
        options,
      )}`
    const few = Math.min(type[LENGTH], SHOWN)
    return `${type.name} ${inspect(elementsShown(this, type, few), options)}${few < type[LENGTH] ? ' …' : ''}`
  }
  /** An array of characters reads as text, which is a copy, as in ctypes. */
  static override [READ](this: ArrayClass, block: Block, offset: number): unknown {
    return isText(this) ? textAt(this, block, offset) : viewAt(this, block, offset)
  }
  static [WRITE](this: ArrayClass, block: Block, offset: number, value: unknown, context?: CallContext): void {
    writeArray(this, block, offset, value, context)
  }
}
makeIndexed(ArrayData.prototype)

/** How many elements `console.log` shows. */
const SHOWN = 100
const elementsShown = (array: ArrayData, type: ArrayClass, count: number) =>
  Array.from({ length: count }, (_, i) => shown(type.elementType.name, () => array.at(i)))

// Functions and not private methods: `viewAt` makes objects without the constructor, which gives an object those.
function placeIn(array: ArrayData, index: number, type: CType): number {
  const length = array.length
  const at = typeof index === 'number' && index < 0 ? index + length : index
  if (!Number.isInteger(at) || at < 0 || at >= length)
    throw new ArgumentError(
      `index ${typeof index === 'number' ? index : `(${describe(index)})`} is out of range: ${typeOf(array).name} has ${length} elements (what lies behind them is reached by cast: a pointer has no end)`,
    )
  return array[OFFSET] + at * type.size
}

function textType(array: ArrayData, only?: 'char'): ArrayClass {
  const type = typeOf(array)
  const category = type.elementType[CATEGORY]
  if (category !== 'char' && (only || category !== 'wchar'))
    throw new ArgumentError(`${type.name} has no text: only arrays of ${only ? 'c_char' : 'c_char and c_wchar'} have`)
  return type
}

const classes = new WeakMap<CType, Map<number, CType>>()
const LENGTHS = wholeNumber(0, 0xffff_ffff)

/** The type of arrays of so many elements: one class for each type and length. Throws ArgumentError. */
function arrayOf(elementType: CType, length: number): CType {
  if (!isType(elementType)) throw new ArgumentError(`an array needs a C type, not ${describe(elementType)}`)
  check('the length of an array', length, LENGTHS)
  let known = classes.get(elementType)
  if (!known) classes.set(elementType, (known = new Map()))
  let type = known.get(length)
  if (!type) {
    const nesting = nestingOf('an array', [elementType])
    let pointers: readonly number[] | undefined
    type = class extends ArrayData {} as unknown as CType
    Object.defineProperties(type, {
      name: { get: () => arrayName(elementType, length), configurable: true },
      size: { get: () => elementType.size * length },
      alignment: { get: () => elementType.alignment },
      elementType: { value: elementType },
      length: { value: length },
      [LENGTH]: { value: length },
      [NESTING]: { value: nesting },
      [ARCH]: { get: () => elementType[ARCH] },
      [NAMESPACE]: { get: () => elementType[NAMESPACE] },
      [POINTERS]: { get: () => (pointers ??= pointersIn(elementType, length)) },
      [FOR_ARCH]: {
        value(this: CType, arch: Arch) {
          const element = elementType[FOR_ARCH](arch)
          return element === elementType ? this : arrayOf(element, length)
        },
      },
    })
    known.set(length, type)
  }
  return type
}
provideArrays(arrayOf)

/** Where the pointers lie in `count` elements, one behind the other. Throws ArgumentError for too many. */
export function pointersIn(type: CType, count: number): readonly number[] {
  const pointers = type[POINTERS]
  if (pointers.length === 0) return pointers
  checkPointers(`${count} of ${type.name}`, pointers.length * count)
  const all: number[] = []
  for (let i = 0; i < count; i++) for (const at of pointers) all.push(i * type.size + at)
  return all
}

/** As C writes it: the outermost dimension first. */
function arrayName(type: CType, length: number): string {
  // asked for once: each dimension asks the one inside it, and asking twice would double the time with each
  const { name } = type
  const bracket = type[CATEGORY] === 'array' ? name.indexOf('[') : -1
  return bracket < 0 ? `${name}[${length}]` : `${name.slice(0, bracket)}[${length}]${name.slice(bracket)}`
}

/** Fills the array from a text, a list, bytes or another array; what is not given becomes zero. */
function writeArray(type: ArrayClass, block: Block, offset: number, value: unknown, context?: CallContext): void {
  if (isA(value, ArrayData) && typeOf(value).size === type.size && typeOf(value).elementType === type.elementType)
    return copyCells(value[BLOCK], value[OFFSET], block, offset, type)
  if (typeof value === 'string' && isText(type)) {
    clear(type, block, offset)
    return writeText(type, block, offset, value)
  }
  if (isBuffer(value) && areBytes(value, type.elementType)) {
    const bytes = bytesOf(value)
    if (bytes.length > type.size) throw new ArgumentError(`${type.name} has ${type.size} bytes, got ${bytes.length}`)
    const whole = new Uint8Array(type.size)
    whole.set(bytes)
    return copyCells(new LocalBlock(whole), 0, block, offset, type)
  }
  if (typeof value !== 'object' || !hasMember(value, Symbol.iterator))
    throw new ArgumentError(`expected ${type.name}, got ${describe(value)}`)
  const values = reading(`what is given to ${type.name}`, () => [...(value as Iterable<unknown>)])
  if (values.length > type[LENGTH])
    throw new ArgumentError(`${type.name} has ${type[LENGTH]} elements, got ${values.length}`)
  const fresh = LocalBlock.allocate(type.size)
  writeElements(type.elementType, fresh, values, context)
  copyCells(fresh, 0, block, offset, type)
}

/** Fills memory that is zero with values, one behind the other. */
export function writeElements(type: CType, block: Block, values: readonly unknown[], context?: CallContext): void {
  let i = 0
  try {
    for (; i < values.length; i++) type[INIT](block, i * type.size, values[i], context)
  } catch (error) {
    throw placed(error, `element ${i}`)
  }
}

/** Are the bytes of a buffer taken as they are? The elements of a typed array that has others than the array are converted one by one. */
function areBytes(value: ArrayBufferLike | ArrayBufferView, element: CType): boolean {
  const category = element[CATEGORY]
  if (category === 'structure') return false
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return true
  return category !== 'bool' && element[KIND] !== 'p' && hasElements(value, element)
}

function clear(type: ArrayClass, block: Block, offset: number): void {
  copyCells(LocalBlock.allocate(type.size), 0, block, offset, type)
}
