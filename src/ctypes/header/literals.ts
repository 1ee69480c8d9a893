/** Values of C's numbers, characters and strings. */
import type { Token } from './lexer.js'
import type { Source } from './source.js'

/** An integer with the C type that it has in an expression. */
export interface IntegerValue {
  readonly kind: 'integer'
  readonly value: bigint
  readonly bits: number
  readonly signed: boolean
  /** It is the value of a pointer, so the program gets a bigint, as for all addresses. */
  readonly isAddress?: true
}
interface FloatValue {
  readonly kind: 'float'
  readonly value: number
  /** A `float`, which has fewer digits than a `double`. */
  readonly single?: true
}
/** The value of an expression, with its type. */
export type Value = IntegerValue | FloatValue

/** An integer that wraps to its width, as C's do. */
export const integer = (value: bigint, bits = 32, signed = true): IntegerValue => ({
  kind: 'integer',
  value: signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value),
  bits,
  signed,
})

export const float = (value: number, single = false): FloatValue =>
  single ? { kind: 'float', value: Math.fround(value), single } : { kind: 'float', value }

const integerPattern = /^(0x[0-9a-f]+|0b[01]+|\d+)(u?(?:ll|l|i8|i16|i32|i64)?|(?:ll|l)u)$/i
const floatPattern = /^(?:(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?|\d+e[+-]?\d+)[fl]?$/i
const hexFloatPattern = /^0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)([fl]?)$/i

/** Throws ArgumentError for what looks like a number of C and is none. */
export function numberValue(source: Source, token: Token): Value {
  const found = integerPattern.exec(token.text)
  if (found) {
    const digits = found[1]
    const octal = /^0\d+$/.test(digits)
    if (!octal || !/[89]/.test(digits))
      return firstFitting(
        BigInt(octal ? `0o${digits}` : digits),
        !/^[1-9]/.test(digits),
        (found[2] ?? '').toLowerCase(),
      )
  }
  if (floatPattern.test(token.text)) return float(Number.parseFloat(token.text), /f$/i.test(token.text))
  const [, whole = '', part = '', power, suffix = ''] = hexFloatPattern.exec(token.text) ?? []
  if (whole + part !== '')
    return float(Number(`0x${whole}${part}`) * 2 ** (Number(power) - 4 * part.length), /f/i.test(suffix))
  throw source.error(token.at, `expected a number, found "${token.text}"`)
}

/** The value in the first type that holds it: a decimal literal without `u` is signed, others may be unsigned. */
function firstFitting(value: bigint, mayBeUnsigned: boolean, suffix: string): IntegerValue {
  const unsigned = suffix.includes('u')
  const wide = suffix.includes('ll') || suffix.includes('i64')
  for (const bits of wide ? [64] : [32, 64]) {
    if (!unsigned && value < 1n << BigInt(bits - 1)) return integer(value, bits, true)
    if ((unsigned || mayBeUnsigned) && value < 1n << BigInt(bits)) return integer(value, bits, false)
  }
  return integer(value, 64, false)
}

const simpleEscapes: { readonly [letter: string]: string } = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
}

/** The text between the quotes of a string or character token, escapes resolved. */
export function stringValue(token: Token): string {
  const inner = token.text.replace(/^(?:u8|[LuU])?["']/, '').slice(0, -1)
  return inner.replace(
    /\\(?:x([0-9a-fA-F]+)|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(\r\n|\n|\r)|([\s\S]))/g,
    (...groups) => {
      const [, hex, short, long, octal, splice, letter] = groups as (string | undefined)[]
      if (splice !== undefined) return ''
      if (letter !== undefined) return simpleEscapes[letter] ?? letter
      const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '0', 16) : Number.parseInt(octal, 8)
      return String.fromCodePoint(Math.min(code, 0x10ffff))
    },
  )
}

const escapes = /\\(?:x[0-9a-fA-F]+|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|\r\n|[\s\S])/g

/** The number of `char` or `wchar_t` that a string takes, without its zero. */
export function characterCount(token: Token): number {
  const [, prefix = '', inner = ''] = /^(u8|[LuU])?"([\s\S]*)"$/.exec(token.text) ?? []
  const plain = inner.replace(escapes, found => {
    if (/^\\[uU]/.test(found)) return stringValue({ ...token, text: `"${found}"` })
    return /^\\[\r\n]/.test(found) ? '' : 'x'
  })
  return prefix === '' || prefix === 'u8' ? new TextEncoder().encode(plain).length : plain.length
}

/** The text of strings that stand side by side, in brackets or not; undefined where there is anything else. */
export function textOf(tokens: readonly Token[]): string | undefined {
  if (tokens[0]?.text === '(' && tokens.at(-1)?.text === ')') return textOf(tokens.slice(1, -1))
  return tokens.length > 0 && tokens.every(({ kind }) => kind === 'string')
    ? tokens.map(stringValue).join('')
    : undefined
}

/** `'a'` is an int; `'RIFF'` packs its bytes, first one highest, as MSVC and gcc do; `L'a'` is a wchar_t. */
export function characterValue(token: Token): IntegerValue {
  const text = stringValue(token)
  if (/^[LuU]/.test(token.text))
    return integer(BigInt(text.codePointAt(0) ?? 0), token.text.startsWith('U') ? 32 : 16, false)
  let value = 0n
  for (const letter of text) value = (value << 8n) | BigInt(letter.charCodeAt(0) & 0xff)
  return text.length === 1 ? integer(BigInt.asIntN(8, value)) : integer(value)
}
