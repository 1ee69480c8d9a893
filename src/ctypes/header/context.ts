/** What the parts of the parser share: the tokens, the names of types, and the definitions read so far. */
import type { EnumNode, RecordNode } from './ast.js'
import type { Cursor } from './cursor.js'
import type { Token } from './lexer.js'
import {
  attributeWords,
  conventionWords,
  emptyWords,
  isBasicWord,
  looksLikeAnnotation,
  looksLikeMacro,
  qualifierWords,
  storageWords,
  typeofWords,
} from './words.js'

export class Context {
  readonly typedefs = new Set<string>()
  readonly records = new Map<string, RecordNode>()
  readonly enums: EnumNode[] = []

  constructor(
    readonly cursor: Cursor,
    /** Names of types from outside of the text. */
    readonly isKnownType: (name: string) => boolean,
    /**
     * True for a prototype, which is written for this library, so that its `_Out_` counts; false for a vendor's
     * header, which is written for C.
     */
    readonly heedsAnnotations = false,
  ) {}

  isTypeName = (name: string): boolean => this.typedefs.has(name) || this.isKnownType(name)

  /** Whether a declaration or a parameter can begin with this token. */
  startsType(token: Token): boolean {
    const { text } = token
    if (token.kind !== 'name') return false
    if (isBasicWord(text) || /^(?:struct|union|enum)$/.test(text) || typeofWords.has(text)) return true
    if (qualifierWords.has(text) || storageWords.has(text) || attributeWords.has(text)) return true
    return this.isTypeName(text) || this.isAnnotation(text)
  }

  /** Whether the name is an annotation, and not a type of the same name. */
  isAnnotation(name: string): boolean {
    return looksLikeAnnotation(name) && !this.isTypeName(name)
  }

  /** Whether the name at the cursor is an empty macro, such as `FAR`, `IN` or an unknown `VENDOR_API`. */
  isEmptyWord(): boolean {
    const { text } = this.cursor.token
    const next = this.cursor.peek(1)
    // a name that is followed by attributes is the one being declared
    if (emptyWords.has(text)) return next.text === '*' || (next.kind === 'name' && !attributeWords.has(next.text))
    return looksLikeMacro(text) && (this.startsType(next) || conventionWords.has(next.text))
  }

  /** Keeps an enumeration or a definition. Throws if a name is defined twice. */
  define(node: RecordNode | EnumNode): void {
    if (node.kind === 'enum') {
      if (node.members) this.enums.push(node)
      return
    }
    if (!node.fields || node.tag === undefined) return
    const known = this.records.get(node.tag)
    if (known) {
      const { line, column } = known.at
      throw this.cursor.source.error(
        node.at,
        `"${node.keyword} ${node.tag}" is defined twice; first at line ${line}, column ${column}`,
      )
    }
    this.records.set(node.tag, node)
  }
}
