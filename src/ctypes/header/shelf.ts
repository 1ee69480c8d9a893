/**
 * Structures of texts that were read before. Two headers of one SDK often share a third, and a structure that a
 * routine of one gives is passed to a routine of the other: so a structure that both texts define alike is one class.
 */
import type { Field, FunctionNode, RecordNode, TypeNode } from './ast.js'
import type { RecordType } from './namespace.js'
import type { Resolver } from './resolve.js'

interface Entry {
  readonly node: RecordNode
  readonly resolver: Resolver
  readonly type: RecordType
}

/** One for all texts that a session reads. */
export class Shelf {
  readonly #byName = new Map<string, Entry[]>()

  add(entry: Entry): void {
    const name = entry.resolver.nameOf(entry.node)
    if (name === undefined) return
    const known = this.#byName.get(name)
    if (known) known.push(entry)
    else this.#byName.set(name, [entry])
  }

  /** The class that an earlier text has for this definition. */
  find(node: RecordNode, resolver: Resolver): RecordType | undefined {
    const name = resolver.nameOf(node)
    const known = name === undefined ? undefined : this.#byName.get(name)
    return known?.find(entry => new Comparison(entry.resolver, resolver).same(entry.node, node))?.type
  }
}

/** Compares types of two texts, each by its own names. */
class Comparison {
  /** Structures being compared, or found alike: a structure may lead to itself. */
  readonly #pairs = new Map<RecordNode, RecordNode>()

  constructor(
    readonly left: Resolver,
    readonly right: Resolver,
  ) {}

  same(one: TypeNode, other: TypeNode): boolean {
    const a = this.left.strip(one)
    const b = this.right.strip(other)
    if (a.kind === 'basic' && b.kind === 'basic') return a.name === b.name
    // `unsigned long` is a DWORD, and `void *` an LPVOID, whichever text comes first
    const plain = this.left.plain(a)
    if (plain && plain === this.right.plain(b)) return true
    switch (a.kind) {
      case 'pointer':
        return b.kind === 'pointer' && this.same(a.to, b.to)
      case 'array':
        return b.kind === 'array' && this.left.length(a) === this.right.length(b) && this.same(a.of, b.of)
      case 'function':
        return b.kind === 'function' && this.#sameFunction(a, b)
      case 'enum': {
        const { c_uint } = this.left.ns
        return b.kind === 'enum' && this.left.constants.enumType(a, c_uint) === this.right.constants.enumType(b, c_uint)
      }
      case 'record':
        return b.kind === 'record' && this.#sameRecord(a, b)
      default:
        return false
    }
  }

  #sameFunction(a: FunctionNode, b: FunctionNode): boolean {
    const [left, right] = [this.left.functions.parameters(a), this.right.functions.parameters(b)]
    return (
      (a.convention ?? 'cdecl') === (b.convention ?? 'cdecl') &&
      a.variadic === b.variadic &&
      left.length === right.length &&
      this.same(a.result, b.result) &&
      left.every(({ type }, index) => this.same(type, right[index].type))
    )
  }

  #sameRecord(a: RecordNode, b: RecordNode): boolean {
    const [left, right] = [this.left.records.definition(a), this.right.records.definition(b)]
    if (!left?.fields || !right?.fields) return left === right && a.tag === b.tag
    if (this.#pairs.has(left)) return this.#pairs.get(left) === right
    this.#pairs.set(left, right)
    const fields = right.fields
    return (
      a.keyword === b.keyword &&
      this.left.nameOf(left) === this.right.nameOf(right) &&
      left.pack === right.pack &&
      left.packed === right.packed &&
      alignment(this.left, left) === alignment(this.right, right) &&
      left.fields.length === fields.length &&
      left.fields.every((field, index) => {
        const other = fields[index]
        return (
          field.name === other.name &&
          field.packed === other.packed &&
          width(this.left, field) === width(this.right, other) &&
          alignment(this.left, field) === alignment(this.right, other) &&
          this.same(field.type, other.type)
        )
      })
    )
  }
}

const alignment = ({ constants }: Resolver, { align }: RecordNode | Field) => align && constants.alignment(align)
const width = ({ constants }: Resolver, { bits }: Field) => bits && constants.evaluate(bits).value
