/** What the parts of the parser share: the tokens, the names that are types, the definitions met so far. */
import type { EnumNode, RecordNode } from './ast.js'
import type { Cursor } from './cursor.js'
import type { Token } from './lexer.js'
import {
  attributeWords,
  conventionWords,
  emptyWords,
  isAnnotation,
  isBasicWord,
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
    /** A prototype is written for us: its `_Out_` counts. In a header it is the vendor's, who writes for C. */
    readonly heedsNotes = false,
  ) {}

  isTypeName = (name: string): boolean => this.typedefs.has(name) || this.isKnownType(name)

  /** Could a declaration or a parameter begin with this token? */
  startsType(token: Token): boolean {
    const { text } = token
    if (token.kind !== 'name') return false
    if (isBasicWord(text) || /^(?:struct|union|enum)$/.test(text) || typeofWords.has(text)) return true
    if (qualifierWords.has(text) || storageWords.has(text) || attributeWords.has(text)) return true
    return this.isTypeName(text) || this.isNote(text)
  }

  /** A type may have the name of a note. */
  isNote(name: string): boolean {
    return isAnnotation(name) && !this.isTypeName(name)
  }

  /** Is the name at the cursor a macro of nothing, such as `FAR`, `IN` or an unknown `VENDOR_API`? */
  isEmptyWord(): boolean {
    const { text } = this.cursor.token
    const next = this.cursor.peek(1)
    // A name that attributes follow is what is declared: `char near __attribute__((packed))`.
    if (emptyWords.has(text)) return next.text === '*' || (next.kind === 'name' && !attributeWords.has(next.text))
    return looksLikeMacro(text) && (this.startsType(next) || conventionWords.has(next.text))
  }

  /** Notes an enumeration or a definition; an error for the second one of a name. */
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
