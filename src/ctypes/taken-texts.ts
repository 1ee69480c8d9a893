/**
 * Texts that a routine leaves: its result, `out` parameters, fields of structures by value. The Windows side copies ("takes") them when the
 * routine returns, for a later call may write over them. A pointer in a structure keeps its address, and beside it the text that was there.
 */
import { type Block, LocalBlock, type RemoteMemory, type Target } from './block.js'
import { CATEGORY, type CType, LENGTH } from './data.js'
import { readAddress } from './integers.js'
import { readText } from './text.js'

/** A pointer to text in an object of a type. */
export interface TextCell {
  /** Where it lies in the object, in bytes. */
  readonly offset: number
  readonly wide: boolean
  /** Whether it is part of a structure or an array, which the routine may not have filled in: a text that cannot be read is no error then. */
  readonly inStructure: boolean
}
/** One that a routine leaves. */
export interface TextPlace extends TextCell {
  /** Number of the argument (on the wire) that leads to the memory which the pointer lies in; -1: it lies in the result. */
  readonly source: number
}

/** The bytes of text number `index` as they were, without the zero; null for NULL, undefined for what could not be read. */
export type TakenTexts = (index: number) => Uint8Array | null | undefined

/** A text that was taken; it counts as long as the pointer has the address that it had then. */
export interface TakenText {
  readonly address: bigint
  readonly block: LocalBlock
}

/** Where an object of the type has pointers to text, in the order of its fields. */
export function textsIn(type: CType): readonly TextCell[] {
  switch (type[CATEGORY]) {
    case 'char pointer':
      return [{ offset: 0, wide: false, inStructure: false }]
    case 'wchar pointer':
      return [{ offset: 0, wide: true, inStructure: false }]
    case 'array': {
      const { elementType, [LENGTH]: length } = type
      const inside = textsIn(elementType)
      if (inside.length === 0) return inside
      return Array.from({ length }, (_, i) => moved(inside, i * elementType.size)).flat()
    }
    case 'structure':
      return Object.values(type.fields).flatMap(field => moved(textsIn(field.type), field.offset))
    default:
      return NONE
  }
}
const NONE: readonly TextCell[] = []
const moved = (cells: readonly TextCell[], by: number) =>
  cells.map(({ offset, wide }) => ({ offset: offset + by, wide, inStructure: true }))

/** Whether a type is text, and of which kind. */
export function textKindOf(type: CType): 'narrow' | 'wide' | undefined {
  const category = type[CATEGORY]
  return category === 'char pointer' ? 'narrow' : category === 'wchar pointer' ? 'wide' : undefined
}

/** The block of a text that was taken, which nobody can change. */
function takenBlock(bytes: Uint8Array, memory: RemoteMemory): LocalBlock {
  const block = new LocalBlock(bytes, false)
  block.origin = memory
  return block
}

/** A text that was taken as a string; what could not be read is null, like NULL. */
export const textTaken = (bytes: Uint8Array | null | undefined, wide: boolean, memory: RemoteMemory): string | null =>
  bytes ? readText({ block: takenBlock(bytes, memory), offset: 0 }, wide) : null

/** The key of a text in `LocalBlock.taken`: two fields of a union may lie at one place, one of each kind of text. */
const keyOf = (offset: number, wide: boolean) => 2 * offset + (wide ? 1 : 0)

/** Keeps the texts of an object that begins at byte `at` of a block; `size` is that of a pointer. */
export function keepTexts(
  block: LocalBlock,
  at: number,
  cells: readonly TextCell[],
  size: number,
  memory: RemoteMemory,
  texts: TakenTexts,
): void {
  cells.forEach(({ offset, wide }, i) => {
    const bytes = texts(i)
    if (!bytes) return
    block.taken ??= new Map()
    const address = readAddress(block, at + offset, size)
    block.taken.set(keyOf(at + offset, wide), { address, block: takenBlock(bytes, memory) })
  })
}

/** The text that was taken with the pointer at `offset`, unless that was changed since. */
export function takenAt(block: Block, offset: number, wide: boolean, size: number): Target | undefined {
  if (!(block instanceof LocalBlock) || !block.taken || block.refs?.has(offset)) return undefined
  const taken = block.taken.get(keyOf(offset, wide))
  return taken && taken.address === readAddress(block, offset, size) ? { block: taken.block, offset: 0 } : undefined
}

/** Copies the texts that belong to the pointers in `size` bytes from `fromOffset` on. */
export function copyTexts(from: Block, fromOffset: number, to: LocalBlock, toOffset: number, size: number): void {
  const all = from instanceof LocalBlock ? from.taken : undefined
  if (!all) return
  for (const [key, text] of [...all]) {
    const within = (key >> 1) - fromOffset
    if (within < 0 || within >= size) continue
    to.taken ??= new Map()
    to.taken.set(keyOf(toOffset + within, (key & 1) === 1), text)
  }
}
