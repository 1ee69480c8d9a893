/** Reads constant expressions, by precedence climbing. */
import type { BinaryOperator, Expression, TypeNode, UnaryOperator } from './ast.js'
import type { Cursor } from './cursor.js'
import { characterValue, numberValue } from './literals.js'

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
  if (token.kind === 'punctuator') {
    if ('+-~!'.includes(token.text)) {
      cursor.next()
      return {
        kind: 'unary',
        operator: token.text as UnaryOperator,
        operand: cursor.nest(() => parseUnary(cursor, types)),
      }
    }
    if (token.text === '(') return parseParenthesis(cursor, types)
  }
  if (types && token.kind === 'name' && sizeWords[token.text]) return parseSize(cursor, types)
  if (token.kind === 'number') return { kind: 'literal', value: numberValue(cursor.source, cursor.next()) }
  if (token.kind === 'character') return { kind: 'literal', value: characterValue(cursor.next()) }
  if (token.kind !== 'name') throw cursor.expected('a constant expression')
  return { kind: 'name', name: cursor.next().text, at: token.at }
}

/** A cast or a bracketed expression. */
function parseParenthesis(cursor: Cursor, types: TypeReader | undefined): Expression {
  const { at } = cursor.expect('(')
  const type = types?.startsType(0) ? types.typeName() : undefined
  const inside = type ? undefined : parseExpression(cursor, types)
  cursor.expect(')')
  return inside ?? { kind: 'cast', type: type as TypeNode, operand: cursor.nest(() => parseUnary(cursor, types)), at }
}

const sizeWords: { readonly [word: string]: 'sizeof' | 'alignof' | undefined } = {
  __proto__: null as never,
  sizeof: 'sizeof',
  _Alignof: 'alignof',
  alignof: 'alignof',
  __alignof: 'alignof',
  __alignof__: 'alignof',
}

function parseSize(cursor: Cursor, types: TypeReader): Expression {
  const kind = sizeWords[cursor.next().text] as 'sizeof' | 'alignof'
  const { at } = cursor.expect('(')
  if (!types.startsType(0)) throw cursor.expected('a type')
  const type = types.typeName()
  cursor.expect(')')
  return { kind, type, at }
}
