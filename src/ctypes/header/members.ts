/** Routines and named types, as the program gets them, of their declarations. */
import type { ScalarClass } from '../data.js'
import type { FieldInfo } from '../record.js'
import { type Convention, type Declaration, type FunctionNode, isVoid, type TypeNode } from './ast.js'
import type { ArgType, CType } from './namespace.js'
import type { Resolver } from './resolve.js'
import type { Position } from './source.js'

/** A declaration of a routine in C, read: as `parsePrototype` and `parseHeader` give it. */
export interface Prototype {
  readonly name: string
  /** What the library calls it, where that is another name: `int f(int) __asm__("f_v2")`. */
  readonly symbol?: string
  /** C types, or `out(T)`, in order. */
  readonly argtypes: readonly ArgType[]
  /** `null` for void. */
  readonly restype: CType | null
  readonly convention: Convention
  /** False where the text says nothing, so that the kind of the library may decide. */
  readonly conventionStated: boolean
  /** Whether the parameters end with `...`. */
  readonly variadic: boolean
  /** Undefined where none is written. */
  readonly parameterNames: readonly (string | undefined)[]
}

/** A class that a header's text declares: TypeScript sees neither its kind nor its fields. */
export interface HeaderType extends ScalarClass {
  new (...values: readonly unknown[]): HeaderData
  readonly prototype: HeaderData
  /** Of a structure or union. */
  readonly fields?: { readonly [name: string]: FieldInfo }
}
interface HeaderData {
  [field: string]: unknown
}

/** A header's text, read: `session.header(text)`. */
export interface Header {
  readonly routines: ReadonlyMap<string, Prototype>
  /**
   * Typedefs, structures and unions by tag, and the structures of windows.h that the text uses. What is never defined (`typedef struct
   * handle handle;`) is not here.
   */
  readonly types: { readonly [name: string]: HeaderType }
  /** Enumerators, macros that have a value, and `static const` variables: numbers, bigints where a number is not exact, or text. */
  readonly constants: { readonly [name: string]: number | bigint | string }
  /** Data exports. */
  readonly variables: ReadonlyMap<string, CType>
  /**
   * Macros that an `#if` of the text asks for and that nobody defined, each with the line that asks first: they count as 0 there, as
   * in C, so text that depends on them may be missing here.
   */
  readonly undefinedMacros: ReadonlyMap<string, number>
}

/** The routine of a declaration, also one that is declared through the typedef of a function: `extern handler on_exit;`. */
export function routineOf(declaration: Declaration, resolver: Resolver): Prototype | undefined {
  const { kind, type } = declaration
  const target = kind === 'typedef' ? undefined : resolver.strip(type)
  return target?.kind === 'function' ? routine(declaration, target, resolver) : undefined
}

function routine({ name, symbol }: Declaration, node: FunctionNode, resolver: Resolver): Prototype {
  const parameters = resolver.functions.parameters(node)
  return {
    name,
    ...(symbol !== undefined && { symbol }),
    argtypes: parameters.map(parameter => resolver.functions.parameter(parameter)),
    restype: resolver.functions.result(node),
    convention: node.convention ?? 'cdecl',
    conventionStated: node.convention !== undefined,
    variadic: node.variadic,
    parameterNames: parameters.map(parameter => parameter.name),
  }
}

/** The type of a typedef, of a tag, or of windows.h; undefined for void and for what is never defined. */
export function typeNamed(name: string, resolver: Resolver, at: Position = { line: 1, column: 1 }): CType | undefined {
  const { lookup, names } = resolver
  const known: TypeNode | undefined = names.get(name) && { kind: 'named', name, at }
  for (const node of [lookup.typedef(name), lookup.record(name), known]) {
    const target = node && resolver.strip(node)
    if (!node || !target) continue
    if (target.kind === 'function') return resolver.functions.pointer(target)
    const isMissing = target.kind === 'record' ? !resolver.records.isComplete(target) : isVoid(target)
    if (!isMissing) return resolver.type(node, at)
  }
  return undefined
}

/** Without a prototype: a header may name anything, `constructor` too. */
export const plainObject = <T>(entries: ReadonlyMap<string, T>): { readonly [name: string]: T } =>
  Object.assign(Object.create(null) as { [name: string]: T }, Object.fromEntries(entries))
