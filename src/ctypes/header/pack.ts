/** The packing that `#pragma pack` asks for. */
import type { Packing } from './ast.js'
import { closing, type Token, tokenize } from './lexer.js'
import { stringValue } from './literals.js'
import { Source } from './source.js'

/** The packing at a place of the text, and those that were pushed before. */
export class PackStack {
  /** Missing where the types' own alignments apply. */
  current: Packing | undefined
  readonly #stack: { name: string | undefined; pack: Packing | undefined }[] = []

  /** Carries out `pack(push, 4)` and the like; other pragmas are ignored. */
  pragma(tokens: readonly Token[], source: Source): void {
    const [word, opening, ...rest] = tokens
    if (word?.text !== 'pack' || opening?.text !== '(') return
    const parts = rest.filter(token => token.text !== ',' && token.text !== ')')
    const action = parts[0]?.text
    if (action === 'show') return
    if (action !== 'push' && action !== 'pop') this.current = parts[0] && sizeOf(parts[0], source)
    else this.#pushOrPop(action, parts.slice(1), source)
  }

  #pushOrPop(action: 'push' | 'pop', parts: readonly Token[], source: Source): void {
    const name = parts.find(token => token.kind === 'name')?.text
    if (action === 'push') this.#stack.push({ name, pack: this.current })
    else this.#pop(name)
    const size = parts.find(token => token.kind !== 'name')
    if (size) this.current = sizeOf(size, source)
  }

  /** Restores the last packing that was pushed; with a name, the one pushed under that name. */
  #pop(name: string | undefined): void {
    const index = name === undefined ? this.#stack.length - 1 : this.#stack.findLastIndex(entry => entry.name === name)
    if (index < 0) return
    this.current = this.#stack[index]?.pack
    this.#stack.length = index
  }

  /**
   * Windows' other way to change the packing: `#include <pshpack4.h>` … `#include <poppack.h>`. False for any other
   * file.
   */
  include(file: string): boolean {
    const found = /(?:pshpack([1248])|poppack)\.h\b/i.exec(file)
    if (!found) return false
    if (found[1]) {
      this.#stack.push({ name: undefined, pack: this.current })
      this.current = Number(found[1]) as Packing
    } else this.#pop(undefined)
    return true
  }

  /** Removes `__pragma(…)` and `_Pragma("…")` from the tokens, and notes the packing on the others. */
  stamp(tokens: readonly Token[], source: Source): Token[] {
    const stamped: Token[] = []
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index]
      if ((token.text === '__pragma' || token.text === '_Pragma') && tokens[index + 1]?.text === '(') {
        const end = closing(tokens, index + 1)
        const inside = tokens.slice(index + 2, end)
        const quoted = inside[0]?.kind === 'string'
        this.pragma(quoted ? unquoted(inside[0], source) : inside, source)
        index = end
      } else stamped.push(this.current === undefined ? token : { ...token, pack: this.current })
    }
    return stamped
  }
}

function sizeOf(token: Token, source: Source): Packing | undefined {
  if (token.text === '0') return undefined
  if (/^(?:1|2|4|8|16)$/.test(token.text)) return Number(token.text) as Packing
  throw source.error(token.at, `expected a packing of 1, 2, 4, 8 or 16, found "${token.text}"`)
}

function unquoted(token: Token, source: Source): Token[] {
  const tokens = tokenize(new Source(stringValue(token), source.label)).slice(0, -1)
  return tokens.map(inner => ({ ...inner, at: token.at }))
}
