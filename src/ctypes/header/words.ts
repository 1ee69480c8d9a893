/** The words of C and of Windows' compilers that a declaration may hold. */
import type { BasicName, Convention } from './ast.js'

const wordMap = <T>(entries: { readonly [word: string]: T }): ReadonlyMap<string, T> => new Map(Object.entries(entries))
const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

export const conventionWords = wordMap<Convention>({
  __cdecl: 'cdecl',
  _cdecl: 'cdecl',
  __cdecl__: 'cdecl',
  __stdcall: 'stdcall',
  _stdcall: 'stdcall',
  __stdcall__: 'stdcall',
  __fastcall: 'fastcall',
  _fastcall: 'fastcall',
  __fastcall__: 'fastcall',
  __thiscall: 'thiscall',
  __thiscall__: 'thiscall',
})

export const storageWords = wordSet(
  'typedef extern static register auto inline __inline __inline__ _inline __forceinline',
)

/** Words that do not change how a value is passed. */
export const qualifierWords = wordSet(
  `const volatile restrict __const __const__ __volatile __volatile__ __restrict __restrict__ _Atomic __unaligned
   _Noreturn noreturn constexpr __extension__ _Thread_local thread_local __thread _Nullable _Nonnull
   __nullable __nonnull __w64 __block`,
)

/** Words that, with the brackets behind them, stand for a type. */
export const typeofWords = wordSet('typeof __typeof __typeof__ typeof_unqual __typeof_unqual __typeof_unqual__')

/** Words of attributes, which stand in brackets behind them. */
export const attributeWords = wordSet('__declspec _declspec __attribute__ __attribute _Alignas alignas')

/** Words of the built-in types; every order of them is right. */
const basicWords = wordSet(
  'void char short int long signed __signed __signed__ unsigned float double _Bool _Complex __complex__ __int8 __int16 __int32 __int64 _int64',
)
export const isBasicWord = (word: string) => basicWords.has(word)

const basics: { readonly [words: string]: BasicName } = {
  void: 'void',
  char: 'char',
  'char signed': 'signed char',
  'char unsigned': 'unsigned char',
  short: 'short',
  'short signed': 'short',
  'short unsigned': 'unsigned short',
  int: 'int',
  'int signed': 'int',
  'int unsigned': 'unsigned int',
  long: 'long',
  'long signed': 'long',
  'long unsigned': 'unsigned long',
  'long long': 'long long',
  'long long signed': 'long long',
  'long long unsigned': 'unsigned long long',
  float: 'float',
  double: 'double',
  'double long': 'long double',
  _Bool: '_Bool',
}
const sized = wordMap<string>({
  __int8: 'char signed',
  __int16: 'short',
  __int32: 'int',
  __int64: 'long long',
  _int64: 'long long',
})

/** The type that words like `long unsigned int long` name together. */
export function basicName(words: readonly string[]): BasicName | undefined {
  const plain = words.flatMap(word => (sized.get(word) ?? word.replace(/^__signed(?:__)?$/, 'signed')).split(' '))
  // `unsigned __int8` is an unsigned char, although `__int8` alone is a signed one.
  const isUnsigned = plain.includes('unsigned')
  const kept = plain.filter(word => !(isUnsigned && word === 'signed' && words.includes('__int8')))
  const other = kept.some(word => word === 'short' || word === 'long' || word === 'char')
  const core = kept.filter(word => word !== 'int' || !other)
  const bare = core.every(word => word === 'signed' || word === 'unsigned') ? [...core, 'int'] : core
  if (kept.includes('char') && kept.includes('int')) return undefined
  const key = bare.sort().join(' ')
  return Object.hasOwn(basics, key) ? basics[key] : undefined
}

/**
 * Beginnings of the annotations of SAL, Microsoft's language for them (sal.h, concurrencysal.h, driverspecs.h). Any other `_Name_` may be
 * a vendor's name.
 */
const annotationFamilies = `Acquires Always Analysis At Benign Called Check COM_Outptr Const Create Deref Deref2 Dispatch Enum Field Format
  Frees Function Group Guarded Has In Inout Interlocked IRQL Kernel Literal Lock Maybe Maybenull Maybevalid Must No Notliteral Notnull
  Notvalid Null NullNull On Out Outptr Outref Points Post Pre Prepost Printf Raises Readable Releases Requires Reserved Result Ret Return
  Scanf Strict Struct Success Unchanged Use Valid When Writable Write`
const annotation = new RegExp(`^_(?:${annotationFamilies.split(/\s+/).join('|')})(?:_[a-z0-9]\\w*|_SEH_exception)?_$`)
const oldAnnotation =
  /^__(?:RPC__\w+|(?:in|out|inout|deref|reserved|checkReturn|success|format_string|drv|[be]count|(?:field|struct)_[be]count)(?:_\w+)?|range|nullterminated)$/

/** Whether a word may be an annotation: `_In_reads_(n)`, `__in_opt`, … */
export const looksLikeAnnotation = (word: string) => annotation.test(word) || oldAnnotation.test(word)
/** Annotations of a parameter that leads to where the routine writes one value and reads none. */
export const isOutAnnotation = (word: string) => /^(?:_Out_|__out|_Outptr_|_COM_Outptr_)$/.test(word)

/** Old annotations, which are empty macros; ordinary names wherever they cannot be annotations. */
export const emptyWords = wordSet('IN OUT INOUT OPTIONAL FAR NEAR far near UNALIGNED __RPC_FAR')

/** Whether an unknown name may be a macro for an attribute (`VENDOR_API`). */
export const looksLikeMacro = (word: string) => /^[A-Z_][A-Z0-9_]*$/.test(word)
