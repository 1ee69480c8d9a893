/** `__declspec(…)`, `__attribute__((…))`, `alignas(…)` and annotations: the few that change a layout or a call are kept. */
import type { Convention } from './ast.js'
import type { Context } from './context.js'
import { closing, type Token } from './lexer.js'
import { textOf } from './literals.js'
import { attributeWords, conventionWords, isOutAnnotation } from './words.js'

/** An attribute that has a value: its word, and the tokens in its brackets, a number or a type; none for a bare `aligned`. */
export interface Attribute {
  readonly word: Token
  readonly inside: readonly Token[]
}
/** The attributes of a declaration that count. */
export interface Attributes {
  packed?: Token
  /** gcc's own way to lay out bit fields. */
  gccStruct?: Token
  align?: Attribute
  /** gcc's `vector_size(16)`. */
  vector?: Attribute
  convention?: Convention
  /** The name of `__asm__("name")`. */
  symbol?: string
  /** The annotation `_Out_`, or one like it. */
  out?: Token
}

/**
 * Reads attributes and annotations at the cursor; false if there are none. `beforeTag`: a word that looks like an
 * annotation may be the name of a structure.
 */
export function parseAttributes(context: Context, into: Attributes, beforeTag = false): boolean {
  const { cursor } = context
  const start = cursor.index
  for (;;) {
    const { token } = cursor
    if (token.kind === 'name' && attributeWords.has(token.text)) {
      const word = cursor.next()
      if (!cursor.at('(')) throw cursor.expected(`"(" after ${word.text}`)
      const inside = cursor.skipGroup()
      if (word.text.toLowerCase().endsWith('alignas')) into.align = { word, inside }
      else readWords(context, inside, into)
    } else if (token.kind === 'name' && context.isAnnotation(token.text) && (!beforeTag || cursor.at('(', 1))) {
      if (isOutAnnotation(token.text)) into.out = token
      cursor.next()
      if (cursor.at('(')) cursor.skipGroup()
    } else if (/^(?:asm|__asm|__asm__)$/.test(token.text) && cursor.at('(', 1)) {
      cursor.next()
      const symbol = textOf(cursor.skipGroup())
      if (symbol !== undefined) into.symbol = symbol
    } else if (cursor.at('[') && cursor.at('[', 1)) cursor.skipGroup()
    else return cursor.index > start
  }
}

/**
 * Reads only the outer words: `deprecated("packed")` packs nothing. `inside` may hold the second pair of gcc's
 * brackets.
 */
function readWords({ cursor }: Context, inside: readonly Token[], into: Attributes): void {
  for (let index = 0; index < inside.length; index++) {
    const token = inside[index]
    if (token.kind !== 'name') continue
    const word = token.text.replace(/^__(.*)__$/, '$1')
    const group = groupAt(inside, index + 1)
    const convention = conventionWords.get(`__${word}`)
    if (refusedWords.has(word))
      throw cursor.source.error(token.at, `"${word}" changes a type or a call in a way that is not known here`)
    if (convention) into.convention = convention
    else if (word === 'packed') into.packed = token
    else if (word === 'gcc_struct') into.gccStruct = token
    else if (word === 'align' || word === 'aligned') into.align = { word: token, inside: group }
    else if (word === 'vector_size') into.vector = { word: token, inside: group }
    if (group.length > 0) index += group.length + 2
  }
}

/** What must not be ignored like other words: the layout or the call would be another than here. */
const refusedWords = new Set(['mode', 'vectorcall', 'regcall', 'regparm', 'sysv_abi', 'scalar_storage_order'])

/** What stands between the bracket at `from` and its match. */
function groupAt(tokens: readonly Token[], from: number): readonly Token[] {
  if (tokens[from]?.text !== '(') return []
  const end = closing(tokens, from)
  return end < tokens.length ? tokens.slice(from + 1, end) : []
}
