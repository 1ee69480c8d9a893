/**
 * Follows paths of memsync directives: from an argument of a call, or its result, through the memory that it leads to.
 */

import { type Block, LocalBlock, type RemoteMemory, RemoteRange, type Target } from '../../ctypes/block.js'
import {
  type Arch,
  BLOCK,
  bytesOf,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  isBuffer,
  KIND,
  LENGTH,
  OFFSET,
  pointerSizeOf,
  READ,
  typeOf,
  viewAt,
} from '../../ctypes/data.js'
import { fieldOf, type MemsyncPath, noArgument, pointeeOf } from '../../ctypes/memsync.js'
import { ByReference, placeOf } from '../../ctypes/pointing.js'
import { isCallbackTarget, type Place, readCell } from '../../ctypes/reference.js'
import { ArgumentError } from '../../errors.js'

/** A point on a path. */
export type Spot = Memory | PassedPointer | Value
/** An object in memory. It has no type where a `void *` leads there. */
export interface Memory {
  readonly is: 'memory'
  readonly type: CType | undefined
  readonly block: Block
  readonly offset: number
}
/** A pointer that was passed as an argument, and so does not lie in memory itself. */
export interface PassedPointer {
  readonly is: 'passed pointer'
  readonly place: Target | null
  readonly pointee: CType | undefined
  readonly given: unknown
  /** Whether the parameter is text, which gets its zero when it is passed. */
  readonly text: boolean
}
/** A value that is neither memory nor a pointer. */
export interface Value {
  readonly is: 'value'
  readonly value: unknown
}

/** A pointer in memory. */
export interface Cell {
  readonly block: Block
  readonly offset: number
  readonly size: number
}
/**
 * Called for each pointer in memory that a path goes through. Gives the place where the path goes on. `segment` is the
 * pointer's position in the path; the path needs `count` elements of type `pointee` there.
 */
export type Through = (segment: string, cell: Cell, place: Place, pointee: CType, count: number) => Place

/** What paths start from. */
export interface Origin {
  readonly arch: Arch
  readonly memory: RemoteMemory
  /** The arguments, by the numbers that they have in paths. */
  readonly arguments: readonly Spot[]
  readonly result: Spot | undefined
}

/** Goes on where the pointer leads. */
const stay: Through = (_segment, _cell, place) => place

/**
 * Where the path ends. Undefined if it goes through NULL, or through something that is not known before the call.
 * Throws ArgumentError.
 */
export function follow(path: MemsyncPath, from: Origin, through: Through = stay): Spot | undefined {
  const [first, ...rest] = path
  let spot: Spot | undefined
  if (first === 'r') spot = from.result
  else {
    spot = from.arguments[first as number]
    if (!spot) throw new ArgumentError(noArgument(first as number, from.arguments.length))
  }
  for (const [i, segment] of rest.entries()) {
    if (!spot) return undefined
    spot = typeof segment === 'string' ? field(spot, segment, i + 1) : element(spot, segment, i + 1)
  }
  return spot

  function field(at: Spot, name: string, segment: number): Spot | undefined {
    let owner: Spot | undefined = at
    for (let hop = 0; owner && isPointer(owner); hop++) owner = lead(owner, 0, `${segment}.${hop}`)
    if (!owner) return undefined
    if (owner.is === 'value') {
      const { value } = owner
      if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
        return spotOf((value as { [name: string]: unknown })[name], undefined, from.arch, from.memory)
      throw new ArgumentError(`${describe(value)} has no field '${name}'`)
    }
    const { type, block, offset } = owner
    if (!type) throw new ArgumentError(`'${name}' is looked for behind a void pointer: give a POINTER(T), or byref`)
    const found = fieldOf(type, name, text => new ArgumentError(text))
    if (found.bits !== undefined)
      return { is: 'value', value: (viewAt(type, block, offset) as unknown as { [name: string]: unknown })[name] }
    return { is: 'memory', type: found.type, block, offset: offset + found.offset }
  }

  function element(at: Spot, index: number, segment: number): Spot | undefined {
    if (at.is === 'memory' && at.type?.[CATEGORY] === 'array') {
      const { elementType, [LENGTH]: length, name } = at.type
      if (index >= length) throw new ArgumentError(`${name} has no element ${index}`)
      return {
        is: 'memory',
        type: elementType,
        block: at.block,
        offset: at.offset + Math.max(index, 0) * elementType.size,
      }
    }
    if (at.is === 'value' && Array.isArray(at.value))
      return spotOf(at.value[Math.max(index, 0)], undefined, from.arch, from.memory)
    if (!isPointer(at))
      throw new ArgumentError(
        `${index} goes through a pointer, and ${at.is === 'value' ? describe(at.value) : `a ${at.type?.name}`} is none`,
      )
    return lead(at, Math.max(index, 0), String(segment))
  }

  /** Goes through a pointer. */
  function lead(at: Pointer, index: number, segment: string): Memory | undefined {
    const type = at.is === 'passed pointer' ? at.pointee : pointeeOf(at.type)
    let place: Place
    if (at.is === 'passed pointer') place = at.place
    else {
      const cell = { block: at.block, offset: at.offset, size: at.type.size }
      place = readCell(cell.block, cell.offset, cell.size)
      if (type) place = through(segment, cell, place, type, index + 1)
    }
    // a pointer that is a mere number has not been through a call of the session yet: nothing is known of where it
    // leads
    if (place === null || typeof place === 'bigint') return undefined
    if (isCallbackTarget(place)) throw new ArgumentError('it goes through a callback')
    const { block } = place
    const offset = place.offset + index * (type?.size ?? 0)
    if (block instanceof LocalBlock && offset + (type?.size ?? pointerSizeOf(from.arch)) > block.size)
      throw new ArgumentError(`it leaves the ${block.size} bytes that a pointer on its way leads to`)
    return { is: 'memory', type, block, offset }
  }
}

/** A point that is a pointer, through which a path can go. */
type Pointer = (Memory & { readonly type: CType }) | PassedPointer
const isPointer = (spot: Spot): spot is Pointer =>
  spot.is === 'passed pointer' ||
  (spot.is === 'memory' &&
    spot.type !== undefined &&
    spot.type[KIND] === 'p' &&
    spot.type[CATEGORY] !== 'callback' &&
    spot.type[CATEGORY] !== 'array')

/** An argument as the start of a path. `declared` is the type of its parameter, if one is declared. */
export function spotOf(given: unknown, declared: CType | undefined, arch: Arch, memory: RemoteMemory): Spot {
  const passedPointer = (place: Target | null, pointee: CType | undefined, text = false): PassedPointer => ({
    is: 'passed pointer',
    place,
    pointee,
    given,
    text,
  })
  if (given === null || given === undefined) return passedPointer(null, undefined)
  const type = declared?.[FOR_ARCH](arch)
  const category = type?.[CATEGORY]
  const pointee = type && pointeeOf(type)
  if (given instanceof ByReference) {
    const target = given.target as CData
    return passedPointer({ block: target[BLOCK], offset: target[OFFSET] + given.offset }, typeOf(target))
  }
  if (isBuffer(given))
    return passedPointer(
      { block: new LocalBlock(bytesOf(given)), offset: 0 },
      pointee,
      category === 'char pointer' || category === 'wchar pointer',
    )
  if (!(given instanceof CData)) {
    const { address } = given as { address?: unknown }
    return typeof address === 'bigint'
      ? passedPointer({ block: new RemoteRange(memory, address), offset: 0 }, pointee)
      : { is: 'value', value: given }
  }
  const own = typeOf(given)
  const pointing = type ?? own
  if (pointing[CATEGORY] !== 'array' && (pointing[KIND] !== 'p' || pointing[CATEGORY] === 'callback'))
    return { is: 'memory', type: own, block: given[BLOCK], offset: given[OFFSET] }
  const place = placeOf(given, { name: pointing.name, pointee: pointeeOf(pointing) ?? null, arch })
  if (place === null) return passedPointer(null, undefined)
  if (typeof place === 'bigint' || isCallbackTarget(place)) return { is: 'value', value: given }
  // `place` is where the given pointer leads, or, if no pointer was given, the given object itself
  if (place.block !== given[BLOCK] || place.offset !== given[OFFSET])
    return passedPointer(place, pointeeOf(pointing) ?? pointeeOf(own))
  const isArray = own[CATEGORY] === 'array'
  return passedPointer(place, isArray && pointee?.[CATEGORY] !== 'array' ? pointeeOf(own) : own)
}

/** The pointer at the end of a path: where it lies, if it lies in memory, and where it leads. */
export interface End {
  readonly cell: Cell | undefined
  readonly place: Target | null
  readonly pointee: CType | undefined
  readonly isVoid: boolean
  readonly text: boolean
}

/**
 * The pointer at the end of a path. Undefined where the path ends at memory that a call copies anyway: at an array in a
 * structure, or at text. Throws ArgumentError if it ends at something else that is no pointer.
 */
export function endOf(spot: Spot, arch: Arch): End | undefined {
  if (spot.is === 'value') {
    const kind = typeof spot.value
    if (kind === 'string' || kind === 'bigint' || kind === 'number' || kind === 'object' || kind === 'undefined')
      return undefined
    throw new ArgumentError(`it leads to ${describe(spot.value)}, which is no pointer`)
  }
  if (spot.is === 'passed pointer')
    return { cell: undefined, place: spot.place, pointee: spot.pointee, isVoid: false, text: spot.text }
  const { type, block, offset } = spot
  if (type?.[CATEGORY] === 'array') return undefined
  if (type && !isPointer(spot)) throw new ArgumentError(`it leads to a ${type.name}, which is no pointer`)
  const cell = { block, offset, size: type?.size ?? pointerSizeOf(arch) }
  const place = readCell(block, offset, cell.size)
  if (place === null || typeof place === 'bigint' || isCallbackTarget(place))
    return { cell, place: null, pointee: undefined, isVoid: false, text: false }
  const isVoid = type === undefined || type[CATEGORY] === 'void pointer'
  return { cell, place, pointee: type && pointeeOf(type), isVoid, text: false }
}

/**
 * The value at the end of a path, as functions of the user's get it: integers as numbers where they fit, other values
 * as they are.
 */
export function found(spot: Spot | undefined): unknown {
  if (!spot) return undefined
  if (spot.is === 'value') return plain(spot.value)
  if (spot.is === 'passed pointer') return spot.given
  const { type, block, offset } = spot
  if (!type) throw new ArgumentError('it leads to what a void pointer leads to')
  return type[CATEGORY] === 'void pointer' ? viewAt(type, block, offset) : plain(type[READ](block, offset))
}

const plain = (value: unknown): unknown =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value

/** The value at the end of a path as a number of elements; undefined if it is not known yet. Throws ArgumentError. */
export function lengthAt(spot: Spot | undefined): number | undefined {
  let at = spot
  for (let i = 0; at && isPointer(at) && i < 8; i++) {
    const place: Place = at.is === 'passed pointer' ? at.place : readCell(at.block, at.offset, at.type.size)
    if (place === null || typeof place === 'bigint' || isCallbackTarget(place)) return undefined
    const type = at.is === 'passed pointer' ? at.pointee : pointeeOf(at.type)
    at = { is: 'memory', type, block: place.block, offset: place.offset }
  }
  return at && asLength(found(at))
}

/** Checks a number of elements. Throws ArgumentError. */
export function asLength(value: unknown): number {
  const number = value instanceof CData && 'value' in value ? plain(value.value) : plain(value)
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new ArgumentError(`a length is a whole number from 0, not ${describe(value)}`)
}
