/** Structures with 32-bit layouts: by value on the stack, as results, behind pointers; and those of the other architecture. */
import * as assert from 'uvu/assert'
import { ArgumentError, c_int, type Library, MemoryAccessError, types } from 'zugbruecke'
import * as ct from 'zugbruecke/win32'
import { old32, sessionSuite, throws } from './support.js'

const { c_ubyte, c_double, c_longlong, c_char, c_void_p, POINTER } = ct
class Point extends ct.Structure({ x: c_double, y: c_double }) {}
class Record extends ct.Structure({ code: c_int, when: c_longlong, name: c_char.array(5), next: c_void_p }) {}

const test = sessionSuite('structures of 32-bit code', { arch: 'win32' })
let cdecl: Library
let stdcall: Library
test.before(({ session }) => {
  cdecl = session.CDLL(old32())
  stdcall = session.WinDLL(old32())
})

for (const size of [1, 2, 3, 4, 5, 7, 8, 12, 16, 33])
  test(`${size} bytes by value, there and back, in both conventions`, async () => {
    class Bytes extends ct.Structure({ bytes: c_ubyte.array(size) }) {}
    const content = Array.from({ length: size }, (_, i) => i + 1)
    const sum = content.reduce((a, b) => a + b)
    assert.is(
      await cdecl.func(`sum${size}`, [c_int, Bytes, c_int], c_int)(3, { bytes: content } as never, 7),
      7300 + sum,
    )
    const made = await cdecl.func(`make${size}`, [c_int], Bytes)(1)
    assert.equal([...made.bytes], content)
    const turned = await stdcall.func(`turn${size}`, [Bytes], Bytes)({ bytes: content } as never)
    assert.equal([...turned.bytes], content.toReversed())
  })

test('a thousand structures by value: the stack stays as it was', async () => {
  class Bytes extends ct.Structure({ bytes: c_ubyte.array(33) }) {}
  const turn = stdcall.func('turn33', [Bytes], Bytes)
  let bytes = new Bytes()
  bytes.bytes[0] = 9
  for (let i = 0; i < 1000; i++) bytes = turn.sync(bytes)
  assert.is(bytes.bytes[0], 9)
})

test('layouts are those of the 32-bit compiler', async () => {
  assert.is(ct.sizeof(Record), await cdecl.record_size())
  assert.is(ct.sizeof(Record), 32)
  assert.is(ct.sizeof(c_void_p), 4)
  const record = new Record({ code: 1, when: 2n ** 40n, name: 'x' })
  await cdecl.func('change', [POINTER(Record)], null)(record)
  assert.is(record.code, 2)
  assert.is(record.when, 2n ** 41n)
  assert.is(record.name, 'abcd')
  assert.is(record.next, 0xffff_fff0n)
})

test('doubles by value and by pointer, arrays and batches of structures', async () => {
  const scaled = await cdecl.func('scale', [Point, c_double], Point)({ x: 1, y: 2 }, 3)
  assert.equal([scaled.x, scaled.y], [3, 6])
  const point = new Point(1, 2)
  await stdcall.func('move', [POINTER(Point), c_double], null)(point, 0.5)
  assert.is(point.x, 1.5)
  const points = new (Point.array(3))([1, 1], [2, 2], [3, 3])
  await stdcall.func('move', [POINTER(Point), c_double], null).batch([points, 10])
  assert.equal(
    Array.from(points, p => p.x),
    [11, 12, 13],
  )
  const results = await cdecl.func('scale', [Point, c_double], Point).batch([points, Float64Array.from([1, 2, 3])])
  assert.equal(
    Array.from(results as readonly Point[], p => p.y),
    [1, 4, 9],
  )
  class Bytes extends ct.Structure({ bytes: c_ubyte.array(4) }) {}
  const rows = [{ bytes: [1, 2, 3, 4] }, { bytes: [5, 6, 7, 8] }]
  const sums = await cdecl.func('sum4', [c_int, Bytes, c_int], c_int).batch([0, rows as never, 0])
  assert.equal(sums, Int32Array.from([10, 26]))
})

test('a list that the DLL made is walked', async () => {
  class Item extends ct.Structure({}) {
    declare next: { contents: Item } | null
    declare value: number
  }
  Item.define({ next: POINTER(Item), value: c_int })
  const first = await cdecl.func('list', [c_int], POINTER(Item))(5)
  const values: number[] = []
  for (let item = first as { contents: Item } | null; item; item = item.contents.next) values.push(item.contents.value)
  assert.equal(values, [0, 1, 2, 3, 4])
})

test('memory of the 32-bit side', async ({ session }) => {
  using block = await session.memory.alloc(c_int.array(4))
  assert.ok(BigInt(block.address) < 2n ** 32n)
  session.memory.write(block.address, new Uint8Array(Int32Array.from([7, 8, 9, 10]).buffer))
  assert.is(await cdecl.func('read_at', [POINTER(c_int)], c_int)(block as never), 7)
  assert.equal([...new Int32Array(session.memory.read(block.address, 16).slice().buffer)], [7, 8, 9, 10])
  const pointer = session.cast(block.address, POINTER(c_int))
  assert.equal(pointer && [...pointer.slice(4)], [7, 8, 9, 10])
  throws(() => session.memory.read(0x10, 4), MemoryAccessError)
  throws(() => session.memory.read(2n ** 33n, 4), ArgumentError, '32 bits')
})

test('types of the other architecture are refused, those that are the same in both are not', async () => {
  const win64 = types('win64')
  class Wide extends win64.Structure({ p: win64.c_void_p, n: c_int }) {}
  class Same extends win64.Structure({ x: c_double, y: c_double }) {}
  throws(() => cdecl.func('change', [win64.POINTER(Wide)], null), ArgumentError, 'win64', 'session.types')
  throws(() => cdecl.func('change', [Wide], null), ArgumentError, 'Wide')
  const scaled = await cdecl.func('scale', [Same, c_double], Same)({ x: 1, y: 2 }, 2)
  assert.is(scaled.y, 4)
})

test('a header: conventions, function pointers, layouts', async ({ session }) => {
  const text = `
    typedef int (*plain_t)(int);
    typedef int (__stdcall *standard_t)(int);
    typedef struct table { plain_t plain; standard_t standard; } table;
    typedef struct record { int code; long long when; char name[5]; void *next; } record;
    int add(int, int);
    int __stdcall subtract(int, int);
    int run_table(const table *t, int a);
    void change(record *r);
    extern table tables;
    #ifdef _WIN64
    #error this is for 32 bits
    #endif
  `
  const { table, record } = session.header(text).types
  assert.equal([table.size, record.size], [8, 32])
  const routines = cdecl.declare(text)
  assert.is(await routines.add(1, 2), 3)
  assert.is(await routines.subtract(1, 2), -1)
  const calls = { plain: (a: number) => a + 1, standard: (a: number) => a * 2 }
  assert.is(await routines.run_table(new table(calls), 10), 31)
  const { plain, standard } = table.in_dll(cdecl, 'tables') as { [name: string]: (a: number) => Promise<number> }
  assert.equal([await plain(5), await standard(5)], [15, 50])
})

test.run()
