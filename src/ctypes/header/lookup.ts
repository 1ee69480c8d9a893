/** Looks up the names that a text declares. */
import type { Declaration, Enumerator, EnumNode, RecordNode, Tree, TypeNode } from './ast.js'
import type { Source } from './source.js'

/** What a constant stands for before it is evaluated. */
export type ConstantEntry = { readonly node: EnumNode; readonly index: number } | { readonly declaration: Declaration }

/** What a text declares, by name. */
export interface Lookup {
  /** The definition of a structure or union, by its tag. */
  record(tag: string): RecordNode | undefined
  enumeration(tag: string): EnumNode | undefined
  typedef(name: string): TypeNode | undefined
  /** The name of the typedef of a structure without a tag. */
  typedefOf(node: TypeNode): string | undefined
  variable(name: string): Declaration | undefined
  constant(name: string): ConstantEntry | undefined
}

/** A look-up in the tree of a whole text. */
export class TreeLookup implements Lookup {
  readonly constants = new Map<string, ConstantEntry>()
  readonly #enumerations = new Map<string, EnumNode>()
  readonly #typedefs = new Map<string, TypeNode>()
  readonly #typedefOf = new Map<TypeNode, string>()
  readonly #variables = new Map<string, Declaration>()

  constructor(
    readonly tree: Tree,
    readonly source: Source,
  ) {
    for (const node of tree.enums) {
      if (node.tag !== undefined && !this.#enumerations.has(node.tag)) this.#enumerations.set(node.tag, node)
      for (const [index, member] of (node.members ?? []).entries()) this.#addConstant(member, { node, index })
    }
    for (const declaration of tree.declarations) {
      const { kind, name, type } = declaration
      if (kind === 'variable') {
        if (declaration.value) this.#addConstant(declaration, { declaration })
        if (!this.#variables.has(name)) this.#variables.set(name, declaration)
      }
      if (!isTypedef(declaration)) continue
      if (!this.#typedefs.has(name)) this.#typedefs.set(name, type)
      if (!this.#typedefOf.has(type)) this.#typedefOf.set(type, name)
    }
  }

  #addConstant({ name, at }: Enumerator | Declaration, entry: ConstantEntry): void {
    if (this.constants.has(name)) throw this.source.error(at, `"${name}" is a constant already`)
    this.constants.set(name, entry)
  }

  record(tag: string): RecordNode | undefined {
    return this.tree.records.get(tag)
  }
  enumeration(tag: string): EnumNode | undefined {
    return this.#enumerations.get(tag)
  }
  typedef(name: string): TypeNode | undefined {
    return this.#typedefs.get(name)
  }
  typedefOf(node: TypeNode): string | undefined {
    return this.#typedefOf.get(node)
  }
  variable(name: string): Declaration | undefined {
    return this.#variables.get(name)
  }
  constant(name: string): ConstantEntry | undefined {
    return this.constants.get(name)
  }
}

/** False for `typedef DWORD DWORD;`, which has no effect. */
export const isTypedef = ({ kind, name, type }: Declaration) =>
  kind === 'typedef' && !(type.kind === 'named' && type.name === name)
