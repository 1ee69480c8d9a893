/** What compilers for Windows add to C, where passing over it would give other types without a word. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CType } from '../../../src/ctypes/data.js'
import { parseHeader } from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import { types } from '../../../src/ctypes/types.js'
import { header, routines } from './show.js'

const constants = (text: string) => ({ ...header(text).constants })
const real = (text: string, arch: Arch = 'win64') => parseHeader(text, { arch, ns: types(arch) })
const layout = (type: CType) => [type.size, type.alignment]

test('the size of an enumeration is a constant, also where a macro names or defines it', () => {
  const text = `
    enum tag { A, B = 5 };
    enum wide : long long { C };
    enum __attribute__((packed)) small { D };
    #define NAMED sizeof(enum tag)
    #define DEFINED (sizeof(enum { X, Y }) * 2)
    #define WIDE sizeof(enum wide)
    #define SMALL sizeof(enum small)
    #define CAST ((enum tag)7)
    int f(int x[sizeof(enum { E, F })]);`
  assert.equal(constants(text), {
    A: 0,
    B: 5,
    C: 0,
    D: 0,
    E: 0,
    F: 1,
    NAMED: 4,
    DEFINED: 8,
    WIDE: 8,
    SMALL: 1,
    CAST: 7,
  })
})

test('macros count in #pragma pack, and labels are none', () => {
  const { types: found } = real(`
    #define VENDOR_PACKING 1
    #pragma pack(push, VENDOR_PACKING)
    struct tight { char c; int i; };
    #pragma pack(pop)
    #pragma pack(push, label)
    #pragma pack(2)
    struct half { char c; int i; };
    #pragma pack(pop, label)
    struct loose { char c; int i; };`)
  assert.equal([found.tight.size, found.half.size, found.loose.size], [5, 6, 8])
})

test('push_macro keeps a macro, pop_macro brings it back', () => {
  const text = `
    #define X 1
    #pragma push_macro("X")
    #pragma push_macro("Y")
    #undef X
    #define X 2
    #define Y 3
    enum { A = X, B = Y };
    #pragma pop_macro("X")
    #pragma pop_macro("Y")
    #pragma pop_macro("Z")
    #ifndef Y
    enum { C = X };
    #endif`
  assert.equal(constants(text), { A: 2, B: 3, C: 1, X: 1 })
})

test('macros with any number of arguments, with a name of their own, and without the comma', () => {
  assert.equal(
    routines(`
      #define DECLARE(result, name, args...) result name(args)
      DECLARE(int, f, int a, double b); DECLARE(int, g, char c); DECLARE(int, h);
      #define EXTEND(name, ...) int name(int, ##__VA_ARGS__)
      EXTEND(i); EXTEND(j, char *, double);
      #define BOTH(name, more...) int name(int, ##more)
      BOTH(k); BOTH(l, float);`),
    [
      'c_int f(c_int, c_double)',
      'c_int g(c_char)',
      'c_int h()',
      'c_int i(c_int)',
      'c_int j(c_int, c_char_p, c_double)',
      'c_int k(c_int)',
      'c_int l(c_int, c_float)',
    ],
  )
})

test('attributes behind a pointer to a function are those of the function', () => {
  const { types: found, routines } = real(
    `typedef int (*callback)(int) __attribute__((stdcall));
     struct s { int (*member)(int) __attribute__((fastcall)); };
     int f(void (*argument)(void) __attribute__((stdcall)));`,
    'win32',
  )
  assert.is(found.callback.name, 'WINFUNCTYPE(c_int, c_int)')
  assert.is(found.s.fields?.member.type.name, '__fastcall(c_int, c_int)')
  const [argument] = routines.get('f')?.argtypes ?? []
  assert.is((argument as CType).name, 'WINFUNCTYPE(null)')
})

test('the calling convention nearest to a name is its own', () => {
  const { routines, variables } = real('int __stdcall f(int), (__cdecl *h)(int), (*g)(int);', 'win32')
  assert.is(routines.get('f')?.convention, 'stdcall')
  assert.is(variables.get('h')?.name, 'CFUNCTYPE(c_int, c_int)')
  assert.is(variables.get('g')?.name, 'WINFUNCTYPE(c_int, c_int)')
})

test('a vector may be a field', () => {
  const { types: found } = real('struct s { char c; float v __attribute__((vector_size(16))); };')
  assert.equal(layout(found.s), [32, 16])
  assert.is(found.s.fields?.v.offset, 16)
})

test('bit fields that are packed alone, and as gcc lays them out by itself', () => {
  const { types: found } = real('struct s { char c; unsigned x : 9 __attribute__((packed)); char d; };')
  assert.equal([found.s.size, found.s.fields?.x.offset, found.s.fields?.d.offset], [6, 1, 5])
  assert.is(real('struct __attribute__((gcc_struct, packed)) s { char c; int i; };').types.s.size, 5)
  assert.throws(() => header('struct s { char c; short x : 9; } __attribute__((gcc_struct));'), /"gcc_struct"/)
})

test('what would change a type or a call is not passed over', () => {
  for (const [text, word] of [
    ['int f(int) __attribute__((vectorcall));', 'vectorcall'],
    ['int __attribute__((sysv_abi)) f(int);', 'sysv_abi'],
    ['typedef int wide __attribute__((__mode__(__DI__)));', 'mode'],
  ] as const)
    assert.throws(() => header(text), new RegExp(`"${word}" changes a type or a call`), text)
  assert.equal(routines('int f(int) __attribute__((ms_abi, nonnull(1), visibility("default")));'), ['c_int f(c_int)'])
})

test('alignments hold inside packed structures, as for Microsoft', () => {
  const { types: found } = real(`
    #pragma pack(push, 8)
    struct a { char c; __declspec(align(16)) float m[4]; };
    struct b { char c; __m128 v; };
    #pragma pack(pop)
    #pragma pack(push, 1)
    struct c { char c; __declspec(align(2)) long long x; };
    struct __declspec(align(8)) inner { char c; };
    struct d { char c; struct inner i[2]; };
    #pragma pack(pop)
    struct __attribute__((packed)) e { char c; struct inner i; };`)
  for (const [name, expected] of Object.entries({ a: [32, 16], b: [32, 16], c: [10, 2], d: [24, 8], e: [9, 1] }))
    assert.equal(layout(found[name]), expected, name)
})

test('a cast to a type of 16 bits for true and false has a sign', () => {
  const text = '#define YES ((VARIANT_BOOL)-1)\n#define WIDE ((wchar_t)-1)\n#define BYTE_ ((BOOLEAN)-1)'
  assert.equal({ ...real(text).constants }, { YES: -1, WIDE: 65535, BYTE_: 255 })
})

test.run()
