/** JS numbers and bigints as C integers, and the checks that ctypes leaves out. */
import { ArgumentError } from '../errors.js'
import type { Block } from './block.js'
import { type CType, describe, KIND } from './data.js'

/** Has an integer type a sign? The characters of those without are capital letters. */
export const isSigned = (type: CType): boolean => type[KIND] === type[KIND].toLowerCase()

/** The least and the greatest value of an integer type of up to 32 bits. */
export function rangeOf(type: CType): readonly [low: number, high: number] {
  const count = 2 ** (8 * type.size)
  const low = isSigned(type) ? -count / 2 : 0
  return [low, low + count - 1]
}

/** What values of an integer type are. */
export interface IntegerFormat {
  /** For messages. */
  readonly name: string
  /** Of a bit field, its bits by 8. */
  readonly bytes: number
  readonly signed: boolean
}

/**
 * The value as C converts it, as a number; for types of up to 32 bits. What fits the width as signed or as unsigned is taken (flags
 * that JS has OR-ed are negative, masks are not); what fits neither is an ArgumentError.
 */
export function toNumber(value: unknown, format: IntegerFormat): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number') throw new ArgumentError(`expected ${format.name}, got ${describe(value)}`)
  if (typeof value === 'number' && !Number.isInteger(value)) throw notWhole(value, format.name)
  const all = 2 ** (8 * format.bytes)
  if (number < -all / 2 || number >= all) throw misfit(value, format.name, -all / 2, all - 1)
  if (format.signed) return number < all / 2 ? number : number - all
  return number < 0 ? number + all : number
}

/** The same as a bigint; for 64 bits, and for bit fields. */
export function toBigInt(value: unknown, format: IntegerFormat): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value !== 'bigint' && typeof value !== 'number')
    throw new ArgumentError(`expected ${format.name}, got ${describe(value)}`)
  if (typeof value === 'number' && !Number.isInteger(value)) throw notWhole(value, format.name)
  const big = BigInt(value)
  const bits = 8 * format.bytes
  const [signed, unsigned] = [BigInt.asIntN(bits, big), BigInt.asUintN(bits, big)]
  if (big === signed || big === unsigned) return format.signed ? signed : unsigned
  throw misfit(value, format.name, -(2n ** BigInt(bits - 1)), 2n ** BigInt(bits) - 1n)
}

const notWhole = (value: unknown, name: string) =>
  new ArgumentError(`expected an integer for ${name}, got ${describe(value)}`)
const misfit = (value: unknown, name: string, low: number | bigint, high: number | bigint) =>
  new ArgumentError(`${describe(value)} does not fit ${name} (${low} to ${high})`)

/** An integer of 1, 2 or 4 bytes. */
export function readInteger(block: Block, offset: number, bytes: number, signed: boolean, little: boolean): number {
  const whole = block.whole
  const view = whole ?? block.view(offset, bytes)
  const at = whole ? offset : 0
  if (bytes === 4) return signed ? view.getInt32(at, little) : view.getUint32(at, little)
  if (bytes === 2) return signed ? view.getInt16(at, little) : view.getUint16(at, little)
  return signed ? view.getInt8(at) : view.getUint8(at)
}

/** An integer of 8 bytes. */
export function readBig(block: Block, offset: number, signed: boolean, little = true): bigint {
  const whole = block.whole
  const view = whole ?? block.view(offset, 8)
  const at = whole ? offset : 0
  return signed ? view.getBigInt64(at, little) : view.getBigUint64(at, little)
}

/** Writes the low 1, 2 or 4 bytes of an integer. */
export function writeInteger(block: Block, offset: number, bytes: number, little: boolean, value: number): void {
  const whole = block.whole
  const view = whole ?? scratch(bytes)
  const at = whole ? offset : 0
  if (bytes === 4) view.setInt32(at, value, little)
  else if (bytes === 2) view.setInt16(at, value, little)
  else view.setInt8(at, value)
  if (whole) block.overwritten(offset, bytes)
  else block.commit(offset, view)
}

/** Writes the low 8 bytes of an integer. */
export function writeBig(block: Block, offset: number, little: boolean, value: bigint): void {
  const whole = block.whole
  const view = whole ?? scratch(8)
  view.setBigUint64(whole ? offset : 0, BigInt.asUintN(64, value), little)
  if (whole) block.overwritten(offset, 8)
  else block.commit(offset, view)
}

/** Memory that a value is put into before it goes to the Windows process in one piece. */
export const scratch = (bytes: number) => new DataView(new ArrayBuffer(bytes))

/** The bits of a pointer of so many bytes. */
export const readAddress = (block: Block, offset: number, size: number): bigint =>
  size === 8 ? readBig(block, offset, false) : BigInt(readInteger(block, offset, 4, false, true))

/** Puts an address where a pointer of so many bytes lies. */
export function setAddress(view: DataView, at: number, size: number, address: bigint): void {
  if (size === 8) view.setBigUint64(at, address, true)
  else view.setUint32(at, Number(BigInt.asUintN(32, address)), true)
}
