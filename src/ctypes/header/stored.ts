/**
 * A header that one thread has read, as bytes that all threads share. A thread decodes only what it asks for: of a
 * text of a hundred thousand lines it pays for what it uses. Errors in the text are those of the first thread.
 */
import { createHash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { ArgumentError } from '../../errors.js'
import type { Declaration, EnumNode, Expression, RecordNode, TypeNode } from './ast.js'
import type { Constants } from './constants.js'
import { LazyMap, lazyObject } from './lazy.js'
import { type ConstantEntry, isTypedef, type Lookup, type TreeLookup } from './lookup.js'
import { type Header, type HeaderType, type Prototype, routineOf, typeNamed } from './members.js'
import { KnownNames, type Variant } from './names.js'
import type { Arch, TypeNamespace } from './namespace.js'
import { Resolver } from './resolve.js'
import type { Shelf } from './shelf.js'
import { Source } from './source.js'

/** A header's text that has been read, as data that can be sent to any thread: `session.header` and `declare` take it like the text. */
export interface ParsedHeader {
  /** The same for the same text and architecture. */
  readonly id: string
  readonly arch: Arch
  readonly bytes: SharedArrayBuffer
}

/**
 * The beginning of the bytes. Each row behind it is a declaration, or the definition of a structure or an enumeration.
 */
interface Index {
  readonly variant: Variant
  /** Names of the header's types, routines and variables, in its order. */
  readonly types: readonly string[]
  readonly routines: readonly string[]
  readonly variables: readonly string[]
  readonly undefinedMacros: ReadonlyMap<string, number>
  /** Rows by name or tag: in C declarations, tags of structures and tags of enumerations do not meet. */
  readonly declarations: Map<string, number>
  readonly records: Map<string, number>
  readonly enumerations: Map<string, number>
  /** The typedef that a structure without a tag is known by. */
  readonly typedefOf: Map<number, string>
  /** The row of all constants. */
  readonly constants: number
  /** Where each row ends, counted from the first. */
  readonly ends: number[]
}

/** Stands where a definition is used, for it has a row of its own: other places may use it, too. */
interface Elsewhere {
  readonly row: number
}

/** What reading the text has given. */
interface Read {
  readonly header: Header
  readonly lookup: TreeLookup
  readonly constants: Constants
  readonly variant: Variant
}

/** The bytes of a header that was read: see openHeader. */
export function storeHeader(text: string, arch: Arch, read: Read): ParsedHeader {
  const { index, rows } = new Writer(read).write()
  const head = serialize(index)
  const parts = [new Uint8Array(Uint32Array.of(head.length).buffer), head, ...rows]
  const bytes = new SharedArrayBuffer(parts.reduce((sum, part) => sum + part.length, 0))
  const into = new Uint8Array(bytes)
  let offset = 0
  for (const part of parts) {
    into.set(part, offset)
    offset += part.length
  }
  return { id: createHash('sha256').update(`${arch} ${text}`).digest('hex'), arch, bytes }
}

/** Members whose expressions are only needed for their values. */
const forValue = /^(?:length|bits|value)$/

class Writer {
  readonly #rows: Uint8Array[] = []
  readonly #rowOf = new Map<object, number>()
  readonly #typedefOf = new Map<number, string>()

  constructor(readonly read: Read) {}

  write(): { index: Index; rows: readonly Uint8Array[] } {
    const { header, lookup, variant } = this.read
    const { tree } = lookup
    const declarations = new Map<string, number>()
    for (const declaration of tree.declarations)
      if (declaration.kind !== 'typedef' || (isTypedef(declaration) && !declarations.has(declaration.name)))
        declarations.set(declaration.name, this.#add({ ...declaration, value: undefined }))
    const records = new Map([...tree.records].map(([tag, node]) => [tag, this.#definition(node)]))
    const tagged = tree.enums.filter(({ tag }) => tag !== undefined)
    const enumerations = new Map(tagged.map(node => [node.tag as string, this.#definition(node)]))
    const constants = this.#rows.push(serialize(header.constants)) - 1
    let end = 0
    const index: Index = {
      variant,
      types: Object.keys(header.types),
      routines: [...header.routines.keys()],
      variables: [...header.variables.keys()],
      undefinedMacros: header.undefinedMacros,
      declarations,
      records,
      enumerations,
      typedefOf: this.#typedefOf,
      constants,
      ends: this.#rows.map(({ length }) => (end += length)),
    }
    return { index, rows: this.#rows }
  }

  #add(members: object): number {
    return this.#rows.push(serialize(this.#members(members))) - 1
  }

  #definition(node: RecordNode | EnumNode): number {
    const known = this.#rowOf.get(node)
    if (known !== undefined) return known
    const row = this.#add(node)
    this.#rowOf.set(node, row)
    const name = this.read.lookup.typedefOf(node)
    if (name !== undefined) this.#typedefOf.set(row, name)
    return row
  }

  #members(of: object): object {
    const copied = Object.entries(of).map(([key, value]) => [key, key === 'at' ? undefined : this.#copy(value, key)])
    return Object.fromEntries(copied)
  }

  #copy(value: unknown, key: string): unknown {
    if (Array.isArray(value)) return value.map(item => this.#copy(item, key))
    if (typeof value !== 'object' || value === null) return value
    const node = value as TypeNode | Expression
    if ((node.kind === 'record' && node.fields) || (node.kind === 'enum' && node.members))
      return { row: this.#definition(node) } satisfies Elsewhere
    const isExpression = (forValue.test(key) && !/^(?:integer|float)$/.test(node.kind)) || node.kind === 'binary'
    const worth = isExpression ? this.#value(node as Expression) : undefined
    // nobody asks for the length of a parameter, whose expression may be too long to copy by recursion
    return worth ?? (isExpression && key === 'length' ? undefined : this.#members(node))
  }

  /**
   * The value as a literal; undefined for an expression without one, such as the length of an array that is another
   * parameter.
   */
  #value(expression: Expression): Expression | undefined {
    try {
      return { kind: 'literal', value: this.read.constants.evaluate(expression) }
    } catch (error) {
      if (error instanceof ArgumentError) return undefined
      throw error
    }
  }
}

/** The header as if this thread had read its text, but each type, routine and variable is made when it is first asked for. */
export function openHeader(parsed: ParsedHeader, ns: TypeNamespace, shelf?: Shelf): Header {
  const lookup = new StoredLookup(new Uint8Array(parsed.bytes))
  const { index } = lookup
  const names = new KnownNames(ns, parsed.arch, {}, index.variant)
  const resolver = new Resolver(new Source('', 'header'), lookup, names, shelf)
  const declared = (name: string) => lookup.declaration(name) as Declaration
  return {
    routines: new LazyMap(index.routines, name => routineOf(declared(name), resolver) as Prototype),
    types: lazyObject(index.types, name => typeNamed(name, resolver) as HeaderType),
    get constants() {
      return lookup.constants
    },
    variables: new LazyMap(index.variables, name => resolver.type(declared(name).type, nowhere)),
    undefinedMacros: index.undefinedMacros,
  }
}

const nowhere = { line: 1, column: 1 }

class StoredLookup implements Lookup {
  readonly index: Index
  readonly #from: number
  readonly #rows = new Map<number, object>()
  readonly #typedefOf = new Map<TypeNode, string>()
  readonly #constants = new Map<string, ConstantEntry>()
  #values: Header['constants'] | undefined

  constructor(readonly bytes: Uint8Array) {
    const size = new DataView(bytes.buffer).getUint32(0, true)
    this.#from = 4 + size
    this.index = deserialize(bytes.slice(4, this.#from)) as Index
  }

  record(tag: string): RecordNode | undefined {
    return this.#at(this.index.records.get(tag)) as RecordNode | undefined
  }
  enumeration(tag: string): EnumNode | undefined {
    return this.#at(this.index.enumerations.get(tag)) as EnumNode | undefined
  }
  declaration(name: string): Declaration | undefined {
    return this.#at(this.index.declarations.get(name)) as Declaration | undefined
  }
  typedef(name: string): TypeNode | undefined {
    const declaration = this.declaration(name)
    return declaration?.kind === 'typedef' ? declaration.type : undefined
  }
  typedefOf(node: TypeNode): string | undefined {
    return this.#typedefOf.get(node)
  }
  variable(name: string): Declaration | undefined {
    const declaration = this.declaration(name)
    return declaration?.kind === 'variable' ? declaration : undefined
  }
  /** Members of enumerations that have been read so far. */
  constant(name: string): ConstantEntry | undefined {
    return this.#constants.get(name)
  }
  get constants(): Header['constants'] {
    this.#values ??= Object.assign(Object.create(null), this.#read(this.index.constants)) as Header['constants']
    return this.#values
  }

  #read(row: number): object {
    const { ends } = this.index
    const begin = row === 0 ? 0 : ends[row - 1]
    return deserialize(this.bytes.slice(this.#from + begin, this.#from + ends[row])) as object
  }

  #at(row: number | undefined): object | undefined {
    if (row === undefined) return undefined
    const known = this.#rows.get(row)
    if (known) return known
    const node = this.#revive(this.#read(row)) as TypeNode
    this.#rows.set(row, node)
    const name = this.index.typedefOf.get(row)
    if (name !== undefined) this.#typedefOf.set(node, name)
    if (node.kind === 'enum')
      for (const [index, member] of (node.members ?? []).entries()) this.#constants.set(member.name, { node, index })
    return node
  }

  #revive(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(item => this.#revive(item))
    if (typeof value !== 'object' || value === null) return value
    if ('row' in value) return this.#at((value as Elsewhere).row)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, key === 'at' ? nowhere : this.#revive(item)]),
    )
  }
}
