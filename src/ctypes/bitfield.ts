/** `bits(c_int, 3)`: fields of some bits of an integer. */
import { ArgumentError } from '../errors.js'
import type { Block } from './block.js'
import { CATEGORY, type CType, describe, isType } from './data.js'
import { isSigned, readBig, readInteger, toBigInt, writeBig, writeInteger } from './integers.js'
import { toBool, unwrap } from './simple.js'

/** A bit field of a structure, as `bits(type, width)` makes it. */
export class BitField<T extends CType = CType> {
  constructor(
    readonly type: T,
    readonly width: number,
  ) {}
}

/**
 * A bit field of `width` bits in a T, an integer type or `c_bool`. One of 0 bits is no field: it lets the next one begin a new T. Throws
 * ArgumentError for another type, and for more bits than a T has (`c_bool`: one).
 */
export function bits<T extends CType>(type: T, width: number): BitField<T> {
  if (!isType(type) || (type[CATEGORY] !== 'integer' && type[CATEGORY] !== 'bool'))
    throw new ArgumentError(`a bit field needs an integer type, not ${describe(type)}`)
  const most = type[CATEGORY] === 'bool' ? 1 : 8 * type.size
  if (!Number.isInteger(width) || width < 0 || width > most)
    throw new ArgumentError(`a bit field of ${type.name} has 0 to ${most} bits, not ${describe(width)}`)
  return new BitField(type, width)
}

/** Reads and writes one bit field; `offset` is where the integer that holds it lies. */
interface BitAccess {
  read(block: Block, offset: number): unknown
  write(block: Block, offset: number, value: unknown): void
}

/** In a big-endian structure the first field has the most significant bits, also of a single byte. */
export function bitAccess(type: CType, width: number, bit: number, name: string, isBig: boolean): BitAccess {
  const little = !isBig
  const isBool = type[CATEGORY] === 'bool'
  const signed = !isBool && isSigned(type)
  const { size } = type
  const format = { name: `${name} (${width} bits of ${type.name})`, bytes: width / 8, signed }
  const isLong = size === 8
  const bitsOf = (value: unknown) =>
    isBool ? BigInt(toBool(unwrap(value, type), format.name)) : toBigInt(unwrap(value, type), format)
  const unitOf = (block: Block, offset: number) =>
    isLong ? readBig(block, offset, false, little) : BigInt(readInteger(block, offset, size, false, little))
  const mask = (1n << BigInt(width)) - 1n
  const shift = BigInt(little ? bit : 8 * size - bit - width)
  return {
    read(block, offset) {
      if (!isLong) {
        const unit = readInteger(block, offset, size, false, little)
        const up = 32 - width - Number(shift)
        const value = signed ? (unit << up) >> (32 - width) : (unit << up) >>> (32 - width)
        return isBool ? value !== 0 : value
      }
      const value = (unitOf(block, offset) >> shift) & mask
      return signed ? BigInt.asIntN(width, value) : value
    },
    write(block, offset, value) {
      const unit = (unitOf(block, offset) & ~(mask << shift)) | ((bitsOf(value) & mask) << shift)
      if (isLong) writeBig(block, offset, little, unit)
      else writeInteger(block, offset, size, little, Number(BigInt.asIntN(8 * size, unit)))
    },
  }
}
