/** The cells in which pointers lie: an address, or (in memory of this process) a reference to an object of JS. */
import { ArgumentError } from '../errors.js'
import {
  type Block,
  type CallbackTarget,
  LocalBlock,
  POINTERS,
  RemoteBlock,
  type RemoteMemory,
  RemoteRange,
  type Target,
} from './block.js'
import { ARCH, type CType, memoryOf, pointerSizeOf } from './data.js'
import { readAddress, setAddress, writeBig, writeInteger } from './integers.js'
import { copyTexts } from './taken-texts.js'

/** What a pointer leads to: an object of JS or a range of the Windows process, a callback, a bare address, or nothing. */
export type Place = Target | CallbackTarget | bigint | null

export const isRemotePlace = (place: Place): place is Target & { readonly block: RemoteBlock } =>
  typeof place === 'object' && place !== null && 'block' in place && place.block instanceof RemoteBlock

export const isCallbackTarget = (place: Target | CallbackTarget): place is CallbackTarget => 'thunk' in place

export const refAt = (block: Block, offset: number): Target | CallbackTarget | undefined =>
  block instanceof LocalBlock ? block.refs?.get(offset) : undefined

/** Where the cell leads. An address whose session is known comes as a place in its memory. */
export function readCell(block: Block, offset: number, size: number): Place {
  const ref = refAt(block, offset)
  if (ref) return ref
  return placeAt(readAddress(block, offset, size), memoryOf(block))
}

/** Where an address leads: a place in memory where that is known, a bare address elsewhere. */
export function placeAt(address: bigint, memory: RemoteMemory | undefined): Place {
  if (address === 0n) return null
  return memory ? { block: new RemoteRange(memory, address), offset: 0 } : address
}

/** What an address leads to that lies in the memory of the call under way. */
export type Inside = (address: bigint) => Target | undefined

/** Lets the pointers in a structure that came back lead to the objects of JS that were given. */
export function leadInside(block: LocalBlock, type: CType, inside: Inside): void {
  const size = pointerSizeOf(type[ARCH] ?? 'win64')
  for (const at of type[POINTERS]) {
    const address = readAddress(block, at, size)
    const target = address === 0n ? undefined : inside(address)
    if (target) writeCell(block, at, size, target)
  }
}

export function writeCell(block: Block, offset: number, size: number, place: Place): void {
  if (place === null || typeof place === 'bigint') {
    if (block instanceof LocalBlock) block.refs?.delete(offset)
    return writeAddress(block, offset, size, place ?? 0n)
  }
  if (block instanceof LocalBlock) {
    block.refs ??= new Map()
    block.refs.set(offset, place)
    return
  }
  writeAddress(block, offset, size, addressIn((block as RemoteBlock).memory, place))
}

function writeAddress(block: Block, offset: number, size: number, address: bigint): void {
  if (size === 8) writeBig(block, offset, true, address)
  else writeInteger(block, offset, 4, true, Number(BigInt.asIntN(32, address)))
}

/** The address of a place in a session's process. Objects of JS have none outside of a call. */
export function addressIn(memory: RemoteMemory, place: Target | CallbackTarget): bigint {
  if (isCallbackTarget(place)) {
    const thunk = place.thunk(memory) ?? memory.thunkFor?.(place)
    if (thunk === undefined) throw new ArgumentError('this callback has no address in the session')
    return BigInt(thunk)
  }
  if (place.block instanceof RemoteBlock) {
    checkSession(place.block.memory, memory)
    return place.block.addressAt(place.offset)
  }
  throw new ArgumentError(
    'memory of the Windows process cannot point to an object of JS, whose address is valid for one call only: use session.memory.alloc',
  )
}

/** A handle of one session given to another is an error that names both. */
export function checkSession(theirs: RemoteMemory, ours: RemoteMemory): void {
  if (theirs !== ours && theirs.sessionId !== ours.sessionId)
    throw new ArgumentError(
      `this pointer belongs to session ${theirs.sessionId} and cannot be used in session ${ours.sessionId}`,
    )
}

/** Copies an object of a type with the pointers in it; the two places may overlap. */
export function copyCells(from: Block, fromOffset: number, to: Block, toOffset: number, type: CType): void {
  const { size } = type
  if (size === 0) return
  const source = from.view(fromOffset, size)
  const bytes = new Uint8Array(source.buffer, source.byteOffset, size).slice()
  const moved: [number, Target | CallbackTarget][] = []
  if (from instanceof LocalBlock && from.refs)
    for (const [at, ref] of from.refs)
      if (at >= fromOffset && at < fromOffset + size) moved.push([at - fromOffset, ref])
  if (!(to instanceof LocalBlock)) {
    const { memory } = to as RemoteBlock
    const view = new DataView(bytes.buffer)
    const pointerSize = pointerSizeOf(type[ARCH] ?? 'win64')
    for (const [at, ref] of moved) setAddress(view, at, pointerSize, addressIn(memory, ref))
    to.commit(toOffset, view)
    return
  }
  if (to.refs) for (const at of [...to.refs.keys()]) if (at >= toOffset && at < toOffset + size) to.refs.delete(at)
  to.bytes.set(bytes, toOffset)
  for (const [at, ref] of moved) writeCell(to, toOffset + at, 8, ref)
  copyTexts(from, fromOffset, to, toOffset, size)
  to.origin ??= memoryOf(from)
}
