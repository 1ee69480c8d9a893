/** The table of what windows.h and the C library define says what a Windows C compiler says. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openHeader, parseForAll, parseHeader } from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import { windowsConstant, windowsFiles, windowsType } from '../../../src/ctypes/header/table.js'
import type { StructureClass } from '../../../src/ctypes/structure-types.js'
import { types } from '../../../src/ctypes/types.js'
import { compiled, compilers, tagsAmong } from './mingw.js'

const file = (kind: string) => readFileSync(new URL(`../../../data/windows-${kind}.txt`, import.meta.url), 'utf8')

/** `[name, text]` of each line that counts for `arch`, and the C that includes the headers they come from. */
function table(kind: 'types' | 'constants', arch: Arch): { prelude: string; lines: (readonly [string, string])[] } {
  const [common = '', win64 = '', win32 = ''] = file(kind).split(/\[win\d\d\]\n/)
  const [first = '', _files, ...rest] = `${common}${arch === 'win64' ? win64 : win32}`.trim().split('\n')
  const includes = first.slice(2).split(' ')
  const split = (line: string) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const
  const prelude = `#define _USE_MATH_DEFINES\n${includes.map(name => `#include <${name}.h>\n`).join('')}`
  return { prelude, lines: rest.map(split) }
}

test('the packed table knows the files', () => {
  assert.ok(windowsFiles().has('winuser.h'))
  assert.not(windowsFiles().has('vendor.h'))
})

/** The headers that the tables were made from; those of another version have other fields, and more constants. */
const MADE_FROM = '10'
const sameHeaders = compilerHeaders() === MADE_FROM ? test : test.skip
function compilerHeaders(): string | undefined {
  const input = '#include <_mingw.h>\n__MINGW64_VERSION_MAJOR\n'
  const output = execFileSync(compilers.win64, ['-E', '-P', '-x', 'c', '-'], { input, encoding: 'utf8' })
  return output.trim().split('\n').at(-1)
}

for (const arch of ['win64', 'win32'] satisfies Arch[]) {
  test(`the packed tables say what the texts say on ${arch}`, () => {
    for (const [kind, packed] of Object.entries({ types: windowsType, constants: windowsConstant } as const)) {
      const { lines } = table(kind as 'types' | 'constants', arch)
      assert.equal(
        lines.filter(([name, text]) => packed(name, arch) !== text),
        [],
      )
      assert.is(packed('no such name', arch), undefined)
      assert.is(packed('[win64]', arch), undefined)
    }
  })

  sameHeaders(`structures on ${arch}`, () => {
    const { prelude, lines } = table('types', arch)
    const records = lines.filter(([, text]) => /^(?:__pragma\(pack\(\d+\)\))?(?:struct|union)\{.*\}[^*]*$/.test(text))
    assert.ok(records.length > 1500, `${records.length} structures`)
    const names = records.map(([name]) => name)
    const tags = tagsAmong(names, prelude, arch)
    const text = names.map((name, index) => `void f${index}(${name} *p);`).join('\n')
    const header = parseHeader(text, { arch, ns: types(arch) })
    const questions = new Map<string, number>()
    for (const [name, text] of records) {
      const type = header.types[name] as unknown as StructureClass | undefined
      // those that wintypes has are looked at elsewhere
      if (!type) continue
      const spelt = `${tags.has(name) ? /struct|union/.exec(text) : ''} ${name}`
      questions.set(`sizeof(${spelt})`, type.size)
      questions.set(`_Alignof(${spelt})`, type.alignment)
      for (const { name: field, bits, offset } of Object.values(type.fields))
        if (bits === undefined && !field.startsWith('_'))
          questions.set(`__builtin_offsetof(${spelt}, ${field})`, offset)
    }
    // time_t has 64 bits for Microsoft on both, and for mingw on one
    const timed = arch === 'win32' ? /\bstruct (?:stat|_?utimbuf|timeb|timespec|itimerspec)\b/ : /^$/
    // these are packed and hold a CONTEXT, whose alignment gcc lessens for that and Microsoft's compiler does not
    const packed = arch === 'win64' ? /\bMINIDUMP_(?:THREAD_CALLBACK|THREAD_EX_CALLBACK|CALLBACK_INPUT)\b/ : /^$/
    const asked = [...questions].filter(([question]) => !timed.test(question) && !packed.test(question))
    const answers = compiled(
      arch,
      `${prelude}\n`,
      asked.map(([question]) => question),
    )
    const wrong = asked.flatMap(([question, value], index) =>
      BigInt(value) === answers[index] ? [] : [`${question} is ${answers[index]}, not ${value}`],
    )
    assert.equal(wrong, [])
  })

  test(`every type on ${arch} can be read`, () => {
    const { lines } = table('types', arch)
    for (let from = 0; from < lines.length; from += 1000) {
      const some = lines.slice(from, from + 1000)
      parseHeader(some.map(([name], index) => `void f${index}(${name} *p);`).join('\n'), { arch, ns: types(arch) })
    }
  })

  sameHeaders(`constants on ${arch}`, () => {
    const { prelude, lines } = table('constants', arch)
    // one of them asks for a macro that mingw has not
    const isAsked = ([name, text]: readonly [string, string]) =>
      /^-?\d+u?(?:ll)?$/.test(text) && name !== 'NO_SRBTYPE_ADAPTER_DESCRIPTOR_SIZE'
    const names = lines.filter(isAsked).map(([name]) => name)
    const { constants } = parseHeader(names.map((name, index) => `#define C${index} ${name}\n`).join(''), {
      arch,
      ns: types(arch),
    })
    const answers = compiled(arch, `${prelude}\n`, names)
    // enumerators are int for Microsoft, whatever their value; and an address of 32 bits has no sign here
    const isSame = (value: bigint, answer = 0n) =>
      [0n, 2n ** 32n].includes(value < answer ? answer - value : value - answer)
    const wrong = names.flatMap((name, index) => {
      const value = BigInt.asIntN(64, BigInt(constants[`C${index}`] as number | bigint))
      return isSame(value, answers[index]) ? [] : [`${name} is ${answers[index]}, not ${value}`]
    })
    assert.equal(wrong, [])
  })
}

const timed =
  `time_t|struct timespec|struct itimerspec|struct stat|struct _stat|struct _stati64|struct utimbuf|struct _utimbuf|struct timeb|struct _timeb
  |struct __timeb64|struct __timeb32|struct __utimbuf64|struct __utimbuf32|struct _finddata_t|struct _finddatai64_t|struct _wfinddata_t|struct _wfinddatai64_t
  |struct __finddata64_t`
    .split('|')
    .map(name => name.trim())
const timedHeaders = [
  'sys/timeb',
  'sys/utime',
  'sys/stat',
  'sys/types',
  'time',
  'io',
  'wchar',
  'pthread_time',
  'sys/types',
]
const timedPrelude = `${timedHeaders.map(name => `#include <${name}.h>\n`).join('')}#undef _USE_32BIT_TIME_T\n`
const use32 = '#define _USE_32BIT_TIME_T\n'
const members = timed.map((name, index) => `struct in${index} { char before; ${name} it; };\n`).join('')

// mingw has 32 bits of time in 32-bit code, whoever asks; what Microsoft has where nobody does, its 64-bit code has.
for (const [arch, before] of [
  ['win64', ''],
  ['win32', use32],
] as const)
  test(`what time_t is in on ${arch}${before && ', with _USE_32BIT_TIME_T'}`, () => {
    const text = before + members
    const headers = [
      parseHeader(text, { arch, ns: types(arch) }),
      openHeader(parseForAll(text, { arch, ns: types(arch) }), types(arch)),
    ]
    const asked = timed.flatMap((_, index) => [
      `sizeof(struct in${index})`,
      `__builtin_offsetof(struct in${index}, it)`,
    ])
    const expected = compiled(arch, timedPrelude + members, asked)
    for (const header of headers) {
      const said = timed.flatMap((_, index) => {
        const { size, fields } = header.types[`in${index}`] as unknown as StructureClass
        return [BigInt(size), BigInt(fields.it?.offset ?? -1)]
      })
      assert.equal(said, expected)
    }
  })

test('time_t has 64 bits on win32, unless the text says _USE_32BIT_TIME_T', () => {
  const ns = types('win32')
  const text = 'struct log { int kind; time_t at; struct stat of; SYSTEMTIME on; }; time_t last(const time_t *);'
  const read = (before: string, arch: Arch = 'win32') => parseHeader(before + text, { arch, ns: types(arch) })
  const [wide, narrow] = [read(''), read(use32)]
  const undone = read(`${use32}#undef _USE_32BIT_TIME_T\n`)
  const sizes = (header: typeof wide) => [header.types.log?.size, header.routines.get('last')?.restype]
  assert.equal(sizes(wide), [80, ns.c_longlong])
  assert.equal(sizes(undone), sizes(wide))
  assert.equal(sizes(narrow), [4 + 4 + 36 + 16, ns.c_long])
  assert.is(narrow.types.SYSTEMTIME, wide.types.SYSTEMTIME)
  assert.throws(() => read(use32, 'win64'), /_USE_32BIT_TIME_T, which is for 32-bit code/)
})

test('macros of windows.h that constants are made with', () => {
  const expressions = [
    'MAKEWORD(0x1234, 0x5678)',
    'MAKELONG(0x12345, 0x6789a)',
    'MAKELONG(-1, 1)',
    'LOBYTE(0x1234)',
    'HIBYTE(0x1234)',
    'LOWORD(0x12345678)',
    'HIWORD(0x82345678)',
    'RGB(255, 300, 7)',
    "MAKEFOURCC('R', 'I', 'F', 0xff)",
    "mmioFOURCC('d', 'a', 't', 'a')",
    'MAKELANGID(LANG_GERMAN, SUBLANG_GERMAN_SWISS)',
    'MAKELCID(MAKELANGID(LANG_JAPANESE, SUBLANG_DEFAULT), SORT_DEFAULT)',
    'CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)',
    'CTL_CODE(0x8000, 5, METHOD_NEITHER, FILE_READ_ACCESS | FILE_WRITE_ACCESS)',
    'MAKE_HRESULT(1, FACILITY_ITF, 0x200)',
    'MAKE_HRESULT(SEVERITY_SUCCESS, 4, 1)',
    '_HRESULT_TYPEDEF_(0x80004005L)',
    'HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED)',
    'HRESULT_FROM_WIN32(0)',
    'OSVER(0x0A000005)',
    'INT64_C(0x7fffffffffffffff)',
    'UINT64_C(0xffffffffffffffff) >> 63',
    'UINT32_C(1) - 2',
    'sizeof(TEXT("text"))',
    'FIELD_OFFSET(BITMAPINFO, bmiColors)',
    'WM_USER + 5',
    'ERROR_SUCCESS',
    '(HRESULT)E_FAIL',
    'GENERIC_READ | GENERIC_WRITE',
  ]
  for (const arch of ['win64', 'win32'] satisfies Arch[]) {
    const { prelude } = table('types', arch)
    const text = expressions.map((expression, index) => `#define X${index} (${expression})\n`).join('')
    const { constants } = parseHeader(text, { arch, ns: types(arch) })
    const expected = compiled(arch, prelude, expressions)
    for (const [index, expression] of expressions.entries())
      assert.is(String(constants[`X${index}`]), String(expected[index]), `${expression} on ${arch}`)
  }
})

test.run()
