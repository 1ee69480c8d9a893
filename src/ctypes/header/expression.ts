/** Reads constant expressions, by precedence climbing. */
import type { BinaryOperator, Expression, TypeNode, UnaryOperator } from './ast.js'
import { type Cursor, DEEPEST } from './cursor.js'
import { characterCount, characterValue, integer, numberValue } from './literals.js'

/** How an expression reads the types inside it. The preprocessor has none. */
export interface TypeReader {
  startsType(ahead: number): boolean
  typeName(): TypeNode
}

const precedence: { readonly [operator in BinaryOperator]: number } = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
}
const precedenceOf = (text: string) => (precedence as { [operator: string]: number | undefined })[text] ?? 0

/** A whole expression (no comma, no assignment). */
export function parseExpression(cursor: Cursor, types?: TypeReader): Expression {
  return cursor.nest(() => parseConditional(cursor, types))
}

function parseConditional(cursor: Cursor, types: TypeReader | undefined): Expression {
  const condition = parseBinary(cursor, types, 1)
  if (!cursor.accept('?')) return condition
  const ifTrue = parseExpression(cursor, types)
  cursor.expect(':')
  return { kind: 'conditional', condition, ifTrue, ifFalse: parseExpression(cursor, types) }
}

function parseBinary(cursor: Cursor, types: TypeReader | undefined, least: number): Expression {
  let left = parseUnary(cursor, types)
  for (;;) {
    const { token } = cursor
    const level = token.kind === 'punctuator' ? precedenceOf(token.text) : 0
    if (level < least || level === 0) return left
    cursor.next()
    const right = parseBinary(cursor, types, level + 1)
    left = { kind: 'binary', operator: token.text as BinaryOperator, left, right, at: token.at }
  }
}

function parseUnary(cursor: Cursor, types: TypeReader | undefined): Expression {
  const { token } = cursor
  const { at } = token
  const operand = () => cursor.nest(() => parseUnary(cursor, types))
  if (token.kind === 'punctuator') {
    if ('+-~!'.includes(token.text)) {
      cursor.next()
      return { kind: 'unary', operator: token.text as UnaryOperator, operand: operand() }
    }
    if (types && cursor.accept('&')) return { kind: 'address', of: operand(), at }
    if (types && cursor.accept('*')) return { kind: 'target', of: operand(), at }
    if (token.text === '(' && types?.startsType(1))
      return { kind: 'cast', type: bracketedType(cursor, types), operand: operand(), at }
  }
  if (types && token.kind === 'name' && sizeWords[token.text]) return parseSize(cursor, types)
  return parsePostfix(cursor, types)
}

/** Reads a value, or a place in memory such as `((T *)0)->list[2].name`. */
function parsePostfix(cursor: Cursor, types: TypeReader | undefined): Expression {
  let of = parsePrimary(cursor, types)
  for (let links = 0; types; links++) {
    const { at } = cursor.token
    if (links > DEEPEST) throw cursor.tooDeep()
    if (cursor.accept('[')) {
      of = { kind: 'element', of, index: parseExpression(cursor, types), at }
      cursor.expect(']')
    } else if (cursor.at('.') || cursor.at('->')) {
      if (cursor.next().text === '->') of = { kind: 'target', of, at }
      of = { kind: 'member', of, name: cursor.expectName('the name of a field').text, at }
    } else break
  }
  return of
}

function parsePrimary(cursor: Cursor, types: TypeReader | undefined): Expression {
  const { token } = cursor
  const { at } = token
  if (cursor.accept('(')) {
    const inside = parseExpression(cursor, types)
    cursor.expect(')')
    return inside
  }
  if (token.kind === 'number') return { kind: 'literal', value: numberValue(cursor.source, cursor.next()) }
  if (token.kind === 'character') return { kind: 'literal', value: characterValue(cursor.next()) }
  if (types && token.kind === 'string') return parseText(cursor)
  if (token.kind !== 'name') throw cursor.expected('a constant expression')
  if (cursor.at('(', 1)) {
    if (types && offsetWords.has(token.text)) return parseOffset(cursor, types)
    const hint = `; if it is a macro, say what it stands for: #define ${token.text}(...) 0${cursor.source.includeHint}`
    throw cursor.expected('a constant expression', token, hint)
  }
  return { kind: 'name', name: cursor.next().text, at }
}

function parseText(cursor: Cursor): Expression {
  const { at, text } = cursor.token
  let length = 1
  while (cursor.token.kind === 'string') length += characterCount(cursor.next())
  return { kind: 'text', length, wide: /^[LuU]"/.test(text), at }
}

function bracketedType(cursor: Cursor, types: TypeReader): TypeNode {
  cursor.expect('(')
  const type = types.typeName()
  cursor.expect(')')
  return type
}

const sizeWords: { readonly [word: string]: 'sizeof' | 'alignof' | undefined } = {
  __proto__: null as never,
  sizeof: 'sizeof',
  _Alignof: 'alignof',
  alignof: 'alignof',
  __alignof: 'alignof',
  __alignof__: 'alignof',
}

/** `sizeof(int)`, and `sizeof x`, which is the size of its type. */
function parseSize(cursor: Cursor, types: TypeReader): Expression {
  const kind = sizeWords[cursor.next().text] as 'sizeof' | 'alignof'
  const { at } = cursor.token
  if (cursor.at('(') && types.startsType(1)) return { kind, type: bracketedType(cursor, types), at }
  return { kind, type: { kind: 'typeof', of: cursor.nest(() => parseUnary(cursor, types)), at }, at }
}

const offsetWords = new Set(['offsetof', '__builtin_offsetof', 'FIELD_OFFSET', 'UFIELD_OFFSET'])

/** `offsetof(struct s, list[2].name)`: the address of that field in a structure at address 0. */
function parseOffset(cursor: Cursor, types: TypeReader): Expression {
  const { at } = cursor.next()
  cursor.expect('(')
  const pointer: Expression = {
    kind: 'cast',
    type: { kind: 'pointer', to: types.typeName() },
    operand: { kind: 'literal', value: integer(0n) },
    at,
  }
  cursor.expect(',')
  let of: Expression = { kind: 'target', of: pointer, at }
  let links = 0
  do {
    of = { kind: 'member', of, name: cursor.expectName('the name of a field').text, at }
    if (++links > DEEPEST) throw cursor.tooDeep()
    while (cursor.accept('[')) {
      if (++links > DEEPEST) throw cursor.tooDeep()
      of = { kind: 'element', of, index: parseExpression(cursor, types), at }
      cursor.expect(']')
    }
  } while (cursor.accept('.'))
  cursor.expect(')')
  return { kind: 'address', of, at }
}
