/** Texts that nest, chain or go on without end are read or refused with an ArgumentError that has a place in it; random ones are test/fuzz's. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openHeader, type Prototype, parseForAll } from '../../../src/ctypes/header/index.js'
import { header, showRoutine } from './show.js'
import { stubNamespace } from './stub.js'

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

/** Each is fine in C or nearly so; none may take the stack, or a time that grows with the square of its length. */
test('texts that nest, chain and repeat without end', () => {
  const times = (count: number, piece: (index: number) => string) => Array.from({ length: count }, (_, i) => piece(i))
  const row = (count: number, piece: (index: number) => string) => times(count, piece).join('\n')
  const texts: readonly string[] = [
    `int ${'*'.repeat(30_000)}p;`,
    `int p${'[1]'.repeat(5_000)};`,
    `int ${'('.repeat(30_000)}p${')'.repeat(30_000)};`,
    `enum { a = 1${'+1'.repeat(30_000)} };`,
    `enum { a = 1${'&&1'.repeat(30_000)} };`,
    `#if 1${'+1'.repeat(30_000)}\nint x;\n#endif`,
    `enum { ${times(50_000, i => `e${i}`).join()} };`,
    `${row(5_000, i => `enum { k${i} = k${i + 1} + 1 };`)} enum { k5000 };`,
    `${row(5_000, i => `#define M${i} M${i + 1}`)}\nint x[M0];`,
    `#define F(x) x\nint a = ${'F('.repeat(10_000)}1${')'.repeat(10_000)};`,
    `typedef int t0; ${row(5_000, i => `typedef t${i} t${i + 1};`)} t5000 f(void);`,
    `typedef int t0; ${row(5_000, i => `typedef t${i} *t${i + 1};`)} t5000 f(void);`,
    `${row(5_000, i => `struct s${i} { struct s${i + 1} p; };`)} struct s5000 { int x; };`,
    `${row(5_000, i => `struct s${i} { struct s${i + 1} *p; };`)} struct s5000 { int x; };`,
    `${'#if 1\n'.repeat(5_000)}${'#endif\n'.repeat(5_000)}`,
    'typedef int (*WNDPROC)(DLGPROC); typedef int (*DLGPROC)(WNDPROC); int f(WNDPROC p);',
    'enum { a = (int)(1.0 / 0.0) };',
    `${'extern "C" {'.repeat(5_000)} int f(void); ${'}'.repeat(5_000)}`,
    `${'extern "C" '.repeat(5_000)} int f(void);`,
    `int a[sizeof(((int *)0)${'[0]'.repeat(5_000)})];`,
    `struct s { struct s *n; }; int a[sizeof(((struct s *)0)${'->n'.repeat(5_000)})];`,
    `struct s { int n[2]; }; enum { a = offsetof(struct s, n${'[0]'.repeat(5_000)}) };`,
    // two chains that are the same, and two that double at each level
    `typedef int a0; typedef int b0; ${row(5_000, i => `typedef a${i} *a${i + 1}; typedef b${i} *b${i + 1};`)} typedef a5000 x; typedef b5000 x;`,
    `typedef int a0; typedef int b0; ${row(20, i => `typedef void (*a${i + 1})(a${i}, a${i}); typedef void (*b${i + 1})(b${i}, b${i});`)} typedef a20 x; typedef b20 x;`,
  ]
  for (const text of texts) readOrRefused(text)
})

test('a length that a parameter makes, however long, can be stored for other threads', () => {
  const text = `int f(int n, int a[n${' + 1'.repeat(5_000)}]);`
  const stored = parseForAll(text, { ns: stubNamespace('win64'), arch: 'win64' })
  const [routine] = openHeader(stored, stubNamespace('win64')).routines.values()
  assert.is(showRoutine(routine as Prototype), 'c_int f(c_int, POINTER(c_int))')
})

test('the message for a very long line shows the place, not the line', () => {
  const text = `${'int x; '.repeat(50_000)} frob y; ${'int x; '.repeat(50_000)}`
  try {
    header(text)
    assert.unreachable()
  } catch (error) {
    const [, shown = '', caret = ''] = (error as Error).message.split('\n')
    assert.ok(shown.length < 200)
    assert.is(shown.slice(caret.length - 1, caret.length + 3), 'frob')
  }
})

test.run()
