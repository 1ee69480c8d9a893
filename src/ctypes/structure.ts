/** `Structure({ x: c_int, y: c_int })` and its relatives: classes whose properties are the fields of a struct. */

import { ArgumentError } from '../errors.js'
import { AlignedField } from './aligned-field.js'
import { BitField } from './bitfield.js'
import { type Block, LocalBlock, POINTERS } from './block.js'
import { allocated, type Checks, checkOptions } from './checks.js'
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
  INIT,
  isType,
  lay,
  NAMESPACE,
  OFFSET,
  shown,
  type TYPE,
  typeOf,
  viewAt,
  WRITE,
} from './data.js'
import { isA, isList, isRecord, reading } from './given.js'
import { elementOf, layingOut } from './limits.js'
import {
  buildRecord,
  type DeclaredField,
  type DeclaredFields,
  type FieldInfo,
  findField,
  RECORD,
  type Record,
  type RecordOptions,
} from './record.js'
import { copyCells } from './reference.js'
import type { Fields, StructureClass, StructureOptions, StructureType } from './structure-types.js'
import { fill } from './structure-values.js'

const DECLARED: unique symbol = Symbol('declared')
const LAID_OUT: unique symbol = Symbol('laid out')

/** The class behind all structures and unions. */
export abstract class StructureData extends CData {
  static override readonly [CATEGORY] = 'structure'
  declare readonly [TYPE]: StructureClass
  declare static readonly [DECLARED]: DeclaredFields
  declare static readonly [LAID_OUT]: Record | undefined
  constructor(...values: unknown[]) {
    super()
    const type = typeOf(this)
    lay(
      this,
      allocated(type.name, () => LocalBlock.for(type)),
    )
    if (values.length > 0) fill(this, type, values)
  }
  static override get size(): number {
    return recordOf(this).size
  }
  static override get alignment(): number {
    return recordOf(this).alignment
  }
  static get fields(): { readonly [name: string]: FieldInfo } {
    return recordOf(this).fields
  }
  static get [RECORD](): Record {
    return recordOf(this)
  }
  static override get [POINTERS](): readonly number[] {
    return recordOf(this).pointers
  }
  static override get [ARCH](): Arch | undefined {
    return recordOf(this).arch
  }
  static override get [NAMESPACE](): Arch | undefined {
    return this[DECLARED].options.arch
  }
  static override [FOR_ARCH](this: CType, arch: Arch): CType {
    if (this[NAMESPACE] === arch) return this
    const own = this[ARCH]
    if (own !== undefined && own !== arch)
      throw new ArgumentError(
        `${this.name} is laid out for ${own}, not for ${arch}: declare it with the types of session.types`,
      )
    return this
  }
  static offsetof(name: string): number {
    const found = typeof name === 'string' ? findField(recordOf(this), name) : undefined
    if (!found) throw new ArgumentError(`${this.name} has no field ${typeof name === 'string' ? name : describe(name)}`)
    return found.offset
  }
  static define(fields: Fields): void {
    if (Object.hasOwn(this, LAID_OUT))
      throw new ArgumentError(`${this.name} is in use: define adds fields before the first use`)
    if (!isRecord(fields)) throw new ArgumentError(`define takes fields by their names, not ${describe(fields)}`)
    if (!Object.hasOwn(this, DECLARED)) {
      const { fields: base, starts, options } = this[DECLARED]
      // a class of what Structure(…) gave is that structure; a class of such a class is derived from it
      const derives = Object.getPrototypeOf(Object.getPrototypeOf(this)) !== StructureData
      const own: DeclaredFields = {
        fields: new Map(base),
        starts: derives ? [...starts, base.size] : starts,
        options,
      }
      Object.defineProperty(this, DECLARED, { value: own })
    }
    addFields(this.name, this[DECLARED].fields, fields)
  }
  static [WRITE](this: StructureClass, block: Block, offset: number, value: unknown, context?: CallContext): void {
    if (value instanceof StructureData && value instanceof (this as unknown as typeof StructureData))
      return copyCells(value[BLOCK], value[OFFSET], block, offset, this)
    if (value instanceof CData || typeof value !== 'object' || value === null)
      throw new ArgumentError(
        `expected ${this.name}, got ${describe(value)}${describe(value) === this.name ? ' (another type of this name)' : ''}`,
      )
    // into memory of its own first: where one field is wrong none is written
    const fresh = viewAt(this, LocalBlock.allocate(this.size), 0)
    fill(fresh, this, Array.isArray(value) ? value : [value], context)
    copyCells(fresh[BLOCK], 0, block, offset, this)
  }
  static override [INIT](
    this: StructureClass,
    block: Block,
    offset: number,
    value: unknown,
    context?: CallContext,
  ): void {
    if (value instanceof CData || typeof value !== 'object' || value === null)
      this[WRITE](block, offset, value, context)
    else fill(viewAt(this, block, offset), this, Array.isArray(value) ? value : [value], context)
  }
  toJSON(): object {
    const type = typeOf(this)
    return Object.fromEntries(
      Object.keys(type.fields).map(name => {
        const value = fieldShown(this, type, name)
        return [name, typeof value === 'bigint' ? String(value) : value]
      }),
    )
  }
  [Symbol.for('nodejs.util.inspect.custom')](
    depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ) {
    const type = typeOf(this)
    if (depth < 0) return `[${type.name}]`
    const values = Object.fromEntries(Object.keys(type.fields).map(name => [name, fieldShown(this, type, name)]))
    return `${type.name} ${inspect(values, { ...options, depth })}`
  }
}

const fieldShown = (data: object, type: StructureClass, name: string) =>
  shown(type.fields[name].type.name, () => (data as { [name: string]: unknown })[name])

const underWay = new Set<typeof StructureData>()

function layOutOnce(type: typeof StructureData, declared: DeclaredFields): Record {
  if (underWay.has(type)) throw new ArgumentError(`${type.name} contains itself: use POINTER(${type.name})`)
  underWay.add(type)
  try {
    let arrays = 0
    for (const field of declared.fields.values()) if (isType(field)) arrays = Math.max(arrays, elementOf(field).arrays)
    return layingOut(type.name, arrays, () => buildRecord(type.name, declared))
  } finally {
    underWay.delete(type)
  }
}

/** Lays the class out when first asked for, which ends `define`; the fields of a class that adds none are its parent's. */
function recordOf(type: typeof StructureData): Record {
  if (Object.hasOwn(type, LAID_OUT)) return type[LAID_OUT] as Record
  const declared = type[DECLARED]
  if (!declared) throw new ArgumentError('Structure is called with fields, not used itself')
  const parent = Object.getPrototypeOf(type) as typeof StructureData
  const inherits = !Object.hasOwn(type, DECLARED)
  const record = inherits ? recordOf(parent) : layOutOnce(type, declared)
  Object.defineProperty(type, LAID_OUT, { value: record })
  if (!inherits)
    for (const { name, get, set } of record.byName.values())
      Object.defineProperty(type.prototype, name, { get, set, enumerable: true, configurable: true })
  return record
}

function addFields(
  owner: string,
  to: Map<string, DeclaredField>,
  fields: { readonly [name: string]: DeclaredField },
): void {
  for (const [name, type] of reading(`the fields of ${owner}`, () => Object.entries(fields))) {
    if (!isType(type) && !(isA(type, BitField) || isA(type, AlignedField)))
      throw new ArgumentError(`field ${name} of ${owner} needs a C type, not ${describe(type)}`)
    if (name === 'constructor') throw new ArgumentError('a field cannot be named constructor: JS needs the name')
    if (to.has(name)) throw new ArgumentError(`${owner} has two fields named ${name}`)
    to.set(name, type)
  }
}

const powerOfTwo = (most: number) => (value: unknown) =>
  Number.isInteger(value) &&
  (value as number) >= 1 &&
  (value as number) <= most &&
  Number.isInteger(Math.log2(value as number))
const OPTIONS: Checks = {
  pack: ['a power of two from 1 to 16', powerOfTwo(16)],
  align: ['a power of two from 1 to 8192', powerOfTwo(8192)],
  anonymous: [
    'a list of names of fields',
    value => isList(value) && [...value].every(name => typeof name === 'string'),
  ],
}

/** Makes the class behind `Structure`, `Union` and their big-endian forms for an architecture. */
function defineStructure(
  word: string,
  fields: Fields,
  options: StructureOptions<string>,
  record: Pick<RecordOptions, 'union' | 'big' | 'arch'>,
) {
  if (!isRecord(fields)) throw new ArgumentError(`${word} takes fields by their names, not ${describe(fields)}`)
  checkOptions(word, options, OPTIONS)
  const { pack, align, anonymous = [] } = options
  const type = class extends StructureData {}
  const own = new Map<string, DeclaredField>()
  Object.defineProperty(type, 'name', { value: word, configurable: true })
  const declared: DeclaredFields = { fields: own, starts: [], options: { ...record, pack, align, anonymous } }
  Object.defineProperty(type, DECLARED, { value: declared })
  addFields(word, own, fields)
  return type as unknown as CType
}

/** Structure and union types of one architecture. */
export function structuresFor(arch: Arch) {
  const make = (word: string, union: boolean, big: boolean) => {
    const define = <const F extends Fields, const A extends Extract<keyof F, string> = never>(
      fields: F,
      options: StructureOptions<A> = {},
    ): StructureType<F, A> =>
      defineStructure(word, fields, options as StructureOptions<string>, {
        union,
        big,
        arch,
      }) as unknown as StructureType<F, A>
    // `x instanceof Structure`, of either architecture; big-endian ones are structures, too
    const isOne = (value: unknown) => {
      if (!(value instanceof StructureData)) return false
      const { options } = typeOf(value)[RECORD]
      return options.union === union && (options.big || !big)
    }
    return Object.defineProperty(define, Symbol.hasInstance, { value: isOne })
  }
  const Structure = make('Structure', false, false)
  const Union = make('Union', true, false)
  return {
    /** Makes a class of C structures, laid out as compilers for Windows do; extend it, or use it as it is. */
    Structure,
    /** The same as `Structure`: Windows is little-endian. */
    LittleEndianStructure: Structure,
    /** Makes a class of C unions, whose fields share their bytes. */
    Union,
    /** The same as `Union`. */
    LittleEndianUnion: Union,
    /** A structure whose numbers have the most significant byte first. */
    BigEndianStructure: make('BigEndianStructure', false, true),
    /** A union whose numbers have the most significant byte first. */
    BigEndianUnion: make('BigEndianUnion', true, true),
  }
}
