/** `bits(c_int, 3)`: fields of less than a whole integer. */
import { ArgumentError } from '../errors.js'
import type { Block } from './block.js'
import { CATEGORY, type CType, describe, isType, KIND } from './data.js'
import { readBig, readInteger, toBigInt, writeBig, writeInteger } from './integers.js'
import { toBool, unwrap } from './simple.js'

/** A bit field of a structure, as `bits(type, width)` makes it: `width` bits, counted from 1, of an integer type. */
export class BitField<T extends CType = CType> {
  constructor(
    readonly type: T,
    readonly width: number,
  ) {}
}

/** A bit field of `width` bits in a T; 0 lets the next one begin a new T. */
export function bits<T extends CType>(type: T, width: number): BitField<T> {
  if (!isType(type) || (type[CATEGORY] !== 'integer' && type[CATEGORY] !== 'bool'))
    throw new ArgumentError(`a bit field needs an integer type, not ${describe(type)}`)
  const most = type[CATEGORY] === 'bool' ? 1 : 8 * type.size
  if (!Number.isInteger(width) || width < 0 || width > most)
    throw new ArgumentError(`a bit field of ${type.name} has 0 to ${most} bits, not ${describe(width)}`)
  return new BitField(type, width)
}

/** Reads and writes one bit field; `bit` counts from the least significant of its unit, also where bytes are big-endian. */
export interface BitAccess {
  read(block: Block, offset: number): unknown
  write(block: Block, offset: number, value: unknown): void
}

/**
 * `room` is how many bytes there are from the field's offset to the end of its structure: in a union less than a unit may be. In a big-endian
 * structure the first field has the most significant bits, also of a single byte.
 */
export function bitAccess(
  type: CType,
  width: number,
  bit: number,
  name: string,
  room: number,
  isBig: boolean,
): BitAccess {
  const little = !isBig
  const isBool = type[CATEGORY] === 'bool'
  const signed = !isBool && isSigned(type)
  const { size } = type
  // A value goes through the type first: its checks and its JS representation hold for the field, too.
  const format = { name: `${name} (${width} bits of ${type.name})`, bytes: width / 8, signed }
  const isLong = size === 8
  const bitsOf = (value: unknown) =>
    isBool ? BigInt(toBool(value, format.name)) : toBigInt(unwrap(value, type), format)
  if (room < size) return byteAccess(type, width, room, signed, bitsOf)
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

/** For a unit that is cut off: all that is there is taken, byte by byte. Such a field begins at bit 0. */
function byteAccess(
  type: CType,
  width: number,
  room: number,
  signed: boolean,
  bitsOf: (value: unknown) => bigint,
): BitAccess {
  const bytes = Math.min(room, Math.ceil(width / 8))
  const mask = (1n << BigInt(width)) - 1n
  const unitOf = (view: DataView) => {
    let unit = 0n
    for (let i = bytes - 1; i >= 0; i--) unit = (unit << 8n) | BigInt(view.getUint8(i))
    return unit
  }
  return {
    read(block, offset) {
      const raw = unitOf(block.view(offset, bytes)) & mask
      if (type[CATEGORY] === 'bool') return raw !== 0n
      const value = signed ? BigInt.asIntN(width, raw) : raw
      return type.size === 8 ? value : Number(value)
    },
    write(block, offset, value) {
      const view = block.view(offset, bytes)
      let unit = (unitOf(view) & ~mask) | (bitsOf(value) & mask)
      for (let i = 0; i < bytes; i++, unit >>= 8n) view.setUint8(i, Number(unit & 255n))
      block.overwritten(offset, bytes)
      block.commit(offset, view)
    },
  }
}

const isSigned = (type: CType) => {
  const kind = type[KIND]
  return kind === kind.toLowerCase()
}
