/** Which names are types without the text saying so: the caller's, those of wintypes, those of C and of windows.h. */
import { isType } from '../data.js'
import type { TypeNode } from './ast.js'
import { builtinText, plainNames, pointerText } from './builtin.js'
import type { Arch, CType, ScalarName, TypeNamespace } from './namespace.js'
import { Parser } from './parser.js'
import { predefinedMacros } from './predefined.js'
import { preprocess } from './preprocessor.js'
import { Resolver } from './resolve.js'
import { Source } from './source.js'

/** A name is a type of its own, or stands for other C. */
export type Known = { readonly type: CType } | { readonly node: TypeNode }

/** Structures of windows.h, made once for each namespace, so that they are the same in every prototype. */
const structures = new WeakMap<TypeNamespace, Map<string, CType>>()

export class KnownNames {
  /** Those of them that this text uses. */
  readonly used = new Map<string, CType>()
  readonly #found = new Map<string, Known | undefined>()

  constructor(
    readonly ns: TypeNamespace,
    readonly arch: Arch,
    /** Types from elsewhere, such as those of another header. */
    readonly given: { readonly [name: string]: unknown },
    readonly unicode: boolean,
  ) {}

  has = (name: string): boolean => this.get(name) !== undefined

  get(name: string): Known | undefined {
    if (!this.#found.has(name)) {
      // A name that asks for itself on the way is none.
      this.#found.set(name, undefined)
      this.#found.set(name, this.#find(name))
    }
    return this.#found.get(name)
  }

  #find(name: string): Known | undefined {
    const known = own(this.given, name) ?? this.#plain(name)
    if (known) return { type: known }
    const stated = builtinText(name, this.unicode)
    // A class says nothing of const, which text in a callback may be.
    const type = stated?.endsWith(' *') ? undefined : own(this.ns.wintypes, name)
    if (type) return { type }
    const text = stated ?? pointerText(name, this.has)
    if (text === undefined) return undefined
    return text.startsWith('struct {') ? { type: this.#structure(name, text) } : { node: this.#parse(text) }
  }

  #plain(name: string): CType | undefined {
    return Object.hasOwn(plainNames, name) ? this.ns[plainNames[name] as ScalarName] : undefined
  }

  #structure(name: string, text: string): CType {
    const made = structures.get(this.ns) ?? new Map<string, CType>()
    structures.set(this.ns, made)
    const tree = { declarations: [], records: new Map(), enums: [] }
    const node = { ...this.#parse(text), tag: name } as TypeNode
    const type =
      made.get(name) ?? new Resolver(new Source(text, 'header'), tree, this).type(node, { line: 1, column: 1 })
    made.set(name, type)
    this.used.set(name, type)
    return type
  }

  #parse(text: string): TypeNode {
    const source = new Source(text, 'header')
    return new Parser(source, preprocess(source, predefinedMacros(this.arch, {})), this.has).typeName()
  }
}

/** A namespace may hold constants and functions beside its types. */
function own(types: { readonly [name: string]: unknown }, name: string): CType | undefined {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  return isType(type) ? type : undefined
}
