/** Makes types of declarations: looks each name up, and makes each structure once. */
import type { ArgumentError } from '../../errors.js'
import { callbackType } from '../callback-type.js'
import { CATEGORY, FOR_ARCH } from '../data.js'
import type { Alignment, BasicName, Declaration, Field, FunctionNode, Parameter, RecordNode, TypeNode } from './ast.js'
import { Constants } from './constants.js'
import { toJs } from './evaluate.js'
import type { Value } from './literals.js'
import { isTypedef, type Lookup } from './lookup.js'
import type { Arch, ArgType, CType, ScalarName, TypeNamespace } from './namespace.js'
import { placeOf } from './place.js'
import { Records } from './record-types.js'
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

export const isVoid = (node: TypeNode) => node.kind === 'basic' && node.name === 'void'
/** The target of a typed pointer; text and `void *` are none. */
const pointeeOf = (type: CType): CType | undefined => (type[CATEGORY] === 'pointer' ? type.pointee : undefined)

/** Types that are known without the text. */
export interface Names {
  readonly ns: TypeNamespace
  readonly arch: Arch
  get(name: string): Meaning | undefined
}

export class Resolver {
  readonly ns: TypeNamespace
  readonly constants: Constants
  readonly #records: Records
  readonly #functions = new Map<FunctionNode, CType>()
  /** Functions whose types are being made: none can be a parameter of itself. */
  readonly #open = new Set<FunctionNode>()
  readonly #stripped = new Map<string, TypeNode>()
  #depth = 0

  constructor(
    readonly source: Source,
    readonly lookup: Lookup,
    readonly names: Names,
    shelf?: Shelf,
  ) {
    this.ns = names.ns
    this.constants = new Constants(this, lookup)
    this.#records = new Records(this, lookup, shelf)
  }

  /** Throws for a typedef that is declared again as a different type. The same type may be spelt differently. */
  checkTypedefs(declarations: readonly Declaration[]): void {
    for (const { name, type, at } of declarations.filter(isTypedef)) {
      const known = this.lookup.typedef(name) ?? type
      if (!sameType(known, type, at, this))
        throw this.source.error(at, `"${name}" is declared twice, as different types`)
    }
  }

  /** The type behind typedefs; a name only where it is a type of its own. */
  strip(node: TypeNode): TypeNode {
    const passed = new Set<string>()
    let target: TypeNode = node
    while (target.kind === 'named' && !passed.has(target.name)) {
      passed.add(target.name)
      target = this.#stripped.get(target.name) ?? this.#target(target.name) ?? target
    }
    // `typedef DWORD word; typedef word DWORD;` is a circle, which ends at the name that Windows defines.
    const end = target.kind === 'named' ? [...passed].find(name => this.#isType(name)) : undefined
    if (end !== undefined && target.kind === 'named') target = { ...target, name: end }
    for (const name of passed) this.#stripped.set(name, target)
    return target
  }

  #isType(name: string): boolean {
    const known = this.names.get(name)
    return known !== undefined && 'type' in known
  }

  #target(name: string): TypeNode | undefined {
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
    if (node.kind === 'typeof') return placeOf(node.of, this).type
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
        return this.#records.defined(node)
      case 'enum':
        return this.constants.enumType(node)
      case 'typeof':
        return placeOf(node.of, this).type
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
    if (target.kind === 'function') return this.functionPointer(target)
    if (isVoid(target)) return ns.c_void_p
    if (target.kind === 'record') {
      const record = this.#records.declared(target)
      return record ? ns.POINTER(record) : ns.c_void_p
    }
    const type = this.type(node, at)
    return type === ns.c_char ? ns.c_char_p : type === ns.c_wchar ? ns.c_wchar_p : ns.POINTER(type)
  }

  functionPointer(node: FunctionNode): CType {
    const known = this.#functions.get(node)
    if (known) return known
    if (this.#open.has(node)) throw this.source.error(node.at, 'expected a type, found a function that takes itself')
    this.#open.add(node)
    try {
      const type = this.#callback(node)
      this.#functions.set(node, type)
      return type
    } finally {
      this.#open.delete(node)
    }
  }

  #callback(node: FunctionNode): CType {
    const { ns } = this
    const { arch } = this.names
    const argtypes = this.parameters(node).map(parameter => {
      if (parameter.out === 'written')
        throw this.source.error(parameter.at, 'out(…) belongs to the parameters of a routine, not of a callback')
      return this.#writableText(parameter.type) ?? this.#plainParameter(parameter)
    })
    const result = this.result(node)
    if (node.convention === 'stdcall') return ns.WINFUNCTYPE(result, ...argtypes)
    if (node.convention === undefined || node.convention === 'cdecl' || arch === 'win64')
      return ns.CFUNCTYPE(result, ...argtypes)
    return callbackType(node.convention, result, argtypes)[FOR_ARCH](arch)
  }

  /**
   * For a `char *` that is not const in a callback, a pointer to characters: the callback may be meant to write there,
   * and text would be a copy.
   */
  #writableText(type: TypeNode): CType | undefined {
    const { ns } = this
    const pointer = this.strip(type)
    if (pointer.kind !== 'pointer') return undefined
    const passed = new Set<TypeNode>()
    let target: TypeNode = pointer.to
    while (!('isConst' in target && target.isConst) && !passed.has(target)) {
      passed.add(target)
      const next = target.kind === 'named' ? this.#target(target.name) : undefined
      if (next) target = next
      else {
        const made = this.plain(target)
        return made === ns.c_char || made === ns.c_wchar ? ns.POINTER(made) : undefined
      }
    }
    return undefined
  }

  /** `null` for void. */
  result(node: FunctionNode): CType | null {
    const target = this.strip(node.result)
    if (isVoid(target)) return null
    if (target.kind === 'array' || target.kind === 'function')
      throw this.source.error(
        node.at,
        `expected a type that can be returned, found ${target.kind === 'array' ? 'an array' : 'a function'}`,
      )
    return this.#passed(node.result, node.at)
  }

  /** The parameters, without a single `void`, however that is spelt. */
  parameters(node: FunctionNode): readonly Parameter[] {
    const [only] = node.parameters
    if (node.parameters.length !== 1 || !only || only.name !== undefined) return node.parameters
    const target = this.strip(only.type)
    return isVoid(target) ? [] : node.parameters
  }

  /** The type of an argument. Arrays and functions are passed as pointers. */
  parameter(parameter: Parameter): ArgType {
    if (parameter.out === 'written') return this.ns.out(this.type(parameter.type, parameter.at))
    const type = this.#plainParameter(parameter)
    const one = parameter.out === 'noted' && this.strip(parameter.type).kind !== 'array' ? pointeeOf(type) : undefined
    // a pointer to a single byte is rather a buffer, whose size the caller knows
    return one && (one[CATEGORY] === 'structure' || this.ns.sizeof(one) > 1) ? this.ns.out(one) : type
  }

  #plainParameter({ type, at }: Parameter): CType {
    const target = this.strip(type)
    if (target.kind === 'function') return this.functionPointer(target)
    if (target.kind === 'array') return this.ns.POINTER(this.type(target.of, at))
    return this.#passed(type, at)
  }

  /** The type of a value in a signature. A structure need not be complete yet: `struct s { void (*f)(struct s); }`. */
  #passed(node: TypeNode, at: Position): CType {
    const target = this.strip(node)
    return (target.kind === 'record' && this.#records.declared(target)) || this.type(node, at)
  }

  /** The name of a structure or union: its tag, or the typedef of one without a tag. */
  nameOf(node: RecordNode): string | undefined {
    return node.tag ?? this.lookup.typedefOf(node)
  }

  definition(node: RecordNode): RecordNode | undefined {
    return this.#records.definition(node)
  }
  alignment(align: Alignment | undefined): number | undefined {
    return align && this.constants.alignment(align)
  }
  bits({ bits }: Field): Value['value'] | undefined {
    return bits && this.constants.evaluate(bits).value
  }

  /** Whether its fields are known. */
  isComplete(node: RecordNode): boolean {
    return this.#records.declared(node) !== undefined
  }

  fail(at: Position, message: string): ArgumentError {
    return this.source.error(at, message)
  }
}
