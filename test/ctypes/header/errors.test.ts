import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { header } from './show.js'

/** The place that is meant has a `§` before it. */
const cases: readonly (readonly [string, string])[] = [
  ['struct s { int x; §FILE file; };', 'expected a complete type, found "struct _iobuf", whose fields are not given'],
  [
    'typedef struct foo foo;\n§foo f(void);',
    'expected a complete type, found "struct foo", whose fields are not given',
  ],
  ['int x[sizeof§(void)];', 'expected a type with a value, found "void"'],
  ['int f(void)\n§int g(void);', 'expected ";" after the declaration, found "int"'],
  ['struct s {\n\tint x;\n\t§foo y;\n};', 'expected a field or "}", found "foo" (no type of this name is known here)'],
  ['struct s { int x; §', 'expected a field or "}", found the end of the text'],
  ['struct s { int x; int §x; };', '"x" is a field already'],
  ['struct s { struct §s inner; };', 'expected a complete type, found "struct s" inside itself; a pointer has a "*"'],
  [
    'struct a { struct b b; }; struct b { struct §a a; };',
    'expected a complete type, found "struct a" inside itself; a pointer has a "*"',
  ],
  ['struct s { int x; };\nstruct §s { int y; };', '"struct s" is defined twice; first at line 1, column 8'],
  ['struct s { int x; };\nunion §s *p;', '"s" is a struct, not a union'],
  ['struct s { int §x : 33; };', 'expected a width of 0 to 32 bits, found 33'],
  ['enum { a, b = §c };', 'expected a constant, found "c"'],
  ['enum { a = b, b = §a };', '"a" is defined by itself'],
  ['enum { a, §a };', '"a" is a constant already'],
  ['enum { a §b };', 'expected "," or "}", found "b"'],
  ['typedef int t;\ntypedef char §t;', '"t" is declared twice, as different types'],
  ['int x§[-1];', 'expected the length of an array, found -1'],
  ['int x[4 §/ 0];', 'division by zero'],
  ['int x[4§;', 'expected "]", found ";"'],
  ['int x[§09];', 'expected a number, found "09"'],
  ['#§if 1\nint x;', 'expected an #endif for this #if, found the end of the text'],
  ['int x;\n#§endif', 'expected an #if before this #endif, found none'],
  ['#if 1\n#else\n#§else\n#endif', 'expected an #if before this #else, found none'],
  ['#if 1 §2\n#endif', 'expected the end of the condition, found "2"'],
  [
    '#include "config.h"\n#if defined(_WIN32) && §VENDOR_HAS( 2, x )\nint f(void);\n#endif',
    'expected a condition, found "VENDOR_HAS(2,x)"; nobody defined "VENDOR_HAS": write "#define VENDOR_HAS(...) 1" in front, or 0; #include is not followed: the text of "config.h" belongs in front',
  ],
  ['#if §defined 5\n#endif', 'expected the name of a macro after "defined"'],
  ['§#frobnicate', 'expected a directive, found "#frobnicate"'],
  ['  #§error Only for\tLinux!', 'the header refuses: Only for\tLinux!'],
  ['#pragma pack(push, §3)', 'expected a packing of 1, 2, 4, 8 or 16, found "3"'],
  ['#define F(a, b) a b\nint x[§F(1)];', 'expected 2 arguments for macro "F", found 1'],
  ['#define F(a) a\n§F(1', 'expected ")" after the arguments of macro "F", found the end of the text'],
  ['#define §1 2', 'expected the name of a macro, found "1"'],
  [
    '#include <stdio.h>\n#include "types.h"\nint f(§sample_t x);',
    'expected a parameter, found "sample_t" (no type of this name is known here; #include is not followed: the text of "types.h" belongs in front)',
  ],
  [
    '#include <windows.h>\n#include <usb_vendor.h>\n§PUSB_THING WINAPI f(int x);',
    'expected a declaration, found "PUSB_THING" (no type of this name is known here; #include is not followed: the text of <usb_vendor.h> belongs in front)',
  ],
  ['#define X foo\nint a;\n§X b;', 'expected a declaration, found "foo" (no type of this name is known here)'],
  ['extern "C" §{ int x;', 'expected a match for this "{", found the end of the text'],
  ['int f(int x) §{ if (x) {', 'expected a match for this "{", found the end of the text'],
  ['enum { a = §(int)(1.0 / 0) };', 'expected a number that an integer can hold, found Infinity'],
  ['typedef int (*WNDPROC)§(WNDPROC); int f(WNDPROC p);', 'expected a type, found a function that takes itself'],
  ['int x;\n§}', 'expected a declaration, found "}"'],
  [
    'int §VENDOR_CALL f(int);',
    'expected a name or a calling convention, found "VENDOR_CALL"; if it is a macro, say what it stands for: #define VENDOR_CALL __stdcall',
  ],
  [
    'typedef int wide __attribute__((§aligned(8)));',
    'an alignment is understood on a structure, a union or a field only',
  ],
  [
    'struct s { int x : 3 __attribute__((§aligned(8))); };',
    'an alignment is understood on a structure, a union or a field only',
  ],
  ['struct s { §alignas(8) int : 0; };', 'an alignment is understood on a structure, a union or a field only'],
  [
    'typedef int (§VENDOR_CALLBACK *f)(int);',
    'expected a name or a calling convention, found "VENDOR_CALLBACK"; if it is a macro, say what it stands for: #define VENDOR_CALLBACK __stdcall',
  ],
  ['struct s { int x; alignas(§0) int y; };', 'expected an alignment that is a power of two, found 0'],
  ['struct s { alignas(§frob) int y; };', 'expected a constant, found "frob"'],
  ['struct alignas(8 §9) s { int x; };', 'expected the end of the alignment, found "9"'],
  ['struct alignas(§sizeof(struct s)) s { int x; };', 'the alignment of "struct s" depends on itself'],
  ['struct __declspec(align(§3)) s { int x; };', 'expected an alignment that is a power of two, found 3'],
  ['int a;\r\nint b;\r\n§frob c;', 'expected a declaration, found "frob" (no type of this name is known here)'],
  ['int /* a\n\n */ \\\n  a; §frob c;', 'expected a declaration, found "frob" (no type of this name is known here)'],
  ['\uFEFFint a; §frob c;', 'expected a declaration, found "frob" (no type of this name is known here)'],
]

for (const [marked, expected] of cases)
  test(JSON.stringify(marked), () => {
    const before = marked.slice(0, marked.indexOf('§')).split(/\r\n|\n/)
    const column = (before.at(-1) as string).length + 1
    const text = marked.replace('§', '')
    const [first, line, caret] = thrown(text).split('\n')
    assert.is(first, `header line ${before.length}, column ${column}: ${expected}`)
    assert.is(line, `  ${text.split(/\r\n|\n/)[before.length - 1]}`)
    assert.is(caret?.replace(/\t/g, ' ').length, column + 2)
  })

test('depth and growth have limits', () => {
  assert.match(thrown(`int x[${'('.repeat(1e5)}];`), 'nested too deeply')
  assert.match(thrown(`int ${'('.repeat(1e5)}x;`), 'nested too deeply')
  assert.match(thrown('struct {'.repeat(1e5)), 'nested too deeply')
  assert.match(thrown(`int x[${'!'.repeat(1e5)}1];`), 'nested too deeply')
  const doubling = Array.from({ length: 40 }, (_, index) => `#define A${index + 1} A${index} A${index}`).join('\n')
  assert.match(thrown(`#define A0 int\n${doubling}\nA40 x;`), 'grows without end')
})

function thrown(text: string): string {
  try {
    header(text)
  } catch (error) {
    assert.is((error as Error).name, 'ArgumentError', (error as Error).stack)
    return (error as Error).message
  }
  throw new Error(`${text} was accepted`)
}

test.run()
