/** Declarations to types: each name is looked up, each structure is made once. */
import type { ArgumentError } from '../../errors.js'
import type { TypeStatics } from '../data.js'
import type { BasicName, Declaration, FunctionNode, Parameter, RecordNode, Tree, TypeNode } from './ast.js'
import { Constants } from './constants.js'
import { toJs } from './evaluate.js'
import type { KnownNames } from './names.js'
import type { ArgType, CType, ScalarName, TypeNamespace } from './namespace.js'
import { Records } from './record-types.js'
import type { Position, Source } from './source.js'

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

export class Resolver {
  readonly ns: TypeNamespace
  readonly constants: Constants
  readonly #records: Records
  readonly #typedefs = new Map<string, TypeNode>()
  readonly #functions = new Map<FunctionNode, CType>()
  /** Typedefs being looked into, against `typedef A B; typedef B A;` over names that Windows has. */
  readonly #open = new Set<string>()

  constructor(
    readonly source: Source,
    readonly tree: Tree,
    readonly names: KnownNames,
  ) {
    this.ns = names.ns
    this.constants = new Constants(this, tree)
    this.#records = new Records(this, tree)
    for (const declaration of tree.declarations) if (declaration.kind === 'typedef') this.#addTypedef(declaration)
  }

  /** The same name may come again with the same type. */
  #addTypedef({ name, type, at }: Declaration): void {
    if (type.kind === 'named' && type.name === name) return
    const known = this.#typedefs.get(name)
    if (known && !sameType(known, type)) throw this.source.error(at, `"${name}" is declared twice, as different types`)
    this.#typedefs.set(name, known ?? type)
  }

  /** The type behind typedefs; a name is left only where it is a type of its own. */
  strip(node: TypeNode): TypeNode {
    if (node.kind !== 'named' || this.#open.has(node.name)) return node
    const known = this.names.get(node.name)
    const target = this.#typedefs.get(node.name) ?? (known && 'node' in known ? known.node : undefined)
    if (!target) return node
    this.#open.add(node.name)
    const stripped = this.strip(target)
    this.#open.delete(node.name)
    return stripped
  }

  /** The type of a value. */
  type(node: TypeNode, at: Position): CType {
    switch (node.kind) {
      case 'basic':
        if (node.name === 'void') throw this.source.error(at, 'expected a type with a value, found "void"')
        return this.ns[scalars[node.name]]
      case 'named':
        return this.#named(node, at)
      case 'pointer':
        return this.pointerTo(node.to, at)
      case 'array':
        return (this.type(node.of, at) as TypeStatics).array(this.#length(node))
      case 'record':
        return this.#records.defined(node)
      case 'enum':
        return this.constants.enumType(node)
      case 'function':
        throw this.source.error(at, 'expected a type with a value, found a function; a pointer to one has a "*"')
    }
  }

  #named(node: TypeNode & { kind: 'named' }, at: Position): CType {
    const target = this.strip(node)
    if (target.kind === 'record') return this.#records.defined(target, node.at)
    if (target !== node && target.kind !== 'named') return this.type(target, at)
    const known = target.kind === 'named' ? this.names.get(target.name) : undefined
    if (known && 'type' in known) return known.type
    throw this.source.error(node.at, `expected a type, found "${node.name}", which is defined by itself`)
  }

  #length(node: TypeNode & { kind: 'array' }): number {
    // `x[]` at the end of a structure takes no room in it.
    if (!node.length) return 0
    const length = this.constants.evaluate(node.length)
    if (length.kind === 'integer' && length.value >= 0n && length.value <= 0x7fff_ffffn) return Number(length.value)
    throw this.source.error(node.at, `expected the length of an array, found ${toJs(length)}`)
  }

  /** Strings are types of their own; what is not known inside is an address. */
  pointerTo(node: TypeNode, at: Position): CType {
    const { ns } = this
    const target = this.strip(node)
    if (target.kind === 'function') return this.functionPointer(target)
    if (target.kind === 'basic' && target.name === 'void') return ns.c_void_p
    if (target.kind === 'record') {
      const record = this.#records.declared(target)
      return record ? ns.POINTER(record) : ns.c_void_p
    }
    const type = this.type(node, at)
    return type === ns.c_char ? ns.c_char_p : type === ns.c_wchar ? ns.c_wchar_p : ns.POINTER(type)
  }

  /** On win32 nothing can be made for `__fastcall` and `__thiscall`: the bare address. */
  functionPointer(node: FunctionNode): CType {
    const known = this.#functions.get(node)
    if (known) return known
    const { ns } = this
    const cdecl = node.convention === undefined || node.convention === 'cdecl'
    if (!cdecl && node.convention !== 'stdcall' && this.names.arch === 'win32') return ns.c_void_p
    const factory = node.convention === 'stdcall' ? ns.WINFUNCTYPE : ns.CFUNCTYPE
    const argtypes = this.parameters(node).map(parameter => {
      if (parameter.out)
        throw this.source.error(parameter.at, 'out(…) belongs to the parameters of a routine, not of a callback')
      return this.#plainParameter(parameter)
    })
    const type = factory(this.result(node), ...argtypes)
    this.#functions.set(node, type)
    return type
  }

  /** `null` for void. */
  result(node: FunctionNode): CType | null {
    const target = this.strip(node.result)
    if (target.kind === 'basic' && target.name === 'void') return null
    if (target.kind === 'array' || target.kind === 'function')
      throw this.source.error(
        node.at,
        `expected a type that can be returned, found ${target.kind === 'array' ? 'an array' : 'a function'}`,
      )
    return this.#passed(node.result, node.at)
  }

  /** Without the one that says that there is none, however void is spelt. */
  parameters(node: FunctionNode): readonly Parameter[] {
    const [only] = node.parameters
    if (node.parameters.length !== 1 || !only || only.name !== undefined) return node.parameters
    const target = this.strip(only.type)
    return target.kind === 'basic' && target.name === 'void' ? [] : node.parameters
  }

  /** Arrays and functions arrive as pointers. */
  parameter(parameter: Parameter): ArgType {
    return parameter.out ? this.ns.out(this.type(parameter.type, parameter.at)) : this.#plainParameter(parameter)
  }

  #plainParameter({ type, at }: Parameter): CType {
    const target = this.strip(type)
    if (target.kind === 'function') return this.functionPointer(target)
    if (target.kind === 'array') return this.ns.POINTER(this.type(target.of, at))
    return this.#passed(type, at)
  }

  /** A structure by value in a signature need not be complete yet: `struct s { void (*f)(struct s); }`. */
  #passed(node: TypeNode, at: Position): CType {
    const target = this.strip(node)
    return (target.kind === 'record' && this.#records.declared(target)) || this.type(node, at)
  }

  /** The structure or union behind a typedef has its name where it has no tag. */
  nameOf(node: RecordNode): string | undefined {
    if (node.tag !== undefined) return node.tag
    for (const [name, type] of this.#typedefs) if (type === node) return name
    return undefined
  }

  /** Are its fields known? */
  isComplete(node: RecordNode): boolean {
    return this.#records.declared(node) !== undefined
  }

  fail(at: Position, message: string): ArgumentError {
    return this.source.error(at, message)
  }
}

/** Places do not count. */
const sameType = (a: TypeNode, b: TypeNode) => withoutPlaces(a) === withoutPlaces(b)
const withoutPlaces = (node: TypeNode) =>
  JSON.stringify(node, (key, value: unknown) =>
    key === 'at' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  )
