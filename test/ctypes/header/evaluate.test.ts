/** Constant expressions are worth what a C compiler says. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compiled } from './mingw.js'
import { header } from './show.js'

const literal = fc.oneof(
  fc
    .tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(63))
    .map(([value, shift]) => `0x${(value >> BigInt(shift)).toString(16)}`),
  fc.tuple(fc.nat(100), fc.constantFrom('', 'u', 'L', 'ULL', 'll')).map(([value, suffix]) => `${value}${suffix}`),
  fc.constantFrom(
    "'a'",
    "'\\\\xff'",
    "L'x'",
    '017',
    '0',
    '2147483647',
    '2147483648',
    '4294967296',
    '1.5',
    '2e3',
    'sizeof(long)',
  ),
)
const { expression } = fc.letrec<{ expression: string }>(tie => ({
  expression: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    literal,
    fc
      .tuple(fc.constantFrom('-', '~', '!', '+'), tie('expression'))
      .map(([operator, operand]) => `${operator}(int)(${operand})`),
    fc
      .tuple(fc.constantFrom('-', '!', '+'), tie('expression'))
      .map(([operator, operand]) => `(${operator}(${operand}))`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '-', '*', '<', '>', '<=', '>=', '==', '!=', '&&', '||'),
        tie('expression'),
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('&', '|', '^', '<', '=='), tie('expression'))
      .map(
        ([left, operator, right]) => `((unsigned long long)(long long)(${left}) ${operator} (short)(int)(${right}))`,
      ),
    fc
      .tuple(tie('expression'), fc.constantFrom('/', '%'), fc.integer({ min: 1, max: 99 }))
      .map(([left, operator, right]) => `((long)(long long)(${left}) ${operator} ${right})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('<<', '>>'), fc.nat(31))
      .map(([left, operator, count]) => `((unsigned)(long long)(${left}) ${operator} ${count})`),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc
      .tuple(fc.constantFrom('char', 'unsigned char', 'short', 'unsigned', 'long', 'long long'), tie('expression'))
      .map(([type, operand]) => `(${type})(long long)(${operand})`),
  ),
}))

test('integers, mixed types, casts', () => {
  const texts = fc.sample(expression, { numRuns: 1500, seed: 7 }).map(text => text.replaceAll("'\\\\xff'", "'\\xff'"))
  // Floating point beyond 64 bits has no value that C promises.
  const fitting = texts.filter(text => !/[.e]\d/.test(text.replace(/0x[0-9a-f]+/g, '')) || text.length < 30)
  const { constants } = header(fitting.map((text, index) => `#define X${index} (long long)(${text})\n`).join(''))
  const expected = compiled('win64', '', fitting)
  assert.is(expected.length, fitting.length)
  for (const [index, text] of fitting.entries())
    assert.is(String(constants[`X${index}`]), String(expected[index]), text)
})

test('numbers with the digits of a float', () => {
  const texts = [
    '2.2f',
    '0.1f + 0.2f',
    '0.1f * 3',
    '1 / 3.0f',
    '-0.7f',
    '(16777217 + 0.0f) / 1e9',
    '0.1f + 0.2',
    '(float)0.1 * 10',
    '(0 ? 1.0 : 0.1f) * 10',
    '0x1.8p3f',
    '0x.8p-2 + 0X1.999999999999Ap-4',
    '0xFFFFFFp-24f',
    '-0x10P-8L',
  ]
  const { constants } = header(texts.map((text, index) => `#define X${index} ((${text}) * 1e15)\n`).join(''))
  const expected = compiled(
    'win64',
    '',
    texts.map(text => `(${text}) * 1e15`),
  )
  assert.equal(
    texts.map((_, index) => BigInt(Math.trunc(Number(constants[`X${index}`])))),
    expected,
  )
})

test.run()
