/**
 * Makes types of what the parser has read: looks names up, and follows typedefs. Structures are made by record-types.ts, functions by
 * function-types.ts, and constant expressions are evaluated by constants.ts.
 */
import type { ArgumentError } from '../../errors.js'
import { type BasicName, type Declaration, isVoid, type RecordNode, type TypeNode } from './ast.js'
import { Constants } from './constants.js'
import { toJs } from './evaluate.js'
import { FunctionTypes } from './function-types.js'
import { isTypedef, type Lookup } from './lookup.js'
import type { Arch, CType, ScalarName, TypeNamespace } from './namespace.js'
import { operandOf } from './operand.js'
import { RecordTypes } from './record-types.js'
import { sameType } from './same-type.js'
import type { Shelf } from './shelf.js'
import type { Position, Source } from './source.js'
import type { Meaning } from './windows.js'

const scalars: { readonly [name in Exclude<BasicName, 'void'>]: ScalarName } = {
  char: 'c_char',
  'signed char': 'c_byte',
  'unsigned char': 'c_ubyte',
  short: 'c_short',
  'unsigned short': 'c_ushort',
  int: 'c_int',
  'unsigned int': 'c_uint',
  long: 'c_long',
  'unsigned long': 'c_ulong',
  'long long': 'c_longlong',
  'unsigned long long': 'c_ulonglong',
  float: 'c_float',
  double: 'c_double',
  'long double': 'c_longdouble',
  _Bool: 'c_bool',
}

/** Types that are known without the text. */
interface Names {
  readonly ns: TypeNamespace
  readonly arch: Arch
  get(name: string): Meaning | undefined
}

/** Makes the types of one text. */
export class Resolver {
  readonly ns: TypeNamespace
  readonly constants: Constants
  readonly functions = new FunctionTypes(this)
  readonly records: RecordTypes
  readonly #targets = new Map<string, TypeNode>()
  #depth = 0

  constructor(
    readonly source: Source,
    readonly lookup: Lookup,
    readonly names: Names,
    shelf?: Shelf,
  ) {
    this.ns = names.ns
    this.constants = new Constants(this, lookup)
    this.records = new RecordTypes(this, lookup, shelf)
  }

  /** Throws for a typedef that is declared again as a different type. The same type may be spelt differently. */
  checkTypedefs(declarations: readonly Declaration[]): void {
    for (const { name, type, at } of declarations.filter(isTypedef)) {
      const known = this.lookup.typedef(name) ?? type
      if (!sameType(known, type, at, this))
        throw this.source.error(at, `"${name}" is declared twice, as different types`)
    }
  }

  /** The type behind typedefs; a name only where that is a type of the namespace. */
  strip(node: TypeNode): TypeNode {
    const passed = new Set<string>()
    let target: TypeNode = node
    while (target.kind === 'named' && !passed.has(target.name)) {
      passed.add(target.name)
      target = this.#targets.get(target.name) ?? this.target(target.name) ?? target
    }
    // `typedef DWORD word; typedef word DWORD;` is a circle, which ends at the name that Windows defines.
    const end = target.kind === 'named' ? [...passed].find(name => this.#isType(name)) : undefined
    if (end !== undefined && target.kind === 'named') target = { ...target, name: end }
    for (const name of passed) this.#targets.set(name, target)
    return target
  }

  #isType(name: string): boolean {
    const known = this.names.get(name)
    return known !== undefined && 'type' in known
  }

  /** What a typedef stands for, of the text or of windows.h. */
  target(name: string): TypeNode | undefined {
    const known = this.names.get(name)
    return this.lookup.typedef(name) ?? (known && 'node' in known ? known.node : undefined)
  }

  /** Follows a reference that may lead back to itself; a limit keeps any text from exhausting the stack. */
  nest<T>(at: Position, follow: () => T): T {
    if (this.#depth === 500) throw this.source.error(at, 'this is nested too deeply')
    this.#depth++
    try {
      return follow()
    } finally {
      this.#depth--
    }
  }

  /** The class of a type that needs no definition in the text: `DWORD` and `unsigned long` have the same. */
  plain(node: TypeNode): CType | undefined {
    if (node.kind === 'basic') return node.name === 'void' ? undefined : this.ns[scalars[node.name]]
    if (node.kind === 'pointer') return isVoid(this.strip(node.to)) ? this.ns.c_void_p : undefined
    if (node.kind === 'typeof') return operandOf(node.of, this).type
    const known = node.kind === 'named' ? this.names.get(node.name) : undefined
    return known && 'type' in known ? known.type : undefined
  }

  /** `plain`, with `size_t` as the integer that compilers make it: texts declare it anew as that one. */
  represented(node: TypeNode): CType | undefined {
    const { ns } = this
    const type = this.plain(node)
    const isWide = this.names.arch === 'win64'
    if (type === ns.c_size_t) return isWide ? ns.c_ulonglong : ns.c_uint
    if (type === ns.c_ssize_t) return isWide ? ns.c_longlong : ns.c_int
    return type
  }

  /** The type of a value. */
  type(node: TypeNode, at: Position): CType {
    return this.nest(at, () => this.#type(node, at))
  }

  #type(node: TypeNode, at: Position): CType {
    switch (node.kind) {
      case 'basic':
        if (node.name === 'void') throw this.source.error(at, 'expected a type with a value, found "void"')
        return this.ns[scalars[node.name]]
      case 'named':
        return this.#named(node, at)
      case 'pointer':
        return this.pointerTo(node.to, at)
      case 'array':
        return this.type(node.of, at).array(this.length(node))
      case 'record':
        return this.records.defined(node)
      case 'enum':
        return this.constants.enumType(node)
      case 'typeof':
        return operandOf(node.of, this).type
      case 'function':
        throw this.source.error(at, 'expected a type with a value, found a function; a pointer to one has a "*"')
    }
  }

  #named(node: TypeNode & { kind: 'named' }, at: Position): CType {
    const target = this.strip(node)
    if (target.kind === 'record') return this.records.defined(target, node.at)
    if (target !== node && target.kind !== 'named') return this.type(target, at)
    const known = target.kind === 'named' ? this.names.get(target.name) : undefined
    if (known && 'type' in known) return known.type
    throw this.source.error(node.at, `expected a type, found "${node.name}", which is defined by itself`)
  }

  length(node: TypeNode & { kind: 'array' }): number {
    // `x[]` at the end of a structure has no room in it
    if (!node.length) return 0
    const length = this.constants.evaluate(node.length)
    if (length.kind === 'integer' && length.value >= 0n && length.value <= 0x7fff_ffffn) return Number(length.value)
    throw this.source.error(node.at, `expected the length of an array, found ${toJs(length)}`)
  }

  /**
   * The type of a pointer. Pointers to characters are strings; a pointer to a structure without known fields is an
   * address.
   */
  pointerTo(node: TypeNode, at: Position): CType {
    const { ns } = this
    const target = this.strip(node)
    if (target.kind === 'function') return this.functions.pointer(target)
    if (isVoid(target)) return ns.c_void_p
    if (target.kind === 'record') {
      const record = this.records.declared(target)
      return record ? ns.POINTER(record) : ns.c_void_p
    }
    const type = this.type(node, at)
    return type === ns.c_char ? ns.c_char_p : type === ns.c_wchar ? ns.c_wchar_p : ns.POINTER(type)
  }

  /** The name of a structure or union: its tag, or the typedef of one without a tag. */
  nameOf(node: RecordNode): string | undefined {
    return node.tag ?? this.lookup.typedefOf(node)
  }

  fail(at: Position, message: string): ArgumentError {
    return this.source.error(at, message)
  }
}
