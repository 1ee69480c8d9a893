/**
 * Declarations as they stand in a vendor's header, as types. No I/O, no session: text in, types out.
 * `lexer` → `preprocessor` → `parser` → `resolve`; each error points at its place in the text.
 */
import { ArgumentError } from '../../errors.js'
import { describe } from '../data.js'
import type { TypeNode } from './ast.js'
import { lazyObject } from './lazy.js'
import { TreeLookup } from './lookup.js'
import { Macros } from './macros.js'
import { type Header, type HeaderType, type Prototype, plainObject, routineOf, typeNamed } from './members.js'
import { KnownNames, variantOf } from './names.js'
import type { Arch, CType, TypeNamespace } from './namespace.js'
import { Parser } from './parser.js'
import { predefinedMacros } from './predefined.js'
import { preprocess } from './preprocessor.js'
import { Resolver } from './resolve.js'
import { Shelf } from './shelf.js'
import { Source } from './source.js'
import { openHeader, type ParsedHeader, storeHeader } from './stored.js'

export { type Header, type HeaderType, lazyObject, openHeader, type ParsedHeader, type Prototype, Shelf }

/** What a text is read with. */
export interface HeaderOptions {
  readonly arch: Arch
  readonly ns: TypeNamespace
  /** As if the text began with `#define NAME VALUE`; `true` is 1. */
  readonly defines?: { readonly [name: string]: string | number | bigint | boolean }
  /** Types that the text uses and does not define, by typedef or tag. */
  readonly types?: { readonly [name: string]: unknown }
  /** Structures of texts that were read before: one that two texts define alike is one class. */
  readonly shelf?: Shelf
}

/** Reads exactly one routine: `double scale(double x, struct point *by)`, with or without a semicolon. Throws ArgumentError. */
export function parsePrototype(
  text: string,
  arch: Arch,
  ns: TypeNamespace,
  types: HeaderOptions['types'] = {},
): Prototype {
  const { source, parser, names } = prepare(text, 'prototype', { arch, ns, types })
  const tree = parser.prototype()
  const [declaration] = tree.declarations
  const resolver = new Resolver(source, new TreeLookup(tree, source), names)
  resolver.checkTypedefs(tree.declarations)
  const routine = declaration && routineOf(declaration, resolver)
  if (routine) return routine
  throw source.error(
    declaration?.at ?? { line: 1, column: 1 },
    'expected the declaration of a routine, such as "int add(int a, int b)"',
  )
}

/** Reads the text of a whole header. Throws ArgumentError, which points at the line and column. */
export const parseHeader = (text: string, options: HeaderOptions): Header => read(text, options).header

/** Reads the text of a whole header for all threads: what it gives is data, of which `openHeader` makes a header without the text. */
export function parseForAll(text: string, options: HeaderOptions): ParsedHeader {
  return storeHeader(text, options.arch, read(text, options))
}

function read(text: string, options: HeaderOptions) {
  const { source, parser, names, macros } = prepare(text, 'header', options)
  const tree = parser.header()
  const lookup = new TreeLookup(tree, source)
  const resolver = new Resolver(source, lookup, names, options.shelf)
  resolver.checkTypedefs(tree.declarations)
  const routines = new Map<string, Prototype>()
  const variables = new Map<string, CType>()
  const types = new Map<string, CType>()
  for (const [tag, record] of tree.records) types.set(tag, resolver.type(record, record.at))
  for (const declaration of tree.declarations) {
    const routine = routineOf(declaration, resolver)
    if (routine) routines.set(routine.name, routine)
    else if (declaration.kind === 'typedef') {
      const type = typeNamed(declaration.name, resolver, declaration.at)
      if (type) types.set(declaration.name, type)
    } else if (!declaration.value && declaration.text === undefined && isComplete(declaration.type, resolver))
      variables.set(declaration.name, resolver.type(declaration.type, declaration.at))
  }
  const constants = resolver.constants.all(lookup, macros, parser)
  for (const [name, type] of names.used) if (!types.has(name)) types.set(name, type)
  const header: Header = {
    routines,
    types: plainObject(types as ReadonlyMap<string, CType> as ReadonlyMap<string, HeaderType>),
    constants: plainObject(constants),
    variables,
    undefinedMacros: source.undefinedMacros,
  }
  return { header, lookup, constants: resolver.constants, variant: names.variant }
}

/** False for a variable whose structure nobody defines: `extern struct hidden state;`. */
function isComplete(type: TypeNode, resolver: Resolver): boolean {
  const target = resolver.strip(type)
  return target.kind !== 'record' || resolver.records.isComplete(target)
}

function prepare(text: string, label: Source['label'], { arch, ns, defines = {}, types = {} }: HeaderOptions) {
  if (typeof text !== 'string') throw new ArgumentError(`a ${label} is C as text, not ${describe(text)}`)
  const source = new Source(text, label)
  const table = predefinedMacros(arch, defines, text)
  const tokens = preprocess(source, table)
  const variant = variantOf(table)
  if (variant.time32 && arch === 'win64')
    throw new ArgumentError(
      `this ${label} defines _USE_32BIT_TIME_T, which is for 32-bit code: time_t has 64 bits in a win64 session, as it has for every compiler`,
    )
  const names = new KnownNames(ns, arch, types, variant)
  return { source, names, macros: new Macros(source, table), parser: new Parser(source, tokens, names.has) }
}
