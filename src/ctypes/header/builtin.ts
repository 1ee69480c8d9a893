/** Types and constants of C and `windows.h` that a header uses without defining them. */
import { float, integer, type Value } from './literals.js'
import type { Arch } from './namespace.js'
import { windowsConstant } from './table.js'

/** Names of C for types of the namespace. */
export const plainNames: { readonly [name: string]: string } = {
  wchar_t: 'c_wchar',
  char16_t: 'c_wchar',
  bool: 'c_bool',
  size_t: 'c_size_t',
  ssize_t: 'c_ssize_t',
  HRESULT: 'HRESULT',
}

/** Names by the C text that they stand for. What `ctypes.wintypes` has is not among them. */
const texts: { readonly [type: string]: string } = {
  'signed char': 'int8_t int_least8_t INT8',
  'unsigned char': 'uint8_t uint_least8_t UINT8 UCHAR',
  short: 'int16_t int_least16_t INT16',
  'unsigned short': 'uint16_t uint_least16_t UINT16 wint_t VARTYPE',
  int: 'int32_t int_least32_t INT32 LONG32 errno_t HFILE',
  'unsigned int': 'uint32_t uint_least32_t UINT32 ULONG32 DWORD32 char32_t',
  'long long': 'int64_t int_least64_t intmax_t INT64 LONG64 LONGLONG time_t __time64_t',
  'unsigned long long': 'uint64_t uint_least64_t uintmax_t UINT64 ULONG64 ULONGLONG DWORD64 DWORDLONG',
  long: 'NTSTATUS LSTATUS SCODE SECURITY_STATUS DISPID off_t clock_t __time32_t',
  size_t: 'uintptr_t UINT_PTR SOCKET ULONG_PTR DWORD_PTR SIZE_T',
  ssize_t: 'intptr_t ptrdiff_t INT_PTR LONG_PTR SSIZE_T LRESULT',
  char: 'CCHAR',
  double: 'DATE',
  void: 'VOID',
  // `va_list` may be a `char *`, but never a string.
  'void *': 'PVOID va_list __builtin_va_list HCURSOR HDEVNOTIFY HPOWERNOTIFY HTREEITEM HIMAGELIST',
  'char *': 'LPSTR PSTR LPCH',
  'const char *': 'LPCSTR PCSTR LPCCH',
  'wchar_t *': 'LPWSTR PWSTR LPOLESTR LPWCH BSTR',
  'const wchar_t *': 'LPCWSTR PCWSTR LPCOLESTR LPCWCH',
  'struct _iobuf': 'FILE',
  'struct{__time32_t actime;__time32_t modtime;}': '__utimbuf32',
  'struct{__time64_t actime;__time64_t modtime;}': '__utimbuf64',
  'struct{__time32_t time;unsigned short millitm;short timezone;short dstflag;}': '__timeb32',
  'struct{__time64_t time;unsigned short millitm;short timezone;short dstflag;}': '__timeb64',
  'struct{unsigned attrib;__time64_t time_create;__time64_t time_access;__time64_t time_write;long long size;char name[260];}':
    '__finddata64_t',
  'struct{_dev_t st_dev;_ino_t st_ino;unsigned short st_mode;short st_nlink;short st_uid;short st_gid;_dev_t st_rdev;long long st_size;__time32_t st_atime;__time32_t st_mtime;__time32_t st_ctime;}':
    '_stat32i64',
  'struct{struct _timespec32 it_interval;struct _timespec32 it_value;}': '_itimerspec32',
  'GUID *': 'REFGUID REFIID REFCLSID REFFMTID LPGUID LPIID LPCLSID',
}
/** Vectors, and floats of 16 and of 128 bits: compilers pass these by value in vector registers. */
const vectors: { readonly [type: string]: string } = {
  'struct { unsigned long long lanes[2]; } __attribute__((aligned(16)))': '__float128 _Float128 __m128i',
  'struct { unsigned short lanes[1]; }': '_Float16 __bf16',
  'struct { int lanes[2]; } __attribute__((aligned(8)))': '__m64',
  'struct { float lanes[4]; } __attribute__((aligned(16)))': '__m128',
  'struct { double lanes[2]; } __attribute__((aligned(16)))': '__m128d',
  'struct { float lanes[8]; } __attribute__((aligned(32)))': '__m256',
  'struct { double lanes[4]; } __attribute__((aligned(32)))': '__m256d',
  'struct { unsigned long long lanes[4]; } __attribute__((aligned(32)))': '__m256i',
  'struct { float lanes[16]; } __attribute__((aligned(64)))': '__m512',
  'struct { double lanes[8]; } __attribute__((aligned(64)))': '__m512d',
  'struct { unsigned long long lanes[8]; } __attribute__((aligned(64)))': '__m512i',
}
const namesIn = (table: { readonly [type: string]: string }) =>
  Object.entries(table).flatMap(([type, names]) => names.split(' ').map(name => [name, type] as const))
const vectorsByName = new Map(namesIn(vectors))
const byName = new Map([...namesIn(texts), ...vectorsByName])

/**
 * The C text that a name stands for. These names differ from the headers of mingw-w64, or are so common that the table
 * need not be read for them.
 */
export const builtinText = (name: string): string | undefined => byName.get(name)

/** Whether a name is that of a vector or a float that compilers pass in a vector register. */
export const isVector = (name: string): boolean => vectorsByName.has(name)

/** Types that hold a `time_t`, and it itself: the types that they are where it has 64 bits, and where it has 32 (`_USE_32BIT_TIME_T`). */
export const timed: ReadonlyMap<string, { readonly bits64: string; readonly bits32: string }> = new Map(
  [
    'time_t time_t __time32_t',
    'timespec timespec _timespec32',
    'itimerspec itimerspec _itimerspec32',
    'stat stat _stat32',
    '_stat _stat64i32 _stat32',
    '_stati64 _stat64 _stat32i64',
    'utimbuf utimbuf __utimbuf32',
    '_utimbuf _utimbuf __utimbuf32',
    'timeb timeb __timeb32',
    '_timeb __timeb64 __timeb32',
    '_finddata_t _finddata64i32_t _finddata32_t',
    '_finddatai64_t __finddata64_t _finddata32i64_t',
    '_wfinddata_t _wfinddata64i32_t _wfinddata32_t',
    '_wfinddatai64_t _wfinddata64_t _wfinddata32i64_t',
  ].map(line => {
    const [name = '', bits64 = '', bits32 = ''] = line.split(' ')
    return [name, { bits64, bits32 }]
  }),
)

/** The name of what `PDWORD`, `LPSYSTEMTIME` or `LPCGUID` points to; undefined for a name that is not made so. */
export function pointerTarget(name: string, exists: (name: string) => boolean): string | undefined {
  for (const prefix of ['LP', 'P', 'LPC', 'PC']) {
    const rest = name.slice(prefix.length)
    if (name.startsWith(prefix) && rest.length > 2 && exists(rest)) return rest
  }
  return undefined
}

const constants: { readonly [name: string]: bigint } = {
  false: 0n,
  true: 1n,
  FALSE: 0n,
  TRUE: 1n,
  NULL: 0n,
  nullptr: 0n,
}

/** The value of a constant of C or `windows.h`, which a header may also define itself. */
export function builtinConstant(name: string, arch: Arch): Value | undefined {
  if (Object.hasOwn(constants, name)) return integer(constants[name])
  const text = windowsConstant(name, arch)
  if (text === undefined) return undefined
  const [, digits, unsigned, wide] = /^(-?\d+)(u?)(ll)?$/.exec(text) ?? []
  if (digits !== undefined) return integer(BigInt(digits), wide ? 64 : 32, !unsigned)
  return float(Number.parseFloat(text), text.endsWith('f'))
}
