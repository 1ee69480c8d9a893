/** A position in a sequence of tokens, and the errors for what stands there. */
import type { ArgumentError } from '../../errors.js'
import { describe, type Token } from './lexer.js'
import type { Source } from './source.js'

/** The most levels of brackets in brackets, and the most links of one expression (`a.b[1].c`), each of which is a level of its tree. */
export const DEEPEST = 200

/** Reads tokens one after the other. `accept` and `expect` go on if the token is the wanted one; `expect` throws ArgumentError if not. */
export class Cursor {
  #index = 0
  #depth = 0
  constructor(
    readonly source: Source,
    /** Ends with a token of kind `end`. */
    readonly tokens: readonly Token[],
  ) {}

  get index(): number {
    return this.#index
  }
  get token(): Token {
    return this.peek()
  }
  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.#index + ahead, this.tokens.length - 1)]
  }
  next(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.#index++
    return token
  }
  /** Whether the token is this punctuator or word. */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.text === text && (token.kind === 'punctuator' || token.kind === 'name')
  }
  accept(text: string): boolean {
    if (!this.at(text)) return false
    this.#index++
    return true
  }
  expect(text: string, what = `"${text}"`): Token {
    if (!this.at(text)) throw this.expected(what)
    return this.next()
  }
  expectName(what: string): Token {
    if (this.token.kind !== 'name') throw this.expected(what)
    return this.next()
  }
  /** The error that something else should stand here. */
  expected(what: string, token = this.token, hint = ''): ArgumentError {
    return this.source.error(token.at, `expected ${what}, found ${describe(token)}${hint}`)
  }
  tooDeep(): ArgumentError {
    return this.source.error(this.token.at, 'this is nested too deeply')
  }
  /** Reads something that may contain its own kind; a limit keeps any text from exhausting the stack. */
  nest<T>(read: () => T): T {
    if (this.#depth === DEEPEST) throw this.tooDeep()
    this.#depth++
    const result = read()
    this.#depth--
    return result
  }
  /** Skips `( … )`, `{ … }` or `[ … ]`, and gives the tokens inside; the cursor stands at the opening bracket. */
  skipGroup(): Token[] {
    const opening = this.next()
    const closers: string[] = []
    const inside: Token[] = []
    for (let token = opening; ; token = this.next()) {
      if (token.kind === 'end')
        throw this.source.error(opening.at, `expected a match for this "${opening.text}", found the end of the text`)
      const closer = token.kind === 'punctuator' ? { '(': ')', '{': '}', '[': ']' }[token.text] : undefined
      if (closer) closers.push(closer)
      else if (token.kind === 'punctuator' && token.text === closers.at(-1)) closers.pop()
      if (closers.length === 0) return inside
      if (token !== opening) inside.push(token)
    }
  }
}
