/**
 * Whether two declarations mean the same type, whatever their positions, `const`, names of parameters, and typedefs on
 * the way.
 */
import type { FunctionNode, TypeNode } from './ast.js'
import type { CType } from './namespace.js'

interface Names {
  strip(node: TypeNode): TypeNode
  plain(node: TypeNode): CType | undefined
}

export function sameType(a: TypeNode, b: TypeNode, names: Names): boolean {
  const left = names.strip(a)
  const right = names.strip(b)
  if (left === right) return true
  const plain = names.plain(left)
  if (plain && plain === names.plain(right)) return true
  const same = (x: TypeNode, y: TypeNode) => sameType(x, y, names)
  if (left.kind === 'pointer' && right.kind === 'pointer') return same(left.to, right.to)
  if (left.kind === 'array' && right.kind === 'array')
    return same(left.of, right.of) && written(left.length) === written(right.length)
  if (left.kind === 'function' && right.kind === 'function') return sameFunction(left, right, same)
  if (left.kind === 'record' && right.kind === 'record' && left.tag !== undefined)
    return left.tag === right.tag && left.keyword === right.keyword
  if (left.kind === 'enum' && right.kind === 'enum' && left.tag !== undefined) return left.tag === right.tag
  return written(left) === written(right)
}

function sameFunction(a: FunctionNode, b: FunctionNode, same: (x: TypeNode, y: TypeNode) => boolean): boolean {
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

const written = (node: unknown) =>
  JSON.stringify(node, (key, value: unknown) =>
    key === 'at' || key === 'isConst' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  )
