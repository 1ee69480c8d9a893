/** Declarations back to C, with no more brackets than C needs. */
import type {
  Alignment,
  Declaration,
  EnumNode,
  Expression,
  Field,
  FunctionNode,
  Parameter,
  RecordNode,
  TypeNode,
} from '../../../src/ctypes/header/ast.js'
import type { Value } from '../../../src/ctypes/header/literals.js'

export const printDeclaration = ({ kind, name, type }: Declaration) =>
  `${kind === 'typedef' ? 'typedef ' : ''}${print(type, name)};`

/** `inner` is what has been written from the name outwards so far. */
function print(type: TypeNode, inner: string): string {
  switch (type.kind) {
    case 'basic':
    case 'named':
      return `${type.name} ${inner}`
    case 'pointer':
      if (type.to.kind === 'function')
        return print({ ...type.to, convention: undefined } as never, `(${convention(type.to)}*${inner})`)
      return print(type.to, type.to.kind === 'array' ? `(*${inner})` : `*${inner}`)
    case 'array':
      return print(type.of, `${inner}[${type.length ? printExpression(type.length) : ''}]`)
    case 'function':
      return print(type.result, `${convention(type)}${inner}(${parameters(type)})`)
    case 'record':
      return `${record(type)} ${inner}`
    case 'enum':
      return `${enumeration(type)} ${inner}`
    case 'typeof':
      return `__typeof__(${printExpression(type.of)}) ${inner}`
  }
}

const convention = (type: FunctionNode) => (type.convention ? `__${type.convention} ` : '')

function parameters({ parameters, variadic }: FunctionNode): string {
  const printed = parameters.map(({ name = '', type, out }: Parameter) =>
    out ? `out(${print(type, '')}) ${name}` : print(type, name),
  )
  return [...printed, ...(variadic ? ['...'] : [])].join(', ') || 'void'
}

function record({ keyword, tag = '', fields, align, packed }: RecordNode): string {
  const front = `${keyword} ${align ? `__declspec(${aligned(align)}) ` : ''}${packed ? '__attribute__((packed)) ' : ''}${tag}`
  return fields ? `${front} { ${fields.map(field).join(' ')} }` : front
}

const aligned = ({ value }: Alignment) => `align${value ? `(${printExpression(value)})` : ''}`

function field({ name, type, bits, align, packed }: Field): string {
  const attributes = [...(packed ? ['packed'] : []), ...(align ? [aligned(align)] : [])]
  const behind = attributes.length > 0 ? ` __attribute__((${attributes.join(', ')}))` : ''
  return `${print(type, name ?? '')}${bits ? ` : ${printExpression(bits)}` : ''}${behind};`
}

function enumeration({ tag = '', members, underlying }: EnumNode): string {
  const front = `enum ${tag}${underlying ? ` : ${print(underlying, '')}` : ''}`
  const printed = members?.map(({ name, value }) => (value ? `${name} = ${printExpression(value)}` : name))
  return printed ? `${front} { ${printed.join(', ')} }` : front
}

const levels = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]
const unaryLevel = levels.length + 1

export function printExpression(expression: Expression, least = 0): string {
  const [level, text] = printed(expression)
  return level < least ? `(${text})` : text
}

const literal = ({ kind, value }: Value) => (kind === 'float' && /^\d+$/.test(`${value}`) ? `${value}.0` : `${value}`)

function printed(expression: Expression): readonly [number, string] {
  switch (expression.kind) {
    case 'literal':
      return [unaryLevel + 1, literal(expression.value)]
    case 'name':
      return [unaryLevel + 1, expression.name]
    case 'unary':
      return [unaryLevel, `${expression.operator} ${printExpression(expression.operand, unaryLevel)}`]
    case 'cast':
      return [unaryLevel, `(${print(expression.type, '')})${printExpression(expression.operand, unaryLevel)}`]
    case 'sizeof':
    case 'alignof':
      return [unaryLevel, `${expression.kind}(${print(expression.type, '')})`]
    case 'target':
    case 'address':
      return [unaryLevel, `${expression.kind === 'target' ? '*' : '&'} ${printExpression(expression.of, unaryLevel)}`]
    case 'member':
      return [unaryLevel + 1, `${printExpression(expression.of, unaryLevel + 1)} . ${expression.name}`]
    case 'element':
      return [
        unaryLevel + 1,
        `${printExpression(expression.of, unaryLevel + 1)} [${printExpression(expression.index)}]`,
      ]
    case 'text':
      return [unaryLevel + 1, `${expression.wide ? 'L' : ''}"${'x'.repeat(expression.length - 1)}"`]
    case 'conditional': {
      const { condition, ifTrue, ifFalse } = expression
      return [0, `${printExpression(condition, 1)} ? ${printExpression(ifTrue)} : ${printExpression(ifFalse)}`]
    }
    case 'binary': {
      const level = levels.findIndex(operators => operators.includes(expression.operator)) + 1
      return [
        level,
        `${printExpression(expression.left, level)} ${expression.operator} ${printExpression(expression.right, level + 1)}`,
      ]
    }
  }
}
