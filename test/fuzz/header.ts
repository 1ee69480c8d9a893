/** C text that is mostly as a compiler would have it: prototypes whose types are known, headers, and both with something changed. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { types, ZugbrueckeError } from 'zugbruecke'
import type { CType } from '../../dist/src/ctypes/data.js'
import { parseHeader, parsePrototype } from '../../dist/src/ctypes/header/index.js'
import { structures } from '../ctypes/header/structures.js'
import { type Fuzzer, type Outcome, refusedOr } from './fuzzer.js'

type Arch = 'win64' | 'win32'
// biome-ignore lint/suspicious/noExplicitAny: types by names that are texts here
type Namespace = any
type Made = (ns: Namespace) => CType

const vendor = readFileSync(new URL('../ctypes/header/vendor.h', import.meta.url), 'utf8')
const namespaces = { win64: types('win64'), win32: types('win32') }
const options = (arch: Arch) => ({ arch, ns: namespaces[arch] as never })

/** Read, or refused with a place that is in the text. */
function readOrRefused(text: string, read: () => unknown): Outcome {
  const answer = refusedOr(read)
  if (!(answer instanceof ZugbrueckeError)) return 'taken'
  assert.is(answer.name, 'ArgumentError', answer.stack)
  const { line, column } = answer as unknown as { line: number; column: number }
  const lines = text.split(/\r\n|\r|\n/)
  assert.ok(line >= 1 && line <= lines.length, answer.message)
  assert.ok(column >= 1 && column <= lines[line - 1].length + 1, answer.message)
  return 'refused'
}

/** What C calls a type, and ours. */
const SCALARS: readonly (readonly [text: string, type: string])[] = [
  ['int', 'c_int'],
  ['signed', 'c_int'],
  ['unsigned', 'c_uint'],
  ['unsigned int', 'c_uint'],
  ['short', 'c_short'],
  ['short int', 'c_short'],
  ['unsigned short', 'c_ushort'],
  ['long', 'c_long'],
  ['unsigned long', 'c_ulong'],
  ['long unsigned int', 'c_ulong'],
  ['long long', 'c_longlong'],
  ['unsigned long long', 'c_ulonglong'],
  ['__int64', 'c_longlong'],
  ['unsigned char', 'c_ubyte'],
  ['signed char', 'c_byte'],
  ['float', 'c_float'],
  ['double', 'c_double'],
  ['_Bool', 'c_bool'],
  ['size_t', 'c_size_t'],
  ['int32_t', 'c_int'],
  ['uint64_t', 'c_ulonglong'],
]
const scalar: fc.Arbitrary<readonly [string, Made]> = fc
  .constantFrom(...SCALARS)
  .map(([text, name]) => [text, ns => ns[name]])
const texts: fc.Arbitrary<readonly [string, Made]> = fc.constantFrom<readonly [string, Made]>(
  ['const char *', ns => ns.c_char_p],
  ['const wchar_t *', ns => ns.c_wchar_p],
  ['char const *', ns => ns.c_char_p],
  ['void *', ns => ns.c_void_p],
  ['const void *', ns => ns.c_void_p],
)
function pointed(to: fc.Arbitrary<readonly [string, Made]>, write: (text: string) => string, times: number) {
  return to.map(([text, type]): readonly [string, Made] => [
    write(text),
    ns => Array.from({ length: times }).reduce<CType>(made => ns.POINTER(made), type(ns)),
  ])
}
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: texts },
  { weight: 2, arbitrary: pointed(scalar, text => `${text} *`, 1) },
  { weight: 1, arbitrary: pointed(scalar, text => `const ${text} **`, 2) },
  { weight: 1, arbitrary: pointed(texts, text => `${text}*`, 1) },
)
const name = fc.stringMatching(/^[a-z_]\w{0,11}$/).map(text => `n_${text}`)
const convention = fc.constantFrom('', '__cdecl ', '__stdcall ', 'WINAPI ', 'CALLBACK ')
const gap = fc.constantFrom(' ', '  ', '\n', '\t', ' /* , */ ', ' // (\n', ' \\\n')

interface Written {
  readonly arch: Arch
  readonly text: string
  readonly name: string
  readonly argtypes: readonly Made[]
  readonly restype: Made | undefined
  readonly stdcall: boolean
  readonly variadic: boolean
}

const written: fc.Arbitrary<Written> = fc
  .record({
    arch: fc.constantFrom<Arch>('win64', 'win32'),
    result: fc.option(value, { nil: undefined }),
    stated: convention,
    name,
    parameters: fc.array(fc.tuple(value, fc.option(name, { nil: '' })), { maxLength: 6 }),
    variadic: fc.boolean(),
    end: fc.constantFrom('', ';', ' ;\n'),
    gap,
  })
  .map(given => {
    const { arch, result, stated, parameters, end, gap } = given
    const variadic = given.variadic && parameters.length > 0
    const list = parameters.map(([[type], name]) => (name ? `${type} ${name}` : type))
    const inside = [...list, ...(variadic ? ['...'] : [])].join(', ') || 'void'
    return {
      arch,
      text: `${result?.[0] ?? 'void'} ${stated}${given.name}(${inside})${end}`.replaceAll(' ', gap),
      name: given.name,
      argtypes: parameters.map(([[, type]]) => type),
      restype: result?.[1],
      stdcall: /stdcall|WINAPI|CALLBACK/.test(stated),
      variadic,
    }
  })

const prototypes: Fuzzer<Written> = {
  name: 'prototypes',
  inputs: written,
  act: ({ arch, text, name, argtypes, restype, stdcall, variadic }) => {
    const ns = namespaces[arch] as Namespace
    const made = parsePrototype(text, arch, ns)
    const expected = {
      name,
      argtypes: argtypes.map(type => type(ns).name),
      restype: restype?.(ns).name,
      stdcall,
      variadic,
    }
    assert.equal(
      {
        name: made.name,
        argtypes: made.argtypes.map(type => (type as CType).name),
        restype: made.restype?.name,
        stdcall: made.convention === 'stdcall',
        variadic: made.variadic,
      },
      expected,
    )
    return 'taken'
  },
  few: 1000,
  kept: [],
}

const WORDS = [...new Set(vendor.match(/\w+|[^\w\s]/g))]
const edit = fc.tuple(
  fc.nat(),
  fc.nat(3),
  fc.oneof(fc.constantFrom(...WORDS), fc.constant(''), fc.string({ unit: 'binary', maxLength: 3 })),
)
const edited = (text: string, edits: readonly (readonly [number, number, string])[]) =>
  edits.reduce((now, [at, length, more]) => {
    const place = at % (now.length + 1)
    return now.slice(0, place) + more + now.slice(place + length)
  }, text)

const headerText = fc.record({
  arch: fc.constantFrom<Arch>('win64', 'win32'),
  records: fc.array(structures, { maxLength: 3 }),
  routines: fc.array(written, { maxLength: 4 }),
  constants: fc.array(fc.tuple(name, fc.integer()), { maxLength: 3 }),
})
const textOf = ({
  records,
  routines,
  constants,
}: {
  records: string[]
  routines: Written[]
  constants: [string, number][]
}) =>
  [
    ...constants.map(([name, value], i) => `#define k_${name}_${i} (${value})`),
    ...records.map((text, i) => text.replaceAll('NAME', `s${i}`)),
    `enum { ${constants.map(([name, value], i) => `e_${name}_${i} = ${value}`).join(', ') || 'none'} };`,
    ...routines.map(({ text, name }, i) => `${text.replace(name, `${name}_${i}`).replace(/\s*;?\s*$/, '')}\n;`),
  ].join('\n')

const headers: Fuzzer<{ arch: Arch; text: string; routines: number; records: number }> = {
  name: 'headers',
  inputs: headerText.map(given => ({
    arch: given.arch,
    text: textOf(given),
    routines: given.routines.length,
    records: given.records.length,
  })),
  act: ({ arch, text, routines, records }) => {
    const header = parseHeader(text, options(arch))
    assert.is(header.routines.size, routines)
    assert.is(Object.keys(header.types).length, records)
    return 'taken'
  },
  few: 400,
  kept: [],
}

const changed: Fuzzer<{ arch: Arch; text: string }> = {
  name: 'prototypes and headers with something changed',
  inputs: fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: written.map(({ text }) => text) },
        { weight: 3, arbitrary: headerText.map(textOf) },
        { weight: 1, arbitrary: fc.constant(vendor) },
      ),
      fc.array(edit, { minLength: 1, maxLength: 2 }),
      fc.constantFrom<Arch>('win64', 'win32'),
    )
    .map(([text, edits, arch]) => ({ arch, text: edited(text, edits) })),
  act: ({ arch, text }) => {
    const asPrototype = readOrRefused(text, () => parsePrototype(text, arch, namespaces[arch] as never))
    const asHeader = readOrRefused(text, () => parseHeader(text, options(arch)))
    return [asPrototype, asHeader].includes('taken') ? 'taken' : 'refused'
  },
  few: 400,
  kept: [],
}

const nonsense: Fuzzer<string> = {
  name: 'words and characters in any order',
  inputs: fc.oneof(
    fc
      .array(
        fc.constantFrom(...WORDS, 'typedef', 'struct', '{', '}', '(', ')', '*', ';', '\n#define', '\n#if', '\n', '##'),
        { maxLength: 30 },
      )
      .map(some => some.join(' ')),
    fc.string({ unit: 'binary' }),
  ),
  act: text => readOrRefused(text, () => parseHeader(text, options('win64'))),
  few: 2000,
  kept: [],
}

export const HEADER = [prototypes, headers, changed, nonsense] as const
