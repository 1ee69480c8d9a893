/** Parses tokens into declarations. Routines with a body and `static` ones are not exported, and are skipped. */
import { ArgumentError } from '../../errors.js'
import { refuseAlignment } from './alignment.js'
import type { Declaration, Expression, Tree, TypeNode } from './ast.js'
import { type Attributes, parseAttributes } from './attributes.js'
import { Context } from './context.js'
import { Cursor } from './cursor.js'
import { type Declarator, parseDeclarator, parseTypeName, typeReader, withAttributes } from './declarator.js'
import { parseExpression } from './expression.js'
import type { Token } from './lexer.js'
import { textOf } from './literals.js'
import { skipAssertion } from './records.js'
import type { Source } from './source.js'
import { parseSpecifiers, type Specifiers } from './specifiers.js'

/** The initial value of a variable, as far as it can be read. */
type Initializer = Pick<Declaration, 'value' | 'text'>

/** Parses the tokens of one text. */
export class Parser {
  readonly #context: Context
  readonly #cursor: Cursor
  readonly #declarations: Declaration[] = []

  constructor(source: Source, tokens: readonly Token[], isKnownType: (name: string) => boolean) {
    this.#cursor = new Cursor(source, tokens)
    this.#context = new Context(this.#cursor, isKnownType, source.label === 'prototype')
  }

  /** Parses everything up to the end. */
  header(): Tree {
    while (this.#cursor.token.kind !== 'end') this.#declaration()
    return this.#tree()
  }

  /** Parses one declaration, with or without its semicolon. */
  prototype(): Tree {
    this.#acceptLinkage()
    const specifiers = parseSpecifiers(this.#context)
    const declarator = parseDeclarator(this.#context, specifiers.base, specifiers.convention, 'the name of a routine')
    this.#add(specifiers, this.#withAttributes(specifiers, declarator))
    this.#cursor.accept(';')
    if (this.#cursor.token.kind !== 'end') throw this.#cursor.expected('the end of the prototype')
    return this.#tree()
  }

  /** Parses a type without a name. */
  typeName(): TypeNode {
    const type = parseTypeName(this.#context)
    if (this.#cursor.token.kind !== 'end') throw this.#cursor.expected('the end of the type')
    return type
  }

  /** Parses an expression; undefined where the tokens are something else. */
  expression(tokens: readonly Token[]): Expression | undefined {
    const cursor = new Cursor(this.#cursor.source, tokens)
    const context = new Context(cursor, name => this.#context.isTypeName(name))
    try {
      const expression = parseExpression(cursor, typeReader(context))
      return cursor.token.kind === 'end' ? expression : undefined
    } catch (error) {
      if (error instanceof ArgumentError) return undefined
      throw error
    }
  }

  #tree(): Tree {
    return { declarations: this.#declarations, records: this.#context.records, enums: this.#context.enums }
  }

  #declaration(): void {
    const cursor = this.#cursor
    if (cursor.accept(';') || skipAssertion(this.#context) || this.#linkage()) return
    const specifiers = parseSpecifiers(this.#context, 'a declaration')
    if (cursor.accept(';')) return
    for (let count = 0; ; count++) {
      const declarator = this.#withAttributes(
        specifiers,
        parseDeclarator(this.#context, specifiers.base, specifiers.convention, 'a name'),
      )
      if (count === 0 && declarator.type.kind === 'function' && cursor.at('{')) {
        cursor.skipGroup()
        this.#add(specifiers, declarator)
        return
      }
      this.#add(specifiers, declarator, cursor.accept('=') ? this.#initializer() : undefined)
      if (!cursor.accept(',')) break
    }
    cursor.expect(';', '";" after the declaration')
  }

  /** `extern "C"`, with or without braces. */
  #linkage(): boolean {
    const cursor = this.#cursor
    if (!this.#acceptLinkage()) return false
    cursor.nest(() => this.#linked())
    return true
  }

  #linked(): void {
    const cursor = this.#cursor
    if (!cursor.at('{')) return this.#declaration()
    const opening = cursor.next()
    while (!cursor.accept('}')) {
      if (cursor.token.kind === 'end')
        throw cursor.source.error(opening.at, 'expected a match for this "{", found the end of the text')
      this.#declaration()
    }
  }

  #acceptLinkage(): boolean {
    const cursor = this.#cursor
    if (!cursor.at('extern') || cursor.peek(1).kind !== 'string') return false
    cursor.next()
    cursor.next()
    return true
  }

  /** Reads what follows `=`: a text or an expression, or nothing if it is neither. */
  #initializer(): Initializer {
    const cursor = this.#cursor
    const from = cursor.index
    while (!cursor.at(',') && !cursor.at(';') && cursor.token.kind !== 'end')
      if (cursor.at('(') || cursor.at('{') || cursor.at('[')) cursor.skipGroup()
      else cursor.next()
    const tokens = cursor.tokens.slice(from, cursor.index)
    const text = textOf(tokens)
    const value = this.expression([...tokens, { ...cursor.token, kind: 'end', text: '' }])
    return text !== undefined ? { text } : value ? { value } : {}
  }

  #withAttributes({ attributes: before, storage }: Specifiers, declarator: Declarator): Declarator {
    const attributes: Attributes = { ...before }
    parseAttributes(this.#context, attributes)
    if (storage.has('typedef') && !attributes.vector) refuseAlignment(this.#context, attributes)
    const { symbol } = attributes
    return {
      ...declarator,
      ...(symbol !== undefined && { symbol }),
      type: withAttributes(this.#context, declarator.type, attributes),
    }
  }

  #add({ storage, isConst }: Specifiers, declarator: Declarator, initializer: Initializer = {}): void {
    const name = declarator.name as string
    const { type, symbol } = declarator
    // a type of its own here, as in C++; C headers define it as an unsigned short
    if (storage.has('typedef') && name === 'wchar_t') return
    if (storage.has('typedef')) {
      this.#context.typedefs.add(name)
      this.#declarations.push({ kind: 'typedef', name, type, at: declarator.at })
    } else if (type.kind === 'function') {
      const named = symbol === undefined ? {} : { symbol }
      if (!isLocal(storage)) this.#declarations.push({ kind: 'routine', name, type, ...named, at: declarator.at })
    } else {
      // no library exports a static variable, but its value is a constant; also a text, which the pointer to it need not be
      const local = isLocal(storage)
      const constant = isConst || (local && initializer.text !== undefined) ? initializer : {}
      if (!local || constant.value || constant.text !== undefined)
        this.#declarations.push({ kind: 'variable', name, type, ...constant, at: declarator.at })
    }
  }
}

const isLocal = (storage: ReadonlySet<string>) =>
  [...storage].some(word => word === 'static' || word.includes('inline'))
