/** Structures of a header lie where a Windows C compiler puts them, with the real types. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ArrayClass } from '../../../src/ctypes/array.js'
import { CATEGORY, type CType, LENGTH } from '../../../src/ctypes/data.js'
import { parseHeader } from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import type { StructureClass } from '../../../src/ctypes/structure-types.js'
import { types } from '../../../src/ctypes/types.js'
import { added, compiled, preludeOf, tagsAmong } from './mingw.js'
import { structures } from './structures.js'

const archs: readonly Arch[] = ['win64', 'win32']

/** Places inside a type, as C writes them: `[path, offset]`. */
function* places(type: CType, path: string, offset: number): Generator<readonly [string, number]> {
  if (type[CATEGORY] === 'array') {
    const { elementType, [LENGTH]: length } = type as ArrayClass
    if (length > 1) yield* places(elementType, `${path}[${length - 1}]`, offset + (length - 1) * elementType.size)
  } else {
    yield [path, offset]
    if (type[CATEGORY] !== 'structure') return
    for (const field of Object.values((type as StructureClass).fields)) {
      if (field.bits !== undefined) continue
      // Anonymous members have names here only.
      const isAnonymous = field.name.startsWith('_')
      const inner = isAnonymous ? path : `${path}${path && '.'}${field.name}`
      for (const place of places(field.type, inner, offset + field.offset))
        if (!isAnonymous || place[0] !== path) yield place
    }
  }
}

function compare(arch: Arch, prelude: string, found: { readonly [name: string]: CType }): number {
  const questions = new Map<string, number>()
  for (const [name, type] of Object.entries(found)) {
    if (type[CATEGORY] !== 'structure') continue
    questions.set(`sizeof(${name})`, type.size)
    questions.set(`_Alignof(${name})`, type.alignment)
    for (const [path, offset] of places(type, '', 0))
      if (path) questions.set(`__builtin_offsetof(${name}, ${path})`, offset)
  }
  const answers = compiled(arch, prelude, [...questions.keys()])
  const wrong = [...questions].flatMap(([question, value], index) =>
    BigInt(value) === answers[index]
      ? []
      : [`${question} is ${answers[index]}, not ${value}${definition(prelude, question)}`],
  )
  assert.equal(wrong, [])
  return questions.size
}

/** The line that defines the structure in question. */
const definition = (text: string, question: string) =>
  `\n${text.split('\n').find(line => line.includes(` ${/\w+(?=[,)])/.exec(question)?.[0]};`))}`

// gcc knows __declspec(align) under another name; time_t has 64 bits for MSVC on both.
const asMsvc =
  '#define __MINGW_USE_VC2005_COMPAT 1\n#include <windows.h>\n#include <time.h>\n#include <stdint.h>\n#include <sal.h>\n#define align aligned\n'
const vendor = readFileSync(new URL('vendor.h', import.meta.url), 'utf8')

for (const arch of archs)
  test(`vendor.h on ${arch}`, () => {
    const header = parseHeader(vendor, { arch, ns: types(arch) })
    const tags =
      'typedef struct nx_legacy_block nx_legacy_block; typedef union nx_payload nx_payload; typedef struct nx_tree nx_tree;\n'
    assert.ok(compare(arch, asMsvc + vendor + tags, header.types) > 180)
  })

/** Such as the reader does not know without their text. */
const headers = ['ras.h', 'iphlpapi.h', 'd2d1_1.h', 'lmaccess.h', 'wlanapi.h']

for (const arch of archs)
  test(`headers of mingw-w64 on ${arch}`, () => {
    const prelude = `#define __MINGW_USE_VC2005_COMPAT 1\n${preludeOf(headers)}`
    const text = added(arch, headers)
    const { types: found, constants } = parseHeader(text, { arch, ns: types(arch) })
    const records = Object.entries(found as unknown as { readonly [name: string]: CType }).filter(
      ([, type]) => type[CATEGORY] === 'structure',
    )
    const tags = tagsAmong(
      records.map(([name]) => name),
      prelude,
      arch,
    )
    const spelt = records.map(([name, type]) => {
      const keyword = text.includes(`union ${name} {`) ? 'union' : 'struct'
      return [tags.has(name) ? `${keyword} ${name}` : name, type] as const
    })
    assert.ok(compare(arch, prelude, Object.fromEntries(spelt)) > 3000)
    const whole = Object.entries(constants).filter(
      ([, value]) => typeof value === 'bigint' || Number.isSafeInteger(value),
    )
    const answers = compiled(
      arch,
      prelude,
      whole.map(([name]) => name),
    )
    // enumerators are int for Microsoft, whatever their value
    const isSame = (value: bigint, answer = 0n) => value === answer || value === answer - 2n ** 32n
    const wrong = whole.flatMap(([name, value], index) =>
      isSame(BigInt.asIntN(64, BigInt(value)), answers[index]) ? [] : [`${name} is ${answers[index]}, not ${value}`],
    )
    assert.equal(wrong, [])
    assert.ok(whole.length > 1000)
  })

for (const arch of archs)
  test(`random structures on ${arch}`, () => {
    const texts = fc.sample(structures, { numRuns: 300 })
    const text = texts.map((body, index) => body.replaceAll('NAME', `s${index}`)).join('\n')
    const header = parseHeader(text, { arch, ns: types(arch) })
    assert.is(Object.keys(header.types).length, texts.length)
    compare(arch, `#define align aligned\n${text}\n`, header.types)
  })

test.run()
