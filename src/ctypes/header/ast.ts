/** What the parser makes of a header: declarations as they were written, names not yet looked up. */
import type { Convention } from '../convention.js'
import type { Value } from './literals.js'
import type { Position } from './source.js'

export type { Convention }

export type BasicName =
  | 'void'
  | 'char'
  | 'signed char'
  | 'unsigned char'
  | 'short'
  | 'unsigned short'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'long long'
  | 'unsigned long long'
  | 'float'
  | 'double'
  | 'long double'
  | '_Bool'

interface BasicNode {
  readonly kind: 'basic'
  readonly name: BasicName
  readonly isConst?: true
}
/** A typedef's name, or one that Windows or C itself defines. */
interface NamedNode {
  readonly kind: 'named'
  readonly name: string
  readonly isConst?: true
  readonly at: Position
}
interface PointerNode {
  readonly kind: 'pointer'
  readonly to: TypeNode
}
/** `length` is missing for `x[]`. */
export interface ArrayNode {
  readonly kind: 'array'
  readonly of: TypeNode
  readonly length?: Expression
  readonly at: Position
}
export interface FunctionNode {
  readonly kind: 'function'
  readonly result: TypeNode
  readonly parameters: readonly Parameter[]
  readonly variadic: boolean
  /** Missing where none is written. */
  readonly convention?: Convention
  readonly at: Position
}
/** The alignment of a structure or a field; without a value the largest of the machine. */
export interface Alignment {
  readonly value?: Expression
  readonly at: Position
}
export type Packing = 1 | 2 | 4 | 8 | 16
/** A structure or union; without `fields` it is only mentioned here. */
export interface RecordNode {
  readonly kind: 'record'
  readonly keyword: 'struct' | 'union'
  readonly tag?: string
  readonly fields?: readonly Field[]
  /** From `#pragma pack`. */
  readonly pack?: Packing
  /** gcc's attribute: as `pack(1)`, also for fields whose types have an alignment of their own. */
  readonly packed?: true
  /** From `__declspec(align(n))` and the like. */
  readonly align?: Alignment
  /** It stands for a vector of gcc's (`vector_size`). */
  readonly vector?: true
  readonly at: Position
}
export interface EnumNode {
  readonly kind: 'enum'
  readonly tag?: string
  readonly members?: readonly Enumerator[]
  /** `enum x : unsigned char`. */
  readonly underlying?: TypeNode
  /** gcc's attribute: no wider than its members need. */
  readonly packed?: true
  readonly at: Position
}
/** `typeof(expression)`. */
interface TypeofNode {
  readonly kind: 'typeof'
  readonly of: Expression
  readonly at: Position
}
export type TypeNode =
  | TypeofNode
  | BasicNode
  | NamedNode
  | PointerNode
  | ArrayNode
  | FunctionNode
  | RecordNode
  | EnumNode

export const isVoid = (node: TypeNode): boolean => node.kind === 'basic' && node.name === 'void'

/** A field without a name is an anonymous structure or union, or padding of a bit field. */
export interface Field {
  readonly name?: string
  readonly type: TypeNode
  readonly bits?: Expression
  /** An alignment of this field alone. */
  readonly align?: Alignment
  readonly packed?: true
  readonly at: Position
}
export interface Enumerator {
  readonly name: string
  readonly value?: Expression
  readonly at: Position
}
export interface Parameter {
  readonly name?: string
  readonly type: TypeNode
  /** `out(T)` was written: the type is T, the routine gets a `T *`; or it has the annotation `_Out_`, and the type is `T *`. */
  readonly out?: 'written' | 'annotated'
  readonly at: Position
}

export type UnaryOperator = '+' | '-' | '~' | '!'
export type BinaryOperator =
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '>'
  | '<='
  | '>='
  | '=='
  | '!='
  | '&'
  | '^'
  | '|'
  | '&&'
  | '||'

export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string; readonly at: Position }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
      readonly at: Position
    }
  | {
      readonly kind: 'conditional'
      readonly condition: Expression
      readonly ifTrue: Expression
      readonly ifFalse: Expression
    }
  | { readonly kind: 'cast'; readonly type: TypeNode; readonly operand: Expression; readonly at: Position }
  | { readonly kind: 'sizeof' | 'alignof'; readonly type: TypeNode; readonly at: Position }
  /** A string; `length` counts its characters and the zero. */
  | { readonly kind: 'text'; readonly length: number; readonly wide: boolean; readonly at: Position }
  /**
   * A place in memory: it has no value here, but a type and perhaps an address. `p->m` is a member of the target of p.
   */
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string; readonly at: Position }
  | { readonly kind: 'element'; readonly of: Expression; readonly index: Expression; readonly at: Position }
  | { readonly kind: 'target' | 'address'; readonly of: Expression; readonly at: Position }

/** A typedef, a routine, or a variable (an exported one, or a constant where it has a value). */
export interface Declaration {
  readonly kind: 'typedef' | 'routine' | 'variable'
  readonly name: string
  readonly type: TypeNode
  readonly value?: Expression
  /** The name that the library exports it under, where that is another one. */
  readonly symbol?: string
  /** The value where that is text. */
  readonly text?: string
  readonly at: Position
}

/** What the parser makes of a whole text. */
export interface Tree {
  readonly declarations: readonly Declaration[]
  /** Definitions of structures and unions by tag, wherever they stand. */
  readonly records: ReadonlyMap<string, RecordNode>
  /** Every enumeration with members, wherever it stands. */
  readonly enums: readonly EnumNode[]
}
