import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { callbackPlan } from '../../../src/ctypes/callback-plan.js'
import type { CallbackClass } from '../../../src/ctypes/callback-type.js'
import { compilePlan } from '../../../src/ctypes/compile-plan.js'
import type { Arch } from '../../../src/ctypes/data.js'
import { type HeaderType, type Prototype, parseHeader, Shelf } from '../../../src/ctypes/header/index.js'
import { types as realTypes } from '../../../src/ctypes/types.js'
import { header, routines, showFields, showRoutine } from './show.js'
import { textOf } from './stub.js'

const types = (text: string) =>
  Object.fromEntries(Object.entries(header(text).types).map(([name, type]) => [name, textOf(type)]))

test('typedefs of everything', () => {
  assert.equal(
    types(`
      typedef unsigned long u32, *pu32, tab[4];
      typedef char name_t[32];
      typedef int (__stdcall *callback)(void *user, u32 count);
      typedef void plain(int);
      typedef struct opaque opaque;
      typedef opaque *handle;
      typedef void nothing;
      typedef enum { red, green } color;
      typedef pu32 *ppu32;
      long typedef odd;
    `),
    {
      u32: 'c_ulong',
      pu32: 'POINTER(c_ulong)',
      tab: 'c_ulong[4]',
      name_t: 'c_char[32]',
      callback: 'WINFUNCTYPE(c_int, c_void_p, c_ulong)',
      plain: 'CFUNCTYPE(void, c_int)',
      handle: 'c_void_p',
      color: 'c_int',
      ppu32: 'POINTER(POINTER(c_ulong))',
      odd: 'c_long',
    },
  )
})

test('a typedef without a type is one of an int', () => {
  const { routines } = header('typedef *count, **counts; void f(count a, counts b);')
  assert.is(showRoutine(routines.get('f') as never), 'void f(POINTER(c_int), POINTER(POINTER(c_int)))')
})

test('a typedef is usable from the next declaration on, also as the name of a field or parameter', () => {
  assert.equal(
    routines(
      'typedef int thing; thing f(thing thing); struct s { thing thing; } ; void g(struct s s, unsigned thing);',
    ),
    ['c_int f(c_int)', 'void g(s, c_uint)'],
  )
})

test('the same typedef twice', () => {
  assert.equal(
    types('typedef unsigned long DWORD; typedef unsigned long DWORD; typedef DWORD size_t; typedef size_t size_t;'),
    {
      DWORD: 'c_ulong',
      size_t: 'c_ulong',
    },
  )
  assert.equal(types('typedef unsigned short wchar_t; typedef wchar_t *w;'), { w: 'c_wchar_p' })
})

test('structures: nested, anonymous, referring to themselves and to each other', () => {
  const { types } = header(`
    struct a { struct b *other; struct a *next, *last; struct { int x; } inner; union { int i; float f; }; };
    struct b { struct a value; enum { one, two } kind; };
    typedef struct { int x, y[2][3], *z; const char *name; char text[16]; } point;
    typedef struct list { struct list *next; void (*free)(struct list); } list;
    union u { struct a a; double d; };
  `)
  assert.is(showFields(types.a), 'other: POINTER(b), next: POINTER(a), last: POINTER(a), inner: a.inner, _4: a._4')
  assert.is(showFields(types.b), 'value: a, kind: c_int')
  assert.is(showFields(types.point), 'x: c_int, y: c_int[3][2], z: POINTER(c_int), name: c_char_p, text: c_char[16]')
  assert.is(showFields(types.list), 'next: POINTER(list), free: CFUNCTYPE(void, list)')
  assert.is(showFields(types.u), 'a: a, d: c_double')
})

test('forward declarations', () => {
  const text =
    'struct late; void f(struct late *l, struct never *n); typedef struct late *plate; struct late { int x; }; plate g(void);'
  assert.equal(routines(text), ['void f(POINTER(late), c_void_p)', 'POINTER(late) g()'])
})

test('bit fields', () => {
  const { types } = header(
    'enum { w = 2 }; struct s { unsigned a : 3, b : w + 1, : 4; int : 0; unsigned char c : sizeof(short); };',
  )
  assert.is(showFields(types.s), 'a: c_uint:3, b: c_uint:3, _2: c_uint:4, _3: c_int:0, c: c_ubyte:2')
})

test('what a bit field is a part of', () => {
  const { types } = header(
    'struct s { char c : 3; wchar_t w : 4; enum e { A, B, C, D } k : 2; enum { N = -1 } n : 2; enum e f : 2; bool b : 1; };',
  )
  assert.is(showFields(types.s), 'c: c_byte:3, w: c_ushort:4, k: c_uint:2, n: c_int:2, f: c_uint:2, b: c_bool:1')
})

test('lengths by constant expressions', () => {
  const { types } = header(`
    #define N 4
    #define TWICE(x) ((x) * 2)
    enum { first = 3, second, third = second << 1, fourth = (third > 7) ? 1 : 2 };
    static const int K = 5;
    typedef int a[N], b[TWICE(N + 1)], c[second][third], d[fourth + K], e[sizeof(a) / sizeof(int)], f['a'], g[0x10 | 010], h[];
    struct s { char x[N]; int y; };
    typedef char i[sizeof(struct s *)], j[-1 + (int)2.5 * 2], k[MAX_PATH], l[!0 + ~-3 % 4];
  `)
  const shown = 'abcdefghijkl'.split('').map(name => textOf(types[name]))
  assert.equal(shown, [
    'c_int[4]',
    'c_int[10]',
    'c_int[8][4]',
    'c_int[6]',
    'c_int[4]',
    'c_int[97]',
    'c_int[24]',
    'c_int[0]',
    'c_char[8]',
    'c_char[3]',
    'c_char[260]',
    'c_char[3]',
  ])
})

test('what headers of C and Windows define', () => {
  const { routines, constants, types } = header(`
    #if CHAR_BIT != 8 || UINT_MAX < 4294967295 || LONG_MAX > 2147483647
    #error not for Windows
    #endif
    enum { FROM_START = SEEK_SET, NOTHING = EOF, LOWEST = LONG_MIN };
    int f(struct tm *a, const struct timeval *b, struct sockaddr *c, struct _GUID *d, struct _FILETIME *e);
    struct lease { struct sockaddr_in from; struct timeval until; };
  `)
  assert.equal(constants, Object.assign(Object.create(null), { FROM_START: 0, NOTHING: -1, LOWEST: -2147483648 }))
  const [routine] = routines.values()
  assert.is(
    routine && showRoutine(routine),
    'c_int f(POINTER(tm), POINTER(timeval), POINTER(sockaddr), POINTER(GUID), POINTER(FILETIME))',
  )
  assert.is(showFields(types.lease), 'from: sockaddr_in, until: timeval')
})

test('a typedef may come again, however it is spelt', () => {
  const { types } = header(`
    typedef unsigned long ULONG; typedef DWORD ULONG; typedef unsigned long DWORD; typedef ULONG DWORD;
    typedef void *HANDLE; typedef PVOID HANDLE;
    typedef int (*cb)(ULONG count, void *); typedef int (*cb)(DWORD, HANDLE);
    typedef struct s *ps; typedef struct s s_t; typedef s_t *ps;
  `)
  assert.equal(
    Object.keys(types).map(name => `${name} ${textOf(types[name])}`),
    ['ULONG c_ulong', 'DWORD c_ulong', 'HANDLE c_void_p', 'cb CFUNCTYPE(c_int, c_ulong, c_void_p)', 'ps c_void_p'],
  )
})

test('alignment of fields, packed enumerations, vectors', () => {
  const { types } = parseHeader(
    `
    #define CACHE_LINE 64
    struct a { char x; __declspec(align(8)) int y; char z; };
    struct b { char x; alignas(CACHE_LINE) int y; };
    struct c { char x; int y __attribute__((packed)); alignas(double) char z; };
    struct __attribute__((packed)) d { char x; int y; int z __attribute__((aligned(4))); };
    struct __attribute__((deprecated("not packed, aligned(32)"))) e { char x; int y; };
    typedef enum __attribute__((packed)) { small, big = 200 } byte_sized;
    struct f { byte_sized x; byte_sized y; };
    typedef float vec4 __attribute__((vector_size(16)));
    typedef float loose __attribute__((vector_size(16), aligned(1)));
    struct i { char x; loose y; };
    struct g { char x; vec4 y; };
    struct h { float _Complex x; _Complex double y; };
    `,
    { arch: 'win64', ns: realTypes('win64') },
  )
  const sizes = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, type.size]))
  assert.equal(sizes, {
    a: 16,
    b: 128,
    c: 16,
    d: 12,
    e: 8,
    f: 2,
    byte_sized: 1,
    vec4: 16,
    loose: 16,
    g: 32,
    h: 24,
    i: 17,
  })
})

for (const arch of ['win64', 'win32'] as const)
  test(`what goes in a vector register is never passed by value (${arch})`, () => {
    const { routines, types } = parseHeader(
      `
      typedef float vec4 __attribute__((vector_size(16)));
      struct holder { vec4 lanes; };
      void takes(int a, vec4 b); vec4 gives(int a); void known(__m128 a); __m64 half(void); void small(_Float16 a);
      __float128 wide(__m256d *a); struct holder fine(const vec4 *a, __m128i *b);
      typedef void (*cb)(int a, __m128d b); void calls(cb call);
      `,
      { arch, ns: realTypes(arch) },
    )
    const compile = (name: string) => {
      const { argtypes, restype } = routines.get(name) as Prototype
      return compilePlan(arch, name, argtypes, restype)
    }
    const refused = (name: string, where: string, type: string) =>
      assert.throws(() => compile(name), `${where}: ${type} goes by value in a vector register`)
    refused('takes', 'argtypes of takes: item 2', 'vec4')
    refused('gives', 'restype of gives', 'vec4')
    refused('known', 'argtypes of known: item 1', '__m128')
    refused('half', 'restype of half', '__m64')
    refused('small', 'argtypes of small: item 1', '_Float16')
    refused('wide', 'restype of wide', '__float128')
    compile('fine')
    compile('calls')
    assert.throws(
      () => callbackPlan(types.cb as unknown as CallbackClass, arch),
      'argument 2 of a callback: __m128d goes',
    )
    assert.is(types.__m128d.size, 16)
    assert.is(types.holder.alignment, 16)
  })

test('an integer is the one that its pointer-sized name is', () => {
  const twice = (arch: Arch, text: string) => parseHeader(text, { arch, ns: realTypes(arch) })
  twice(
    'win32',
    'typedef ULONG_PTR H; typedef ULONG H; typedef SSIZE_T S; typedef int S; typedef size_t *P; typedef unsigned *P;',
  )
  twice('win64', 'typedef ULONG_PTR H; typedef ULONGLONG H; typedef SSIZE_T S; typedef long long S;')
  assert.throws(() => twice('win64', 'typedef ULONG_PTR H; typedef ULONG H;'), 'declared twice')
  assert.throws(() => twice('win32', 'typedef ULONG_PTR H; typedef LONG H;'), 'declared twice')
})

test('packing and alignment', () => {
  const { types } = header(`
    struct plain { int x; };
    #pragma pack(push, 1)
    struct one { int x; };
    #pragma pack(2)
    struct two { int x; };
    #pragma pack(push, mark, 4)
    #pragma pack(push, 8)
    struct eight { int x; };
    #pragma pack(pop, mark)
    struct again { int x; };
    #pragma pack(pop)
    struct back { int x; };
    #pragma pack(1)
    #pragma pack()
    struct none { int x; };
    #include <pshpack4.h>
    struct four { int x; };
    #include <poppack.h>
    __pragma(pack(push, 2)) struct inline_two { int x; }; _Pragma("pack(pop)")
    struct __attribute__((packed)) gnu { int x; };
    struct gnu_after { int x; } __attribute__((packed, aligned(4)));
    typedef __declspec(align(16)) struct { int x; } wide;
    struct __declspec(align(32)) wider { int x; };
    struct alignas(8) eights { int x; };
    #pragma once
    #pragma warning(disable: 4200)
  `)
  const shown = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, (type as never as { options: unknown }).options]),
  )
  assert.equal(shown, {
    plain: {},
    one: { pack: 1 },
    two: { pack: 2 },
    eight: { pack: 8 },
    again: { pack: 2 },
    back: {},
    none: {},
    four: { pack: 4 },
    inline_two: { pack: 2 },
    gnu: { pack: 1 },
    gnu_after: { pack: 1, align: 4 },
    wide: { align: 16 },
    wider: { align: 32 },
    eights: { align: 8 },
  })
})

test('linkage, bodies, initializers, variables', () => {
  const text = `
    extern "C" { int a(void); extern "C" int b(void); }
    extern "C++" int c(void);
    static inline int hidden(int x) { return x > 0 ? x : -x; }
    static int local(void);
    int body(int x) { if (x) { return '}'; } return 0; }
    extern int counter, table[4];
    __declspec(dllimport) extern const char *version;
    int initial[2] = { 1, 2 }, other = 5;
    static int unseen = 4;
    static_assert(sizeof(int) == 4, "int");
    ;
    typedef int handler(int);
    extern handler on_exit;
    int d(void), *e(int);
    struct { int x; } point, *origin;
    extern struct unknown state;
  `
  assert.equal(routines(text), [
    'c_int a()',
    'c_int b()',
    'c_int c()',
    'c_int body(c_int)',
    'c_int on_exit(c_int)',
    'c_int d()',
    'POINTER(c_int) e(c_int)',
  ])
  const variables = Object.fromEntries([...header(text).variables].map(([name, type]) => [name, textOf(type)]))
  assert.equal(variables, {
    counter: 'c_int',
    table: 'c_int[4]',
    version: 'c_char_p',
    initial: 'c_int[2]',
    other: 'c_int',
    point: 'struct',
    origin: 'POINTER(struct)',
  })
})

test('macros: handles, calls, decorations', () => {
  const text = `
    #define API __declspec(dllexport)
    #define CALL __stdcall
    #define FN(type, name) API type CALL vendor_##name
    #define LIST(...) (__VA_ARGS__)
    #define COUNT unsigned int
    DECLARE_HANDLE(HDEV);
    API int CALL one(HDEV device, COUNT n);
    FN(double, two)(int a, int b);
    VENDOR_BEGIN
    int three LIST(int a, char b);
    extern VENDOR_API int four(HDEV *device) VENDOR_SUFFIX;
  `
    .replace('VENDOR_SUFFIX', '')
    .replace('VENDOR_BEGIN', '')
  assert.equal(routines(text), [
    'c_int stdcall one(c_void_p, c_uint)',
    'c_double stdcall vendor_two(c_int, c_int)',
    'c_int three(c_int, c_char)',
    'c_int four(POINTER(c_void_p))',
  ])
})

test('a macro that leads to itself ends', () => {
  assert.equal(
    routines('#define f g\n#define g f\nint f(void);\n#define h(x) h(x, x)\nint h(int);'),
    ['c_int f()', 'c_int h(c_int, c_int)'].slice(0, 2),
  )
  assert.equal(routines('#define TWO(a, b) int a(void); int b(void);\n#define OPEN TWO(OPEN\nOPEN, other)'), [
    'c_int OPEN()',
    'c_int other()',
  ])
  const ring = Array.from({ length: 60 }, (_, i) => `#define M${i} M${(i + 1) % 60} M${i}\n`).join('')
  assert.throws(() => header(`${ring}int M0;`), /expected a name or a calling convention, found "M0"/)
})

test('a text that a preprocessor has been through is not expanded again', () => {
  const { types, constants, routines, variables } = header(`
    #define INFO struct INFO
    struct INFO { int size; };
    int use(struct INFO *p);
    #define STATE enum STATE
    enum STATE { OFF, ON = 7 };
    #define RECORD struct RECORD
    RECORD { INFO info; STATE state; };
    int fill(RECORD *p);
    #define MAKE_ID(name, code) DEFINE_GUID(name, 0x##code, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    #define CLSID_MADE MAKE_ID(CLSID_MADE, 51a)
    #define CLSID_UNUSED MAKE_ID(CLSID_UNUSED, 51b)
    #define CLSID_RAW MAKE_ID(CLSID_RAW, 51c)
    extern const GUID
    CLSID_MADE;
    CLSID_RAW;
  `)
  assert.equal([...variables.keys()], ['CLSID_MADE', 'CLSID_RAW'])
  assert.is(showFields(types.INFO), 'size: c_int')
  assert.is(showFields(types.RECORD), 'info: INFO, state: c_int')
  assert.equal([constants.OFF, constants.ON], [0, 7])
  assert.equal([...routines.values()].map(showRoutine), ['c_int use(POINTER(INFO))', 'c_int fill(POINTER(RECORD))'])
})

test('branches', () => {
  const text = `
    #ifndef VENDOR_H
    #define VENDOR_H
    #ifdef __cplusplus
    extern "C" { this is not C'
    #endif
    #ifdef _WIN64
    typedef long long word;
    #else
    typedef int word;
    #endif
    #if defined(_WIN32) && !defined LINUX && VERSION >= 0x0200
    int yes(word);
    #elif 1
    int no(word);
    #else
    #error not reached
    #endif
    #if 0
      #if 1
      int no2(void);
      #else
      int no3(void);
      #endif
    #elif (2 > 1 ? 1 : 0) && __has_include(<x.h>) == 0
    int yes2(void);
    #endif
    #undef VERSION
    #ifdef VERSION
    int no4(void);
    #endif
    #define EMPTY
    #include "other.h"
    #endif /* VENDOR_H */
  `
  const shown = (arch: 'win32' | 'win64') =>
    [...header(text, { arch, defines: { VERSION: 0x300 } }).routines.values()].map(showRoutine)
  assert.equal(shown('win64'), ['c_int yes(c_longlong)', 'c_int yes2()'])
  assert.equal(shown('win32'), ['c_int yes(c_int)', 'c_int yes2()'])
})

test('what the Windows SDK asks for in conditions is known', () => {
  const text = `
    #include <winapifamily.h>
    #if WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_DESKTOP | WINAPI_PARTITION_SYSTEM) && (_WIN32_WINNT >= 0x0600)
    int desktop(void);
    #endif
    #if WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_APP) && WINAPI_FAMILY_ONE_PARTITION(DESKTOP_APP, WINAPI_PARTITION_GAMES)
    int app(void);
    #endif
    #if WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_PHONE_APP) || OSVER(NTDDI_VERSION) < 0x0A000000 || WINVER < 0x0500
    int phone(void);
    #endif
  `
  assert.equal(routines(text), ['c_int desktop()', 'c_int app()'])
})

test('"defined" that comes out of a macro means the name behind it', () => {
  const text = `
    #define ON_WINDOWS (defined(_WIN32) || defined __CYGWIN__)
    #define HAS(x) (defined(x) && x > 1)
    #if HAS(FEW)
    int no(void);
    #elif ON_WINDOWS
    int yes(void);
    #endif
  `
  assert.equal(routines(text), ['c_int yes()'])
})

test('macros that conditions ask for and nobody defined are told', () => {
  const { routines, undefinedMacros } = header(`#define KNOWN 1
    #if KNOWN && VENDOR_VERSION >= 3 && defined(OTHER)
    int lost(void);
    #elif VENDOR_VERSION || __GNUC__ >= 4 || __has_attribute(packed) || defined(__has_feature) && __has_feature(x)
    int lost_too(void);
    #elif !LAST && (1 || NOT_ASKED(1)) && INT_MAX > 5
    int kept(void);
    #endif`)
  assert.equal([...routines.keys()], ['kept'])
  assert.equal(
    [...undefinedMacros],
    [
      ['VENDOR_VERSION', 2],
      ['LAST', 6],
    ],
  )
})

test('# shows what a C compiler shows, ## joins in every macro', () => {
  const { constants } = header(String.raw`
    #define MAJOR 1
    #define MINOR    5
    #define LIB MAJOR.MINOR
    #define QUOTE(x) #x
    #define STR(x) QUOTE(x)
    #define VERSION STR(LIB)
    #define SUM STR((MAJOR)+MINOR)
    #define SPREAD STR( MAJOR  -   MINOR )
    #define PAIR(a, b) a:b;  a
    #define PAIRED STR(PAIR( MAJOR ,MINOR))
    #define TEXT QUOTE("a\n" 'b' /* gone */ + \
      c)
    #define JOINED STR(PRE##FIX(1)) 
    #define LONG_NAME MAJ ## OR
  `)
  assert.equal(
    { ...constants },
    {
      MAJOR: 1,
      MINOR: 5,
      VERSION: '1.5',
      SUM: '(1)+5',
      SPREAD: '1 - 5',
      PAIRED: '1:5; 1',
      TEXT: String.raw`"a\n" 'b' + c`,
      JOINED: 'PREFIX(1)',
      LONG_NAME: 1,
    },
  )
})

test('names that look like annotations and are none', () => {
  const { types, routines } = header(`
    typedef struct _NODE_ { int value; struct _NODE_ *next; } NODE;
    struct _In_ { int x; };
    typedef struct _DEV_ *DEV; struct _DEV_ { int id; };
    enum _Out_ { OFF, ON };
    typedef int _Ident_;
    struct s { _Ident_ _Pad_; int x; };
    typedef _Struct_size_bytes_(size) struct sized { int size; } sized;
    int _Open_(_In_ NODE *n, _Out_opt_ struct _In_ *_Name_, enum _Out_ m, _Reserved_ _Ident_ r, DEV d _Deref_post_z_);
  `)
  assert.is(showFields(types._NODE_), 'value: c_int, next: POINTER(_NODE_)')
  assert.is(showFields(types.s), '_Pad_: c_int, x: c_int')
  const [routine] = routines.values()
  assert.is(
    routine && showRoutine(routine),
    'c_int _Open_(POINTER(_NODE_), POINTER(_In_), c_int, c_int, POINTER(_DEV_))',
  )
  assert.equal(routine?.parameterNames, ['n', '_Name_', 'm', 'r', 'd'])
})

test('an annotation _Out_ of a vendor leaves the routine as C calls it', () => {
  assert.equal(routines('int f(_Out_ int *x);'), ['c_int f(POINTER(c_int))'])
})

test('members without a name, by their typedef or tag', () => {
  const { types } = parseHeader(
    `typedef struct { int a; } A; struct B { A; struct { short b; }; GUID; int c; DWORD; };
     struct C { int d, e, f; struct B; };`,
    { arch: 'win64', ns: realTypes('win64') },
  )
  const made = new (types.C as HeaderType)({ a: 1, b: 2, c: 3, d: 4, Data1: 5 })
  assert.equal([made.a, made.b, made.c, made.d, made.Data1], [1, 2, 3, 4, 5])
  assert.is(types.C?.size, 40)
})

test('a name for the linker is what the library calls it', () => {
  const { routines } = header('int f(int) __asm__("f_v2"); int g(int) asm("g@4") __attribute__((stdcall));')
  const shown = [...routines.values()].map(routine => [routine.name, routine.symbol, routine.convention])
  assert.equal(shown, [
    ['f', 'f_v2', 'cdecl'],
    ['g', 'g@4', 'stdcall'],
  ])
})

test('the mark at the end of a text of DOS', () => {
  assert.equal(routines('int f(void);\r\n\x1a\x1a\r\n'), ['c_int f()'])
})

test("COM's interfaces, as C declares them and as midl writes them", () => {
  const text = `
    #undef INTERFACE
    #define INTERFACE IScope
    DECLARE_INTERFACE_(IScope, IUnknown) {
      STDMETHOD(QueryInterface)(THIS_ REFIID iid, void **out) PURE;
      STDMETHOD_(ULONG, AddRef)(THIS) PURE;
      STDMETHOD(Arm)(THIS_ DWORD mask, LARGE_INTEGER at) PURE;
    };
    #ifndef __RPCNDR_H_VERSION__
    #error this stub requires an updated version of <rpcndr.h>
    #endif
    typedef interface IThing IThing;
    typedef struct IThingVtbl {
      BEGIN_INTERFACE
      DECLSPEC_XFGVIRT(IUnknown, AddRef)
      ULONG (STDMETHODCALLTYPE *AddRef)(__RPC__in IThing *This);
      END_INTERFACE
    } IThingVtbl;
    interface IThing { CONST_VTBL struct IThingVtbl *lpVtbl; };
    EXTERN_C const IID IID_IThing;
    DEFINE_GUID(IID_IScope, 0x1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    STDAPI_(ULONG) Use(interface IThing *thing, LPUNKNOWN outer, BSTR name, VARIANT *value, IDispatch *by);
    WINOLEAPI CoStart(void *reserved);
    int claim(const struct thing *interface, int interface_number);
  `
  const { routines, types, variables } = header(text)
  assert.is(
    showFields(types.IScopeVtbl),
    'QueryInterface: WINFUNCTYPE(HRESULT, POINTER(IScope), POINTER(GUID), POINTER(c_void_p)), AddRef: WINFUNCTYPE(c_ulong, POINTER(IScope)), Arm: WINFUNCTYPE(HRESULT, POINTER(IScope), c_ulong, c_longlong)',
  )
  assert.is(showFields(types.IThing), 'lpVtbl: POINTER(IThingVtbl)')
  assert.equal([...variables.keys()], ['IID_IThing', 'IID_IScope'])
  assert.equal([...routines.values()].map(showRoutine), [
    'c_ulong stdcall Use(POINTER(IThing), POINTER(IUnknown), c_wchar_p, POINTER(VARIANT), POINTER(IDispatch))',
    'HRESULT stdcall CoStart(c_void_p)',
    'c_int claim(c_void_p, c_int)',
  ])
  assert.equal(Object.keys(header('enum kind { PURE, THIS, TEXT, RGB, interface };').constants), [
    'PURE',
    'THIS',
    'TEXT',
    'RGB',
    'interface',
  ])
})

test('what two texts define alike is one type', () => {
  const ns = realTypes('win64')
  const shelf = new Shelf()
  const read = (text: string) => parseHeader(text, { arch: 'win64', ns, shelf }).types
  const common = `
    #define COUNT 4
    typedef struct list { struct list *next; struct part *parts[COUNT]; } list;
    struct part { enum { A, B } kind : 2; union { int i; float f; }; void (*call)(struct list *, const char *); };
    typedef struct { GUID id; DWORD size; } stamp;
    #pragma pack(push, 2)
    struct tight { char c; int i; };
    #pragma pack(pop)
    struct hidden;
    struct holder { struct hidden *it; };
  `
  const first = read(`${common} void f(list *l);`)
  const second = read(
    `typedef unsigned long long other; ${common.replace('COUNT]', '2 + 2]')} void g(struct part *p, other x);`,
  )
  for (const name of ['list', 'part', 'stamp', 'tight', 'holder']) assert.is(second[name], first[name], name)
  const changed = read(common.replace('float f', 'double f').replace('push, 2', 'push, 1').replace('DWORD', 'WORD'))
  for (const name of ['list', 'part', 'stamp', 'tight']) assert.is.not(changed[name], first[name], name)
  assert.is(changed.holder, first.holder)
  assert.is.not(read(`${common} struct hidden { int x; };`).holder, first.holder)
  assert.is(read(common.replace('float f', 'double f')).part, changed.part)
})

test('in two texts the same type may be spelt in two ways, whichever comes first', () => {
  const ns = realTypes('win64')
  const isOne = (one: string, other: string) => {
    const shelf = new Shelf()
    const [a, b] = [one, other].map(
      field => parseHeader(`struct s { ${field}; };`, { arch: 'win64', ns, shelf }).types.s,
    )
    return a === b
  }
  for (const [one, other] of [
    ['unsigned long x', 'DWORD x'],
    ['void *x', 'LPVOID x'],
    ['_Bool x', 'bool x'],
    ['void (*f)(int)', 'void (__cdecl *f)(int)'],
  ] as const)
    assert.equal([isOne(one, other), isOne(other, one)], [true, true], `${one} and ${other}`)
  for (const [one, other] of [
    ['int x', 'long x'],
    ['unsigned x', 'int x'],
    ['double x', 'void *x'],
    ['int *x', 'void *x'],
    ['void (*f)(int)', 'void (__stdcall *f)(int)'],
  ] as const)
    assert.equal([isOne(one, other), isOne(other, one)], [false, false], `${one} and ${other}`)
})

test('structures with letters of one kind or the other follow UNICODE', () => {
  const shown = (defines: { [name: string]: boolean }) =>
    [...header('void f(LOGFONT *a, LPSTARTUPINFO b, NOTIFYICONDATA *c);', { defines }).routines.values()].map(
      showRoutine,
    )
  assert.equal(shown({}), ['void f(POINTER(LOGFONTA), POINTER(STARTUPINFOA), POINTER(NOTIFYICONDATAA))'])
  assert.equal(shown({ UNICODE: true }), ['void f(POINTER(LOGFONTW), POINTER(STARTUPINFOW), POINTER(NOTIFYICONDATAW))'])
})

test('an initializer of any length is passed over', () => {
  const { routines, variables } = header(
    `const unsigned char picture[] = {${'0x1f,'.repeat(200_000)}};\nint after(void);`,
  )
  assert.equal([...routines.keys()], ['after'])
  assert.equal([...variables.keys()], ['picture'])
})

test('constants that are text or float', () => {
  const { constants, variables } = header(`
    static const char *NAME = "x" "y";
    static const wchar_t WIDE[] = (L"w");
    static LPCWSTR SPELT = L"by its typedef";
    extern LPCWSTR exported_too;
    LPCSTR exported_with_its_text = "x";
    const char version[] = "1.0";
    static const struct { int a; } hidden = { 1 };
    static const char *const list[] = { "a" };
    extern const char *exported;
    #define RATE 2.2f
    #define SUM (0.1f + 0.2f)
    #define WIDER (0.1f + 0.2)
    #define HALF (1 ? 0.7f : 2)
    #define EXACT 2.2
    static const float third = 1.0 / 3;
  `)
  assert.equal(
    { ...constants },
    {
      third: Math.fround(1 / 3),
      NAME: 'xy',
      WIDE: 'w',
      SPELT: 'by its typedef',
      version: '1.0',
      RATE: Math.fround(2.2),
      SUM: Math.fround(Math.fround(0.1) + Math.fround(0.2)),
      WIDER: Math.fround(0.1) + 0.2,
      HALF: Math.fround(0.7),
      EXACT: 2.2,
    },
  )
  assert.equal([...variables.keys()], ['exported_too', 'exported_with_its_text', 'exported'])
})

test('constants', () => {
  const { constants } = header(`
    #define A 5
    #define B (A << 2 | 1)
    #define C 0xFFFFFFFF
    #define D 0x7FFFFFFFFFFFFFFFLL
    #define E "text\\t" "more\\x41\\101"
    #define F L"wide"
    #define G 1.5e3
    #define H ((HRESULT)0x80004005L)
    #define I (-1)
    #define J ((HANDLE)(LONG_PTR)-1)
    #define K ((DWORD)-1)
    #define L 'x'
    #define M 'RIFF'
    #define N sizeof(DWORD)
    #define O int
    #define P(x) x
    #define Q (B / 0)
    #define R unknown + 1
    #define S
    #define T TRUE
    #define U ("bracketed")
    #define V ~0U
    #define W 10ui64
    #define X (float)0.1
    #define Y 1 ? 2 : 3
    #define Z /* comment */ 7 // more
    enum { red, green = 5, blue, last = 0xFFFFFFFF, back = -2, front, copy = blue };
    static const unsigned char small = 300;
    const double pi = 3.25;
    enum tiny : unsigned char { most = 255 };
  `)
  assert.equal(
    { ...constants },
    {
      A: 5,
      B: 21,
      C: 4294967295,
      D: 0x7fffffffffffffffn,
      E: 'text\tmoreAA',
      F: 'wide',
      G: 1500,
      H: -2147467259,
      I: -1,
      J: 0xffffffffffffffffn,
      K: 4294967295,
      L: 120,
      M: 0x52494646,
      N: 4,
      T: 1,
      U: 'bracketed',
      V: 4294967295,
      W: 10,
      X: Math.fround(0.1),
      Y: 2,
      Z: 7,
      red: 0,
      green: 5,
      blue: 6,
      last: -1,
      back: -2,
      front: -1,
      copy: 6,
      small: 44,
      pi: 3.25,
      most: 255,
    },
  )
})

test('names of Object.prototype are ordinary names', () => {
  const { constants, types, routines } = header(
    'enum { constructor, __proto__, toString }; typedef int valueOf; struct hasOwnProperty { int __proto__; }; int toLocaleString(valueOf);',
  )
  assert.equal(Object.keys(constants), ['constructor', '__proto__', 'toString'])
  assert.equal(Object.keys(types), ['hasOwnProperty', 'valueOf'])
  assert.equal(showFields(types.hasOwnProperty), '__proto__: c_int')
  assert.ok(routines.has('toLocaleString'))
})

test('structures of windows.h are the same class everywhere', () => {
  const { types, routines } = header('int a(GUID g, REFIID i, SYSTEMTIME *t); typedef GUID vendor_id;')
  assert.is(types.GUID, routines.get('a')?.argtypes[0])
  assert.is(types.GUID, types.vendor_id)
  assert.is(textOf(routines.get('a')?.argtypes[2]), 'POINTER(SYSTEMTIME)')
})

test('UNICODE decides what a TCHAR is', () => {
  const shown = (defines: { [name: string]: boolean }) =>
    [...header('void f(TCHAR c, LPCTSTR s);', { defines }).routines.values()].map(showRoutine)
  assert.equal(shown({}), ['void f(c_char, c_char_p)'])
  assert.equal(shown({ UNICODE: true }), ['void f(c_wchar, c_wchar_p)'])
})

test.run()
