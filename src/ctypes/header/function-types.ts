/** The types of functions: of pointers to them, and of the parameters and results of routines and callbacks. */
import { callbackType } from '../callback-type.js'
import { CATEGORY, FOR_ARCH } from '../data.js'
import { type FunctionNode, isVoid, type Parameter, type TypeNode } from './ast.js'
import type { ArgType, CType } from './namespace.js'
import type { Resolver } from './resolve.js'
import type { Position } from './source.js'

export class FunctionTypes {
  readonly #pointers = new Map<FunctionNode, CType>()
  /** Functions whose types are being made: none can be a parameter of itself. */
  readonly #open = new Set<FunctionNode>()

  constructor(readonly resolver: Resolver) {}

  /** The type of a pointer to the function. */
  pointer(node: FunctionNode): CType {
    const known = this.#pointers.get(node)
    if (known) return known
    if (this.#open.has(node)) throw this.resolver.fail(node.at, 'expected a type, found a function that takes itself')
    this.#open.add(node)
    try {
      const type = this.#callback(node)
      this.#pointers.set(node, type)
      return type
    } finally {
      this.#open.delete(node)
    }
  }

  #callback(node: FunctionNode): CType {
    const { ns, names } = this.resolver
    const argtypes = this.parameters(node).map(parameter => {
      if (parameter.out === 'written')
        throw this.resolver.fail(parameter.at, 'out(…) belongs to the parameters of a routine, not of a callback')
      return this.#writableText(parameter.type) ?? this.#plainParameter(parameter)
    })
    const result = this.result(node)
    if (node.convention === 'stdcall') return ns.WINFUNCTYPE(result, ...argtypes)
    if (node.convention === undefined || node.convention === 'cdecl' || names.arch === 'win64')
      return ns.CFUNCTYPE(result, ...argtypes)
    return callbackType(node.convention, result, argtypes)[FOR_ARCH](names.arch)
  }

  /**
   * For a `char *` that is not const in a callback, a pointer to characters: the callback may be meant to write there,
   * and text would be a copy.
   */
  #writableText(type: TypeNode): CType | undefined {
    const { resolver } = this
    const { ns } = resolver
    const pointer = resolver.strip(type)
    if (pointer.kind !== 'pointer') return undefined
    const passed = new Set<TypeNode>()
    let target: TypeNode = pointer.to
    while (!('isConst' in target && target.isConst) && !passed.has(target)) {
      passed.add(target)
      const next = target.kind === 'named' ? resolver.target(target.name) : undefined
      if (next) target = next
      else {
        const unit = resolver.plain(target)
        return unit === ns.c_char || unit === ns.c_wchar ? ns.POINTER(unit) : undefined
      }
    }
    return undefined
  }

  /** `null` for void. */
  result(node: FunctionNode): CType | null {
    const target = this.resolver.strip(node.result)
    if (isVoid(target)) return null
    if (target.kind === 'array' || target.kind === 'function')
      throw this.resolver.fail(
        node.at,
        `expected a type that can be returned, found ${target.kind === 'array' ? 'an array' : 'a function'}`,
      )
    return this.#inSignature(node.result, node.at)
  }

  /** The parameters, without a single `void`, however that is spelt. */
  parameters(node: FunctionNode): readonly Parameter[] {
    const [only] = node.parameters
    if (node.parameters.length !== 1 || only.name !== undefined) return node.parameters
    return isVoid(this.resolver.strip(only.type)) ? [] : node.parameters
  }

  /** What stands in `argtypes` for a parameter of a routine. Arrays and functions are passed as pointers. */
  parameter(parameter: Parameter): ArgType {
    const { resolver } = this
    const { ns } = resolver
    if (parameter.out === 'written') return ns.out(resolver.type(parameter.type, parameter.at))
    const type = this.#plainParameter(parameter)
    if (parameter.out !== 'annotated' || resolver.strip(parameter.type).kind === 'array') return type
    if (type[CATEGORY] !== 'pointer') return type
    const { pointee } = type
    // a pointer to a single byte is rather a buffer, whose size the caller knows
    return pointee[CATEGORY] === 'structure' || ns.sizeof(pointee) > 1 ? ns.out(pointee) : type
  }

  #plainParameter({ type, at }: Parameter): CType {
    const { resolver } = this
    const target = resolver.strip(type)
    if (target.kind === 'function') return this.pointer(target)
    if (target.kind === 'array') return resolver.ns.POINTER(resolver.type(target.of, at))
    return this.#inSignature(type, at)
  }

  /** The type of a value in a signature. A structure need not be complete yet: `struct s { void (*f)(struct s); }`. */
  #inSignature(node: TypeNode, at: Position): CType {
    const { resolver } = this
    const target = resolver.strip(node)
    return (target.kind === 'record' && resolver.records.declared(target)) || resolver.type(node, at)
  }
}
