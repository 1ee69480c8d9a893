/** Random declarations, printed as C and parsed back, are the same declarations. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Declaration } from '../../../src/ctypes/header/ast.js'
import { tokenize } from '../../../src/ctypes/header/lexer.js'
import { Parser } from '../../../src/ctypes/header/parser.js'
import { Source } from '../../../src/ctypes/header/source.js'
import { declarations, typeNames } from './arbitrary.js'
import { printDeclaration } from './print.js'

const plain = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (key, item: unknown) =>
      key === 'at' ? undefined : typeof item === 'bigint' ? `${item}n` : item,
    ),
  ) as unknown

const parse = (text: string): readonly Declaration[] => {
  const source = new Source(text, 'header')
  return new Parser(source, tokenize(source), name => typeNames.includes(name)).header().declarations
}

const gap = fc.constantFrom(' ', '\n', '\t ', ' /* , */ ', ' // ;\n', '\\\n', '\r\n\r\n')

test('printed and parsed back', () => {
  fc.assert(
    fc.property(declarations, gap, (declaration, gap) => {
      const text = printDeclaration(declaration).replaceAll(' ', gap)
      assert.equal(plain(parse(text)), plain([declaration]), text)
    }),
    { numRuns: 2000 },
  )
})

test('several in a row', () => {
  fc.assert(
    fc.property(fc.array(declarations, { maxLength: 8 }), many => {
      // A typedef makes its name a type for those behind it.
      const distinct = many.map((declaration, index) =>
        declaration.kind === 'typedef' ? { ...declaration, name: `t${index}` } : declaration,
      )
      assert.equal(plain(parse(distinct.map(printDeclaration).join('\n'))), plain(distinct))
    }),
    { numRuns: 300 },
  )
})

test.run()
