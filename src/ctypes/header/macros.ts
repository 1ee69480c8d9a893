/** `#define`: the table of macros, and their expansion. */
import { ArgumentError } from '../../errors.js'
import { describe, type Token, tokenize, tokenLike } from './lexer.js'
import { Source } from './source.js'

/** A definition by `#define`. */
export interface Macro {
  readonly name: Token
  /** Missing for `#define NAME …`. */
  readonly parameters?: readonly string[]
  readonly variadic: boolean
  readonly body: readonly Token[]
  /** True for a macro of this library, false for one of the header. */
  readonly predefined: boolean
}

/** The most tokens that all uses together may give: a limit that no header reaches stops macros that double each other. */
const mostTokens = 500_000
/** The most macros that may be nested, each in the body or the arguments of the one before. */
const mostNested = 200

/** A token and the macros that must not expand it any more. */
interface Item {
  readonly token: Token
  readonly hidden: ReadonlySet<string>
}
const nothingHidden: ReadonlySet<string> = new Set()

/** Defines and expands macros; the table is given, and shared with who else reads the text. */
export class Macros {
  #tokenCount = 0
  #depth = 0
  /** True while a condition is expanded: `defined X` becomes 1 or 0 then, also where a macro produces it. */
  #inCondition = false
  /** True while `#isExpansion` expands a body, in which names are uses in any case. */
  #isTried = false
  readonly #stacks = new Map<string, (Macro | undefined)[]>()
  constructor(
    readonly source: Source,
    readonly table: Map<string, Macro>,
  ) {}

  /** Defines a macro by the tokens behind `#define`. */
  define(tokens: readonly Token[], predefined: boolean, at: Token): void {
    const [name, ...rest] = tokens
    if (name?.kind !== 'name')
      throw this.source.error(
        (name ?? at).at,
        `expected the name of a macro, found ${name ? describe(name) : 'the end of the line'}`,
      )
    const isFunction = rest[0]?.text === '(' && !rest[0].spaceBefore
    if (!isFunction) this.table.set(name.text, { name, variadic: false, body: rest, predefined })
    else this.#defineFunction(name, rest, predefined)
  }

  #defineFunction(name: Token, rest: readonly Token[], predefined: boolean): void {
    const end = rest.findIndex(token => token.text === ')')
    if (end < 0)
      throw this.source.error(
        name.at,
        `expected ")" after the parameters of macro "${name.text}", found the end of the line`,
      )
    const words = rest.slice(1, end)
    const names = words.filter(({ kind }) => kind === 'name').map(({ text }) => text)
    const variadic = words.at(-1)?.text === '...'
    // gcc's `args...` is a name for what is __VA_ARGS__ elsewhere
    const isNamed = words.at(-2)?.kind === 'name'
    const parameters = variadic && !isNamed ? [...names, '__VA_ARGS__'] : names
    this.table.set(name.text, { name, parameters, variadic, body: rest.slice(end + 1), predefined })
  }

  /** `#pragma push_macro("NAME")`: keeps what the name stands for, if it does, until `pop`. */
  push(name: string): void {
    const stack = this.#stacks.get(name) ?? []
    this.#stacks.set(name, [...stack, this.table.get(name)])
  }

  pop(name: string): void {
    const stack = this.#stacks.get(name)
    if (!stack?.length) return
    const macro = stack.pop()
    if (macro) this.table.set(name, macro)
    else this.table.delete(name)
  }

  /** The tokens with their macros expanded. Throws ArgumentError for a use that is not closed, or has another number of arguments. */
  expand(tokens: readonly Token[]): Token[] {
    const isPlain = ({ kind, text }: Token) => kind !== 'name' || (text !== 'defined' && !this.table.has(text))
    if (tokens.every(isPlain)) return [...tokens]
    return this.#expand(tokens.map(token => ({ token, hidden: nothingHidden }))).map(item => item.token)
  }

  /** Expands the tokens of an `#if`. In `defined X` the name X is not expanded. */
  expandCondition(tokens: readonly Token[]): Token[] {
    this.#inCondition = true
    try {
      return this.expand(tokens)
    } finally {
      this.#inCondition = false
    }
  }

  #expand(items: readonly Item[]): Item[] {
    const done: Item[] = []
    const work = items.toReversed()
    for (let item = work.pop(); item; item = work.pop()) {
      const { token, hidden } = item
      if (this.#inCondition && token.text === 'defined') {
        done.push(fromToken(tokenLike(token, 'number', this.#takeDefined(token, work) ? '1' : '0')))
        continue
      }
      const macro = token.kind === 'name' && !hidden.has(token.text) ? this.table.get(token.text) : undefined
      const isUse =
        macro && (macro.parameters ? work.at(-1)?.token.text === '(' : !this.#isExpansion(macro, item, done, work))
      if (!isUse) {
        done.push(item)
        continue
      }
      const body = this.#substitute(macro, macro.parameters ? this.#takeArguments(macro, item, work) : [], token)
      this.#tokenCount += body.length
      if (this.#tokenCount > mostTokens || hidden.size > mostNested)
        throw this.source.error(token.at, `macro "${token.text}" grows without end`)
      const nowHidden = new Set([...hidden, token.text])
      for (const inner of body.reverse()) work.push({ token: inner.token, hidden: union(inner.hidden, nowHidden) })
    }
    return done
  }

  /**
   * Has a compiler's preprocessor expanded the macro here, so that the name is a part of its body? Text that a preprocessor has been through may
   * keep its directives (`gcc -E -dD`): behind `#define INFO struct INFO` stands `struct INFO` where the header has INFO, and behind
   * `#define ID MAKE_ID(ID, 5)` what MAKE_ID makes of that.
   */
  #isExpansion(
    { name: { text }, body }: Macro,
    { token, hidden }: Item,
    before: readonly Item[],
    work: readonly Item[],
  ) {
    if (!body.some(part => part.text === text)) return false
    if (standsAmong(text, body, before, work)) return true
    if (this.#isTried) return false
    this.#isTried = true
    try {
      const inside = body.map(part => ({ token: part, hidden: union(hidden, new Set([text])) }))
      const expansion = this.#expandArgument(inside, token).map(item => item.token)
      return standsAmong(text, expansion, before, work)
    } catch (error) {
      // its arguments may end behind the name
      if (error instanceof ArgumentError) return false
      throw error
    } finally {
      this.#isTried = false
    }
  }

  /** Takes `X` or `(X)` off the work. */
  #takeDefined(token: Token, work: Item[]): boolean {
    const opening = work.at(-1)?.token.text === '(' && work.pop()
    const name = work.pop()?.token
    if (name?.kind !== 'name' || (opening && work.pop()?.token.text !== ')'))
      throw this.source.error(token.at, 'expected the name of a macro after "defined"')
    return this.table.has(name.text)
  }

  /** Takes `( … , … )` off the work; `work` has its next token last. */
  #takeArguments(macro: Macro, use: Item, work: Item[]): Item[][] {
    const given: Item[][] = [[]]
    let depth = 0
    for (let item = work.pop(); ; item = work.pop()) {
      const text = item?.token.text
      if (!item || item.token.kind === 'end')
        throw this.source.error(
          use.token.at,
          `expected ")" after the arguments of macro "${use.token.text}", found the end of the text`,
        )
      if (text === '(' && depth++ === 0) continue
      if (text === ')' && --depth === 0) break
      const separates = text === ',' && depth === 1 && !(macro.variadic && given.length === macro.parameters?.length)
      if (separates) given.push([])
      else given.at(-1)?.push(item)
    }
    this.#checkCount(macro, given, use.token)
    return given
  }

  #checkCount(macro: Macro, given: Item[][], use: Token): void {
    const wanted = macro.parameters?.length ?? 0
    if (wanted === 0 && given.length === 1 && given[0]?.length === 0) given.pop()
    if (macro.variadic && given.length === wanted - 1) given.push([])
    if (given.length !== wanted)
      throw this.source.error(use.at, `expected ${wanted} arguments for macro "${use.text}", found ${given.length}`)
  }

  /** The body with arguments in the places of parameters, `#` and `##` done. */
  #substitute(macro: Macro, given: readonly Item[][], use: Token): Item[] {
    const result: Item[] = []
    const { body } = macro
    const argument = (token: Token | undefined) =>
      token?.kind === 'name' ? given[macro.parameters?.indexOf(token.text) ?? -1] : undefined
    for (let index = 0; index < body.length; index++) {
      const token = body[index]
      const next = body[index + 1]
      const before = index === 0 ? use : token
      const mayLoseComma = macro.variadic && token.text === ',' && next?.text === '##'
      if (mayLoseComma && body[index + 2]?.text === macro.parameters?.at(-1)) {
        // what compilers make of `, ##__VA_ARGS__`: nothing, comma included, where there are no such arguments
        const more = argument(body[index + 2]) ?? []
        if (more.length > 0) result.push(fromBody(token, use, before), ...this.#expandArgument(more, use))
        index += 2
      } else if (token.text === '#' && argument(next)) {
        result.push(spaced(fromToken(tokenLike(use, 'string', quote(argument(next) as Item[]))), before))
        index++
      } else if (token.text === '##' && next) {
        const right = argument(next) ?? [fromBody(next, use)]
        result.push(...this.#paste(result.pop(), right, use))
        index++
      } else if (argument(token)) {
        const raw = argument(token) as Item[]
        // an empty argument before `##` still stands for its left side
        const items =
          next?.text !== '##'
            ? this.#expandArgument(raw, use)
            : raw.length > 0
              ? raw
              : [fromToken(tokenLike(use, 'stray', ''))]
        for (const [place, item] of items.entries()) result.push(place === 0 ? spaced(item, before) : item)
      } else result.push(fromBody(token, use, before))
    }
    return result.filter(item => item.token.text !== '')
  }

  #expandArgument(raw: readonly Item[], use: Token): Item[] {
    if (this.#depth === mostNested) throw this.source.error(use.at, `macro "${use.text}" is nested too deeply`)
    this.#depth++
    const expanded = this.#expand(raw)
    this.#depth--
    return expanded
  }

  #paste(left: Item | undefined, right: readonly Item[], use: Token): Item[] {
    const text = (left?.token.text ?? '') + (right[0]?.token.text ?? '')
    const tokens = tokenize(new Source(text, this.source.label)).slice(0, -1)
    const pasted = tokens.map(token => fromToken(tokenLike(use, token.kind, token.text)))
    const [first = fromToken(tokenLike(use, 'stray', '')), ...others] = pasted
    return [spaced(first, left?.token ?? use), ...others, ...right.slice(1)]
  }
}

/** Is what stands around the name here what stands around it in `tokens`? `work` has its next token last. */
function standsAmong(name: string, tokens: readonly Token[], before: readonly Item[], work: readonly Item[]): boolean {
  const own = tokens.findIndex(({ text }) => text === name)
  return (
    own >= 0 &&
    tokens.every(({ text }, index) => {
      const there = index < own ? before.at(index - own) : work.at(own - index)
      return index === own || there?.token.text === text
    })
  )
}

const fromToken = (token: Token): Item => ({ token, hidden: nothingHidden })
/** What comes out of a body stands where the macro was used. */
const fromBody = (token: Token, use: Token, { spaceBefore, startsLine } = token): Item =>
  fromToken({ ...token, at: use.at, startsLine: false, spaceBefore: spaceBefore || startsLine })
/** White space before an expansion is that before the name: `#` shows it. */
const spaced = (item: Item, { spaceBefore, startsLine }: Token): Item => ({
  ...item,
  token: { ...item.token, spaceBefore: spaceBefore || startsLine, startsLine: false },
})
const union = (a: ReadonlySet<string>, b: ReadonlySet<string>) => (a.size === 0 ? b : new Set([...a, ...b]))
const quote = (items: readonly Item[]) => {
  const pieces = items.map(({ token }, index) => {
    const isText = token.kind === 'string' || token.kind === 'character'
    const text = isText ? token.text.replace(/["\\]/g, '\\$&') : token.text
    return index > 0 && (token.spaceBefore || token.startsLine) ? ` ${text}` : text
  })
  return `"${pieces.join('')}"`
}
