/** The value of a constant expression, by C's rules for mixed types. */
import { ArgumentError } from '../../errors.js'
import type { BinaryOperator, Expression, TypeNode, UnaryOperator } from './ast.js'
import { float, type IntegerValue, integer, type Value } from './literals.js'
import type { Position, Source } from './source.js'

/** What an expression is evaluated with. */
export interface Scope {
  readonly source: Source
  /** In `#if` every integer has 64 bits. */
  readonly intmax?: true
  name(name: string, at: Position): Value
  sizeOf(kind: 'sizeof' | 'alignof', type: TypeNode, at: Position): Value
  cast(type: TypeNode, value: Value, at: Position): Value
  addressOf(place: Expression, at: Position): Value
}

/** The value of an expression. Throws ArgumentError for what has none when the text is read. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return scope.intmax && expression.value.kind === 'integer'
        ? integer(expression.value.value, 64, expression.value.signed)
        : expression.value
    case 'name':
      return scope.name(expression.name, expression.at)
    case 'unary':
      return unary(expression.operator, evaluate(expression.operand, scope))
    case 'binary':
      return binaryOf(expression, scope)
    case 'conditional':
      return conditional(expression, scope)
    case 'cast':
      return scope.cast(expression.type, evaluate(expression.operand, scope), expression.at)
    case 'sizeof':
    case 'alignof':
      return scope.sizeOf(expression.kind, expression.type, expression.at)
    case 'address':
      return scope.addressOf(expression.of, expression.at)
    default:
      throw scope.source.error(expression.at, 'expected a constant, found what is in memory only')
  }
}

const truth = (value: Value) => Boolean(value.value)
const flag = (condition: boolean) => integer(condition ? 1n : 0n)

/** An operand that is smaller than an int becomes an int. */
const promote = (value: IntegerValue) => (value.bits < 32 ? integer(value.value) : value)

function unary(operator: UnaryOperator, operand: Value): Value {
  if (operator === '!') return flag(!truth(operand))
  if (operand.kind === 'float') return operator === '-' ? { ...operand, value: -operand.value } : operand
  const { value, bits, signed } = promote(operand)
  return integer(operator === '-' ? -value : operator === '~' ? ~value : value, bits, signed)
}

type Binary = Expression & { kind: 'binary' }

/** By a loop: `1 + 1 + …` nests to the left as deep as it is long. */
function binaryOf(expression: Binary, scope: Scope): Value {
  const chain: Binary[] = []
  let first: Expression = expression
  for (; first.kind === 'binary'; first = first.left) chain.push(first)
  return chain.reduceRight((left, link) => apply(link, left, scope), evaluate(first, scope))
}

function apply(expression: Binary, left: Value, scope: Scope): Value {
  const { operator } = expression
  // for these two the right side is evaluated only if the left does not decide, so that its errors do not count
  if (operator === '&&') return flag(truth(left) && truth(evaluate(expression.right, scope)))
  if (operator === '||') return flag(truth(left) || truth(evaluate(expression.right, scope)))
  const right = evaluate(expression.right, scope)
  if (left.kind === 'integer' && right.kind === 'integer') {
    if (right.value === 0n && (operator === '/' || operator === '%'))
      throw scope.source.error(expression.at, 'division by zero')
    return integers(operator, promote(left), promote(right))
  }
  const single = isSingle(left, right)
  const [a, b] = single
    ? [Math.fround(Number(left.value)), Math.fround(Number(right.value))]
    : [Number(left.value), Number(right.value)]
  const result = floats(operator, a, b)
  if (result === undefined)
    throw scope.source.error(expression.at, `expected integers around "${operator}", found a floating-point number`)
  return typeof result === 'boolean' ? flag(result) : float(result, single)
}

/** Whether the result is a `float`: no operand is a `double`. */
const isSingle = (...values: readonly Value[]) => values.every(value => value.kind === 'integer' || value.single)

/** The type is that of both branches: `1 ? -1 : 0u` is 4294967295. */
function conditional({ condition, ifTrue, ifFalse }: Expression & { kind: 'conditional' }, scope: Scope): Value {
  const taken = truth(evaluate(condition, scope))
  const value = evaluate(taken ? ifTrue : ifFalse, scope)
  const other = valueOrNone(taken ? ifFalse : ifTrue, scope)
  if (!other) return value
  if (value.kind === 'float' || other.kind === 'float') return float(Number(value.value), isSingle(value, other))
  const [mine, its] = [promote(value), promote(other)]
  return integer(mine.value, ...commonType(mine, its))
}

/** The value of the branch that is not taken; errors in it, such as a division by zero, do not count. */
function valueOrNone(expression: Expression, scope: Scope): Value | undefined {
  try {
    return evaluate(expression, scope)
  } catch (error) {
    if (error instanceof ArgumentError) return undefined
    throw error
  }
}

/** The wider type wins; of two equally wide ones the unsigned. */
function commonType(left: IntegerValue, right: IntegerValue): [bits: number, signed: boolean] {
  const bits = Math.max(left.bits, right.bits)
  return [bits, (left.bits < bits || left.signed) && (right.bits < bits || right.signed)]
}

function integers(operator: BinaryOperator, left: IntegerValue, right: IntegerValue): Value {
  if (operator === '<<' || operator === '>>') {
    const count = BigInt.asUintN(left.bits === 64 ? 6 : 5, right.value)
    return integer(operator === '<<' ? left.value << count : left.value >> count, left.bits, left.signed)
  }
  const [bits, signed] = commonType(left, right)
  const a = integer(left.value, bits, signed).value
  const b = integer(right.value, bits, signed).value
  const result = integerOperations[operator](a, b)
  return typeof result === 'boolean' ? flag(result) : integer(result, bits, signed)
}

const integerOperations: { readonly [operator in BinaryOperator]: (a: bigint, b: bigint) => bigint | boolean } = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '&&': (a, b) => a !== 0n && b !== 0n,
  '||': (a, b) => a !== 0n || b !== 0n,
}

function floats(operator: BinaryOperator, a: number, b: number): number | boolean | undefined {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '<':
      return a < b
    case '>':
      return a > b
    case '<=':
      return a <= b
    case '>=':
      return a >= b
    case '==':
      return a === b
    case '!=':
      return a !== b
    default:
      return undefined
  }
}

/** A value as the user sees it: a number where that is exact, else a bigint. */
export function toJs(value: Value): number | bigint {
  if (value.kind === 'float' || value.isAddress) return value.value
  const small = value.value >= BigInt(Number.MIN_SAFE_INTEGER) && value.value <= BigInt(Number.MAX_SAFE_INTEGER)
  return small ? Number(value.value) : value.value
}
