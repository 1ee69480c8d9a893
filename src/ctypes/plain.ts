/** What is in an object, as plain values of JS: `plain(object)`, and what objects are compared by. */
import { inspect } from 'node:util'
import { ArgumentError } from '../errors.js'
import { ArrayData } from './array.js'
import { type Block, type CallbackTarget, RemoteBlock } from './block.js'
import { BLOCK, CATEGORY, CData, type CType, describe, KIND, LENGTH, OFFSET, shown, typeOf } from './data.js'
import { isA } from './given.js'
import type { brand, CArray, Simple, ValueOf } from './inference.js'
import { type Pointer, PointerData } from './pointer.js'
import { isCallbackTarget, readCell } from './reference.js'

type Opaque = Pick<Pointer<CType>, 'contents' | 'isNull'> | CallbackTarget | ((...args: never) => unknown)
/** What `plain` gives: structures as objects of their fields, arrays as lists or text, scalars as their values. */
export type Plain<V> = V extends string | number | bigint | boolean | null | undefined | Opaque
  ? V
  : V extends CArray<infer T>
    ? V['value'] extends string
      ? string
      : Plain<ValueOf<T>>[]
    : V extends { readonly [brand]?: string; readonly value: infer Value }
      ? typeof brand extends keyof V
        ? Value
        : PlainFields<V>
      : PlainFields<V>
type PlainFields<V> = { -readonly [K in keyof V]: Plain<V[K]> }

/**
 * A copy of what is in an object of ctypes: a structure becomes an object of its fields, an array a list (of characters: text), a scalar its
 * value, at any depth; pointers and callbacks are what reading them gives. For spreading, comparing, `structuredClone` and `postMessage`, which
 * see nothing of an object itself: its fields are properties of its class. Throws ArgumentError for what is no object of ctypes.
 */
export function plain<T extends object>(object: T): Plain<T> {
  if (!isA(object, CData)) throw new ArgumentError(`plain takes an object of ctypes, not ${describe(object)}`)
  return contentsOf(object, (_place, read) => read()) as Plain<T>
}

/** A pointer in an object. */
interface Cell {
  readonly type: CType
  readonly block: Block
  readonly offset: number
}
/** What to show for a pointer there; `read` gives what the field or element does. */
type OfPointer = (cell: Cell, read: () => unknown) => unknown

function contentsOf(data: CData, ofPointer: OfPointer): unknown {
  const type = typeOf(data)
  const block = data[BLOCK]
  const offset = data[OFFSET]
  const valueAt = (type: CType, at: number, read: () => unknown) => {
    if (type[KIND] === 'p') return ofPointer({ type, block, offset: offset + at }, read)
    const value = read()
    return value instanceof CData ? contentsOf(value, ofPointer) : value
  }
  switch (type[CATEGORY]) {
    case 'structure': {
      const values = data as unknown as { readonly [name: string]: unknown }
      const fields = Object.values(type.fields)
      return Object.fromEntries(
        fields.map(({ name, type, offset }) => [name, valueAt(type, offset, () => values[name])]),
      )
    }
    case 'array': {
      const array = data as unknown as CArray<CType>
      const { elementType, [LENGTH]: length } = type
      if (elementType[CATEGORY] === 'char' || elementType[CATEGORY] === 'wchar') return array.value
      return Array.from({ length }, (_, i) => valueAt(elementType, i * elementType.size, () => array.at(i)))
    }
    case 'pointer':
      return valueAt(type, 0, () => data)
    default:
      return valueAt(type, 0, () => (data as unknown as Simple<string, unknown>).value)
  }
}

const numbers = new WeakMap<object, number>()
let objects = 0
function numberOf(object: object): number {
  let number = numbers.get(object)
  if (number === undefined) numbers.set(object, (number = ++objects))
  return number
}

/** Texts by what they say; other pointers by where they lead and not by what lies there, for that may lead back. */
function leadsTo({ type, block, offset }: Cell, read: () => unknown): unknown {
  if (type[CATEGORY] === 'char pointer' || type[CATEGORY] === 'wchar pointer') return shown(type.name, read)
  const place = readCell(block, offset, type.size)
  if (place === null || typeof place === 'bigint') return place
  if (isCallbackTarget(place)) return `callback ${numberOf(place)}`
  if (place.block instanceof RemoteBlock) return place.block.addressAt(place.offset)
  return `byte ${place.offset} of object ${numberOf(place.block)}`
}

const WHOLE = { depth: null, breakLength: Infinity, maxArrayLength: null, maxStringLength: null } as const

/**
 * `assert.deepStrictEqual` and its like find no properties to compare, but do compare what objects are called: this names each by what is
 * in it, so that two of them are equal if that is, and tells them apart in what a failed assertion prints.
 */
const named = {
  configurable: true,
  get(this: CData) {
    return `${typeOf(this).name} ${shown('object', () => inspect(contentsOf(this, leadsTo), WHOLE))}`
  },
}
// arrays and pointers have a proxy before CData's prototype (indexed.ts), which would ask that for the name with the proxy as `this`
for (const { prototype } of [CData, ArrayData, PointerData]) Object.defineProperty(prototype, Symbol.toStringTag, named)
