/** Routines with random signatures, as C for a compiler and as a calculation in Node: what a call gives is known without the call. */
import {
  c_bool,
  c_byte,
  c_char,
  c_double,
  c_float,
  c_int,
  c_longlong,
  c_short,
  c_ubyte,
  c_uint,
  c_ulonglong,
  c_ushort,
  c_wchar,
} from 'zugbruecke'
import type { Random } from '../../faults/random.js'
import { c_char_p, c_wchar_p, POINTER, Structure } from '../types.js'

export class Pair extends Structure({ a: c_int, b: c_double }) {}
export class Small extends Structure({ a: c_short, b: c_ubyte }) {}

const MASK = 2n ** 64n - 1n
const mix = (hash: bigint, bits: bigint) => ((hash ^ (bits & MASK)) * 1099511628211n) & MASK
const START = 14695981039346656037n
const room = new DataView(new ArrayBuffer(8))
const bitsOfDouble = (value: number) => {
  room.setFloat64(0, value)
  return room.getBigUint64(0)
}
const bitsOfFloat = (value: number) => {
  room.setFloat32(0, value)
  return BigInt(room.getUint32(0))
}
const bitsOfText = (hash: bigint, units: Iterable<number>) => {
  let now = hash
  for (const unit of units) now = mix(now, BigInt(unit))
  return mix(now, 1n)
}
const unitsOf = (text: string) => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))

interface Kind {
  /** In C. */
  readonly c: string
  readonly type: unknown
  readonly make: (random: Random) => unknown
  /** Takes an argument `v` into the hash `h`, in C and here. */
  readonly inC: (v: string) => string
  readonly here: (hash: bigint, value: never) => bigint
  /** A result made of the hash, in C and here. */
  readonly result?: string
  readonly resultHere?: (hash: bigint) => unknown
  /** A column of a batch may have it; a message between threads may. */
  readonly isPlain: boolean
}

const TEXTS = ['', 'a', 'plain text', 'grüße €', '😀 \u{10ffff}', 'x'.repeat(300), '\u007f\u0080\u07ff\u0800']

function integer(c: string, type: unknown, bits: number, signed: boolean): Kind {
  const wide = bits === 64
  const make = (random: Random) => {
    const [low, high] = signed
      ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
      : [0n, 2n ** BigInt(bits) - 1n]
    const word = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32))
    const value = random.of([low, high, 0n, 1n, low + (word % (high - low + 1n))])
    return wide ? value : Number(value)
  }
  return {
    c,
    type,
    make,
    inC: v => `mix(h, (u64)(${signed ? 'long long' : 'u64'})${v})`,
    here: (hash, value) => mix(hash, BigInt(value)),
    result: `(${c})h`,
    resultHere: hash => {
      const value = signed ? BigInt.asIntN(bits, hash) : BigInt.asUintN(bits, hash)
      return wide ? value : Number(value)
    },
    isPlain: true,
  }
}

export const KINDS: readonly Kind[] = [
  integer('signed char', c_byte, 8, true),
  integer('unsigned char', c_ubyte, 8, false),
  integer('short', c_short, 16, true),
  integer('unsigned short', c_ushort, 16, false),
  integer('int', c_int, 32, true),
  integer('unsigned int', c_uint, 32, false),
  integer('long long', c_longlong, 64, true),
  integer('unsigned long long', c_ulonglong, 64, false),
  {
    c: 'float',
    type: c_float,
    make: random => Math.fround((random.below(2 ** 24) - 2 ** 23) / random.of([1, 3, 7, 1024])),
    inC: v => `mix(h, of_float(${v}))`,
    here: (hash, value) => mix(hash, bitsOfFloat(value)),
    result: '(float)(h & 0xfffff) / 16',
    resultHere: hash => Number(hash & 0xfffffn) / 16,
    isPlain: true,
  },
  {
    c: 'double',
    type: c_double,
    make: random => random.of([0, -0, 1e300, Number.MIN_VALUE, Infinity, (random.below(2 ** 31) - 2 ** 30) / 7]),
    inC: v => `mix(h, of_double(${v}))`,
    here: (hash, value) => mix(hash, bitsOfDouble(value)),
    result: '(double)(h >> 20) / 3',
    resultHere: hash => Number(hash >> 20n) / 3,
    isPlain: true,
  },
  {
    c: '_Bool',
    type: c_bool,
    make: random => random.below(2) === 1,
    inC: v => `mix(h, ${v} ? 3 : 5)`,
    here: (hash, value) => mix(hash, value ? 3n : 5n),
    result: '(_Bool)(h & 16)',
    resultHere: hash => (hash & 16n) !== 0n,
    isPlain: true,
  },
  {
    c: 'char',
    type: c_char,
    make: random => String.fromCharCode(1 + random.below(255)),
    inC: v => `mix(h, (unsigned char)${v})`,
    here: (hash, value: string) => mix(hash, BigInt(value.charCodeAt(0))),
    result: '(char)(h % 255 + 1)',
    resultHere: hash => String.fromCharCode(Number(hash % 255n) + 1),
    isPlain: true,
  },
  {
    c: 'wchar_t',
    type: c_wchar,
    make: random => String.fromCharCode(1 + random.below(0xd7ff)),
    inC: v => `mix(h, (u64)${v})`,
    here: (hash, value: string) => mix(hash, BigInt(value.charCodeAt(0))),
    result: '(wchar_t)(h % 0xd7ff + 1)',
    resultHere: hash => String.fromCharCode(Number(hash % 0xd7ffn) + 1),
    isPlain: true,
  },
  {
    c: 'const char *',
    type: c_char_p,
    make: random => random.of([null, ...TEXTS]),
    inC: v => `mix_text(h, ${v})`,
    here: (hash, value: string | null) => (value === null ? mix(hash, 77n) : bitsOfText(hash, Buffer.from(value))),
    result: 'say(h)',
    resultHere: hash => `ü ${hash.toString(16).padStart(16, '0')}`,
    isPlain: true,
  },
  {
    c: 'const wchar_t *',
    type: c_wchar_p,
    make: random => random.of([null, ...TEXTS]),
    inC: v => `mix_wide(h, ${v})`,
    here: (hash, value: string | null) => (value === null ? mix(hash, 78n) : bitsOfText(hash, unitsOf(value))),
    result: 'say_wide(h)',
    resultHere: hash => `€${hash.toString(16).padStart(16, '0')}`,
    isPlain: true,
  },
  {
    c: 'const int *',
    type: POINTER(c_int),
    make: random => Int32Array.of(random.below(2 ** 32) | 0),
    inC: v => `mix(h, (u64)(long long)*${v})`,
    here: (hash, [value]: Int32Array) => mix(hash, BigInt(value)),
    isPlain: false,
  },
  {
    c: 'struct pair',
    type: Pair,
    make: random => new Pair({ a: random.below(2 ** 32) | 0, b: random.below(1000) / 7 }),
    inC: v => `mix(mix(h, (u64)(long long)${v}.a), of_double(${v}.b))`,
    here: (hash, { a, b }: Pair) => mix(mix(hash, BigInt(a)), bitsOfDouble(b)),
    isPlain: false,
  },
  {
    c: 'struct small',
    type: Small,
    make: random => new Small({ a: random.below(65536) - 32768, b: random.below(256) }),
    inC: v => `mix(mix(h, (u64)(long long)${v}.a), ${v}.b)`,
    here: (hash, { a, b }: Small) => mix(mix(hash, BigInt(a)), BigInt(b)),
    isPlain: false,
  },
]

const HEAD = `
#include <stdio.h>
#include <string.h>
#define API __declspec(dllexport)
typedef unsigned long long u64;
struct pair { int a; double b; };
struct small { short a; unsigned char b; };
static u64 mix(u64 h, u64 bits) { return (h ^ bits) * 1099511628211ull; }
static u64 mix_text(u64 h, const char *t) {
  if (!t) return mix(h, 77);
  for (; *t; t++) h = mix(h, (unsigned char)*t);
  return mix(h, 1);
}
static u64 mix_wide(u64 h, const wchar_t *t) {
  if (!t) return mix(h, 78);
  for (; *t; t++) h = mix(h, *t);
  return mix(h, 1);
}
static u64 of_float(float v) { unsigned bits; memcpy(&bits, &v, sizeof bits); return bits; }
static u64 of_double(double v) { u64 bits; memcpy(&bits, &v, sizeof bits); return bits; }
/* Each call writes over what the last has returned. */
static char said[32];
static wchar_t said_wide[32];
static const char *say(u64 h) {
  snprintf(said, sizeof said, "\\xc3\\xbc %08x%08x", (unsigned)(h >> 32), (unsigned)h);
  return said;
}
static const wchar_t *say_wide(u64 h) {
  said_wide[0] = 0x20ac;
  for (int i = 0; i < 17; i++) said_wide[1 + i] = (unsigned char)(say(h) + 3)[i];
  return said_wide;
}
`

export interface RandomRoutine {
  readonly name: string
  readonly kinds: readonly Kind[]
  readonly result: Kind
  readonly prototype: string
  /** Nothing but values that a column may have. */
  readonly isPlain: boolean
  /** What a call gives. */
  expected(values: readonly unknown[]): unknown
}

export function randomRoutines(
  random: Random,
  count: number,
): { readonly routines: RandomRoutine[]; readonly source: string } {
  const results = KINDS.filter(({ result }) => result !== undefined)
  const routines = Array.from({ length: count }, (_, i): RandomRoutine => {
    const kinds = Array.from({ length: random.below(random.of([3, 6, 14])) }, () => random.of(KINDS))
    const result = random.of(results)
    const name = `f${i}`
    return {
      name,
      kinds,
      result,
      prototype: `${result.c} ${name}(${kinds.map(({ c }, k) => `${c} a${k}`).join(', ') || 'void'})`,
      isPlain: kinds.every(({ isPlain }) => isPlain),
      expected: values => {
        const hash = kinds.reduce((now, { here }, k) => here(now, values[k] as never), START)
        return (result.resultHere as (hash: bigint) => unknown)(hash)
      },
    }
  })
  const bodies = routines.map(
    ({ prototype, kinds, result }) =>
      `API ${prototype} {\n  u64 h = ${START}ull;\n${kinds.map(({ inC }, k) => `  h = ${inC(`a${k}`)};\n`).join('')}  return ${result.result};\n}`,
  )
  return { routines, source: `${HEAD}${bodies.join('\n')}\n` }
}
