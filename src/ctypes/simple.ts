/** What all scalar types are made of: `new c_int(5).value`. */
import { ArgumentError } from '../errors.js'
import { type Block, LocalBlock } from './block.js'
import type { CallContext } from './context.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  KIND,
  lay,
  OFFSET,
  READ,
  type ScalarClass,
  shown,
  typeOf,
  WRITE,
} from './data.js'
import { isA } from './given.js'
import type { SimpleType } from './inference.js'
import { readBig, readInteger, scratch, toBigInt, toNumber, writeBig, writeInteger } from './integers.js'
import { LITTLE, pointerSizedForArch, variant } from './variant.js'

/** The class behind all scalars. */
export abstract class SimpleData extends CData {
  static readonly [LITTLE]: boolean = true
  constructor(value?: unknown) {
    super()
    const type = typeOf(this)
    lay(this, LocalBlock.for(type))
    if (value !== undefined) type[WRITE](this[BLOCK], 0, value)
  }
  get value(): unknown {
    return typeOf(this)[READ](this[BLOCK], this[OFFSET])
  }
  set value(value: unknown) {
    typeOf(this)[WRITE](this[BLOCK], this[OFFSET], value)
  }
  override valueOf(): unknown {
    return this.value
  }
  override toString(): string {
    return String(this.value)
  }
  toJSON(): unknown {
    const value = shown(typeOf(this).name, () => this.value)
    return typeof value === 'bigint' ? String(value) : value
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { name } = typeOf(this)
    const value = shown(name, () => this.value)
    return `${name}(${typeof value === 'string' ? `'${value}'` : typeof value === 'bigint' ? `${value}n` : value})`
  }
}

/** What is in a scalar object, or the value itself: `new c_int(5)` goes wherever 5 does. Throws ArgumentError for a scalar of another kind. */
export function unwrap(value: unknown, type: CType): unknown {
  if (typeof value !== 'object' || !isA(value, SimpleData)) return value
  const given = typeOf(value)
  if (given === type || given[CATEGORY] === type[CATEGORY]) return value.value
  throw new ArgumentError(`expected ${type.name}, got ${given.name}`)
}

interface Scalar extends ScalarClass {
  readonly [LITTLE]: boolean
}

interface Definition {
  readonly name: string
  readonly size: number
  readonly category: ScalarClass[typeof CATEGORY]
  readonly kind: string
  read(this: Scalar, block: Block, offset: number): unknown
  write(this: Scalar, block: Block, offset: number, value: unknown, context?: CallContext): void
}

/** Makes a scalar class. `read` and `write` convert between memory and JS values; `write` throws ArgumentError. */
export function defineSimple<T extends CType>(definition: Definition): T {
  const type = class extends SimpleData {}
  Object.defineProperties(type, {
    name: { value: definition.name, configurable: true },
    size: { value: definition.size },
    alignment: { value: definition.size },
    [CATEGORY]: { value: definition.category },
    [KIND]: { value: definition.kind },
    [READ]: { value: definition.read },
    [WRITE]: { value: definition.write },
  })
  return type as unknown as T
}

/** Makes a type as wide as a pointer: the class is that of win64, `[FOR_ARCH]` gives the other. */
export function definePointerSized<T extends CType>(definition: Omit<Definition, 'size'>): T {
  const type = defineSimple<T>({ ...definition, size: 8 })
  Object.defineProperties(type, {
    [ARCH]: { value: 'win64' satisfies Arch },
    [FOR_ARCH]: { value: pointerSizedForArch },
  })
  return type
}

/** An integer of 1, 2 or 4 bytes, a number in JS; `kind` is its character (sink.ts). */
export function integer<Name extends string>(name: Name, bytes: number, kind: string) {
  const signed = kind === kind.toLowerCase()
  return defineSimple<SimpleType<Name, number, number | bigint>>({
    name,
    size: bytes,
    category: 'integer',
    kind,
    read(block, offset) {
      return readInteger(block, offset, bytes, signed, this[LITTLE])
    },
    write(block, offset, value) {
      writeInteger(
        block,
        offset,
        bytes,
        this[LITTLE],
        toNumber(unwrap(value, this), { name: this.name, bytes, signed }),
      )
    },
  })
}

/** An integer of 8 bytes, a bigint in JS. */
export function bigInteger<Name extends string>(name: Name, kind: string) {
  const signed = kind === 'q'
  return defineSimple<SimpleType<Name, bigint, number | bigint>>({
    name,
    size: 8,
    category: 'integer',
    kind,
    read(block, offset) {
      return readBig(block, offset, signed, this[LITTLE])
    },
    write(block, offset, value) {
      writeBig(block, offset, this[LITTLE], toBigInt(unwrap(value, this), { name: this.name, bytes: 8, signed }))
    },
  })
}

/** `size_t` and its like: bigint on both architectures, so that a program means the same on both. */
export function pointerSizedInteger<Name extends string>(name: Name, signed: boolean) {
  return definePointerSized<SimpleType<Name, bigint, number | bigint>>({
    name,
    category: 'integer',
    kind: signed ? 'q' : 'Q',
    read(block, offset) {
      return this.size === 8 ? readBig(block, offset, signed) : BigInt(readInteger(block, offset, 4, signed, true))
    },
    write(block, offset, value) {
      const big = toBigInt(unwrap(value, this), { name: this.name, bytes: this.size, signed })
      if (this.size === 8) writeBig(block, offset, true, big)
      else writeInteger(block, offset, 4, true, Number(big))
    },
  })
}

/** A floating-point number. */
export function floating<Name extends string>(name: Name, size: 4 | 8) {
  return defineSimple<SimpleType<Name, number, number | bigint>>({
    name,
    size,
    category: 'float',
    kind: size === 4 ? 'f' : 'd',
    read(block, offset) {
      const whole = block.whole
      const view = whole ?? block.view(offset, size)
      const at = whole ? offset : 0
      return size === 4 ? view.getFloat32(at, this[LITTLE]) : view.getFloat64(at, this[LITTLE])
    },
    write(block, offset, value) {
      const number = toFloat(unwrap(value, this), this)
      const whole = block.whole
      const view = whole ?? scratch(size)
      if (size === 4) view.setFloat32(whole ? offset : 0, number, this[LITTLE])
      else view.setFloat64(whole ? offset : 0, number, this[LITTLE])
      if (whole) block.overwritten(offset, size)
      else block.commit(offset, view)
    },
  })
}

/** A number rounds as in C. Throws ArgumentError for a bigint that would become Infinity. */
export function toFloat(value: unknown, { name, size }: CType): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (typeof value !== 'bigint') throw new ArgumentError(`expected ${name}, got ${describe(value)}`)
  const number = Number(value)
  if (!Number.isFinite(size === 4 ? Math.fround(number) : number))
    throw new ArgumentError(`${describe(value)} does not fit ${name}`)
  return number
}

/** 1 or 0. Throws ArgumentError for anything but booleans, 0 and 1. */
export function toBool(value: unknown, name: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === 0 || value === 1 || value === 0n || value === 1n) return Number(value)
  throw new ArgumentError(`expected a boolean for ${name}, got ${describe(value)}`)
}

/** The number of a character, which is given as such, as its number, or as one byte. Throws ArgumentError. */
export function toChar(value: unknown, name: string): number {
  if (typeof value === 'string' && value.length === 1 && value.charCodeAt(0) < 256) return value.charCodeAt(0)
  if (typeof value === 'number' || typeof value === 'bigint') return toNumber(value, { name, bytes: 1, signed: false })
  if (isA(value, Uint8Array) && value.length === 1) return value[0]
  throw new ArgumentError(`expected one Latin-1 character for ${name}, got ${describe(value)}`)
}

/** The number of a UTF-16 unit, which is given as a string or as its number. Throws ArgumentError. */
export function toWideChar(value: unknown, name: string): number {
  if (typeof value === 'string' && value.length === 1) return value.charCodeAt(0)
  if (typeof value === 'number' || typeof value === 'bigint') return toNumber(value, { name, bytes: 2, signed: false })
  throw new ArgumentError(`expected one UTF-16 unit for ${name}, got ${describe(value)}`)
}

/** The same scalar with its bytes the other way round. */
export const bigEndian = (type: CType): CType =>
  type.size === 1 || !(LITTLE in type) ? type : variant(type, 'big-endian', { [LITTLE]: { value: false } })
