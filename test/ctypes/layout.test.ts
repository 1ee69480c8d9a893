/**
 * Layouts against gcc for mingw: random structures, all of an architecture in one C file, whose sizes, alignments and offsets
 * are compiled into a section of the object file and read from there. Bit fields: the bytes of a structure with all ones in that one.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LocalBlock } from '../../src/ctypes/block.js'
import type { Arch, CType } from '../../src/ctypes/data.js'
import { BLOCK } from '../../src/ctypes/data.js'
import { type Types, types } from '../../src/ctypes/types.js'

const runs = Number(process.env.ZB_LAYOUT_RUNS ?? 1000)

interface Scalar {
  readonly c: string
  readonly of: (t: Types) => CType
  readonly bits: number
}
const scalars: readonly Scalar[] = [
  { c: 'signed char', of: t => t.c_byte, bits: 8 },
  { c: 'unsigned char', of: t => t.c_ubyte, bits: 8 },
  { c: 'short', of: t => t.c_short, bits: 16 },
  { c: 'unsigned short', of: t => t.c_ushort, bits: 16 },
  { c: 'int', of: t => t.c_int, bits: 32 },
  { c: 'unsigned int', of: t => t.c_uint, bits: 32 },
  { c: 'long', of: t => t.c_long, bits: 32 },
  { c: 'long long', of: t => t.c_longlong, bits: 64 },
  { c: 'unsigned long long', of: t => t.c_ulonglong, bits: 64 },
  { c: 'float', of: t => t.c_float, bits: 0 },
  { c: 'double', of: t => t.c_double, bits: 0 },
  { c: 'char *', of: t => t.c_char_p, bits: 0 },
  { c: 'void *', of: t => t.c_void_p, bits: 0 },
  { c: 'size_t', of: t => t.c_size_t, bits: 0 },
  { c: '_Bool', of: t => t.c_bool, bits: 0 },
  { c: 'wchar_t', of: t => t.c_wchar, bits: 0 },
]
const integers = scalars.filter(({ bits }) => bits > 0)

type Shape =
  | { readonly kind: 'scalar'; readonly scalar: Scalar; readonly dimensions: readonly number[] }
  | { readonly kind: 'bits'; readonly scalar: Scalar; readonly width: number }
  | { readonly kind: 'record'; readonly record: RecordShape; readonly dimensions: readonly number[] }
interface RecordShape {
  readonly union: boolean
  readonly pack: 1 | 2 | 4 | 8 | undefined
  readonly align: number | undefined
  readonly fields: readonly Shape[]
}

const dimensions = fc.oneof(
  { weight: 4, arbitrary: fc.constant<number[]>([]) },
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
)
const scalarShape = fc.record({ kind: fc.constant('scalar' as const), scalar: fc.constantFrom(...scalars), dimensions })
const bitShape = fc.constantFrom(...integers).chain(scalar =>
  fc.record({
    kind: fc.constant('bits' as const),
    scalar: fc.constant(scalar),
    width: fc.integer({ min: 0, max: scalar.bits }),
  }),
)
const recordShape: fc.Arbitrary<RecordShape> = fc.letrec<{ record: RecordShape; field: Shape }>(tie => ({
  record: fc.record({
    union: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    pack: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
    ),
    align: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.constantFrom(1, 2, 4, 8, 16, 32)),
    fields: fc.array(tie('field'), { minLength: 1, maxLength: 7 }),
  }),
  field: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 4, arbitrary: scalarShape },
    { weight: 3, arbitrary: bitShape },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('record' as const), record: tie('record'), dimensions }) },
  ),
})).record

/**
 * What both compilers lay out alike: gcc counts only the bytes that a bit field fills in a union, and aligns the union for it, and it lets
 * `pack` lessen the alignment that `align` asks for.
 */
function common({ union, pack, align, fields }: RecordShape): RecordShape {
  const kept = fields
    .filter(({ kind }) => !(union && kind === 'bits'))
    .map(field => (field.kind === 'record' ? { ...field, record: common(field.record) } : field))
  const isAligned = ({ align, fields }: RecordShape): boolean =>
    align !== undefined || fields.some(field => field.kind === 'record' && isAligned(field.record))
  const isLessened = kept.some(field => field.kind === 'record' && isAligned(field.record))
  return { union, pack: isLessened ? undefined : pack, align, fields: kept.length > 0 ? kept : [BYTE] }
}
const BYTE: Shape = { kind: 'scalar', scalar: scalars[0], dimensions: [] }

/** A C declaration for a shape; nested ones are declared before it. */
class Writer {
  text = ''
  #count = 0
  record(shape: RecordShape): string {
    const lines = shape.fields.map((field, i) => {
      if (field.kind === 'bits')
        return field.width === 0 ? `${field.scalar.c} : 0;` : `${field.scalar.c} f${i} : ${field.width};`
      const tail = field.dimensions.map(n => `[${n}]`).join('')
      return `${field.kind === 'scalar' ? field.scalar.c : this.record(field.record)} f${i}${tail};`
    })
    const name = `R${this.#count++}`
    const word = shape.union ? 'union' : 'struct'
    const align = shape.align ? `__attribute__((aligned(${shape.align})))` : ''
    this.text += `#pragma pack(push)\n#pragma pack(${shape.pack ?? ''})\ntypedef ${word} ${name}_ { ${lines.join(' ')} } ${align} ${name};\n#pragma pack(pop)\n`
    return name
  }
}

function typeFor(shape: RecordShape, t: Types): ReturnType<Types['Structure']> {
  const fields: { [name: string]: never } = {}
  for (const [i, field] of shape.fields.entries()) {
    let type: unknown
    if (field.kind === 'bits') type = t.bits(field.scalar.of(t), field.width)
    else {
      type = field.kind === 'scalar' ? field.scalar.of(t) : typeFor(field.record, t)
      for (const n of [...field.dimensions].reverse()) type = (type as { array(n: number): CType }).array(n)
    }
    fields[`f${i}`] = type as never
  }
  const { pack, align } = shape
  return (shape.union ? t.Union : t.Structure)(fields, {
    ...(pack ? { pack } : {}),
    ...(align ? { align } : {}),
  }) as never
}

const compilers: { readonly [arch in Arch]: string } = { win64: 'x86_64-w64-mingw32', win32: 'i686-w64-mingw32' }

/** Compiles and gives the bytes of the two sections. */
function compile(arch: Arch, source: string): { numbers: Uint32Array; values: Uint8Array } {
  const folder = mkdtempSync(join(tmpdir(), 'zb-layout-'))
  try {
    const file = (name: string) => join(folder, name)
    writeFileSync(file('t.c'), source)
    execFileSync(`${compilers[arch]}-gcc`, [
      '-w',
      '-O0',
      '-fno-toplevel-reorder',
      '-mms-bitfields',
      '-c',
      file('t.c'),
      '-o',
      file('t.o'),
    ])
    const section = (name: string) => {
      execFileSync(`${compilers[arch]}-objcopy`, [
        '-O',
        'binary',
        '--set-section-flags',
        `${name}=alloc`,
        '-j',
        name,
        file('t.o'),
        file('out'),
      ])
      return new Uint8Array(readFileSync(file('out')))
    }
    const numbers = section('.zbn').slice()
    return {
      numbers: new Uint32Array(numbers.buffer, 0, numbers.length >> 2),
      values: source.includes('.zbv') ? section('.zbv') : new Uint8Array(),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

for (const arch of ['win64', 'win32'] as const) {
  test(`${runs} random structures lie as mingw lays them out for ${arch}`, () => {
    const seed = Number(process.env.ZB_SEED ?? Date.now() & 0xffffff)
    const shapes = fc.sample(recordShape.map(common), { numRuns: runs, seed })
    let source = '#include <stddef.h>\n'
    let numbers = ''
    let values = ''
    for (const shape of shapes) {
      const writer = new Writer()
      const name = writer.record(shape)
      const prefix = `S${values.length}_${numbers.length}_`
      source += writer.text.replace(/\bR(\d+)/g, `${prefix}R$1`)
      const type = prefix + name
      numbers += `sizeof(${type}), __alignof__(${type}),`
      for (const [i, field] of shape.fields.entries()) {
        if (field.kind !== 'bits') numbers += `offsetof(${type}, f${i}),`
        else if (field.width > 0)
          values += `${type} v${values.length}_${i} __attribute__((section(".zbv"), aligned(64))) = { .f${i} = -1 };\n`
      }
      numbers += '\n'
    }
    // The anchor keeps the section's first object where the section begins.
    source += `const unsigned numbers[] __attribute__((section(".zbn"))) = {\n${numbers}};\n${values}`
    const compiled = compile(arch, source)
    let at = 0
    let valueAt = 0
    for (const shape of shapes) {
      const writer = new Writer()
      writer.record(shape)
      const type = typeFor(shape, types(arch))
      const expected: number[] = [...compiled.numbers.subarray(at, at + 2)]
      at += 2
      const got: number[] = [type.size, type.alignment]
      for (const [i, field] of shape.fields.entries())
        if (field.kind !== 'bits') {
          expected.push(compiled.numbers[at++])
          got.push(type.offsetof(`f${i}`))
        }
      assert.equal(got, expected, `size, alignment, offsets of\n${writer.text}`)
      for (const [i, field] of shape.fields.entries()) {
        if (field.kind !== 'bits' || field.width === 0) continue
        valueAt = (valueAt + 63) & -64
        const data = new type() as { [name: string]: unknown; [BLOCK]: LocalBlock }
        const signed = !field.scalar.c.startsWith('unsigned')
        const ones = signed ? -1n : 2n ** BigInt(field.width) - 1n
        data[`f${i}`] = ones
        assert.equal(
          [...data[BLOCK].bytes],
          [...compiled.values.subarray(valueAt, valueAt + type.size)],
          `bytes of f${i} in\n${writer.text}`,
        )
        assert.is(BigInt(data[`f${i}`] as number), ones)
        valueAt += type.size
      }
    }
  })
}

/** By clang's model of Microsoft's compiler, for both architectures: size, alignment, and the offset of the last field. */
const microsoft: readonly (readonly [c: string, of: (t: Types) => CType, layout: readonly number[]])[] = [
  ['union { int f : 3; }', t => t.Union({ f: t.bits(t.c_int, 3) }), [4, 1, 0]],
  ['union { char c; long long f : 9; }', t => t.Union({ c: t.c_char, f: t.bits(t.c_longlong, 9) }), [8, 1, 0]],
  ['union { short s; int f : 3; }', t => t.Union({ s: t.c_short, f: t.bits(t.c_int, 3) }), [4, 2, 0]],
  [
    'struct { char c; union { int i : 3; char d; } f; }',
    t => t.Structure({ c: t.c_char, f: t.Union({ i: t.bits(t.c_int, 3), d: t.c_char }) }),
    [5, 1, 1],
  ],
  [
    'pack(1) struct { char c; struct align(8) { char d; } f; }',
    t => t.Structure({ c: t.c_char, f: t.Structure({ d: t.c_char }, { align: 8 }) }, { pack: 1 }),
    [16, 8, 8],
  ],
  [
    'pack(1) struct { char c; struct align(8) { char d; } f[2]; }',
    t => t.Structure({ c: t.c_char, f: t.Structure({ d: t.c_char }, { align: 8 }).array(2) }, { pack: 1 }),
    [24, 8, 8],
  ],
  [
    'pack(2) struct { char c; struct { char d; struct align(4) { char e; } g; } f; }',
    t => {
      const inner = t.Structure({ d: t.c_char, g: t.Structure({ e: t.c_char }, { align: 4 }) })
      return t.Structure({ c: t.c_char, f: inner }, { pack: 2 })
    },
    [12, 4, 4],
  ],
]
for (const arch of ['win64', 'win32'] as const)
  test(`what gcc lays out otherwise than Microsoft's compiler, for ${arch}`, () => {
    for (const [c, of, layout] of microsoft) {
      const type = of(types(arch)) as ReturnType<Types['Structure']>
      assert.equal([type.size, type.alignment, type.offsetof('f')], layout, c)
    }
  })

test('fields that a class derived of another one adds begin behind all of that, as in ctypes', () => {
  const t = types('win64')
  class Base extends t.Structure({ a: t.c_int, b: t.c_char }) {}
  class Derived extends Base {}
  ;(Derived as unknown as typeof Base).define({ c: t.c_char })
  const fields = (Derived as unknown as typeof Base).fields as { readonly [name: string]: { readonly offset: number } }
  assert.equal([Base.size, fields.c.offset, Derived.size], [8, 8, 12])
  class Bits extends t.Structure({ a: t.bits(t.c_int, 3) }) {}
  class More extends Bits {}
  ;(More as unknown as typeof Bits).define({ b: t.bits(t.c_int, 3) })
  assert.is((More as unknown as typeof Bits).offsetof('b'), 4)
  // what is added to the class itself is one structure with what it had
  class Same extends t.Structure({ a: t.c_int, b: t.c_char }) {}
  Same.define({ c: t.c_char })
  assert.equal([Same.offsetof('c'), Same.size], [5, 8])
})

test.run()
