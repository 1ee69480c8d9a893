/**
 * Whether two declarations mean the same type, whatever their positions, `const`, names of parameters, and typedefs on
 * the way.
 */
import type { FunctionNode, TypeNode } from './ast.js'
import type { CType } from './namespace.js'
import type { Position } from './source.js'

interface Names {
  strip(node: TypeNode): TypeNode
  represented(node: TypeNode): CType | undefined
  nest<T>(at: Position, follow: () => T): T
}

/** `at` is the place for errors. */
export function sameType(a: TypeNode, b: TypeNode, at: Position, names: Names): boolean {
  const compared = new Map<TypeNode, Set<TypeNode>>()
  // a pair that comes again was the same before: a difference would have ended the comparison
  const same = (x: TypeNode, y: TypeNode): boolean => {
    const others = compared.get(x) ?? new Set()
    if (others.has(y)) return true
    compared.set(x, others.add(y))
    return names.nest(at, () => sameNode(x, y, names, same))
  }
  return same(a, b)
}

type Same = (x: TypeNode, y: TypeNode) => boolean

function sameNode(a: TypeNode, b: TypeNode, names: Names, same: Same): boolean {
  const left = names.strip(a)
  const right = names.strip(b)
  if (left === right) return true
  const represented = names.represented(left)
  if (represented && represented === names.represented(right)) return true
  if (left.kind === 'pointer' && right.kind === 'pointer') return same(left.to, right.to)
  if (left.kind === 'array' && right.kind === 'array')
    return same(left.of, right.of) && spelling(left.length) === spelling(right.length)
  if (left.kind === 'function' && right.kind === 'function') return sameFunction(left, right, same)
  if (left.kind === 'record' && right.kind === 'record' && left.tag !== undefined)
    return left.tag === right.tag && left.keyword === right.keyword
  if (left.kind === 'enum' && right.kind === 'enum' && left.tag !== undefined) return left.tag === right.tag
  return spelling(left) === spelling(right)
}

function sameFunction(a: FunctionNode, b: FunctionNode, same: Same): boolean {
  return (
    same(a.result, b.result) &&
    (a.convention ?? 'cdecl') === (b.convention ?? 'cdecl') &&
    a.variadic === b.variadic &&
    a.parameters.length === b.parameters.length &&
    a.parameters.every(({ type, out }, index) => {
      const other = b.parameters[index]
      return other !== undefined && out === other.out && same(type, other.type)
    })
  )
}

/** A node without its places in the text. */
const spelling = (node: unknown) =>
  JSON.stringify(node, (key, value: unknown) =>
    key === 'at' || key === 'isConst' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  )
