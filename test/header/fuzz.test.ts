/** Whatever the text is, it is read or refused with an ArgumentError that has a place in it. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { header } from './show.js'

const vendor = readFileSync(new URL('vendor.h', import.meta.url), 'utf8')
const words = [...new Set(vendor.match(/\w+|[^\w\s]/g))]

function readOrRefused(text: string): void {
  try {
    header(text)
  } catch (error) {
    assert.is((error as Error).name, 'ArgumentError', (error as Error).stack)
    const { line, column } = error as { line: number; column: number } & Error
    const lines = text.split(/\r\n|\r|\n/)
    assert.ok(line >= 1 && line <= lines.length, (error as Error).message)
    assert.ok(column >= 1 && column <= (lines[line - 1] as string).length + 1, (error as Error).message)
  }
}

test('a header with pieces cut out, doubled and replaced', () => {
  const place = fc.nat(vendor.length)
  const edit = fc.tuple(place, fc.nat(12), fc.oneof(fc.constantFrom(...words), fc.constant('')))
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), edits => {
      let text = vendor
      for (const [at, length, replacement] of edits) text = text.slice(0, at) + replacement + text.slice(at + length)
      readOrRefused(text)
    }),
    { numRuns: 150 },
  )
})

test('a header that ends early', () => {
  fc.assert(
    fc.property(fc.nat(vendor.length), length => readOrRefused(vendor.slice(0, length))),
    { numRuns: 50 },
  )
})

test('words in any order', () => {
  const more = [
    ...words,
    'typedef',
    'int',
    'struct',
    '{',
    '}',
    '(',
    ')',
    '*',
    ';',
    '[',
    ']',
    '\n#define',
    '\n#if',
    '\n',
    '##',
    'out',
    '=',
    ',',
    '5',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...more), { maxLength: 30 }), some => readOrRefused(some.join(' '))),
    { numRuns: 3000 },
  )
})

test('any characters', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), readOrRefused), { numRuns: 1000 })
})

test.run()
