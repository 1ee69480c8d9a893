/** The types of windows.h and of the C library, each read when it is first asked for. */

import { isType } from '../data.js'
import type { RecordNode, TypeNode } from './ast.js'
import { builtinText, isVector, plainNames, pointerTarget } from './builtin.js'
import type { Lookup } from './lookup.js'
import type { Macro } from './macros.js'
import type { Arch, CType, ScalarName, TypeNamespace } from './namespace.js'
import { Parser } from './parser.js'
import { predefinedMacros } from './predefined.js'
import { preprocess } from './preprocessor.js'
import { Resolver } from './resolve.js'
import { Source } from './source.js'
import { windowsType } from './table.js'

/** What a name of a type means: a class of the namespace, or other C that it stands for. */
export type Meaning = { readonly type: CType } | { readonly node: TypeNode }

const byNamespace = new WeakMap<TypeNamespace, WindowsTypes>()

/** The types of windows.h for one namespace. */
export class WindowsTypes {
  readonly #meanings = new Map<string, Meaning | undefined>()
  readonly #records = new Map<string, RecordNode>()
  readonly #resolver: Resolver
  readonly #macros: ReadonlyMap<string, Macro>

  private constructor(
    readonly ns: TypeNamespace,
    readonly arch: Arch,
  ) {
    this.#macros = predefinedMacros(arch)
    const none = () => undefined
    const lookup: Lookup = {
      record: tag => this.#record(tag),
      enumeration: none,
      typedef: none,
      typedefOf: none,
      variable: none,
      constant: none,
    }
    this.#resolver = new Resolver(new Source('', 'header'), lookup, this)
  }

  /** One for each namespace, so that a structure is the same class in every text. */
  static of(ns: TypeNamespace, arch: Arch): WindowsTypes {
    let types = byNamespace.get(ns)
    if (!types) byNamespace.set(ns, (types = new WindowsTypes(ns, arch)))
    return types
  }

  has = (name: string): boolean => this.#kind(name) !== undefined

  /** What a name means. For a structure that is only its name; `structure` gives its class. */
  get(name: string): Meaning | undefined {
    if (!this.#meanings.has(name)) {
      const kind = this.#kind(name)
      this.#meanings.set(name, typeof kind === 'string' ? { node: this.#read(name, kind) } : kind && { type: kind })
    }
    return this.#meanings.get(name)
  }

  /** The class of a structure; undefined for anything else, and where its fields are not known. */
  structure(known: Meaning): CType | undefined {
    const node = 'node' in known && known.node.kind === 'record' ? known.node : undefined
    return node?.tag !== undefined && this.#record(node.tag) ? this.#resolver.type(node, node.at) : undefined
  }

  /** The class of a name, or the C text that it stands for. */
  #kind(name: string): CType | string | undefined {
    if (Object.hasOwn(plainNames, name)) return this.ns[plainNames[name] as ScalarName]
    const builtin = builtinText(name)
    // a class does not keep `const`, which decides how text is passed in a callback
    const type = builtin?.endsWith(' *') ? undefined : own(this.ns.wintypes, name)
    const text = type ?? builtin ?? windowsType(name, this.arch)
    const target = text === undefined ? pointerTarget(name, this.has) : undefined
    return text ?? (target && `${target} *`)
  }

  #read(name: string, text: string): TypeNode {
    const source = new Source(text, 'header')
    const node = new Parser(source, preprocess(source, new Map(this.#macros)), this.has).typeName()
    if (node.kind !== 'record' || !node.fields) return node
    this.#records.set(name, { ...node, tag: name, ...(isVector(name) && { vector: true as const }) })
    return { kind: 'record', keyword: node.keyword, tag: name, at: node.at }
  }

  /** The definition of a structure, by its tag or the name of its typedef. */
  #record(tag: string): RecordNode | undefined {
    const known = this.get(tag)
    const node = known && 'node' in known ? known.node : undefined
    if (node?.kind === 'named') return this.#record(node.name)
    return node?.kind === 'record' && node.tag !== undefined ? this.#records.get(node.tag) : undefined
  }
}

/** A type of a namespace, by name; undefined for its constants and functions. */
export function own(types: { readonly [name: string]: unknown }, name: string): CType | undefined {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  return isType(type) ? type : undefined
}
