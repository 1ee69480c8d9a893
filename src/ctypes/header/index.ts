/**
 * Declarations as they stand in a vendor's header, as types. No I/O, no session: text in, types out.
 * `lexer` → `preprocessor` → `parser` → `resolve`; each error points at its place in the text.
 */
import { ArgumentError } from '../../errors.js'
import { describe, type ScalarClass } from '../data.js'
import type { FieldInfo } from '../record.js'
import type { Convention, Declaration, FunctionNode } from './ast.js'
import { Macros } from './macros.js'
import { KnownNames } from './names.js'
import type { Arch, ArgType, CType, TypeNamespace } from './namespace.js'
import { Parser } from './parser.js'
import { predefinedMacros } from './predefined.js'
import { preprocess } from './preprocessor.js'
import { Resolver } from './resolve.js'
import { Shelf } from './shelf.js'
import { Source } from './source.js'

export { Shelf }

export interface Prototype {
  readonly name: string
  /** What the library calls it, where that is another name: `int f(int) __asm__("f_v2")`. */
  readonly symbol?: string
  readonly argtypes: readonly ArgType[]
  /** `null` for void. */
  readonly restype: CType | null
  readonly convention: Convention
  /** False where the text says nothing, so that the kind of the library may decide. */
  readonly conventionStated: boolean
  readonly variadic: boolean
  readonly parameterNames: readonly (string | undefined)[]
}

/** A class that only the text knows: TypeScript sees neither its kind nor its fields. */
export interface HeaderType extends ScalarClass {
  new (...values: readonly unknown[]): HeaderData
  readonly prototype: HeaderData
  /** Of a structure or union. */
  readonly fields?: { readonly [name: string]: FieldInfo }
}
export interface HeaderData {
  [field: string]: unknown
}

export interface Header {
  readonly routines: ReadonlyMap<string, Prototype>
  /** Typedefs, structures and unions by tag, and the structures of windows.h that the text uses. What is never defined (`typedef struct handle handle;`) is not here. */
  readonly types: { readonly [name: string]: HeaderType }
  readonly constants: { readonly [name: string]: number | bigint | string }
  /** Data exports. */
  readonly variables: ReadonlyMap<string, CType>
  /**
   * Macros that an `#if` of the text asks for and that nobody defined, each with the line that asks first: they count as 0 there, as
   * in C, so text that depends on them may be missing here.
   */
  readonly undefinedMacros: ReadonlyMap<string, number>
}

export interface HeaderOptions {
  readonly arch: Arch
  readonly ns: TypeNamespace
  /** As if the text began with `#define NAME VALUE`; `true` is 1. */
  readonly defines?: { readonly [name: string]: string | number | bigint | boolean }
  /** Types that the text uses and does not define, by typedef or tag. */
  readonly types?: { readonly [name: string]: unknown }
  /** Shared by texts whose structures go together where they are defined alike. */
  readonly shelf?: Shelf
}

/** Exactly one routine: `double scale(double x, struct point *by)`, with a semicolon or without. */
export function parsePrototype(
  text: string,
  arch: Arch,
  ns: TypeNamespace,
  types: HeaderOptions['types'] = {},
): Prototype {
  const { source, parser, names } = prepare(text, 'prototype', { arch, ns, types })
  const tree = parser.prototype()
  const [declaration] = tree.declarations
  const resolver = new Resolver(source, tree, names)
  const routine = declaration && routineOf(declaration, resolver)
  if (routine) return routine
  throw source.error(
    declaration?.at ?? { line: 1, column: 1 },
    'expected the declaration of a routine, such as "int add(int a, int b)"',
  )
}

/** A whole header, as text. */
export function parseHeader(text: string, options: HeaderOptions): Header {
  const { source, parser, names, macros } = prepare(text, 'header', options)
  const tree = parser.header()
  const resolver = new Resolver(source, tree, names, options.shelf)
  const routines = new Map<string, Prototype>()
  const variables = new Map<string, CType>()
  const types = new Map<string, CType>()
  for (const tag of tree.records.values()) if (tag.tag !== undefined) types.set(tag.tag, resolver.type(tag, tag.at))
  for (const declaration of tree.declarations) {
    const routine = routineOf(declaration, resolver)
    if (routine) routines.set(routine.name, routine)
    else if (declaration.kind === 'typedef') addTypedef(types, declaration, resolver)
    else if (!declaration.value && declaration.text === undefined)
      variables.set(declaration.name, resolver.type(declaration.type, declaration.at))
  }
  const constants = resolver.constants.all(macros, parser)
  resolver.keep()
  for (const [name, type] of names.used) if (!types.has(name)) types.set(name, type)
  return {
    routines,
    types: plainObject(types as ReadonlyMap<string, CType> as ReadonlyMap<string, HeaderType>),
    constants: plainObject(constants),
    variables,
    undefinedMacros: source.undefinedMacros,
  }
}

function prepare(text: string, label: Source['label'], { arch, ns, defines = {}, types = {} }: HeaderOptions) {
  if (typeof text !== 'string') throw new ArgumentError(`a ${label} is C as text, not ${describe(text)}`)
  const source = new Source(text, label)
  const table = predefinedMacros(arch, defines, text)
  const tokens = preprocess(source, table)
  const names = new KnownNames(ns, arch, types, table.has('UNICODE') || table.has('_UNICODE'))
  return { source, names, macros: new Macros(source, table), parser: new Parser(source, tokens, names.has) }
}

/** Also one declared through the typedef of a function: `extern handler on_exit;`. */
function routineOf(declaration: Declaration, resolver: Resolver): Prototype | undefined {
  const { kind, type } = declaration
  const target = kind === 'typedef' ? undefined : resolver.strip(type)
  return target?.kind === 'function' ? routine(declaration, target, resolver) : undefined
}

function routine({ name, symbol }: Declaration, node: FunctionNode, resolver: Resolver): Prototype {
  const parameters = resolver.parameters(node)
  return {
    name,
    ...(symbol !== undefined && { symbol }),
    argtypes: parameters.map(parameter => resolver.parameter(parameter)),
    restype: resolver.result(node),
    convention: node.convention ?? 'cdecl',
    conventionStated: node.convention !== undefined,
    variadic: node.variadic,
    parameterNames: parameters.map(parameter => parameter.name),
  }
}

function addTypedef(types: Map<string, CType>, { name, type, at }: Declaration, resolver: Resolver): void {
  const target = resolver.strip(type)
  if (target.kind === 'function') types.set(name, resolver.functionPointer(target))
  else if (target.kind === 'record') {
    if (resolver.isComplete(target)) types.set(name, resolver.type(target, at))
  } else if (target.kind !== 'basic' || target.name !== 'void') types.set(name, resolver.type(type, at))
}

/** Without a prototype: a header may name anything, `constructor` too. */
const plainObject = <T>(entries: ReadonlyMap<string, T>): { readonly [name: string]: T } =>
  Object.assign(Object.create(null) as { [name: string]: T }, Object.fromEntries(entries))
