/** The back of a declaration, read from the name outwards: `(__stdcall *table[4])(int)`. */
import { vectorOf } from './alignment.js'
import type { ArrayNode, Convention, Expression, FunctionNode, Parameter, TypeNode } from './ast.js'
import { type Attributes, parseAttributes } from './attributes.js'
import type { Context } from './context.js'
import { parseExpression, type TypeReader } from './expression.js'
import type { Token } from './lexer.js'
import type { Position } from './source.js'
import { parseSpecifiers } from './specifiers.js'
import { attributeWords, conventionWords, emptyWords, isBasicWord, qualifierWords } from './words.js'

/** What a declarator declares: a name, unless it has none, and its type. */
export interface Declarator {
  readonly name?: string
  readonly type: TypeNode
  /** The name of `__asm__("name")`. */
  readonly symbol?: string
  readonly at: Position
}

/** What a declarator makes of the type in front of it. */
interface Derivation {
  readonly name: Token | undefined
  apply(base: TypeNode): TypeNode
  /** A calling convention of the function outside the brackets: `(__stdcall *f)(int)`. */
  readonly convention: Convention | undefined
}

/** The most stars, or lengths and lists of parameters, of one declarator. */
const mostInRow = 50

/** Reads a declarator. `what` names, for errors, what has to stand there; without `what` there may be no name. */
export function parseDeclarator(
  context: Context,
  base: TypeNode,
  convention: Convention | undefined,
  what?: string,
): Declarator {
  const start = context.cursor.token
  const derivation = parseDerivation(context, convention, what)
  return {
    ...(derivation.name && { name: derivation.name.text }),
    type: derivation.apply(base),
    at: (derivation.name ?? start).at,
  }
}

function parseDerivation(context: Context, given: Convention | undefined, what: string | undefined): Derivation {
  return context.cursor.nest(() => {
    const { cursor } = context
    const front = parsePointers(context)
    const inner = parseInner(context, what)
    let waiting = front.convention ?? inner.convention ?? given
    const outer = front.outerConvention
    const suffixes: ((base: TypeNode) => TypeNode)[] = []
    for (;;) {
      const { at } = cursor.token
      if (suffixes.length > mostInRow) throw cursor.tooDeep()
      if (cursor.at('[')) suffixes.push(parseLength(context))
      else if (cursor.at('(')) {
        const list = parseParameters(context)
        const convention = waiting
        waiting = undefined
        suffixes.push(result => functionOf(result, list, convention, at))
      } else break
    }
    const apply = (base: TypeNode) => {
      let type = base
      for (let count = 0; count < front.pointers; count++) type = { kind: 'pointer', to: type }
      for (const suffix of suffixes.reverse()) type = suffix(type)
      return inner.apply(type)
    }
    return { name: inner.name, apply, convention: outer ?? waiting }
  })
}

interface Front {
  readonly pointers: number
  /** Written behind the last `*`: the convention of the function that is declared. */
  readonly convention: Convention | undefined
  /** Written before a `*`: the convention of the function that the pointer points to. */
  readonly outerConvention: Convention | undefined
}

/** `* const __stdcall *`. */
function parsePointers(context: Context): Front {
  const { cursor } = context
  const attributes: Attributes = {}
  let outerConvention: Convention | undefined
  let pointers = 0
  for (;;) {
    const { text, kind } = cursor.token
    // for a caller, a C++ reference is an address
    if (cursor.accept('*') || cursor.accept('&')) {
      if (++pointers > mostInRow) throw cursor.tooDeep()
      outerConvention = attributes.convention ?? outerConvention
      delete attributes.convention
    } else if (kind === 'name' && (qualifierWords.has(text) || (emptyWords.has(text) && context.isEmptyWord())))
      cursor.next()
    else if (conventionWords.has(text)) attributes.convention = conventionWords.get(cursor.next().text) as Convention
    else if (!parseAttributes(context, attributes))
      return { pointers, convention: attributes.convention, outerConvention }
  }
}

/** Attributes behind a declarator may change its type: `int f(int) __attribute__((stdcall))`, also where it is a pointer to a function. */
export function withAttributes(context: Context, type: TypeNode, attributes: Attributes): TypeNode {
  const { vector, convention } = attributes
  if (vector) return vectorOf(context, type, vector, attributes)
  return convention ? withConvention(type, convention) : type
}

function withConvention(type: TypeNode, convention: Convention): TypeNode {
  if (type.kind === 'pointer') return { ...type, to: withConvention(type.to, convention) }
  return type.kind === 'function' && !type.convention ? { ...type, convention } : type
}

/** The name, or brackets around another declarator, or nothing. */
function parseInner(context: Context, what: string | undefined): Derivation {
  const { cursor } = context
  const { token } = cursor
  if (cursor.at('(') && opensDeclarator(context, what !== undefined)) {
    cursor.next()
    const derivation = parseDerivation(context, undefined, what)
    cursor.expect(')')
    return derivation
  }
  const isName = token.kind === 'name' && !isBasicWord(token.text) && !/^(?:struct|union|enum)$/.test(token.text)
  if (!isName && what !== undefined) throw cursor.expected(what)
  if (isName) {
    cursor.next()
    refuseUnknownWord(context, token)
  }
  return { name: isName ? token : undefined, apply: base => base, convention: undefined }
}

/** Whether a bracket opens a declarator. Where there need not be a name, a type behind the bracket means parameters. */
function opensDeclarator(context: Context, needsName: boolean): boolean {
  const inside = context.cursor.peek(1)
  if (/^[*(&]$/.test(inside.text) || conventionWords.has(inside.text) || attributeWords.has(inside.text)) return true
  return needsName || (inside.kind === 'name' && !context.startsType(inside) && !isOut(context, 1))
}

/** Throws for two names in a row, or a name and a star: the first must be an unknown macro. */
function refuseUnknownWord(context: Context, name: Token): void {
  const next = context.cursor.token
  if ((next.kind !== 'name' && next.text !== '*') || emptyWords.has(next.text) || context.startsType(next)) return
  const hint = `; if it is a macro, say what it stands for: #define ${name.text} __stdcall`
  throw context.cursor.expected('a name or a calling convention', name, hint)
}

/** `[4]`, `[]`, `[static 4]`. */
function parseLength(context: Context): (base: TypeNode) => TypeNode {
  const { cursor } = context
  const { at } = cursor.next()
  while (cursor.at('static') || qualifierWords.has(cursor.token.text)) cursor.next()
  const length: Expression | undefined = cursor.at(']') ? undefined : parseExpression(cursor, typeReader(context))
  cursor.expect(']')
  return of => ({ kind: 'array', of, ...(length && { length }), at }) satisfies ArrayNode
}

interface ParameterList {
  readonly parameters: readonly Parameter[]
  readonly variadic: boolean
}

const functionOf = (
  result: TypeNode,
  list: ParameterList,
  convention: Convention | undefined,
  at: Position,
): FunctionNode => ({
  kind: 'function',
  result,
  ...list,
  ...(convention && { convention }),
  at,
})

function parseParameters(context: Context): ParameterList {
  const { cursor } = context
  const parameters: Parameter[] = []
  cursor.expect('(')
  if (cursor.accept(')')) return { parameters, variadic: false }
  do {
    if (cursor.accept('...')) {
      cursor.expect(')', '")" after "..."')
      return { parameters, variadic: true }
    }
    parameters.push(parseParameter(context))
  } while (cursor.accept(','))
  cursor.expect(')', '"," or ")"')
  const [only] = parameters
  const isVoid =
    parameters.length === 1 && only?.type.kind === 'basic' && only.type.name === 'void' && only.name === undefined
  return { parameters: isVoid ? [] : parameters, variadic: false }
}

function parseParameter(context: Context): Parameter {
  const { cursor } = context
  const attributes: Attributes = {}
  parseAttributes(context, attributes)
  const isWritten = isOut(context, 0)
  const declarator = isWritten ? parseOutParameter(context) : parsePlainParameter(context, attributes)
  if (cursor.at('OPTIONAL')) cursor.next()
  parseAttributes(context, attributes)
  const out = isWritten ? 'written' : context.heedsAnnotations && attributes.out ? 'annotated' : undefined
  return { ...declarator, type: withAttributes(context, declarator.type, attributes), ...(out && { out }) }
}

const isOut = ({ cursor, isTypeName }: Context, ahead: number) =>
  cursor.at('out', ahead) && cursor.at('(', ahead + 1) && !isTypeName('out')

/** Adds the attributes inside the declaration to those in front. */
function parsePlainParameter(context: Context, into: Attributes): Declarator {
  const { base, convention, attributes } = parseSpecifiers(context, 'a parameter')
  Object.assign(into, attributes)
  return parseDeclarator(context, base, convention)
}

/** `out(double) result`: the routine gets a `double *` and the caller the value. */
function parseOutParameter(context: Context): Declarator {
  const { cursor } = context
  cursor.next()
  const { at } = cursor.next()
  const type = parseTypeName(context)
  cursor.expect(')')
  const name = cursor.token.kind === 'name' ? cursor.next() : undefined
  return { ...(name && { name: name.text }), type, at: (name ?? { at }).at }
}

/** A type without a name, as in a cast. */
export function parseTypeName(context: Context): TypeNode {
  const { base, convention } = parseSpecifiers(context)
  const { name, type, at } = parseDeclarator(context, base, convention)
  if (name !== undefined) throw context.cursor.source.error(at, `expected ")", found "${name}"`)
  return type
}

/** Reads types inside expressions at the cursor of a context. */
export const typeReader = (context: Context): TypeReader => ({
  startsType: ahead => context.startsType(context.cursor.peek(ahead)),
  typeName: () => parseTypeName(context),
})
