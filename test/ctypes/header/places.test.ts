/** Sizes and offsets that expressions ask about are what a Windows C compiler says. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseHeader } from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import { types } from '../../../src/ctypes/types.js'
import { compiled } from './mingw.js'

const prelude = `
  struct inner { char tag; double list[3]; };
  typedef struct outer {
    short first;
    struct inner all[2], *one;
    union { int number; char text[12]; };
    const char *name;
  } outer;
  extern outer made, table[5];
  extern const char *word;
`
const expressions = [
  'sizeof("://")',
  'sizeof "a" "bc"',
  'sizeof(L"wide")',
  'sizeof("\\x41\\0\\n\\u00e9 é")',
  'sizeof(((outer *)0)->all)',
  'sizeof(((outer *)0)->all[1].list)',
  'sizeof ((outer *)0)->one->list[0]',
  'sizeof(*((outer *)0)->one)',
  'sizeof(((outer *)0)->text)',
  'sizeof(((outer *)0)->name)',
  'sizeof(*((outer *)0)->name)',
  'sizeof(made)',
  'sizeof made.all',
  'sizeof(table) / sizeof(table[0])',
  'sizeof(&made)',
  'sizeof(*&made)',
  'sizeof word',
  'sizeof(1)',
  'sizeof(1ULL)',
  'sizeof(1.0f)',
  "sizeof(L'x')",
  'sizeof(sizeof(int))',
  'sizeof(int[3]) + 1',
  'sizeof(__typeof__(made.all[0].list[2]))',
  '__alignof__(struct inner)',
  'offsetof(outer, all)',
  'offsetof(struct outer, all[1].list[2])',
  'offsetof(outer, text)',
  '__builtin_offsetof(outer, name)',
  'FIELD_OFFSET(outer, one)',
  '(size_t)&((outer *)0)->all[1].tag',
  '(long)(size_t)&(*(outer *)16).name',
  '(size_t)&((outer *)0)[2].first',
  'sizeof(char[64 - sizeof(((outer *)0)->all)])',
]

for (const arch of ['win64', 'win32'] satisfies Arch[])
  test(`sizes and offsets on ${arch}`, () => {
    const text = `${prelude}${expressions.map((expression, index) => `#define X${index} (${expression})\n`).join('')}`
    const { constants } = parseHeader(text, { arch, ns: types(arch) })
    const forCompiler = '#include <stddef.h>\n#define FIELD_OFFSET(type, field) ((long)offsetof(type, field))\n'
    const expected = compiled(arch, `${forCompiler}${prelude}`, expressions)
    for (const [index, expression] of expressions.entries())
      assert.is(String(constants[`X${index}`]), String(expected[index]), expression)
  })

test('where an expression stands for a type or a length', () => {
  const text = `${prelude}
    extern void assert_size(int [(sizeof(((struct inner *)0)->tag) == 1) ? 1 : -1]);
    struct padded { struct inner x; char pad[64 - offsetof(struct inner, list)]; };
    struct url { char text[2048 + sizeof("://")]; };
    typedef __typeof__(sizeof(int)) size;
    typedef typeof(made.all[0]) part;
    typedef typeof_unqual(const short) bare;
    struct counted { char of[sizeof(typeof(made.all[0])) + (typeof(int))2.5]; };
    void take(typeof(int) a, __typeof(part) *b);
  `
  const { types: found, routines } = parseHeader(text, { arch: 'win64', ns: types('win64') })
  const sizes = ['padded', 'url', 'size', 'part', 'bare', 'counted'].map(name => found[name]?.size)
  assert.equal(sizes, [88, 2052, 8, 32, 2, 34])
  assert.ok(routines.has('assert_size'))
  assert.equal(
    routines.get('take')?.argtypes.map(type => (type as { readonly name: string }).name),
    ['c_int', 'POINTER(inner)'],
  )
})

test('what has no size or address is refused at its place', () => {
  const refused = (text: string, expected: string) => {
    try {
      parseHeader(`${prelude}\n${text}`, { arch: 'win64', ns: types('win64') })
    } catch (error) {
      assert.match((error as Error).message, expected)
      return
    }
    throw new Error(`${text} was accepted`)
  }
  refused('int x[sizeof(made.missing)];', "outer has no field 'missing'")
  refused('int x[sizeof(((struct inner *)0)->tag.x)];', "a c_char has no field 'x'")
  refused('int x[sizeof(*made.first)];', 'expected a pointer or an array, found a c_short')
  refused('int x[(size_t)&made.all];', 'expected a constant, found an address that is not known')
  refused('int x[made.first];', 'expected a constant, found what is in memory only')
  refused('enum { A = MAKE_TAG(1, 2) };', 'found "MAKE_TAG"; if it is a macro, say what it stands for')
})

test.run()
