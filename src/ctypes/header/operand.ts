/** Operands of `sizeof`, `offsetof`, `typeof` and `&`: not the value of an expression is asked for, but its type or where it lies. */
import { CATEGORY } from '../data.js'
import { fieldOf, pointeeOf } from '../memsync.js'
import type { Expression } from './ast.js'
import type { Value } from './literals.js'
import type { CType, TypeNamespace } from './namespace.js'
import type { Resolver } from './resolve.js'
import type { Position } from './source.js'

interface Operand {
  readonly type: CType
  /** Missing for what lies nowhere, or at a place that only the running program knows. */
  readonly address?: bigint | undefined
}

/** Throws ArgumentError for an expression that has no type here. */
export function operandOf(expression: Expression, resolver: Resolver): Operand {
  const at = 'at' in expression ? expression.at : start
  return resolver.nest(at, () => find(expression, resolver, at))
}
const start: Position = { line: 1, column: 1 }

function find(expression: Expression, resolver: Resolver, at: Position): Operand {
  const { ns, constants } = resolver
  switch (expression.kind) {
    case 'member': {
      const { type, address } = operandOf(expression.of, resolver)
      const field = fieldOf(type, expression.name, text => resolver.fail(at, text))
      return { type: field.type, address: address === undefined ? undefined : address + BigInt(field.offset) }
    }
    case 'element': {
      const { type, address } = elements(expression.of, resolver, at)
      const index = BigInt(constants.evaluate(expression.index).value)
      return { type, address: address === undefined ? undefined : address + index * BigInt(ns.sizeof(type)) }
    }
    case 'target':
      return elements(expression.of, resolver, at)
    case 'address':
      return { type: ns.POINTER(operandOf(expression.of, resolver).type) }
    case 'cast':
      return { type: resolver.type(expression.type, at) }
    case 'text':
      return { type: (expression.wide ? ns.c_wchar : ns.c_char).array(expression.length) }
    case 'sizeof':
    case 'alignof':
      return { type: ns.c_size_t }
    default: {
      const variable = expression.kind === 'name' ? resolver.lookup.variable(expression.name) : undefined
      return { type: variable ? resolver.type(variable.type, at) : typeOf(constants.evaluate(expression), ns) }
    }
  }
}

/** The type that a value has in an expression. */
function typeOf(value: Value, ns: TypeNamespace): CType {
  if (value.kind === 'float') return value.single ? ns.c_float : ns.c_double
  if (value.bits === 64) return value.signed ? ns.c_longlong : ns.c_ulonglong
  if (value.bits === 16) return ns.c_wchar
  return value.signed ? ns.c_int : ns.c_uint
}

/** The target of a pointer, or the first element of an array. */
function elements(expression: Expression, resolver: Resolver, at: Position): Operand {
  if (expression.kind === 'address') return operandOf(expression.of, resolver)
  // by the declaration of the type: the type itself has no target as long as the structure is not complete
  const pointer = expression.kind === 'cast' ? resolver.strip(expression.type) : undefined
  if (expression.kind === 'cast' && pointer?.kind === 'pointer')
    return {
      type: resolver.type(pointer.to, at),
      address: BigInt(resolver.constants.evaluate(expression.operand).value),
    }
  const { type, address } = operandOf(expression, resolver)
  const target = pointeeOf(type)
  if (!target) throw resolver.fail(at, `expected a pointer or an array, found a ${type.name}`)
  return type[CATEGORY] === 'array' ? { type: target, address } : { type: target }
}
