/** Random definitions of structures called NAME, as C text. */
import fc from 'fast-check'

const simple = fc.constantFrom(
  'char',
  'unsigned char',
  'short',
  'unsigned',
  'long',
  'long long',
  'float',
  'double',
  '_Bool',
  'void *',
)
const integerType = fc.constantFrom(
  'unsigned char',
  'short',
  'unsigned short',
  'int',
  'unsigned',
  'long long',
  'unsigned long long',
)
const widths: { readonly [type: string]: number } = {
  'unsigned char': 8,
  short: 16,
  'unsigned short': 16,
  'long long': 64,
  'unsigned long long': 64,
}

/** Mostly none. */
const own = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  fc.constantFrom(
    ' __attribute__((aligned(8)))',
    ' __attribute__((aligned(sizeof(void *) * 2)))',
    ' __attribute__((packed))',
    ' __attribute__((packed, aligned(2)))',
  ),
)

type Tie = { [name in 'field' | 'bitField' | 'structBody' | 'unionBody' | 'inner']: string }

/** `@` stands for a number, so that no two fields have one name. */
const { structBody, unionBody } = fc.letrec<Tie>((tie: fc.LetrecTypedTie<Tie>) => ({
  field: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .tuple(simple, fc.constantFrom('', '[3]', '[2][5]'), own)
      .map(([type, dimensions, attribute]) => `${type} f@${dimensions}${attribute};`),
    fc.tuple(tie('inner'), fc.constantFrom(' g@', ' g@[2]', '')).map(([inner, name]) => `${inner}${name};`),
    fc.constant('int (*f@)(double);'),
    fc.constant('KEYWORD NAME *n@;'),
  ),
  bitField: fc.oneof(
    fc.tuple(integerType, fc.nat(63)).map(([type, bits]) => `${type} b@ : ${1 + (bits % (widths[type] ?? 32))};`),
    fc.tuple(integerType, fc.nat(63)).map(([type, bits]) => `${type} : ${bits % ((widths[type] ?? 32) + 1)};`),
  ),
  inner: fc.oneof(
    tie('structBody').map(body => `struct { ${body} }`),
    tie('unionBody').map(body => `union { ${body} }`),
  ),
  structBody: fc
    .array(fc.oneof(tie('field'), tie('bitField')), { minLength: 1, maxLength: 5 })
    .map(fields => `char f@; ${fields.join(' ')}`),
  // No bit fields here: gcc makes them smaller than MSVC does, and aligns the union for them.
  unionBody: fc.array(tie('field'), { minLength: 1, maxLength: 5 }).map(fields => `char f@; ${fields.join(' ')}`),
}))

const definition = fc.oneof(
  structBody.map(body => ['struct', body] as const),
  unionBody.map(body => ['union', body] as const),
)

export const structures = fc
  .tuple(
    definition,
    fc.constantFrom('', '1', '2', '4', '8', '16'),
    fc.constantFrom('', '__declspec(align(4))', '__declspec(align(16))', '__attribute__((packed))'),
  )
  // gcc has rules of its own for bit fields in what is packed by attribute, and lets `pack` lessen alignments.
  .filter(
    ([[, body], pack, align]) =>
      !(align.includes('packed') && body.includes(' : ')) && !(pack && body.includes('aligned')),
  )
  .map(([[keyword, body], pack, align]) => {
    let number = 0
    const numbered = body.replaceAll('KEYWORD', keyword).replaceAll('@', () => String(number++))
    return `${pack && `#pragma pack(push, ${pack})\n`}typedef ${keyword} ${align} NAME { ${numbered} } NAME;${pack && '\n#pragma pack(pop)'}`
  })
