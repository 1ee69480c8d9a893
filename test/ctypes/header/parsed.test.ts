/** What one thread has read says the same to another. */
import { readFileSync } from 'node:fs'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ArrayClass } from '../../../src/ctypes/array.js'
import { CATEGORY, type CType, LENGTH } from '../../../src/ctypes/data.js'
import {
  type Header,
  openHeader,
  type ParsedHeader,
  parseForAll,
  parseHeader,
  Shelf,
} from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import type { Out } from '../../../src/ctypes/inference.js'
import type { PointerClass } from '../../../src/ctypes/pointer.js'
import type { StructureClass } from '../../../src/ctypes/structure-types.js'
import { types } from '../../../src/ctypes/types.js'
import { structures } from './structures.js'

/** As another thread gets it. */
function sent(parsed: ParsedHeader): ParsedHeader {
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(parsed)
  const { message } = receiveMessageOnPort(port2) as { message: ParsedHeader }
  port1.close()
  return message
}

/** All that there is to a type, as text; a structure that is being told is told by its name. */
function told(type: CType | Out<CType> | null, inside: readonly string[] = []): string {
  if (type === null) return 'void'
  if ('outType' in type) return `out ${told(type.outType, inside)}`
  const inner = (other: CType | null) => told(other, [...inside, type.name])
  const callback = type as CType & { argtypes?: readonly CType[]; restype?: CType | null; convention?: string }
  switch (type[CATEGORY]) {
    case 'array':
      return `${inner((type as ArrayClass).elementType)}[${(type as ArrayClass)[LENGTH]}]`
    case 'pointer':
      return `${inner((type as PointerClass).pointee)}*`
    case 'structure': {
      if (inside.includes(type.name) || inside.length > 6) return type.name
      const fields = Object.values((type as StructureClass).fields)
      const each = fields.map(({ name, offset, bits, type: of }) => `${name}@${offset}:${bits}:${inner(of)}`)
      return `${type.name} ${type.size} ${type.alignment} {${each.join(';')}}`
    }
    default:
      if (!callback.argtypes) return type.name
      return `${callback.convention} (${callback.argtypes.map(inner).join(',')}) -> ${inner(callback.restype ?? null)}`
  }
}

function whole({ routines, types: named, constants, variables, undefinedMacros }: Header) {
  const signature = ([name, routine]: [string, { argtypes: readonly unknown[]; restype: CType | null }]) => ({
    ...routine,
    name,
    argtypes: routine.argtypes.map(type => told(type as CType)),
    restype: told(routine.restype),
  })
  return {
    routines: [...routines].map(signature as never),
    types: Object.entries(named).map(([name, type]) => `${name} ${told(type as never)}`),
    constants,
    variables: [...variables].map(([name, type]) => `${name} ${told(type)}`),
    undefinedMacros,
  }
}

function compare(text: string, arch: Arch): Header {
  const options = { arch, ns: types(arch) as never }
  const opened = openHeader(sent(parseForAll(text, options)), options.ns)
  assert.equal(whole(opened), whole(parseHeader(text, options)))
  return opened
}

const archs: readonly Arch[] = ['win64', 'win32']
const vendor = readFileSync(new URL('vendor.h', import.meta.url), 'utf8')

for (const arch of archs) {
  test(`vendor.h on ${arch}`, () => {
    const header = compare(vendor, arch)
    assert.is(header.routines.size, 79)
    assert.is(Object.keys(header.types).length, 51)
  })

  test(`random structures on ${arch}`, () => {
    const texts = fc.sample(structures, { numRuns: 200 })
    compare(texts.map((body, index) => body.replaceAll('NAME', `s${index}`)).join('\n'), arch)
  })

  test(`what leads to the same definition on ${arch}`, () => {
    compare(
      `typedef struct { int x; struct { int a; union { int b; float c; }; } in; } one, *two, many[3];
       struct later; typedef struct later later; int f(later *p, two q); struct later { later *next; one o; int tail[]; };
       enum size { SMALL = 3, LARGE = SMALL * 4 + sizeof(one) }; typedef enum size size; typedef enum { A = -1, B } sign;
       typedef int (__stdcall *handler)(size, one *, char *, const char *); handler pick(handler h);
       struct bits { unsigned a : SMALL; sign b : 4; size c : LARGE - 20; __declspec(align(LARGE / 3)) int d; };
       static const int COUNT = LARGE; int table[COUNT]; extern one shown; typedef __typeof__(shown.in) inner;
       void rows(int n, double a[n][LARGE]); struct s { char url[2048 + sizeof("://")]; RECT where[MAX_PATH]; GUID id; };
       int renamed(int) __asm__("f_v2"); extern void (*on_exit)(void); struct constructor { int constructor; };
       #define WIDE (1ull << 63)
       #define HALF 0.5f
       #define ENDLESS 1e999
       #define NAME "n" "ame"
       #define HANDLE_OF ((void *)-1)
       #if ABSENT
       #endif`,
      arch,
    )
  })
}

test('a type that two names lead to is one, and so is one that an earlier text has', () => {
  const ns = types('win64') as never
  const shelf = new Shelf()
  const text = 'typedef struct { int x, y; } point, *place; int f(place p, point q); point origin;'
  const parsed = parseForAll(text, { arch: 'win64', ns })
  const { types: found, routines, variables } = openHeader(sent(parsed), ns, shelf)
  const { point } = found
  assert.is(routines.get('f')?.argtypes[1], point as never)
  assert.is((found.place as unknown as PointerClass).pointee, point as never)
  assert.is(variables.get('origin'), point as never)
  assert.is(found.point, point)
  const other = parseHeader('typedef struct { int x, y; } point; int g(point p);', { arch: 'win64', ns, shelf })
  assert.is(other.types.point, point)
  assert.is(openHeader(sent(parsed), ns, shelf).types.point, point)
})

test('collections are like those of a header that was just read', () => {
  const ns = types('win64') as never
  const { routines } = openHeader(parseForAll('int a(void); int b(void);', { arch: 'win64', ns }), ns)
  assert.equal([...routines.keys()], ['a', 'b'])
  assert.ok(routines.has('a'))
  assert.not(routines.has('c'))
  assert.is(routines.get('c'), undefined)
  const seen: string[] = []
  routines.forEach(({ name }) => void seen.push(name))
  assert.equal(seen, ['a', 'b'])
  assert.equal(
    [...routines.values()].map(({ name }) => name),
    ['a', 'b'],
  )
})

test.run()
