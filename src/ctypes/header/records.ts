/** `struct { … }`, `union { … }` and `enum { … }`. */
import { alignmentOf, refuseAlignment } from './alignment.js'
import type { Enumerator, EnumNode, Expression, Field, RecordNode } from './ast.js'
import { type Attributes, parseAttributes } from './attributes.js'
import type { Context } from './context.js'
import { type Declarator, parseDeclarator, typeReader, withAttributes } from './declarator.js'
import { parseExpression } from './expression.js'
import { parseSpecifiers, type Specifiers } from './specifiers.js'

/**
 * Reads a structure or union. If it has a body, attributes in front of the keyword (`__declspec(align(8)) struct`) are
 * its own.
 */
export function parseRecord(context: Context, before: Attributes): RecordNode {
  const { cursor } = context
  const keyword = cursor.next()
  const attributes: Attributes = {}
  parseAttributes(context, attributes, true)
  const tag = cursor.token.kind === 'name' ? cursor.next() : undefined
  parseAttributes(context, attributes)
  const head = {
    kind: 'record',
    keyword: keyword.text === 'union' ? 'union' : 'struct',
    ...(tag && { tag: tag.text }),
    at: (tag ?? keyword).at,
  } as const
  if (!cursor.at('{')) {
    if (!tag) throw cursor.expected(`a name or "{" after "${keyword.text}"`)
    return head
  }
  const pack = cursor.token.pack
  const fields = cursor.nest(() => parseFields(context))
  parseAttributes(context, attributes)
  if (attributes.gccStruct && fields.some(({ bits }) => bits))
    throw cursor.source.error(
      attributes.gccStruct.at,
      'bit fields are laid out as by Microsoft\'s compiler, not as "gcc_struct" asks',
    )
  const align = alignmentOf(context, attributes.align ? attributes : before)
  delete before.align
  const node = {
    ...head,
    fields,
    ...(pack !== undefined && { pack }),
    ...(attributes.packed && { packed: true as const }),
    ...(align && { align }),
  }
  context.define(node)
  return node
}

function parseFields(context: Context): Field[] {
  const { cursor } = context
  const fields: Field[] = []
  cursor.expect('{')
  while (!cursor.accept('}')) {
    if (cursor.accept(';') || skipAssertion(context)) continue
    parseField(context, fields)
  }
  return fields
}

/** Reads one declaration of one or more fields: `int x, *y, z[3];`. */
function parseField(context: Context, into: Field[]): void {
  const { cursor } = context
  const specifiers = parseSpecifiers(context, 'a field or "}"')
  if (cursor.at(';')) {
    refuseAlignment(context, specifiers.attributes)
    const { base } = specifiers
    // defining an enumeration declares no field; a structure or union without a name does, also by its typedef
    if (base.kind === 'record' || base.kind === 'named') into.push({ type: base, at: base.at })
    else if (base.kind !== 'enum') throw cursor.expected('the name of a field')
  } else {
    do into.push(parseOneField(context, specifiers))
    while (cursor.accept(','))
  }
  cursor.expect(';', '";" after the field')
}

function parseOneField(context: Context, { base, convention, attributes: before }: Specifiers): Field {
  const { cursor } = context
  const { at } = cursor.token
  const declarator: Declarator = cursor.at(':')
    ? { type: base, at }
    : parseDeclarator(context, base, convention, 'the name of a field')
  let bits: Expression | undefined
  if (cursor.accept(':')) bits = parseExpression(cursor, typeReader(context))
  const attributes: Attributes = { ...before }
  parseAttributes(context, attributes)
  if (bits) refuseAlignment(context, attributes)
  const align = attributes.vector ? undefined : alignmentOf(context, attributes)
  return {
    ...(declarator.name !== undefined && { name: declarator.name }),
    type: withAttributes(context, declarator.type, attributes),
    ...(bits && { bits }),
    ...(align && { align }),
    ...(attributes.packed && { packed: true }),
    at: declarator.at,
  }
}

/** Reads an enumeration, with or without a body. */
export function parseEnum(context: Context): EnumNode {
  const { cursor } = context
  const keyword = cursor.next()
  const attributes: Attributes = {}
  parseAttributes(context, attributes, true)
  // `enum class` is C++; its members would be known by another name.
  const tag = cursor.token.kind === 'name' ? cursor.next() : undefined
  const underlying = cursor.accept(':') ? parseSpecifiers(context).base : undefined
  const head = {
    kind: 'enum',
    ...(tag && { tag: tag.text }),
    ...(underlying && { underlying }),
    at: (tag ?? keyword).at,
  } as const
  if (!cursor.at('{')) {
    if (!tag) throw cursor.expected('a name or "{" after "enum"')
    return head
  }
  const members = parseMembers(context)
  parseAttributes(context, attributes)
  const node = { ...head, members, ...(attributes.packed && { packed: true as const }) }
  context.define(node)
  return node
}

function parseMembers(context: Context): Enumerator[] {
  const { cursor } = context
  const members: Enumerator[] = []
  cursor.expect('{')
  while (!cursor.accept('}')) {
    const name = cursor.expectName('a name or "}"')
    parseAttributes(context, {})
    const value = cursor.accept('=') ? parseExpression(cursor, typeReader(context)) : undefined
    members.push({ name: name.text, ...(value && { value }), at: name.at })
    if (!cursor.at('}')) cursor.expect(',', '"," or "}"')
  }
  return members
}

/** Skips `static_assert(…);` and its older spellings; false if there is none. */
export function skipAssertion(context: Context): boolean {
  const { cursor } = context
  if (!/^(?:_Static_assert|static_assert|C_ASSERT)$/.test(cursor.token.text) || !cursor.at('(', 1)) return false
  cursor.next()
  cursor.skipGroup()
  cursor.accept(';')
  return true
}
