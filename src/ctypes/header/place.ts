/** The type of an expression and, where it is known, its address: for `sizeof`, `offsetof` and `typeof`. */
import { CATEGORY } from '../data.js'
import { fieldOf, pointeeOf } from '../memsync.js'
import type { Expression } from './ast.js'
import type { CType } from './namespace.js'
import type { Resolver } from './resolve.js'
import type { Position } from './source.js'

interface Place {
  readonly type: CType
  /** Missing where it is known at run time only. */
  readonly address?: bigint | undefined
}

export function placeOf(expression: Expression, resolver: Resolver): Place {
  const at = 'at' in expression ? expression.at : start
  return resolver.nest(at, () => find(expression, resolver, at))
}
const start: Position = { line: 1, column: 1 }

function find(expression: Expression, resolver: Resolver, at: Position): Place {
  const { ns, constants } = resolver
  switch (expression.kind) {
    case 'member': {
      const { type, address } = placeOf(expression.of, resolver)
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
      return { type: ns.POINTER(placeOf(expression.of, resolver).type) }
    case 'cast':
      return { type: resolver.type(expression.type, at) }
    case 'text':
      return { type: (expression.wide ? ns.c_wchar : ns.c_char).array(expression.length) }
    case 'sizeof':
    case 'alignof':
      return { type: ns.c_size_t }
    case 'name': {
      const variable = resolver.lookup.variable(expression.name)
      if (variable) return { type: resolver.type(variable.type, at) }
    }
  }
  const value = constants.evaluate(expression)
  if (value.kind === 'float') return { type: value.single ? ns.c_float : ns.c_double }
  if (value.bits === 64) return { type: value.signed ? ns.c_longlong : ns.c_ulonglong }
  if (value.bits === 16) return { type: ns.c_wchar }
  return { type: value.signed ? ns.c_int : ns.c_uint }
}

/** The target of a pointer, or the first element of an array. */
function elements(expression: Expression, resolver: Resolver, at: Position): Place {
  if (expression.kind === 'address') return placeOf(expression.of, resolver)
  // a pointer type whose structure is not complete yet has no target; its declaration has one
  const pointer = expression.kind === 'cast' ? resolver.strip(expression.type) : undefined
  if (expression.kind === 'cast' && pointer?.kind === 'pointer')
    return {
      type: resolver.type(pointer.to, at),
      address: BigInt(resolver.constants.evaluate(expression.operand).value),
    }
  const { type, address } = placeOf(expression, resolver)
  const target = pointeeOf(type)
  if (!target) throw resolver.fail(at, `expected a pointer or an array, found a ${type.name}`)
  return type[CATEGORY] === 'array' ? { type: target, address } : { type: target }
}
