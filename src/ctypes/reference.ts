/** The cells in which pointers lie: an address, or (in memory of this process) a reference to an object of JS. */
import { ArgumentError } from '../errors.js'
import {
  type Block,
  type CallbackTarget,
  type Home,
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

/** What a cell leads to whose bytes mean nothing: an object of JS that has no address yet. */
export const refAt = (block: Block, offset: number): Target | CallbackTarget | undefined =>
  block instanceof LocalBlock && !block.home ? block.refs?.get(offset) : undefined

/** Where the cell leads. An address whose session is known comes as a place in its memory. */
export function readCell(block: Block, offset: number, size: number): Place {
  if (block instanceof LocalBlock && block.home) return readMoved(block, block.home, offset, size)
  const ref = refAt(block, offset)
  if (ref) return ref
  return placeAt(readAddress(block, offset, size), memoryOf(block))
}

/** Where an address leads: a place in the memory that it belongs to, or itself where that is not known. */
export function placeAt(address: bigint, memory: RemoteMemory | undefined): Place {
  if (address === 0n) return null
  return memory ? { block: new RemoteRange(memory, address), offset: 0 } : address
}

/** In a block that has moved the address counts: the DLL may have changed it. */
function readMoved(block: LocalBlock, { memory, address: home }: Home, offset: number, size: number): Place {
  const address = readAddress(block, offset, size)
  if (address === 0n) return null
  const ref = block.refs?.get(offset)
  if (ref) {
    const at = knownAddress(ref, memory)
    if (at === address) return ref
    const inside =
      at === undefined || isCallbackTarget(ref) ? undefined : within(ref.block, at - BigInt(ref.offset), address)
    if (inside) return inside
  }
  return within(block, BigInt(home), address) ?? { block: new RemoteRange(memory, address), offset: 0 }
}

/** The place of an address in a block that lies at `start`; undefined outside of it. Just behind it another object may begin. */
function within(block: Block, start: bigint, address: bigint): Target | undefined {
  const offset = address - start
  return block instanceof LocalBlock && offset >= 0n && offset < BigInt(block.size)
    ? { block, offset: Number(offset) }
    : undefined
}

/** The address that a place has in a session, if it has one already. */
export function knownAddress(place: Target | CallbackTarget, memory: RemoteMemory): bigint | undefined {
  if (isCallbackTarget(place)) {
    const thunk = place.thunk(memory)
    return thunk === undefined ? undefined : BigInt(thunk)
  }
  if (place.block instanceof RemoteBlock) return place.block.addressAt(place.offset)
  const block = place.block.sentIn(memory.encoding)
  const home = block.home ?? block.lodging
  return home && isSameSession(home.memory, memory) ? BigInt(home.address + place.offset) : undefined
}

const isSameSession = (one: RemoteMemory, other: RemoteMemory) => one === other || one.sessionId === other.sessionId

/** How many bytes a pointer has in a block. */
export function pointerSizeIn(block: Block): number {
  const shape: Partial<CType> | undefined = block instanceof LocalBlock ? block.shape : undefined
  return pointerSizeOf(shape?.[ARCH] ?? 'win64')
}

/** The pointers inside a block that lead to objects of JS now, by offset. */
export function liveRefs(block: Block): [number, Target | CallbackTarget][] {
  if (!(block instanceof LocalBlock) || !block.refs) return []
  const { home } = block
  if (!home) return [...block.refs]
  const size = pointerSizeIn(block)
  return [...block.refs].filter(([at, ref]) => readAddress(block, at, size) === knownAddress(ref, home.memory))
}

/** Where an address leads that lies in memory of the call's arguments; undefined for any other. */
export type Inside = (address: bigint) => Target | undefined

/** Makes pointers in a structure that a routine gave lead to the objects that were its arguments, where they have their addresses. */
export function leadInside(block: LocalBlock, type: CType, inside: Inside): void {
  const size = pointerSizeOf(type[ARCH] ?? 'win64')
  for (const at of type[POINTERS]) {
    const address = readAddress(block, at, size)
    const target = address === 0n ? undefined : inside(address)
    if (target) writeCell(block, at, size, target)
  }
}

/** Makes a cell of `size` bytes lead to a place. Throws ArgumentError for a place that has no address there. */
export function writeCell(block: Block, offset: number, size: number, place: Place): void {
  if (place === null || typeof place === 'bigint') {
    if (block instanceof LocalBlock) block.refs?.delete(offset)
    else block.kept?.delete(offset)
    return writeAddress(block, offset, size, place ?? 0n)
  }
  if (block instanceof LocalBlock) {
    const { home } = block
    // the address first: where it cannot be had nothing changes
    if (home) writeAddress(block, offset, size, addressIn(home.memory, place, 'calls'))
    block.refs ??= new Map()
    block.refs.set(offset, place)
    return
  }
  writeAddress(block, offset, size, addressIn(block.memory, place, 'pointer'))
  block.kept ??= new Map()
  block.kept.set(offset, place)
}

function writeAddress(block: Block, offset: number, size: number, address: bigint): void {
  if (size === 8) writeBig(block, offset, true, address)
  else writeInteger(block, offset, 4, true, Number(BigInt.asIntN(32, address)))
}

/** Who keeps alive what an address leads to: a pointer in memory that calls look through, one that only keeps it, or nobody. */
type Keeper = 'calls' | 'pointer' | 'nobody'

/**
 * The address of a place in a session's process, where an object of JS moves if it has to. Throws ArgumentError for what would not be
 * there for long enough.
 */
export function addressIn(memory: RemoteMemory, place: Target | CallbackTarget, keeper: Keeper = 'nobody'): bigint {
  if (isCallbackTarget(place)) {
    const thunk = place.thunk(memory) ?? memory.thunkFor?.(place)
    if (thunk === undefined) throw new ArgumentError('this callback has no address in the session')
    return BigInt(thunk)
  }
  const { block, offset } = place
  if (block instanceof RemoteBlock) {
    checkSession(block.memory, memory)
    return block.addressAt(offset)
  }
  const { home } = block
  if (home && isSameSession(home.memory, memory)) return BigInt(home.address + offset)
  const isKept = keeper === 'calls' || (!block.isLent && (keeper === 'pointer' || block.isObject))
  if (memory.objects && isKept) {
    const address = BigInt(memory.objects.addressFor(block) + offset)
    if (keeper === 'calls' || !block.lodging?.isFar) return address
    throw new ArgumentError(
      'the memory shared with the session is full, and what no longer finds room there is copied for each call that it is an argument of: nothing else can point to it. Free objects (session.memory.free), or start the session with a larger "memory"',
    )
  }
  throw new ArgumentError(
    'there nothing can point to what has no address of its own: give an object of ctypes, such as session.memory.alloc or session.memory.place give',
  )
}

/** The address that a place has; ArgumentError for an object, called `name`, that lies in memory of JS. */
export function addressAt({ block, offset }: Target, name: string): bigint {
  if (block instanceof RemoteBlock) return block.addressAt(offset)
  const { home, lodging, isLent } = block
  if (home) return BigInt(home.address + offset)
  if (lodging?.isFar) return BigInt(lodging.address + offset)
  throw new ArgumentError(
    isLent
      ? `this ${name} has no address: a buffer of yours, or a typed array that was handed out, lies over its memory, which is therefore copied for each call (use session.memory.array, or place the object before)`
      : `this ${name} is an object of JS that has no address yet: it gets one when it is first passed by reference, or by session.memory.place(object)`,
  )
}

/** Throws ArgumentError, which names both sessions, for a place in the memory of another session. */
export function checkSession(theirs: RemoteMemory, ours: RemoteMemory): void {
  if (!isSameSession(theirs, ours))
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
  const pointerSize = pointerSizeOf(type[ARCH] ?? 'win64')
  const refs = liveRefs(from).filter(([at]) => at >= fromOffset && at < fromOffset + size)
  if (!(to instanceof LocalBlock)) {
    const { memory } = to
    // the final addresses go with it, for the DLL may read at any time
    const view = new DataView(bytes.buffer)
    for (const [at, ref] of refs) setAddress(view, at - fromOffset, pointerSize, addressIn(memory, ref, 'pointer'))
    to.commit(toOffset, view)
    for (const [at, ref] of refs) (to.kept ??= new Map()).set(toOffset + at - fromOffset, ref)
    return
  }
  const { home } = to
  if (home) {
    const whole = new LocalBlock(bytes)
    for (const [at, ref] of refs)
      writeAddress(whole, at - fromOffset, pointerSize, addressIn(home.memory, ref, 'calls'))
  }
  if (to.refs) for (const at of [...to.refs.keys()]) if (at >= toOffset && at < toOffset + size) to.refs.delete(at)
  to.bytes.set(bytes, toOffset)
  for (const [at, ref] of refs) (to.refs ??= new Map()).set(toOffset + at - fromOffset, ref)
  copyTexts(from, fromOffset, to, toOffset, size)
  to.origin ??= memoryOf(from)
}
