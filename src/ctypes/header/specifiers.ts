/** The front of a declaration: `static const unsigned long int __stdcall`. */
import type { Convention, TypeNode } from './ast.js'
import { type Attributes, parseAttributes } from './attributes.js'
import type { Context } from './context.js'
import { typeReader } from './declarator.js'
import { parseExpression } from './expression.js'
import type { Token } from './lexer.js'
import { parseEnum, parseRecord } from './records.js'
import type { Position } from './source.js'
import { basicName, conventionWords, isBasicWord, qualifierWords, storageWords, typeofWords } from './words.js'

/** What the front of a declaration says of all its declarators. */
export interface Specifiers {
  readonly base: TypeNode
  readonly convention: Convention | undefined
  readonly storage: ReadonlySet<string>
  readonly isConst: boolean
  /** The attributes that are not those of a structure defined here. */
  readonly attributes: Attributes
}

/** Reads the front of a declaration. `what` names, for errors, what has to stand there. */
export function parseSpecifiers(context: Context, what = 'a type'): Specifiers {
  const { cursor } = context
  const attributes: Attributes = {}
  const storage = new Set<string>()
  const words: Token[] = []
  let base: TypeNode | undefined
  let convention: Convention | undefined
  let isConst = false
  let complex: Token | undefined
  /** A word that was taken for an empty macro, and may be the type where there is no other. */
  let skipped: Token | undefined
  for (;;) {
    if (parseAttributes(context, attributes)) continue
    const { token } = cursor
    const { text } = token
    if (token.kind !== 'name') break
    if (storageWords.has(text)) storage.add(cursor.next().text)
    else if (qualifierWords.has(text)) isConst = cursor.next().text.includes('const') || isConst
    else if (conventionWords.has(text)) convention = conventionWords.get(cursor.next().text)
    else if (complexWords.has(text)) complex = cursor.next()
    else if (base) {
      if (!context.isEmptyWord()) break
      cursor.next()
    } else if (isBasicWord(text)) words.push(cursor.next())
    else if (words.length > 0) {
      if (!context.isEmptyWord()) break
      cursor.next()
    } else if (typeofWords.has(text) && cursor.at('(', 1)) base = parseTypeof(context)
    else if (text === 'struct' || text === 'union' || isInterface(context)) base = parseRecord(context, attributes)
    else if (text === 'enum') base = parseEnum(context)
    else if (context.isTypeName(text)) base = { kind: 'named', name: cursor.next().text, at: token.at }
    else if (context.isEmptyWord()) skipped = cursor.next()
    else break
  }
  // `typedef *LPCOUNT;` means an int in old C, and in compilers' older modes
  if (storage.has('typedef') && words.length === 0 && cursor.at('*')) base ??= { kind: 'basic', name: 'int' }
  base ??= basic(context, words, what, skipped)
  if (isConst && (base.kind === 'basic' || base.kind === 'named')) base = { ...base, isConst }
  if (complex) base = complexOf(base, complex.at)
  return { base, convention: convention ?? attributes.convention, storage, isConst, attributes }
}

function basic(context: Context, words: readonly Token[], what: string, skipped: Token | undefined): TypeNode {
  const { cursor } = context
  const [first] = words
  if (!first) {
    const token = skipped ?? cursor.token
    const hint = token.kind === 'name' ? ` (no type of this name is known here${cursor.source.includeHint})` : ''
    throw cursor.expected(what, token, hint)
  }
  const name = basicName(words.map(word => word.text))
  if (name) return { kind: 'basic', name }
  throw cursor.source.error(first.at, `expected a type, found "${words.map(word => word.text).join(' ')}"`)
}

/** Whether `interface` is COM's word for a structure here. */
const isInterface = ({ cursor, isTypeName }: Context) =>
  cursor.at('interface') && !isTypeName('interface') && (cursor.peek(1).kind === 'name' || cursor.at('{', 1))

function parseTypeof(context: Context): TypeNode {
  const { cursor } = context
  const { at } = cursor.next()
  cursor.expect('(')
  const types = typeReader(context)
  const type: TypeNode = types.startsType(0)
    ? types.typeName()
    : { kind: 'typeof', of: parseExpression(cursor, types), at }
  cursor.expect(')')
  return type
}

const complexWords = new Set(['_Complex', '__complex__'])
/** A complex number, as the structure of two parts as which it is passed and laid out. */
const complexOf = (type: TypeNode, at: Position): TypeNode => ({
  kind: 'record',
  keyword: 'struct',
  fields: ['re', 'im'].map(name => ({ name, type, at })),
  at,
})
