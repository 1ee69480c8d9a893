#!/usr/bin/env node
// Makes the table of what windows.h and the C library define (data/windows-*.txt) from the headers of mingw-w64, with
// the library's own reader (npm run build first). The files are those that Debian 12 has; others may differ in a name here and there.
import { execFileSync } from 'node:child_process'
import { pointerTarget } from '../dist/src/ctypes/header/builtin.js'
import { tokenLike } from '../dist/src/ctypes/header/lexer.js'
import { TreeLookup } from '../dist/src/ctypes/header/lookup.js'
import { Macros } from '../dist/src/ctypes/header/macros.js'
import { KnownNames, variantOf } from '../dist/src/ctypes/header/names.js'
import { Parser } from '../dist/src/ctypes/header/parser.js'
import { predefinedMacros } from '../dist/src/ctypes/header/predefined.js'
import { preprocess } from '../dist/src/ctypes/header/preprocessor.js'
import { Resolver } from '../dist/src/ctypes/header/resolve.js'
import { Source } from '../dist/src/ctypes/header/source.js'
import { types } from '../dist/src/ctypes/types.js'
import { pack, tables, textOf } from './pack-windows.mjs'
import { writeChanged } from './write-changed.mjs'

const compilers = { win64: 'x86_64-w64-mingw32-gcc', win32: 'i686-w64-mingw32-gcc' }
const headers = `winsock2 ws2tcpip windows mmreg usb winusbio setupapi tlhelp32 psapi dbghelp assert complex ctype errno fenv float inttypes limits locale
  math setjmp signal stdarg stddef stdint stdio stdlib string time wchar wctype direct io process sys/stat sys/timeb sys/types sys/utime`
// What our own texts say better: `FILE` is not to be looked into, `time_t` has 64 bits for Microsoft (`_stati64` is one of two),
// `long double` is a `double`.
const leftOut = /^(?:_iobuf|FILE|_?time_t|_stati64|I[A-Z]\w+_v\d+_\d+_c_ifspec|_LONGDOUBLE|max_align_t)$/

// A part of a type here, also where a compiler of 64 bits makes nothing of them.
const conventions = ['-U__cdecl', '-U__fastcall', '-U__thiscall']
const asWritten = '#include <_mingw.h>\n#undef __stdcall\n'

const files = new Set()

function read(arch) {
  const text = `${asWritten}${headers
    .split(/\s+/)
    .map(name => `#include <${name}.h>\n`)
    .join('')}`
  const options = ['-E', '-dD', '-D_USE_MATH_DEFINES', ...conventions, '-x', 'c', '-']
  const run = input => execFileSync(compilers[arch], options, { input, encoding: 'latin1', maxBuffer: 1 << 28 })
  const expanded = run(text)
  for (const [, file] of expanded.matchAll(/^# \d+ ".*?\/include\/(.*?)"/gm)) files.add(file.toLowerCase())
  const source = new Source(expanded, 'header')
  const table = new Map()
  const tokens = preprocess(source, table)
  const own = [...run('').matchAll(/^#define (\w+)/gm)].map(([, name]) => name)
  const notTheirs = new Set([...own, ...predefinedMacros(arch).keys()])
  const known = new KnownNames(types(arch), arch, {}, variantOf(new Map()))
  // Of the compiler's own; all else is in the text.
  const get = name => (name === 'wchar_t' || name.startsWith('_') ? known.get(name) : undefined)
  const names = { ns: known.ns, arch, get }
  const parser = new Parser(source, tokens, name => get(name) !== undefined)
  const tree = parser.header()
  return {
    source,
    table,
    notTheirs,
    known,
    parser,
    tree,
    resolver: new Resolver(source, new TreeLookup(tree, source), names),
  }
}

/** Lines of types, constants and macros. */
function linesOf(arch) {
  const { source, table, notTheirs, known, parser, tree, resolver } = read(arch)
  const macros = new Macros(source, table)
  const number = expression => resolver.constants.evaluate(expression).value
  const own = new Map()
  const typedefs = tree.declarations.filter(({ kind }) => kind === 'typedef')
  for (const { name, type } of typedefs)
    if (type.kind === 'record') {
      const key = type.tag ?? type
      if (!own.has(key)) own.set(key, name)
    }
  // `struct _GUID` is known as GUID, `struct timeval` by its own name.
  const nameOf = record =>
    record.tag !== undefined && !/^(?:_|tag)/.test(record.tag)
      ? record.tag
      : (own.get(record.tag ?? record) ?? record.tag)

  const print = (type, inner) => {
    switch (type.kind) {
      case 'basic':
      case 'named':
        return `${type.isConst ? 'const ' : ''}${type.name} ${inner}`
      case 'pointer': {
        const { to } = type
        if (to.kind === 'function') return print({ ...to, convention: undefined }, `(${convention(to)}*${inner})`)
        return print(to, to.kind === 'array' ? `(*${inner})` : `*${inner}`)
      }
      case 'array':
        return print(type.of, `${inner}[${type.length ? number(type.length) : ''}]`)
      case 'function':
        return print(type.result, `${convention(type)}${inner}(${parameters(type)})`)
      case 'enum':
        return `${type.underlying ? print(type.underlying, '') : 'int '}${inner}`
      case 'record': {
        const name = nameOf(type)
        return name === undefined ? `${body(type)} ${inner}` : `${type.keyword} ${name} ${inner}`
      }
    }
    throw new Error(`cannot print ${type.kind}`)
  }
  const convention = ({ convention }) => (convention && convention !== 'cdecl' ? `__${convention} ` : '')
  const parameters = ({ parameters, variadic }) =>
    [...parameters.map(({ type }) => print(type, '')), ...(variadic ? ['...'] : [])].join(',') || 'void'
  const aligned = align => (align ? ` __attribute__((aligned(${align.value ? number(align.value) : 16})))` : '')
  const field = ({ name = '', type, bits, align, packed }) =>
    `${print(type, name)}${bits ? `:${number(bits)}` : ''}${aligned(align)}${packed ? ' __attribute__((packed))' : ''};`
  const body = ({ keyword, fields, pack, packed, align }) =>
    `${pack ? `__pragma(pack(${pack}))` : ''}${keyword}{${fields.map(field).join('')}}${packed ? ' __attribute__((packed))' : ''}${aligned(align)}`

  // What STRICT makes of a handle has nothing inside; the tables of COM's interfaces are long, and called by their places, but for
  // those that begin others.
  const isOpaque = record => {
    const { tag = '', fields } = record.fields ? record : (tree.records.get(record.tag) ?? record)
    return (
      !fields ||
      /(?<!^I(?:Unknown|Dispatch|RpcStubBuffer))Vtbl$/.test(tag) ||
      (fields.length === 1 && fields[0].name === 'unused')
    )
  }
  const lines = new Map()
  const add = (name, text) => {
    const tidy = text.replace(/ +([,;()[\]:*}]|$)/g, '$1').replace(/([;,{(*]) +/g, '$1')
    if (!leftOut.test(name) && tidy !== name && !lines.has(name)) lines.set(name, tidy)
  }
  const define = record => {
    const name = nameOf(record)
    if (isOpaque(record)) return
    add(name, body(record))
    for (const other of [record.tag, own.get(record.tag ?? record)]) if (other && other !== name) add(other, name)
  }
  for (const record of tree.records.values()) define(record)
  for (const { name, type } of typedefs) {
    if (type.kind === 'record' && type.fields && type.tag === undefined && own.get(type) === name) define(type)
    else if (type.kind === 'record' && isOpaque(type)) add(name, `struct ${type.tag ?? name}`)
    else add(name, print(type, ''))
  }
  // Names that are the compiler's own, but for those that others are made of.
  const kept = new Set()
  const keep = name => {
    if (!lines.has(name) || kept.has(name)) return
    kept.add(name)
    for (const [word] of lines.get(name).matchAll(/[A-Za-z_]\w*/g)) keep(word)
  }
  for (const name of lines.keys()) if (!name.startsWith('__')) keep(name)
  for (const name of [...lines.keys()]) if (!kept.has(name)) lines.delete(name)
  // The reader makes these by itself.
  const isKnown = name => lines.has(name) || known.get(name) !== undefined
  const isDerived = ([name, text]) => text.replace(/^(?:struct|union) /, '') === `${pointerTarget(name, isKnown)}*`
  for (const [name] of [...lines].filter(isDerived)) lines.delete(name)

  const constants = new Map()
  const literal = ({ kind, value, bits, signed, single }) => {
    if (kind === 'float') return `${value}${/[.e]/.test(`${value}`) ? '' : '.0'}${single ? 'f' : ''}`
    return `${value}${signed ? '' : 'u'}${bits === 64 ? 'll' : ''}`
  }
  const isValue = value => value.kind !== 'float' || Number.isFinite(value.value)
  for (const { members = [] } of tree.enums)
    for (const { name, at } of members) constants.set(name, literal(resolver.constants.name(name, at)))
  for (const [name, macro] of table) {
    if (macro.parameters || /^__/.test(name) || notTheirs.has(name) || constants.has(name)) continue
    try {
      const expression = parser.expression([...macros.expand([macro.name]), tokenLike(macro.name, 'end', '')])
      const value = expression && resolver.constants.evaluate(expression)
      if (value && isValue(value)) constants.set(name, literal(value))
    } catch (error) {
      if (error.code !== 'ERR_ZUGBRUECKE_ARGUMENT') throw error
    }
  }
  return { types: lines, constants }
}

// The reader itself knows nothing from the last time.
for (const table of tables) pack(table, '')
let made
try {
  made = { win64: linesOf('win64'), win32: linesOf('win32') }
} catch (error) {
  for (const table of tables) pack(table)
  throw error
}
const rows = (own, other, same) =>
  [...own].filter(([name, text]) => (other.get(name) === text) === same).map(([name, text]) => `${name} ${text}`)
const part = key => {
  const [win64, win32] = [made.win64[key], made.win32[key]]
  return { common: rows(win64, win32, true), win64: rows(win64, win32, false), win32: rows(win32, win64, false) }
}
const written = ({ common, win64, win32 }) =>
  [
    `# ${headers.replace(/\s+/g, ' ')}`,
    `#files ${[...files].sort().join(' ')}`,
    ...common,
    '[win64]',
    ...win64,
    '[win32]',
    ...win32,
    '',
  ].join('\n')
for (const table of tables) {
  writeChanged(textOf(table), written(part(table)))
  pack(table)
}
