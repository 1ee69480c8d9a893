/** C text as tokens. Comments and line splices vanish here; directives are the preprocessor's. */
import type { Packing } from './ast.js'
import type { Position, Source } from './source.js'

type TokenKind =
  | 'name'
  | 'number'
  | 'string'
  | 'character'
  | 'punctuator'
  /** No token of C. An error only where a declaration meets it: skipped branches may contain anything. */
  | 'stray'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly at: Position
  /** Whether it is the first token of its line, where `#` starts a directive. */
  readonly startsLine: boolean
  /** Whether white space stands before it: `#define F (x)` differs from `#define F(x)`. */
  readonly spaceBefore: boolean
  /** The packing of `#pragma pack` here; missing where there is none. */
  readonly pack?: Packing
}

/** At each place the first one that matches counts. */
const patterns: readonly (readonly [TokenKind | 'space' | 'newline', RegExp])[] = [
  ['newline', /\r\n|\r|\n/],
  ['space', /[ \t\f\v\uFEFF\xa0]+|\\[ \t]*(?:\r\n|\r|\n)|\/\/(?:\\(?:\r\n|\r|\n)|[^\r\n])*|\/\*[\s\S]*?\*\//],
  ['string', /(?:u8|[LuU])?"(?:[^"\\\r\n]|\\[\s\S])*"/],
  ['character', /[LuU]?'(?:[^'\\\r\n]|\\[\s\S])+'/],
  ['name', /[\p{L}_$][\p{L}\p{N}_$]*/u],
  ['number', /\.?\d(?:[eEpP][+-]|[\w.])*/],
  ['punctuator', /\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|[<>=!+\-*/%&^|]=|&&|\|\||##|::|[-+*/%&|^~!<>=?:;,.(){}[\]#]/],
]
/** All of them in one, with a group for each. */
const anyToken = new RegExp(patterns.map(([, { source }]) => `(${source})`).join('|'), 'uy')

/** The last token is of kind `end`. Throws ArgumentError for a comment without an end, and for nothing else. */
export function tokenize(source: Source): Token[] {
  const text = withoutEndMark(source.text)
  const tokens: Token[] = []
  let index = 0
  let line = 1
  let lineStart = 0
  let startsLine = true
  let spaceBefore = false
  const here = (): Position => ({ line, column: index - lineStart + 1 })
  while (index < text.length) {
    const [kind, piece] = match(text, index)
    if (kind === 'stray' && text.startsWith('/*', index))
      throw source.error(here(), 'expected the end of this comment, found the end of the text')
    if (kind === 'newline') startsLine = true
    else if (kind === 'space') spaceBefore = true
    else {
      tokens.push({ kind, text: piece, at: here(), startsLine, spaceBefore })
      startsLine = spaceBefore = false
    }
    if (kind === 'newline') {
      line++
      lineStart = index + piece.length
    } else if (kind === 'space' || kind === 'string' || kind === 'character')
      for (const newline of piece.matchAll(/\r\n|\r|\n/g)) {
        line++
        lineStart = index + newline.index + newline[0].length
      }
    index += piece.length
  }
  tokens.push({ kind: 'end', text: '', at: here(), startsLine: true, spaceBefore: true })
  return tokens
}

/** Without ^Z, with which DOS ended a text. */
function withoutEndMark(text: string): string {
  const mark = text.indexOf('\x1a')
  const rest = mark < 0 ? 'text' : text.slice(mark).replaceAll('\x1a', '').replaceAll('\0', '')
  return rest.trim() === '' ? text.slice(0, mark) : text
}

function match(text: string, index: number): readonly [TokenKind | 'space' | 'newline', string] {
  // as no pattern matches a comment without an end, the one of operators would take its first character
  if (text.startsWith('/*', index) && !text.includes('*/', index + 2)) return ['stray', '/*']
  anyToken.lastIndex = index
  const found = anyToken.exec(text)
  if (found) return [patterns[found.indexOf(found[0], 1) - 1][0], found[0]]
  return ['stray', String.fromCodePoint(text.codePointAt(index) as number)]
}

/** A token that is not in the text, at the place of the token that it was made of. */
export const tokenLike = (token: Token, kind: TokenKind, text: string): Token => ({ ...token, kind, text })

/** Where the bracket that opens at `opening` is closed; behind the tokens where it is not. */
export function closing(tokens: readonly Token[], opening: number): number {
  let depth = 0
  for (let index = opening; index < tokens.length; index++) {
    if (tokens[index]?.text === '(') depth++
    else if (tokens[index]?.text === ')' && --depth === 0) return index
  }
  return tokens.length
}

/** How a message names a token. */
export function describe(token: Token): string {
  return token.kind === 'end' ? 'the end of the text' : `"${token.text}"`
}
