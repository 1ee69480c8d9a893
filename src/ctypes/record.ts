/** The fields of one structure, laid out for an architecture, and the properties that reach them. */
import { ArgumentError, placed } from '../errors.js'
import { AlignedField } from './aligned-field.js'
import { BitField, bitAccess } from './bitfield.js'
import { POINTERS } from './block.js'
import type { CallContext } from './context.js'
import {
  ARCH,
  type Arch,
  BLOCK,
  CATEGORY,
  type CData,
  type CType,
  FOR_ARCH,
  KIND,
  LENGTH,
  OFFSET,
  READ,
  viewAt,
  WRITE,
} from './data.js'
import { layOut } from './layout.js'
import { checkDepth, checkPointers, elementOf } from './limits.js'
import { bigEndian } from './simple.js'

/** Where a field of a structure lies. */
export interface FieldInfo {
  readonly name: string
  readonly type: CType
  /** In bytes, from the start of the structure; of a bit field, that of the integer that holds it. */
  readonly offset: number
  /** In bytes: that of the type, also for a bit field. */
  readonly size: number
  /** Of a bit field: how many bits it has. */
  readonly bits?: number
  /** Of a bit field: its first bit, counted from the least significant one of the integer that holds it; in a big-endian structure from the most significant one. */
  readonly bit?: number
}
/** How the fields are laid out, beside what they are. */
export interface RecordOptions {
  readonly union: boolean
  readonly big: boolean
  readonly arch: Arch
  readonly pack?: number | undefined
  readonly align?: number | undefined
  readonly anonymous: readonly string[]
}
export type DeclaredField = CType | BitField | AlignedField
/** What a structure class was declared with, its base's fields included. */
export interface DeclaredFields {
  readonly fields: Map<string, DeclaredField>
  /** Indices of the fields with which a derived class goes on. */
  readonly starts: readonly number[]
  readonly options: RecordOptions
}
interface Accessor {
  readonly name: string
  get(this: CData): unknown
  set(this: CData, value: unknown): void
  write(data: CData, value: unknown, context?: CallContext): void
}
/** A structure that is laid out. */
export interface Record {
  readonly size: number
  readonly alignment: number
  /** The least alignment, which packing of a structure around it does not lessen. */
  readonly required: number
  /** Undefined if both architectures have the same layout. */
  readonly arch: Arch | undefined
  readonly fields: { readonly [name: string]: FieldInfo }
  /** Names in the order of positional values. */
  readonly positional: readonly string[]
  /** How many structures and arrays lie in one another, this one included. */
  readonly depth: number
  /** Where pointers lie, those of nested structures, unions and arrays included. */
  readonly pointers: readonly number[]
  /** The accessors by name, in the order of the fields. */
  readonly byName: ReadonlyMap<string, Accessor>
  readonly options: RecordOptions
}
/** Of a structure type: its record. Asking for it lays the structure out. */
export const RECORD: unique symbol = Symbol('record')

/** Lays a structure out. Throws ArgumentError, which names `owner`. */
export function buildRecord(owner: string, { fields: declared, starts, options }: DeclaredFields): Record {
  const entries = [...declared].map(([name, field]) => {
    const aligned = field instanceof AlignedField ? field : undefined
    const unaligned = field instanceof AlignedField ? field.type : field
    const width = unaligned instanceof BitField ? unaligned.width : undefined
    const type = (unaligned instanceof BitField ? unaligned.type : unaligned)[FOR_ARCH](options.arch)
    const { element, arrays } = elementOf(type)
    const inner = element[CATEGORY] === 'structure' ? element[RECORD] : undefined
    const { alignment, required } = aligned ?? { alignment: type.alignment, required: inner?.required ?? 1 }
    const depth = 1 + arrays + (inner?.depth ?? 0)
    return { name, width, alignment, required, depth, type: options.big ? bigEndianField(owner, name, type) : type }
  })
  const depth = entries.reduce((most, entry) => Math.max(most, entry.depth), 1)
  checkDepth(owner, depth)
  const layout = layOut(
    entries.map(({ type, width, alignment, required }) => ({ size: type.size, alignment, required, bits: width })),
    { ...options, starts },
  )
  const fields: { [name: string]: FieldInfo } = {}
  const byName = new Map<string, Accessor>()
  for (const [i, { name, type, width }] of entries.entries()) {
    const { offset, bit } = layout.places[i]
    if (width === 0) continue
    fields[name] = Object.freeze({
      name,
      type,
      offset,
      size: type.size,
      ...(width === undefined ? {} : { bits: width, bit }),
    })
    byName.set(
      name,
      width === undefined ? fieldAccessor(name, type, offset) : bitFieldAccessor(fields[name], options.big),
    )
  }
  const positional = Object.keys(fields)
  const all = Object.values(fields)
  checkPointers(
    owner,
    all.reduce((sum, { type }) => sum + type[POINTERS].length, 0),
  )
  for (const name of options.anonymous) promote(owner, fields, byName, name)
  return {
    size: layout.size,
    alignment: layout.alignment,
    required: entries.reduce((most, entry) => Math.max(most, entry.required), options.align ?? 1),
    arch: entries.some(({ type }) => type[ARCH] !== undefined) ? options.arch : undefined,
    fields: Object.freeze(fields),
    positional,
    pointers: [...new Set(all.flatMap(({ type, offset }) => type[POINTERS].map(at => offset + at)))],
    byName,
    options,
    depth,
  }
}

function fieldAccessor(name: string, type: CType, offset: number): Accessor {
  const write = (data: CData, value: unknown, context?: CallContext): void => {
    try {
      type[WRITE](data[BLOCK], data[OFFSET] + offset, value, context)
    } catch (error) {
      throw placed(error, name)
    }
  }
  return {
    name,
    get() {
      return type[READ](this[BLOCK], this[OFFSET] + offset)
    },
    set(value) {
      write(this, value)
    },
    write,
  }
}

function bitFieldAccessor({ name, type, offset, bits = 0, bit = 0 }: FieldInfo, isBig: boolean): Accessor {
  const access = bitAccess(type, bits, bit, name, isBig)
  const write = (data: CData, value: unknown) => access.write(data[BLOCK], data[OFFSET] + offset, value)
  return {
    name,
    get() {
      return access.read(this[BLOCK], this[OFFSET] + offset)
    },
    set(value) {
      write(this, value)
    },
    write,
  }
}

/**
 * Adds accessors for the fields of an anonymous member, so that they are reached without its name. Anonymous members inside it may have the
 * name of another field: they were given names because JS needs some.
 */
function promote(
  owner: string,
  fields: { [name: string]: FieldInfo },
  byName: Map<string, Accessor>,
  name: string,
): void {
  const member = fields[name]
  if (member?.type[CATEGORY] !== 'structure')
    throw new ArgumentError(`anonymous field ${name} of ${owner} must be a structure or union that it has`)
  const { type, offset } = member
  const record = member.type[RECORD]
  const memberOf = (data: CData) => viewAt(type, data[BLOCK], data[OFFSET] + offset)
  for (const inner of record.byName.values()) {
    if (byName.has(inner.name)) {
      if (record.options.anonymous.includes(inner.name)) continue
      throw new ArgumentError(`${owner} has two fields named ${inner.name}`)
    }
    byName.set(inner.name, {
      name: inner.name,
      get() {
        return inner.get.call(memberOf(this))
      },
      set(value) {
        inner.write(memberOf(this), value)
      },
      write: (data, value, context) => inner.write(memberOf(data), value, context),
    })
  }
}

/** A field as far as one can see it from outside of a record. */
export type Field = Pick<FieldInfo, 'type' | 'offset' | 'bits'>

/** A field by its name, also one of an anonymous member. */
export function findField({ fields, options }: Record, name: string): Field | undefined {
  if (Object.hasOwn(fields, name)) return fields[name]
  for (const member of options.anonymous) {
    const { type, offset } = fields[member]
    const found = type[CATEGORY] === 'structure' ? findField(type[RECORD], name) : undefined
    if (found) return { ...found, offset: offset + found.offset }
  }
  return undefined
}

function bigEndianField(owner: string, name: string, type: CType): CType {
  if (type[CATEGORY] === 'array') {
    const { elementType, [LENGTH]: length } = type
    const element = bigEndianField(owner, name, elementType)
    return element === elementType ? type : element.array(length)
  }
  // a structure has an order of its own
  if (type[CATEGORY] === 'structure') return type
  if (type[KIND] !== 'p') return bigEndian(type)
  throw new ArgumentError(`${owner} is big-endian and cannot hold ${name}: ${type.name}`)
}
