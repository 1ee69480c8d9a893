/** Random declarations, as any C compiler would read them but for what their names mean. */
import fc from 'fast-check'
import type {
  Alignment,
  BasicName,
  Declaration,
  Expression,
  Field,
  Parameter,
  TypeNode,
} from '../../../src/ctypes/header/ast.js'
import { integer } from '../../../src/ctypes/header/literals.js'

export const typeNames = ['T1', 'T2', 'size_t', 'DWORD', 'out_t']
const at = { line: 0, column: 0 }
const name = fc.constantFrom('a', 'b1', '_x', 'name', 'out', 'count', 'near', 'IN', 'OPTIONAL', 'h$', 'é')
const fieldName = fc.constantFrom('a', 'b1', 'out')
/** A definition may not come twice. */
const tag = fc.noShrink(fc.uuid().map(id => `tag${id.replaceAll('-', '')}`))

const basics: BasicName[] = [
  'char',
  'signed char',
  'unsigned char',
  'short',
  'unsigned short',
  'int',
  'unsigned int',
  'long',
  'unsigned long',
  'long long',
  'unsigned long long',
  'float',
  'double',
  'long double',
  '_Bool',
]

/** Leaves out what is undefined, as the parser does. */
const exact = <T>(object: T): T =>
  Object.fromEntries(Object.entries(object as object).filter(([, value]) => value !== undefined)) as T
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const alignment = fc
  .option(fc.constantFrom(1n, 8n, 32n), { nil: undefined })
  .map(size => exact({ value: size && ({ kind: 'literal', value: integer(size) } as const), at }) as Alignment)

interface Tie {
  expression: Expression
  value: TypeNode
  result: TypeNode
  any: TypeNode
  parameter: Parameter
  function: TypeNode
  record: TypeNode
}

const tied = fc.letrec<Tie>((tie: fc.LetrecTypedTie<Tie>) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .bigInt(0n, 2n ** 63n - 1n)
      .map((value): Expression => ({ kind: 'literal', value: integer(value, value < 2n ** 31n ? 32 : 64) })),
    fc.constantFrom('N', 'COUNT').map((name): Expression => ({ kind: 'name', name, at })),
    fc.constantFrom(0.5, 2, 1e22).map((value): Expression => ({ kind: 'literal', value: { kind: 'float', value } })),
    fc.record({
      kind: fc.constant('unary' as const),
      operator: fc.constantFrom('+', '-', '~', '!'),
      operand: tie('expression'),
    }),
    fc.record({
      kind: fc.constant('binary' as const),
      operator: fc.constantFrom(
        '*',
        '/',
        '%',
        '+',
        '-',
        '<<',
        '>>',
        '<',
        '>',
        '<=',
        '>=',
        '==',
        '!=',
        '&',
        '^',
        '|',
        '&&',
        '||',
      ),
      left: tie('expression'),
      right: tie('expression'),
      at: fc.constant(at),
    }),
    fc.record({
      kind: fc.constant('conditional' as const),
      condition: tie('expression'),
      ifTrue: tie('expression'),
      ifFalse: tie('expression'),
    }),
    fc.record({ kind: fc.constant('cast' as const), type: tie('value'), operand: tie('expression') }),
    fc.record({ kind: fc.constantFrom('sizeof', 'alignof'), type: tie('value') }),
    fc.record({ kind: fc.constantFrom('target', 'address'), of: tie('expression'), at: fc.constant(at) }),
    fc.record({ kind: fc.constant('member' as const), of: tie('expression'), name: fieldName, at: fc.constant(at) }),
    fc.record({
      kind: fc.constant('element' as const),
      of: tie('expression'),
      index: tie('expression'),
      at: fc.constant(at),
    }),
    fc.record({ kind: fc.constant('text' as const), length: fc.integer({ min: 1, max: 5 }), wide: fc.boolean() }),
  ) as unknown as fc.Arbitrary<Expression>,
  /** What a variable, a field or an element may be. */
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...basics).map((name): TypeNode => ({ kind: 'basic', name })),
    fc.constantFrom(...typeNames).map((name): TypeNode => ({ kind: 'named', name, at })),
    fc
      .tuple(fc.constantFrom('struct' as const, 'union' as const), tag)
      .map(([keyword, tag]): TypeNode => ({ kind: 'record', keyword, tag, at })),
    tag.map((tag): TypeNode => ({ kind: 'enum', tag, at })),
    tie('any').map((to): TypeNode => ({ kind: 'pointer', to })),
    tie('expression').map((of): TypeNode => ({ kind: 'typeof', of, at })),
    fc
      .tuple(tie('value'), maybe(tie('expression')))
      .map(([of, length]) => exact({ kind: 'array', of, length, at }) as TypeNode),
    tie('record'),
    fc
      .tuple(
        maybe(tag),
        fc.array(fc.tuple(name, maybe(tie('expression'))), { maxLength: 3 }),
        maybe(fc.constantFrom(...basics)),
      )
      .map(
        ([tag, members, underlying]) =>
          exact({
            kind: 'enum',
            tag,
            members: members.map(([name, value]) => exact({ name, value, at })),
            underlying: underlying && { kind: 'basic', name: underlying },
            at,
          }) as TypeNode,
      ),
  ),
  record: fc
    .tuple(
      fc.constantFrom('struct', 'union'),
      maybe(tag),
      fc.array(
        fc.oneof(
          fc
            .tuple(name, tie('value'), maybe(alignment), maybe(fc.constant(true)))
            .map(([name, type, align, packed]) => exact({ name, type, align, packed, at }) as Field),
          fc
            .tuple(maybe(name), fc.constantFrom(...basics), tie('expression'))
            .map(([name, basic, bits]) => exact({ name, type: { kind: 'basic', name: basic }, bits, at }) as Field),
          tie('record').map((type): Field => ({ type, at })),
        ),
        { maxLength: 4 },
      ),
      maybe(alignment),
      maybe(fc.constant(true)),
    )
    .map(
      ([keyword, tag, fields, align, packed]) =>
        exact({ kind: 'record', keyword, tag, fields, align, packed, at }) as TypeNode,
    ),
  /** What a function may give back. */
  result: fc.oneof(
    tie('any').map((to): TypeNode => ({ kind: 'pointer', to })),
    fc.constantFrom('void', ...basics).map(name => ({ kind: 'basic', name }) as TypeNode),
  ),
  /** What a pointer may lead to. */
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constant<TypeNode>({ kind: 'basic', name: 'void' }),
    tie('value'),
    tie('function'),
  ),
  parameter: fc
    .tuple(maybe(name), fc.oneof(tie('value'), tie('function')), maybe(fc.constant('written' as const)))
    .map(([name, type, out]) => exact({ name, type, out, at }) as Parameter),
  function: fc
    .tuple(
      tie('result'),
      fc.array(tie('parameter'), { maxLength: 3 }),
      fc.boolean(),
      maybe(fc.constantFrom('cdecl', 'stdcall', 'fastcall', 'thiscall')),
    )
    .map(
      ([result, parameters, variadic, convention]) =>
        exact({ kind: 'function', result, parameters, variadic, convention, at }) as TypeNode,
    ),
}))

export const expressions = tied.expression
export const declarations: fc.Arbitrary<Declaration> = fc.oneof(
  fc.record({ kind: fc.constant('routine' as const), name, type: tied.function, at: fc.constant(at) }),
  fc.record({ kind: fc.constant('variable' as const), name, type: tied.value, at: fc.constant(at) }),
  fc.record({
    kind: fc.constant('typedef' as const),
    name,
    type: fc.oneof(tied.value, tied.function),
    at: fc.constant(at),
  }),
)
