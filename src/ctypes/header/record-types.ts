/** Structures and unions: makes a class for each, and gives it its fields when they are needed. */
import { AlignedField } from '../aligned-field.js'
import { CATEGORY } from '../data.js'
import { markVector } from '../passing.js'
import type { Alignment, Field, RecordNode, TypeNode } from './ast.js'
import { toJs } from './evaluate.js'
import type { Lookup } from './lookup.js'
import type { CType, RecordFields, RecordOptions, RecordType } from './namespace.js'
import type { Resolver } from './resolve.js'
import type { Shelf } from './shelf.js'
import type { Position } from './source.js'

/** A class and how far it is: a pointer may lead to a class without fields, a value may not. */
interface RecordInProgress {
  readonly node: RecordNode
  readonly type: RecordType
  /** `open` while its fields are being made. */
  state: 'declared' | 'open' | 'defined'
}

/** The classes of one text, by the nodes that define them. */
export class RecordTypes {
  readonly #byNode = new Map<RecordNode, RecordInProgress>()
  readonly #aligning = new Set<RecordNode>()
  /** Classes that only pointers lead to yet; they are defined when no other is being defined. */
  readonly #waiting: RecordInProgress[] = []
  #depth = 0
  /** Names of structures without tag and typedef: those of the fields that have them. */
  readonly #fieldNames = new Map<RecordNode, string>()
  /** What the names of anonymous members inside an anonymous member begin with: they are also fields of the structure around it. */
  readonly #prefixes = new Map<RecordNode, string>()

  constructor(
    readonly resolver: Resolver,
    readonly lookup: Lookup,
    readonly shelf: Shelf | undefined,
  ) {}

  /** The class for a pointer to it; undefined if no text has its fields. */
  declared(mention: RecordNode): RecordType | undefined {
    const outside = this.#outside(mention)
    if (outside) return outside
    const record = this.#make(mention)
    if (record?.state === 'declared') this.#waiting.push(record)
    this.#drain()
    return record?.type
  }

  /** The class, complete with its fields, for a value of it. */
  defined(mention: RecordNode, at = mention.at): RecordType {
    const outside = this.#outside(mention)
    if (outside) return outside
    const record = this.#make(mention)
    const name = `${mention.keyword} ${mention.tag ?? '{…}'}`
    if (!record) throw this.resolver.fail(at, `expected a complete type, found "${name}", whose fields are not given`)
    if (record.state === 'open')
      throw this.resolver.fail(at, `expected a complete type, found "${name}" inside itself; a pointer has a "*"`)
    if (record.state === 'declared') this.#define(record)
    this.#drain()
    return record.type
  }

  /** The class of a structure that the text only mentions, and the caller or windows.h defines. */
  #outside({ tag, fields }: RecordNode): RecordType | undefined {
    if (tag === undefined || fields || this.lookup.record(tag)) return undefined
    const known = this.resolver.names.get(tag)
    const named =
      known && 'node' in known && known.node.kind === 'named' ? this.resolver.names.get(known.node.name) : known
    return named && 'type' in named ? (named.type as RecordType) : undefined
  }

  #make(mention: RecordNode): RecordInProgress | undefined {
    const node = this.definition(mention)
    if (!node) return undefined
    if (node.keyword !== mention.keyword)
      throw this.resolver.fail(mention.at, `"${mention.tag}" is a ${node.keyword}, not a ${mention.keyword}`)
    let record = this.#byNode.get(node)
    if (!record) {
      const earlier = this.shelf?.find(node, this.resolver)
      record = earlier
        ? { node, type: earlier, state: 'defined' }
        : { node, type: this.#class(node), state: 'declared' }
      this.#byNode.set(node, record)
    }
    return record
  }

  /** Whether the fields are known. */
  isComplete(node: RecordNode): boolean {
    return this.declared(node) !== undefined
  }

  /** The definition of a mentioned structure: the node that has its fields. */
  definition(mention: RecordNode): RecordNode | undefined {
    const node = mention.fields || mention.tag === undefined ? mention : this.lookup.record(mention.tag)
    return node?.fields && node
  }

  /** Throws ArgumentError for one that asks for itself: `struct alignas(sizeof(struct s)) s`. */
  #alignment(node: RecordNode, align: Alignment): number {
    if (this.#aligning.has(node))
      throw this.resolver.fail(align.at, `the alignment of "${node.keyword} ${node.tag}" depends on itself`)
    this.#aligning.add(node)
    const size = this.resolver.constants.alignment(align)
    this.#aligning.delete(node)
    return size
  }

  #class(node: RecordNode): RecordType {
    const { ns } = this.resolver
    const anonymous = (node.fields ?? []).flatMap((field, index) =>
      field.name === undefined && !field.bits && this.#hasFields(field.type) ? [this.#jsName(node, index)] : [],
    )
    const options: RecordOptions = {
      ...(node.packed ? { pack: 1 } : node.pack && { pack: node.pack }),
      ...(node.align && { align: this.#alignment(node, node.align) }),
      ...(anonymous.length > 0 && { anonymous }),
    }
    const type = node.keyword === 'struct' ? ns.Structure({}, options) : ns.Union({}, options)
    Object.defineProperty(type, 'name', {
      value: this.resolver.nameOf(node) ?? this.#fieldNames.get(node) ?? node.keyword,
      configurable: true,
    })
    if (node.vector) markVector(type)
    return type
  }

  /** Whether a member without a name is an anonymous structure or union; `DWORD;` declares nothing. */
  #hasFields(type: TypeNode): boolean {
    const target = this.resolver.strip(type)
    return target.kind === 'record' || this.resolver.plain(target)?.[CATEGORY] === 'structure'
  }

  #define(record: RecordInProgress): void {
    record.state = 'open'
    this.#depth++
    const fields: RecordFields = Object.create(null)
    for (const [index, field] of (record.node.fields ?? []).entries()) {
      if (field.name === undefined && !field.bits && !this.#hasFields(field.type)) continue
      const name = this.#jsName(record.node, index)
      if (name in fields) throw this.resolver.fail(field.at, `"${name}" is a field already`)
      this.#nameInner(field.type, `${record.type.name}.${name}`)
      if (field.name === undefined && field.type.kind === 'record') this.#prefixes.set(field.type, name)
      fields[name] = this.#field(field, record.node)
    }
    record.type.define(fields)
    record.state = 'defined'
    // structures that later texts define alike are to be this class
    this.shelf?.add({ node: record.node, type: record.type, resolver: this.resolver })
    this.#depth--
  }

  /**
   * The name of a field in JavaScript: padding and anonymous members get a unique one, `constructor` gets one that a
   * class allows.
   */
  #jsName(node: RecordNode, index: number): string {
    const fields = node.fields ?? []
    const given = fields[index]?.name
    let name =
      given === undefined
        ? `${this.#prefixes.get(node) ?? ''}_${index}`
        : given === 'constructor'
          ? 'constructor_'
          : given
    if (name !== given) while (fields.some(field => field.name === name)) name += '_'
    return name
  }

  #nameInner(type: TypeNode, name: string): void {
    if (type.kind === 'pointer') this.#nameInner(type.to, name)
    else if (type.kind === 'array') this.#nameInner(type.of, name)
    else if (type.kind === 'record') this.#fieldNames.set(type, name)
  }

  #field({ type, bits, at, align, packed }: Field, owner: RecordNode): RecordFields[string] {
    const { resolver } = this
    if (!bits) {
      const ctype = resolver.type(type, at)
      const isPacked = packed || owner.packed
      if (!align && !isPacked) return ctype
      const alignment = isPacked ? 1 : resolver.ns.alignment(ctype)
      return new AlignedField(ctype, alignment, align ? resolver.constants.alignment(align) : 1)
    }
    const fieldType = this.#unit(type, at)
    const count = resolver.constants.evaluate(bits)
    const most = resolver.ns.sizeof(fieldType) * 8
    if (count.kind === 'float' || count.value < 0n || count.value > most)
      throw resolver.fail(at, `expected a width of 0 to ${most} bits, found ${toJs(count)}`)
    const bitField = resolver.ns.bits(fieldType, Number(count.value))
    return packed ? new AlignedField(bitField, 1, 1) : bitField
  }

  /**
   * The type of a bit field's unit: characters are small integers here, and an enumeration has the sign of its
   * members.
   */
  #unit(type: TypeNode, at: Position): CType {
    const { ns, constants } = this.resolver
    const target = this.resolver.strip(type)
    if (target.kind === 'enum') return constants.enumType(target, ns.c_uint)
    const unit = this.resolver.type(type, at)
    return unit === ns.c_char ? ns.c_byte : unit === ns.c_wchar ? ns.c_ushort : unit
  }

  #drain(): void {
    while (this.#depth === 0) {
      const record = this.#waiting.pop()
      if (!record) return
      if (record.state === 'declared') this.#define(record)
    }
  }
}
