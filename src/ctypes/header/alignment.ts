/** What `alignas(…)`, `align(…)` and `vector_size(…)` ask for. */
import type { Alignment, Expression, RecordNode, TypeNode } from './ast.js'
import type { Attribute, Attributes } from './attributes.js'
import { Context } from './context.js'
import { Cursor } from './cursor.js'
import { parseTypeName, typeReader } from './declarator.js'
import { parseExpression } from './expression.js'
import { tokenLike } from './lexer.js'

/** `align(16)`, `alignas(double)`, `aligned(sizeof(void *))`. */
export function alignmentOf(context: Context, { align }: Attributes): Alignment | undefined {
  if (!align) return undefined
  const { at } = align.word
  return align.inside.length === 0 ? { at } : { value: valueIn(context, align), at: (align.inside[0] ?? align.word).at }
}

function valueIn(context: Context, { word, inside }: Attribute): Expression {
  const end = tokenLike({ ...word, at: (inside.at(-1) ?? word).at }, 'end', '')
  const inner = new Context(new Cursor(context.cursor.source, [...inside, end]), context.isTypeName)
  const { cursor } = inner
  const value: Expression = inner.startsType(cursor.token)
    ? { kind: 'alignof', type: parseTypeName(inner), at: cursor.tokens[0]?.at ?? word.at }
    : parseExpression(cursor, typeReader(inner))
  if (cursor.token.kind !== 'end') throw cursor.expected('the end of the alignment')
  return value
}

/**
 * `typedef float vec __attribute__((vector_size(16)))`: elements side by side, aligned as a whole. A structure stands
 * for it.
 */
export function vectorOf(context: Context, type: TypeNode, vector: Attribute, attributes: Attributes): RecordNode {
  const { at } = vector.word
  const align = alignmentOf(context, attributes)
  const size = valueIn(context, vector)
  const count: Expression = { kind: 'binary', operator: '/', left: size, right: { kind: 'sizeof', type, at }, at }
  const fields = [{ name: 'lanes', type: { kind: 'array', of: type, length: count, at }, at }] as const
  // `aligned(1)` beside it lets the vector lie at any address.
  return {
    kind: 'record',
    keyword: 'struct',
    fields,
    align: align ?? { value: size, at },
    ...(align && { packed: true }),
    vector: true,
    at,
  }
}

/** Throws ArgumentError for an alignment of what cannot have one of its own here: a typedef or a bit field. */
export function refuseAlignment(context: Context, { align }: Attributes): void {
  if (align)
    throw context.cursor.source.error(
      align.word.at,
      'an alignment is understood on a structure, a union or a field only',
    )
}
