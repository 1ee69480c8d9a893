/** Carries out directives: which parts of a header are read, and what its macros stand for. */
import type { ArgumentError } from '../../errors.js'
import { builtinConstant } from './builtin.js'
import { Cursor } from './cursor.js'
import { evaluate } from './evaluate.js'
import { parseExpression } from './expression.js'
import { closing, type Token, tokenize, tokenLike } from './lexer.js'
import { integer, stringValue } from './literals.js'
import { type Macro, Macros } from './macros.js'
import { PackStack } from './pack.js'
import type { Position, Source } from './source.js'

/** One open `#if`. */
interface Branch {
  readonly opened: Token
  /** Whether the current branch is read. */
  active: boolean
  /** Whether one of its branches has been read, so that `#else` is not. */
  taken: boolean
  sawElse: boolean
}

/** The tokens of a text after its directives; `table` has the macros known before, and afterwards those of the text too. */
export function preprocess(source: Source, table: Map<string, Macro>, predefined = false): Token[] {
  return new Preprocessor(source, new Macros(source, table), predefined).run()
}

class Preprocessor {
  readonly #pack = new PackStack()
  readonly #branches: Branch[] = []
  readonly #output: Token[] = []
  /** Tokens since the last directive, not expanded yet. */
  #pending: Token[] = []

  constructor(
    readonly source: Source,
    readonly macros: Macros,
    readonly predefined: boolean,
  ) {}

  /** False inside a branch that is skipped. */
  get #active(): boolean {
    return this.#branches.at(-1)?.active ?? true
  }

  run(): Token[] {
    const tokens = tokenize(this.source)
    const end = tokens.pop() as Token
    for (let index = 0; index < tokens.length; ) {
      const token = tokens[index]
      if (token.startsLine && token.text === '#') {
        let stop = index + 1
        while (stop < tokens.length && !tokens[stop]?.startsLine) stop++
        this.#directive(token, tokens.slice(index + 1, stop))
        index = stop
      } else {
        if (this.#active) this.#pending.push(token)
        index++
      }
    }
    const open = this.#branches.at(-1)
    if (open)
      throw this.source.error(
        open.opened.at,
        `expected an #endif for this #${open.opened.text}, found the end of the text`,
      )
    this.#flush()
    return [...this.#output, end]
  }

  #flush(): void {
    if (this.#pending.length === 0) return
    for (const token of this.#pack.stamp(this.macros.expand(this.#pending), this.source)) this.#output.push(token)
    this.#pending = []
  }

  #directive(hash: Token, [word, ...rest]: readonly Token[]): void {
    if (!word) return
    if (this.#conditional(word, rest) || !this.#active) return
    this.#flush()
    switch (word.text) {
      case 'define':
        this.macros.define(rest, this.predefined, word)
        return
      case 'undef':
        this.macros.table.delete(rest[0]?.text ?? '')
        return
      case 'pragma':
        this.#pragma(rest)
        return
      case 'include': {
        const file = rest.map(token => token.text).join('')
        if (!this.#pack.include(file)) this.source.includes.push(file)
        return
      }
      case 'error':
        throw this.source.error(word.at, `the header refuses: ${this.#lineAfter(word)}`)
      case 'warning':
      case 'import':
      case 'include_next':
      case 'line':
      case 'ident':
        return
      default:
        if (word.kind !== 'number') throw this.source.error(hash.at, `expected a directive, found "#${word.text}"`)
    }
  }

  /** Pragmas for anything but macros and the packing are ignored. */
  #pragma([word, ...rest]: readonly Token[]): void {
    const [, name] = rest
    if (word?.text === 'push_macro' && name?.kind === 'string') this.macros.push(stringValue(name))
    else if (word?.text === 'pop_macro' && name?.kind === 'string') this.macros.pop(stringValue(name))
    // macros count here, as for Microsoft's compiler: `pack(push, _CRT_PACKING)`
    else if (word?.text === 'pack') this.#pack.pragma([word, ...this.macros.expand(rest)], this.source)
  }

  #lineAfter(word: Token): string {
    return this.source
      .line(word.at.line)
      .slice(word.at.column - 1 + word.text.length)
      .trim()
  }

  /** Carries out a directive of conditions; false for any other. */
  #conditional(word: Token, rest: readonly Token[]): boolean {
    switch (word.text) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const active = this.#active && this.#test(word.text, word, rest)
        this.#branches.push({ opened: word, active, taken: active, sawElse: false })
        return true
      }
      case 'elif':
      case 'elifdef':
      case 'elifndef':
      case 'else':
        this.#next(word, rest)
        return true
      case 'endif':
        if (!this.#branches.pop()) throw this.source.error(word.at, 'expected an #if before this #endif, found none')
        return true
      default:
        return false
    }
  }

  #next(word: Token, rest: readonly Token[]): void {
    const branch = this.#branches.at(-1)
    if (!branch || branch.sawElse)
      throw this.source.error(word.at, `expected an #if before this #${word.text}, found none`)
    branch.sawElse = word.text === 'else'
    const outer = this.#branches.at(-2)?.active ?? true
    branch.active = outer && !branch.taken && (branch.sawElse || this.#test(word.text.slice(2), word, rest))
    branch.taken ||= branch.active
  }

  #test(kind: string, word: Token, rest: readonly Token[]): boolean {
    if (kind === 'if') return this.#condition(word, rest)
    if (rest[0]?.kind !== 'name')
      throw this.source.error((rest[0] ?? word).at, `expected the name of a macro after #${word.text}`)
    return this.macros.table.has(rest[0].text) === (kind === 'ifdef')
  }

  #condition(word: Token, rest: readonly Token[]): boolean {
    if (rest.length === 0)
      throw this.source.error(word.at, `expected a condition after #${word.text}, found the end of the line`)
    const tokens = callsAsNames(this.macros.expandCondition(rest))
    const end = tokenLike({ ...word, at: (rest.at(-1) as Token).at }, 'end', '')
    const cursor = new Cursor(this.source, [...tokens, end])
    const expression = parseExpression(cursor)
    if (cursor.token.kind !== 'end') throw cursor.expected('the end of the condition')
    const zero = integer(0n, 64)
    const value = evaluate(expression, {
      source: this.source,
      intmax: true,
      name: (name, at) => {
        if (name.includes('(')) throw this.#unknownCall(name, at)
        const known = builtinConstant(name, this.macros.table.has('_WIN64') ? 'win64' : 'win32')
        const { undefinedMacros } = this.source
        if (known === undefined && !isReserved(name) && !undefinedMacros.has(name)) undefinedMacros.set(name, at.line)
        return known?.kind === 'integer' ? integer(known.value, 64, known.signed) : zero
      },
      sizeOf: () => zero,
      cast: () => zero,
      addressOf: () => zero,
    })
    return Boolean(value.value)
  }

  /** Compilers refuse this, too: whichever way it were decided, text might be lost without a word. */
  #unknownCall(name: string, at: Position): ArgumentError {
    const macro = name.slice(0, name.indexOf('('))
    const hint = `nobody defined "${macro}": write "#define ${macro}(...) 1" in front, or 0`
    return this.source.error(at, `expected a condition, found "${name}"; ${hint}${this.source.includeHint}`)
  }
}

/** Whether a name is reserved for compilers and their libraries, so that the text need not define it. */
const isReserved = (name: string) => /^_[_A-Z]/.test(name)
/** Whether a name asks what the compiler has: `__has_attribute(x)`. */
const isQuestion = (name: string) => /^__(?:has_\w+|is_identifier|building_module)$/.test(name)

/** Makes one name of `X(…)` where nobody defined X, so that only its evaluation fails; what asks the compiler has the answer 0. */
function callsAsNames(tokens: readonly Token[]): Token[] {
  const result: Token[] = []
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]
    if (token.kind === 'name' && tokens[index + 1]?.text === '(') {
      const end = closing(tokens, index + 1)
      const call = tokens.slice(index + 1, end + 1).map(({ text }) => text)
      index = end
      result.push(
        isQuestion(token.text)
          ? tokenLike(token, 'number', '0')
          : tokenLike(token, 'name', `${token.text}${call.join('')}`),
      )
    } else result.push(token)
  }
  return result
}
