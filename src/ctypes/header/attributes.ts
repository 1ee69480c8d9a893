/** `__declspec(…)`, `__attribute__((…))`, `alignas(…)` and notes: the few that change a layout or a call are kept. */
import type { Convention } from './ast.js'
import type { Cursor } from './cursor.js'
import type { Token } from './lexer.js'
import { numberValue } from './literals.js'
import { attributeWords, conventionWords, isAnnotation } from './words.js'

export interface Attributes {
  packed?: true
  align?: number
  convention?: Convention
}

/** Passes over attributes and notes at the cursor; was there any? */
export function parseAttributes(cursor: Cursor, into: Attributes): boolean {
  const start = cursor.index
  for (;;) {
    const { token } = cursor
    if (token.kind === 'name' && attributeWords.has(token.text)) {
      const word = cursor.next().text
      if (!cursor.at('(')) throw cursor.expected(`"(" after ${word}`)
      const inside = cursor.skipGroup()
      if (word.toLowerCase().endsWith('alignas')) into.align = alignment(cursor, inside)
      else readWords(cursor, inside, into)
    } else if (token.kind === 'name' && isAnnotation(token.text)) {
      cursor.next()
      if (cursor.at('(')) cursor.skipGroup()
    } else if (cursor.at('[') && cursor.at('[', 1)) cursor.skipGroup()
    else return cursor.index > start
  }
}

function readWords(cursor: Cursor, inside: readonly Token[], into: Attributes): void {
  for (const [index, token] of inside.entries()) {
    if (token.kind !== 'name') continue
    const word = token.text.replace(/^__(.*)__$/, '$1')
    const convention = conventionWords.get(`__${word}`)
    if (convention) into.convention = convention
    else if (word === 'packed') into.packed = true
    else if (word === 'align' || word === 'aligned') {
      const bracketed = inside[index + 1]?.text === '(' ? inside.slice(index + 2, index + 3) : []
      // Without a number gcc means the largest alignment of the machine.
      into.align = bracketed.length > 0 ? alignment(cursor, bracketed) : 16
    }
  }
}

function alignment(cursor: Cursor, [token]: readonly Token[]): number {
  if (token?.kind !== 'number') throw cursor.expected('an alignment as a number', token)
  const { value } = numberValue(cursor.source, token)
  const size = Number(value)
  if (size > 0 && size <= 8192 && Number.isInteger(Math.log2(size))) return size
  throw cursor.source.error(token.at, `expected an alignment that is a power of two, found "${token.text}"`)
}
