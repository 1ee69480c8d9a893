import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CType } from '../../../src/ctypes/data.js'
import { parsePrototype } from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import { types } from '../../../src/ctypes/types.js'
import { prototype } from './show.js'
import { stubNamespace, textOf } from './stub.js'

const cases: readonly (readonly [string, string])[] = [
  ['int add(int a, int b)', 'c_int add(c_int, c_int)'],
  ['int add(int, int);', 'c_int add(c_int, c_int)'],
  ['void f(void)', 'void f()'],
  ['void f()', 'void f()'],
  ['VOID f(VOID)', 'void f()'],
  [
    'int __stdcall f(const char *name, struct point *p, double (*cb)(double), size_t n, ...);',
    'c_int stdcall f(c_char_p, c_void_p, CFUNCTYPE(c_double, c_double), c_size_t, ...)',
  ],
  ['unsigned long long int f(long unsigned int long x)', 'c_ulonglong f(c_ulonglong)'],
  ['unsigned f(short unsigned, signed, long signed)', 'c_uint f(c_ushort, c_int, c_long)'],
  ['signed char f(unsigned char, char)', 'c_byte f(c_ubyte, c_char)'],
  ['unsigned __int64 f(__int8, unsigned __int8, __int16, __int32)', 'c_ulonglong f(c_byte, c_ubyte, c_short, c_int)'],
  ['_Bool f(bool b)', 'c_bool f(c_bool)'],
  ['long double f(float)', 'c_longdouble f(c_float)'],
  ['int8_t f(uint8_t, int16_t, uint16_t, int32_t, uint32_t)', 'c_byte f(c_ubyte, c_short, c_ushort, c_int, c_uint)'],
  ['uint64_t f(int64_t, intptr_t, uintptr_t)', 'c_ulonglong f(c_longlong, c_ssize_t, c_size_t)'],
  ['wchar_t f(const wchar_t *, wchar_t *, wchar_t)', 'c_wchar f(c_wchar_p, c_wchar_p, c_wchar)'],
  ['char *f(char *const s, char const *t, char **u)', 'c_char_p f(c_char_p, c_char_p, POINTER(c_char_p))'],
  ['void *f(const void *, void **)', 'c_void_p f(c_void_p, POINTER(c_void_p))'],
  ['void f(int x[], char name[32], double m[3][4])', 'void f(POINTER(c_int), POINTER(c_char), POINTER(c_double[4]))'],
  ['void f(int n, double v[static const 4])', 'void f(c_int, POINTER(c_double))'],
  ['void f(int (*rows)[4])', 'void f(POINTER(c_int[4]))'],
  ['void f(int *rows[4])', 'void f(POINTER(POINTER(c_int)))'],
  ['void f(int cb(int))', 'void f(CFUNCTYPE(c_int, c_int))'],
  [
    'void f(void (*cb)(char *a, const char *b, char const *c, char *const d, LPSTR e, LPCSTR f, CHAR *g, const CHAR *h))',
    `void f(CFUNCTYPE(void, ${'rttrrtrt'.replace(/./g, kind => (kind === 'r' ? 'POINTER(c_char), ' : 'c_char_p, ')).slice(0, -2)}))`,
  ],
  [
    'void f(int (*cb)(wchar_t *, LPWSTR, const wchar_t *, LPCWSTR, LPCTSTR), wchar_t *, char *)',
    'void f(CFUNCTYPE(c_int, POINTER(c_wchar), POINTER(c_wchar), c_wchar_p, c_wchar_p, c_char_p), c_wchar_p, c_char_p)',
  ],
  ['void f(int (int, char))', 'void f(CFUNCTYPE(c_int, c_int, c_char))'],
  ['void f(void (__stdcall *)(int))', 'void f(WINFUNCTYPE(void, c_int))'],
  ['void f(void (CALLBACK *cb[4])(DWORD))', 'void f(POINTER(WINFUNCTYPE(void, c_ulong)))'],
  ['int (*f(int a))(double)', 'CFUNCTYPE(c_int, c_double) f(c_int)'],
  ['int (__stdcall *__cdecl f(int a))(double)', 'WINFUNCTYPE(c_int, c_double) cdecl f(c_int)'],
  ['int (f)(int)', 'c_int f(c_int)'],
  ['int (__stdcall f)(int)', 'c_int stdcall f(c_int)'],
  ['char *__fastcall f(void)', 'c_char_p fastcall f()'],
  ['char * WINAPI f(void)', 'c_char_p stdcall f()'],
  ['WINAPI int f(void)', 'c_int stdcall f()'],
  ['int __thiscall f(void *self)', 'c_int thiscall f(c_void_p)'],
  ['__declspec(dllexport) int APIENTRY f(void)', 'c_int stdcall f()'],
  ['int f(void) __attribute__((stdcall))', 'c_int stdcall f()'],
  ['__attribute__((stdcall)) int f(void)', 'c_int stdcall f()'],
  ['extern "C" int f(void);', 'c_int f()'],
  ['extern const volatile int f(register int a)', 'c_int f(c_int)'],
  [
    'BOOL WINAPI f(_In_ HANDLE h, _Out_writes_bytes_opt_(n) LPVOID p, _In_ DWORD n)',
    'c_long stdcall f(c_void_p, c_void_p, c_ulong)',
  ],
  ['int f(_Inout_ int *x, _Out_ double *y)', 'c_int f(POINTER(c_int), out(c_double))'],
  [
    'int f(_Outptr_ int **x, DWORD *_Out_opt_ y, __out long z[2])',
    'c_int f(out(POINTER(c_int)), POINTER(c_ulong), POINTER(c_long))',
  ],
  [
    'int f(_Out_ void *a, _Out_ char *b, _Out_ LPWSTR c, _Out_ BYTE *d, _Out_writes_(n) int *e, size_t n)',
    'c_int f(c_void_p, c_char_p, c_wchar_p, POINTER(c_ubyte), POINTER(c_int), c_size_t)',
  ],
  [
    'int f(_Out_ PDWORD a, const _Out_ long *b, int (*cb)(_Out_ int *c))',
    'c_int f(out(c_ulong), out(c_long), CFUNCTYPE(c_int, POINTER(c_int)))',
  ],
  ['int f(IN int x, OUT int *y OPTIONAL, __in_opt const char *z)', 'c_int f(c_int, POINTER(c_int), c_char_p)'],
  ['int FAR PASCAL f(char FAR *s)', 'c_int stdcall f(c_char_p)'],
  ['int f(float near, float far, int IN)', 'c_int f(c_float, c_float, c_int)'],
  ['int f(int a, out(double) b)', 'c_int f(c_int, out(c_double))'],
  ['void f(out(unsigned long) a, out(char *), out(int[3]) c)', 'void f(out(c_ulong), out(c_char_p), out(c_int[3]))'],
  [
    'int f(PDWORD a, LPDWORD b, LPTSTR c, PCWSTR d, GUID *e, REFIID f)',
    'c_int f(POINTER(c_ulong), POINTER(c_ulong), c_char_p, c_wchar_p, POINTER(GUID), POINTER(GUID))',
  ],
  ['LRESULT f(WNDPROC p)', 'c_ssize_t f(WINFUNCTYPE(c_ssize_t, c_void_p, c_uint, c_size_t, c_ssize_t))'],
  ['STDAPI f(void)', 'HRESULT stdcall f()'],
  ['STDAPI_(int) f(void)', 'c_int stdcall f()'],
  ['int f(enum color c, enum { A, B } d)', 'c_int f(c_int, c_int)'],
  ['int f(struct opaque *p, union other **q)', 'c_int f(c_void_p, POINTER(c_void_p))'],
  ['struct point { int x, y; } f(void)', 'point f()'],
  ['VENDOR_API int f(void)', 'c_int f()'],
  ['int printf(const char *format, ...)', 'c_int printf(c_char_p, ...)'],
  ['int f(const int &x)', 'c_int f(POINTER(c_int))'],
  ['[[nodiscard]] int f(void)', 'c_int f()'],
  ['/* a */ int // b\n f ( /* c */ int a ) ; // d', 'c_int f(c_int)'],
]

for (const [text, expected] of cases) test(text, () => assert.is(prototype(text), expected))

test('names of parameters', () => {
  const routine = parsePrototype('int f(int a, char *, void (*cb)(int inner), out(int) d)', 'win64', stubNamespace())
  assert.equal(routine.parameterNames, ['a', undefined, 'cb', 'd'])
})

test('conventions of callbacks: one in 64 bits, all four in 32', () => {
  const text = 'void f(void (__fastcall *a)(int), int (__thiscall *b)(void *))'
  assert.is(prototype(text, 'win64'), 'void f(CFUNCTYPE(void, c_int), CFUNCTYPE(c_int, c_void_p))')
  const { argtypes } = parsePrototype(text, 'win32', types('win32') as never)
  assert.equal(
    argtypes.map(type => (type as CType).name),
    ['__fastcall(null, c_int)', '__thiscall(c_int, c_void_p)'],
  )
})

test('types from elsewhere', () => {
  const ns = stubNamespace()
  const point = ns.Structure({})
  Object.defineProperty(point, 'name', { value: 'point' })
  const routine = parsePrototype('void f(struct point *a, struct point b, mine *c)', 'win64', ns, {
    point,
    mine: ns.c_double,
  })
  assert.equal(routine.argtypes.map(textOf), ['POINTER(point)', 'point', 'POINTER(c_double)'])
})

const errors: readonly (readonly [string, number, string])[] = [
  ['int f(int a', 12, 'expected "," or ")", found the end of the text'],
  ['int f(foo a)', 7, 'expected a parameter, found "foo" (no type of this name is known here)'],
  ['int (int)', 6, 'expected the name of a routine, found "int"'],
  ['foo f(void)', 1, 'expected a type, found "foo" (no type of this name is known here)'],
  ['int f(void) int g(void)', 13, 'expected the end of the prototype, found "int"'],
  ['int x', 5, 'expected the declaration of a routine, such as "int add(int a, int b)"'],
  ['typedef int f(int)', 13, 'expected the declaration of a routine, such as "int add(int a, int b)"'],
  ['long char f(void)', 1, 'expected a type, found "long char"'],
  ['int f(..., int)', 10, 'expected ")" after "...", found ","'],
  ['int f(int @)', 11, 'expected "," or ")", found "@"'],
  [
    'int VENDOR_CALL f(int)',
    5,
    'expected a name or a calling convention, found "VENDOR_CALL"; if it is a macro, say what it stands for: #define VENDOR_CALL __stdcall',
  ],
  ['int f(struct p x)', 14, 'expected a complete type, found "struct p", whose fields are not given'],
  ['int f(void x)', 12, 'expected a type with a value, found "void"'],
  ['int f(int)[3]', 6, 'expected a type that can be returned, found an array'],
  ['int f(void (*cb)(out(int) x))', 27, 'out(…) belongs to the parameters of a routine, not of a callback'],
  ['', 1, 'expected a type, found the end of the text'],
  ['int f(int /* a', 11, 'expected the end of this comment, found the end of the text'],
]

for (const [text, column, expected] of errors)
  test(`refused: ${text}`, () => {
    const error = thrown(text)
    const [first, line, caret] = error.message.split('\n')
    assert.is(first, `prototype line 1, column ${column}: ${expected}`)
    assert.is(line, `  ${text}`)
    assert.is(caret, `${' '.repeat(column + 1)}^`)
    assert.is(error.name, 'ArgumentError')
    assert.equal(
      [(error as never as { line: number }).line, (error as never as { column: number }).column],
      [1, column],
    )
  })

function thrown(text: string, arch: Arch = 'win64'): Error {
  try {
    prototype(text, arch)
  } catch (error) {
    return error as Error
  }
  throw new Error(`${text} was accepted`)
}

test.run()
