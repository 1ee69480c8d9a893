/**
 * Directives of `memsync`: they say how long the memory behind a pointer is where types do not. Here they are checked;
 * session/memsync/memsync.ts follows them around calls and callbacks.
 */
import { ArgumentError } from '../errors.js'
import * as scalars from './all-scalars.js'
import { type Arch, CATEGORY, type CType, describe, FOR_ARCH, isType, KIND, LENGTH } from './data.js'
import { isList, reading } from './given.js'
import type { ArgType } from './inference.js'
import { POINTER } from './pointer.js'
import { type Field, findField, RECORD } from './record.js'

/**
 * From an argument (its number, from 0) or the result (`'r'`) inwards: field names, numbers of elements, `-1` for what a pointer
 * leads to. A field name goes through pointers by itself.
 */
export type MemsyncPath = readonly (string | number)[]
/** Makes the argument of what the caller gave, like ctypes' `from_param`. */
export type MemsyncCustom =
  | ((value: never) => unknown)
  | {
      /** What is passed for the value that the caller gave. */
      from_param(value: unknown): unknown
    }

/**
 * What a pointer leads to whose size neither types nor values tell: where the pointer is, and how long its memory is.
 */
export interface MemsyncDirective {
  /** Where the pointer is. */
  readonly pointer: MemsyncPath
  /** Where its length is, in elements of `type`; with `func`, any number of paths. */
  readonly length?: MemsyncPath | readonly MemsyncPath[]
  /** The memory ends with a zero, and needs no length. */
  readonly null?: boolean
  /** That zero has 16 bits; known by itself where the pointer is one to `c_wchar`. */
  readonly unic?: boolean
  /** What the memory consists of: `c_ubyte` unless given. */
  readonly type?: CType | string
  /** The length, from what is found at the paths of `length`. */
  readonly func?: (...found: never[]) => number | bigint
  readonly custom?: MemsyncCustom
}
/** The same with the short keys of the Python project zugbruecke. */
export interface ShortMemsyncDirective {
  readonly p: MemsyncPath
  readonly l?: MemsyncPath | readonly MemsyncPath[]
  readonly n?: boolean
  readonly u?: boolean
  readonly w?: boolean
  readonly t?: CType | string
  /** `func` */
  readonly f?: (...found: never[]) => number | bigint
  readonly c?: MemsyncCustom
  readonly _c?: MemsyncCustom
}
/** A directive with long or with short keys. */
export type Memsync = MemsyncDirective | ShortMemsyncDirective

/** A directive, checked. */
export interface Directive {
  /** From 1, for messages. */
  readonly number: number
  readonly pointer: MemsyncPath
  readonly lengths: readonly MemsyncPath[]
  readonly terminated: boolean
  readonly wide: boolean | undefined
  readonly type: CType
  readonly func: ((...found: unknown[]) => unknown) | undefined
  readonly custom: ((value: unknown) => unknown) | undefined
}

type Key = keyof MemsyncDirective
const SHORT: { readonly [short: string]: Key } = {
  p: 'pointer',
  l: 'length',
  n: 'null',
  u: 'unic',
  w: 'unic',
  t: 'type',
  f: 'func',
  c: 'custom',
  _c: 'custom',
}
const KEYS: readonly string[] = ['pointer', 'length', 'null', 'unic', 'type', 'func', 'custom']

/** A path as messages show it. */
export const showPath = (path: MemsyncPath) =>
  `[${path.map(segment => (typeof segment === 'string' ? `'${segment}'` : String(segment))).join(', ')}]`

/** Checks what does not depend on types; throws ArgumentError that names `owner`, the directive and the key. */
export function checkMemsync(owner: string, given: unknown, ofCallback = false): readonly Directive[] {
  if (!isList(given))
    throw new ArgumentError(`${owner}: memsync is a list of directives, or undefined, not ${describe(given)}`, {
      routine: owner,
    })
  return reading(`memsync of ${owner}`, () =>
    Array.from(given, (item, i) => checkDirective(owner, item, i + 1, ofCallback)),
  )
}

function checkDirective(owner: string, given: unknown, number: number, ofCallback: boolean): Directive {
  const wrong = (text: string) => new ArgumentError(`${owner}: memsync directive ${number}${text}`, { routine: owner })
  if (typeof given !== 'object' || given === null || isList(given))
    throw wrong(` is an object with the key pointer and others, not ${describe(given)}`)
  const keys: { [K in Key]?: unknown } = {}
  for (const [name, value] of Object.entries(given)) {
    const key = (Object.hasOwn(SHORT, name) ? SHORT[name] : name) as Key
    if (!KEYS.includes(key)) throw wrong(`: there is no key ${name}; the keys are ${KEYS.join(', ')}`)
    if (key in keys && keys[key] !== undefined) throw wrong(`, key ${key}: it is given twice`)
    keys[key] = value
  }
  const bad = (key: Key, text: string) => wrong(`, key ${key}: ${text}`)
  const path = (key: Key, value: unknown): MemsyncPath => {
    const why = wrongPath(value)
    if (why) throw bad(key, why)
    const found = value as MemsyncPath
    if (ofCallback && found[0] === 'r')
      throw bad(key, 'the result of a callback is not synchronized: return memory of session.memory.alloc')
    return found
  }
  const flag = (key: 'null' | 'unic'): boolean | undefined => {
    const value = keys[key]
    if (value !== undefined && typeof value !== 'boolean') throw bad(key, `true or false, not ${describe(value)}`)
    return value
  }

  if (keys.pointer === undefined) throw bad('pointer', 'it is missing')
  const pointer = path('pointer', keys.pointer)
  const { func, custom } = keys
  if (func !== undefined && typeof func !== 'function')
    throw bad(
      'func',
      typeof func === 'string'
        ? 'a function, such as (x, y) => x * y; text is never evaluated'
        : `a function of the lengths, not ${describe(func)}`,
    )
  const lengths = lengthPaths(keys.length, func !== undefined, value => path('length', value), bad)
  const terminated = flag('null') ?? false
  const wide = flag('unic')
  if (!terminated && lengths.length === 0 && !func) throw bad('length', 'it is missing, and null is not true')
  return {
    number,
    pointer,
    lengths,
    terminated,
    wide,
    type: elementType(keys.type, text => bad('type', text)),
    func: func as Directive['func'],
    custom: conversion(custom, pointer, ofCallback, text => bad('custom', text)),
  }
}

/** What is wrong with a path, if anything is. */
function wrongPath(path: unknown): string | undefined {
  if (!Array.isArray(path)) return `a path is a list such as [0, 'field'], not ${describe(path)}`
  if (path.length === 0) return 'this path is empty: it begins with the number of an argument or with r'
  for (const [i, segment] of (path as unknown[]).entries()) {
    const isIndex = Number.isSafeInteger(segment) && (segment as number) >= 0
    if (i === 0 ? isIndex || segment === 'r' : isIndex || segment === -1 || (typeof segment === 'string' && segment))
      continue
    return i === 0
      ? `a path begins with the number of an argument (from 0) or with 'r', not with ${describe(segment)}`
      : `a path goes on with a field's name, an element's number or -1, not with ${describe(segment)} (item ${i + 1})`
  }
  return undefined
}

function lengthPaths(
  given: unknown,
  computed: boolean,
  path: (value: unknown) => MemsyncPath,
  bad: (key: 'length', text: string) => ArgumentError,
): readonly MemsyncPath[] {
  if (given === undefined) return []
  if (!isList(given)) throw bad('length', `a path, or several with func, not ${describe(given)}`)
  if (given.length === 0 && computed) return []
  if (!Array.isArray(given[0])) return [path(given)]
  if (given.length > 1 && !computed) throw bad('length', 'several paths need func, which makes one length of them')
  return given.map(path)
}

function elementType(given: unknown, bad: (text: string) => ArgumentError): CType {
  if (given === undefined) return scalars.c_ubyte
  const named = typeof given === 'string' ? (scalars as unknown as { [name: string]: unknown })[given] : given
  if (!isType(named)) throw bad(`a C type, or the name of a scalar one, not ${describe(given)}`)
  return named
}

function conversion(
  given: unknown,
  pointer: MemsyncPath,
  ofCallback: boolean,
  bad: (text: string) => ArgumentError,
): Directive['custom'] {
  if (given === undefined) return undefined
  if (ofCallback) throw bad('the arguments of a callback come from the DLL: there is nothing to convert')
  if (pointer.length > 1 || pointer[0] === 'r') throw bad('it converts whole arguments: pointer is [0], [1], …')
  const { from_param: method } = given as { from_param?: unknown }
  if (typeof given === 'function' && !isType(given) && method === undefined) return given as (value: unknown) => unknown
  if (typeof method !== 'function') throw bad(`a function, or an object with from_param, not ${describe(given)}`)
  return value => (method as (value: unknown) => unknown).call(given, value)
}

/** What the paths of a routine or callback lead through. */
export interface PathTypes {
  readonly owner: string
  readonly arch: Arch
  /** Undefined: seen at the call. */
  readonly argtypes: readonly ArgType[] | undefined
  /** Whether more arguments than declared may be given. */
  readonly open: boolean
  /** null for void; undefined where it is not known. */
  readonly restype: CType | null | undefined
}

/** Checks that the paths lead somewhere, as far as types tell; throws ArgumentError that names the path. */
export function checkPaths(directives: readonly Directive[], types: PathTypes): void {
  for (const { number, pointer, lengths, func, terminated, type } of directives) {
    const bad = (key: string, path: MemsyncPath, text: string) =>
      new ArgumentError(`${types.owner}: memsync directive ${number}, ${key} ${showPath(path)}: ${text}`, {
        routine: types.owner,
      })
    const end = typeAlong(pointer, types, text => bad('pointer', pointer, text))
    if (end && end[CATEGORY] !== 'array' && (end[KIND] !== 'p' || end[CATEGORY] === 'callback'))
      throw bad('pointer', pointer, `it leads to a ${end.name}, which is no pointer`)
    type[FOR_ARCH](types.arch)
    if (terminated) continue
    for (const path of lengths) {
      let found = typeAlong(path, types, text => bad('length', path, text))
      while (found?.[CATEGORY] === 'pointer' && !func) found = pointeeOf(found)
      if (found && !func && found[CATEGORY] !== 'integer' && found[CATEGORY] !== 'void pointer')
        throw bad('length', path, `it leads to a ${found.name}, which is no length`)
    }
  }
}

/** The type at the end of a path; undefined where types do not tell. */
function typeAlong(path: MemsyncPath, types: PathTypes, bad: (text: string) => ArgumentError): CType | undefined {
  const [first, ...rest] = path
  let type: CType | undefined
  if (first === 'r') {
    if (types.restype === null) throw bad('there is no result: restype is null')
    type = types.restype
  } else {
    const { argtypes } = types
    if (!argtypes || (first as number) >= argtypes.length) {
      if (argtypes && !types.open) throw bad(noArgument(first as number, argtypes.length))
      return undefined
    }
    const given = argtypes[first as number]
    type = isType(given) ? given : 'outType' in given ? POINTER(given.outType) : undefined
  }
  type = type?.[FOR_ARCH](types.arch)
  for (const segment of rest) {
    if (typeof segment === 'string') while (type?.[CATEGORY] === 'pointer') type = pointeeOf(type)
    if (!type || type[CATEGORY] === 'void pointer') return undefined
    type = typeof segment === 'string' ? fieldOf(type, segment, bad).type : elementAt(type, segment, bad)
  }
  return type
}

/** The end of a message about a path that begins with an argument which is not there. */
export const noArgument = (index: number, count: number) =>
  `there is no argument ${index}, only ${count === 0 ? 'none' : count === 1 ? 'argument 0' : `0 to ${count - 1}`}`

/** A field by its name, also one of an anonymous member. */
export function fieldOf(type: CType, name: string, bad: (text: string) => ArgumentError): Field {
  if (type[CATEGORY] !== 'structure') throw bad(`a ${type.name} has no field '${name}'`)
  const found = findField(type[RECORD], name)
  if (found) return found
  throw bad(`${type.name} has no field '${name}'; it has ${Object.keys(type.fields).join(', ')}`)
}

function elementAt(type: CType, segment: number, bad: (text: string) => ArgumentError): CType | undefined {
  if (type[CATEGORY] === 'array') {
    const { elementType, [LENGTH]: length } = type
    if (segment >= length) throw bad(`${type.name} has no element ${segment}`)
    return elementType
  }
  if (type[KIND] !== 'p' || type[CATEGORY] === 'callback')
    throw bad(`${segment} goes through a pointer, and a ${type.name} is none`)
  return pointeeOf(type)
}

/** What a pointer leads to; undefined for `void *` and for what is no pointer. */
export function pointeeOf(type: CType): CType | undefined {
  switch (type[CATEGORY]) {
    case 'pointer':
      return type.pointee
    case 'array':
      return type.elementType
    case 'char pointer':
      return scalars.c_char
    case 'wchar pointer':
      return scalars.c_wchar
    default:
      return undefined
  }
}
