/** The constants of a header (enumerators, macros that have a value, `static const` variables), and the values of expressions. */
import { ArgumentError } from '../../errors.js'
import { KIND } from '../data.js'
import { isSigned } from '../integers.js'
import type { Alignment, Declaration, EnumNode, Expression, TypeNode } from './ast.js'
import { builtinConstant } from './builtin.js'
import { evaluate, type Scope, toJs } from './evaluate.js'
import { tokenLike } from './lexer.js'
import { float, type IntegerValue, integer, textOf, type Value } from './literals.js'
import type { Lookup, TreeLookup } from './lookup.js'
import type { Macro, Macros } from './macros.js'
import type { CType } from './namespace.js'
import { operandOf } from './operand.js'
import type { Parser } from './parser.js'
import type { Resolver } from './resolve.js'
import type { Position, Source } from './source.js'

/** Evaluates expressions of one text. */
export class Constants implements Scope {
  readonly source: Source
  /** Values by name; `undefined` while one is being evaluated. */
  readonly #values = new Map<string, Value | undefined>()

  constructor(
    readonly resolver: Resolver,
    readonly lookup: Lookup,
  ) {
    this.source = resolver.source
  }

  evaluate(expression: Expression): Value {
    return evaluate(expression, this)
  }

  name(name: string, at: Position): Value {
    return this.resolver.nest(at, () => this.#name(name, at))
  }

  #name(name: string, at: Position): Value {
    const entry = this.lookup.constant(name)
    const builtin = entry ? undefined : builtinConstant(name, this.resolver.names.arch)
    if (builtin) return builtin
    if (!entry) throw this.source.error(at, `expected a constant, found "${name}"`)
    const known = this.#values.get(name)
    if (known) return known
    if (this.#values.has(name)) throw this.source.error(at, `"${name}" is defined by itself`)
    this.#values.set(name, undefined)
    const value = 'node' in entry ? this.#enumerator(entry.node, entry.index) : this.#variable(entry.declaration)
    this.#values.set(name, value)
    return value
  }

  /** An enumerator without a value is one more than the one before it; counts from the nearest that has a value or is known. */
  #enumerator(node: EnumNode, index: number): Value {
    const { members = [] } = node
    const known = (at: number) => (at < index ? this.#values.get(members[at]?.name ?? '') : undefined)
    let last = index
    while (last > 0 && !members[last]?.value && !known(last)) last--
    const from = members[last]?.value
    const start = known(last) ?? (from ? this.evaluate(from) : integer(0n))
    const member = members[index]
    if (start.kind === 'float')
      throw this.source.error(member.at, `expected an integer for "${member.name}", found ${start.value}`)
    const value = integer(start.value + BigInt(index - last), 64, start.signed)
    // for Microsoft's compiler an enumerator is an int, whatever its value
    return node.underlying ? this.cast(node.underlying, value, node.at) : integer(value.value)
  }

  #variable({ value, type, at }: Declaration): Value {
    return this.cast(type, this.evaluate(value as Expression), at)
  }

  /**
   * The type of an enumeration, which is `c_int` unless the text says otherwise. `ifNatural` stands for it if no member is
   * negative: a bit field of three values has two bits, none of which is a sign.
   */
  enumType(node: EnumNode, ifNatural?: CType): CType {
    const { c_int } = this.resolver.ns
    const definition = (node.members || node.tag === undefined ? node : this.lookup.enumeration(node.tag)) ?? node
    const { underlying, members, packed } = definition
    if (underlying) return this.resolver.type(underlying, node.at)
    // where values do not matter they are not asked for: the members of `sizeof(enum { A, B })` in a macro are no constants of the text
    if (!members || !(packed || ifNatural)) return c_int
    const values = members.map(({ name, at }) => BigInt(this.name(name, at).value))
    const isNatural = values.every(value => value >= 0n)
    if (packed) return this.#narrowest(values, isNatural)
    return (isNatural && ifNatural) || c_int
  }

  #narrowest(values: readonly bigint[], unsigned: boolean): CType {
    const { ns } = this.resolver
    const fit = (bits: number) =>
      values.every(value => (unsigned ? BigInt.asUintN : BigInt.asIntN)(bits, value) === value)
    if (fit(8)) return unsigned ? ns.c_ubyte : ns.c_byte
    if (fit(16)) return unsigned ? ns.c_ushort : ns.c_short
    return unsigned ? ns.c_uint : ns.c_int
  }

  /** The value of an alignment, a power of two. Without a value it is 16, the largest alignment of both machines. */
  alignment({ value: expression, at }: Alignment): number {
    if (!expression) return 16
    const { value } = this.evaluate(expression)
    const size = Number(value)
    if (size > 0 && size <= 8192 && Number.isInteger(Math.log2(size))) return size
    throw this.source.error(at, `expected an alignment that is a power of two, found ${value}`)
  }

  sizeOf(kind: 'sizeof' | 'alignof', type: TypeNode, at: Position): Value {
    const { ns, names } = this.resolver
    const ctype = this.resolver.type(type, at)
    const size = kind === 'sizeof' ? ns.sizeof(ctype) : ns.alignment(ctype)
    return integer(BigInt(size), names.arch === 'win64' ? 64 : 32, false)
  }

  /** `&((T *)0)->m`. */
  addressOf(operand: Expression, at: Position): Value {
    const { address } = operandOf(operand, this.resolver)
    if (address === undefined) throw this.source.error(at, 'expected a constant, found an address that is not known')
    return integer(address, this.resolver.names.arch === 'win64' ? 64 : 32, false)
  }

  cast(type: TypeNode, value: Value, at: Position): Value {
    const { ns, names } = this.resolver
    const target = this.resolver.strip(type)
    if (value.kind === 'float' && !Number.isFinite(value.value) && !this.#isFloat(target))
      throw this.source.error(at, `expected a number that an integer can hold, found ${value.value}`)
    const pointerSize = names.arch === 'win64' ? 64 : 32
    const address = () => ({ ...toInteger(value, pointerSize, false), isAddress: true as const })
    if (target.kind === 'pointer') return address()
    const ctype = this.resolver.type(type, at)
    if (ctype[KIND] === 'p') return address()
    if (this.#isFloat(target)) return float(Number(value.value), ctype === ns.c_float)
    if (ctype === ns.c_bool) return integer(value.value ? 1n : 0n)
    // wchar_t is not signed, though its character (sink.ts) is no capital letter
    return toInteger(value, Math.min(ns.sizeof(ctype) * 8, 64), ctype !== ns.c_wchar && isSigned(ctype))
  }

  #isFloat(target: TypeNode): boolean {
    const { ns } = this.resolver
    const plain = this.resolver.plain(target)
    return plain === ns.c_float || plain === ns.c_double || plain === ns.c_longdouble
  }

  /** All constants of a header: enumerators, variables, and macros that have a value. */
  all(text: TreeLookup, macros: Macros, parser: Parser): Map<string, number | bigint | string> {
    const found = new Map<string, number | bigint | string>()
    for (const [name, entry] of text.constants) {
      const value = this.#attempt(() => this.name(name, { line: 1, column: 1 }), 'node' in entry)
      if (value) found.set(name, toJs(value))
    }
    for (const { name, text: value } of text.tree.declarations) if (value !== undefined) found.set(name, value)
    for (const [name, macro] of macros.table) {
      const value = macro.predefined ? undefined : this.#macro(macros, macro, parser)
      if (value !== undefined) found.set(name, value)
    }
    return found
  }

  #macro(macros: Macros, macro: Macro, parser: Parser): number | bigint | string | undefined {
    if (macro.parameters || macro.body.length === 0) return undefined
    const tokens = this.#attempt(() => macros.expand([macro.name]), false) ?? []
    const text = textOf(tokens)
    if (text !== undefined) return text
    const expression = parser.expression([...tokens, tokenLike(macro.name, 'end', '')])
    const value = expression && this.#attempt(() => this.evaluate(expression), false)
    return value && toJs(value)
  }

  /** Unless `strict`, what cannot be evaluated gives undefined: a macro need not be a constant. */
  #attempt<T>(make: () => T, strict: boolean): T | undefined {
    try {
      return make()
    } catch (error) {
      if (!strict && error instanceof ArgumentError) return undefined
      throw error
    }
  }
}

function toInteger(value: Value, bits: number, signed: boolean): IntegerValue {
  return integer(value.kind === 'float' ? BigInt(Math.trunc(value.value)) : value.value, bits, signed)
}
