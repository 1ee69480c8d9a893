/** Types and constants that C and `windows.h` define and that headers use without saying so. */

/** Names that stand for a type of the namespace. */
export const plainNames: { readonly [name: string]: string } = {
  wchar_t: 'c_wchar',
  char16_t: 'c_wchar',
  bool: 'c_bool',
  size_t: 'c_size_t',
  ssize_t: 'c_ssize_t',
  HRESULT: 'HRESULT',
}

/** Names that stand for other C. What `ctypes.wintypes` has comes from there. */
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
  // Where `va_list` is a `char *`, nobody means a string.
  'void *':
    'PVOID va_list __builtin_va_list HCURSOR HCONV HDROP HRAWINPUT HTREEITEM HIMAGELIST HDEVNOTIFY HPOWERNOTIFY',
  'char *': 'LPSTR PSTR LPCH',
  'const char *': 'LPCSTR PCSTR LPCCH',
  'wchar_t *': 'LPWSTR PWSTR LPOLESTR LPWCH BSTR',
  'const wchar_t *': 'LPCWSTR PCWSTR LPCOLESTR LPCWCH',
  'struct _iobuf': 'FILE',
  'struct { unsigned long Data1; unsigned short Data2; unsigned short Data3; unsigned char Data4[8]; }': 'GUID',
  'struct { unsigned long long parts[2]; } __attribute__((aligned(16)))': '__float128 _Float128',
  'struct { unsigned short bits; }': '_Float16 __bf16',
  'struct { int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst; }': 'tm',
  'struct { long tv_sec, tv_usec; }': 'timeval',
  'struct { unsigned short sa_family; char sa_data[14]; }': 'sockaddr SOCKADDR',
  'struct { unsigned long s_addr; }': 'in_addr IN_ADDR',
  'struct { short sin_family; unsigned short sin_port; in_addr sin_addr; char sin_zero[8]; }':
    'sockaddr_in SOCKADDR_IN',
  GUID: 'IID CLSID UUID FMTID _GUID',
  SYSTEMTIME: '_SYSTEMTIME',
  SECURITY_ATTRIBUTES: '_SECURITY_ATTRIBUTES',
  OVERLAPPED: '_OVERLAPPED',
  FILETIME: '_FILETIME',
  'GUID *': 'REFGUID REFIID REFCLSID REFFMTID LPGUID LPIID LPCLSID',
  'struct { WORD wYear, wMonth, wDayOfWeek, wDay, wHour, wMinute, wSecond, wMilliseconds; }': 'SYSTEMTIME',
  'struct { DWORD nLength; LPVOID lpSecurityDescriptor; BOOL bInheritHandle; }': 'SECURITY_ATTRIBUTES',
  'struct { ULONG_PTR Internal, InternalHigh; DWORD Offset, OffsetHigh; HANDLE hEvent; }': 'OVERLAPPED',
  'LRESULT (__stdcall *)(HWND, UINT, WPARAM, LPARAM)': 'WNDPROC',
  'INT_PTR (__stdcall *)(HWND, UINT, WPARAM, LPARAM)': 'DLGPROC',
  'LRESULT (__stdcall *)(int, WPARAM, LPARAM)': 'HOOKPROC',
  'BOOL (__stdcall *)(HWND, LPARAM)': 'WNDENUMPROC',
  'void (__stdcall *)(HWND, UINT, UINT_PTR, DWORD)': 'TIMERPROC',
  'DWORD (__stdcall *)(LPVOID)': 'LPTHREAD_START_ROUTINE PTHREAD_START_ROUTINE',
  'INT_PTR (__stdcall *)(void)': 'FARPROC PROC NEARPROC',
}
const byName = new Map(
  Object.entries(texts).flatMap(([type, names]) => names.split(' ').map(name => [name, type] as const)),
)

/** The C text behind a name; `TCHAR` and its kin follow `UNICODE`. */
export function builtinText(name: string, unicode: boolean): string | undefined {
  if (/^(?:TCHAR|TBYTE)$/.test(name)) return unicode ? 'wchar_t' : 'char'
  const [, constant] = /^L?P(C?)TSTR$/.exec(name) ?? []
  if (constant !== undefined) return `${constant && 'const '}${unicode ? 'wchar_t' : 'char'} *`
  return byName.get(name)
}

/** `PDWORD`, `LPSYSTEMTIME`, `LPCGUID`: pointers by their name. */
export function pointerText(name: string, exists: (name: string) => boolean): string | undefined {
  for (const prefix of ['LP', 'P', 'LPC', 'PC']) {
    const rest = name.slice(prefix.length)
    if (name.startsWith(prefix) && rest.length > 2 && exists(rest)) return `${rest} *`
  }
  return undefined
}

/** Constants that a header may use, or define anew. */
export const builtinConstants: ReadonlyMap<string, bigint> = new Map(
  Object.entries({
    false: 0n,
    true: 1n,
    FALSE: 0n,
    TRUE: 1n,
    NULL: 0n,
    nullptr: 0n,
    MAX_PATH: 260n,
    _MAX_PATH: 260n,
    CHAR_BIT: 8n,
    SCHAR_MAX: 127n,
    UCHAR_MAX: 255n,
    SHRT_MAX: 32767n,
    USHRT_MAX: 65535n,
    INT_MAX: 2147483647n,
    INT_MIN: -2147483648n,
    UINT_MAX: 4294967295n,
    LONG_MAX: 2147483647n,
    ULONG_MAX: 4294967295n,
    INT8_MAX: 127n,
    UINT8_MAX: 255n,
    INT16_MAX: 32767n,
    UINT16_MAX: 65535n,
    INT32_MAX: 2147483647n,
    INT32_MIN: -2147483648n,
    UINT32_MAX: 4294967295n,
    INT64_MAX: 9223372036854775807n,
    UINT64_MAX: 18446744073709551615n,
    INFINITE: 4294967295n,
    SCHAR_MIN: -128n,
    CHAR_MIN: -128n,
    CHAR_MAX: 127n,
    SHRT_MIN: -32768n,
    LONG_MIN: -2147483648n,
    LLONG_MIN: -9223372036854775808n,
    LLONG_MAX: 9223372036854775807n,
    ULLONG_MAX: 18446744073709551615n,
    INT8_MIN: -128n,
    INT16_MIN: -32768n,
    INT64_MIN: -9223372036854775808n,
    SEEK_SET: 0n,
    SEEK_CUR: 1n,
    SEEK_END: 2n,
    EOF: -1n,
  }),
)
