import * as assert from 'uvu/assert'
import { ArgumentError, addressof, c_int, type Library, MemoryAccessError } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { arch, byref, CFUNCTYPE, c_size_t, c_ssize_t, c_void_p, POINTER, Structure } from '../types.js'

const test = sessionSuite('addresses that lead nowhere')
const bits = arch === 'win64' ? 64 : 32
const address = (value: bigint) => BigInt.asUintN(bits, value)

const INVALID = address(-1n)
/** As user handles are: 32 bits with a sign. */
const EXTENDED = address(BigInt(0x8a05001f | 0))
/** Odd, and no number of JS: a pointer with a tag. */
const TAGGED = address(0x7fff_ffff_ffff_fff1n)

class Device extends Structure({ unused: c_int }) {}
const DEVICE = POINTER(Device)
class Box extends Structure({ device: DEVICE }) {}

const open = (lib: Library) => ({
  invalid: lib.func('invalid', [], DEVICE),
  extended: lib.func('extended', [], DEVICE),
  is: lib.func('is', [DEVICE, c_ssize_t] as const, c_int),
  boxed: lib.func('boxed', [DEVICE] as const, Box),
  unboxed: lib.func('unboxed', [Box, c_ssize_t] as const, c_int),
  fill: lib.func('fill', [POINTER(Box)] as const, null),
  same: lib.func('is', [c_void_p, c_ssize_t] as const, c_int),
})
const signed = (value: bigint) => BigInt.asIntN(bits, value)

test('results, and back in as arguments', async ({ session }) => {
  const { invalid, extended, is } = open(session.CDLL(dll('handles')))
  for (const [make, expected] of [
    [invalid, INVALID],
    [extended, EXTENDED],
  ] as const) {
    const handle = await make()
    assert.is(handle?.address, expected)
    assert.is(await is(handle, signed(expected)), 1)
    assert.is(is.sync(handle, signed(expected)), 1)
  }
})

test('bare addresses, of a void pointer and of one to a structure', async ({ session }) => {
  const { is, same } = open(session.CDLL(dll('handles')))
  for (const value of [INVALID, EXTENDED, TAGGED, 1n]) {
    assert.is(await is(value, signed(value)), 1, `${value}`)
    assert.is(await same(value, signed(value)), 1, `${value}`)
    assert.is(await same({ address: value }, signed(value)), 1, `${value}`)
    assert.is(await is(session.cast(value, DEVICE), signed(value)), 1, `${value}`)
  }
  assert.is(await is(-1n, -1n), 1)
  assert.is(await same(-1, -1n), 1)
  assert.is(await same({ address: -1n }, -1n), 1)
  assert.is(await same(new c_size_t(INVALID), -1n), 1)
  assert.is(session.cast(-1, DEVICE).address, INVALID)
  await rejects(same(2 ** 60, 0n), ArgumentError, 'c_void_p', 'bigint')
  await rejects(same(2n ** BigInt(bits), 0n), ArgumentError, `${bits} bits`)
  throws(() => session.cast(2n ** BigInt(bits), DEVICE), ArgumentError, `${bits} bits`)
  throws(() => session.cast(0.5, DEVICE), ArgumentError, '0.5')
  // a number is a mistake where a number is pointed to
  await rejects(
    session.CDLL(dll('handles')).func('is', [POINTER(c_int), c_ssize_t], c_int)(5n as never, 5n),
    ArgumentError,
  )
})

test('fields, of structures that go by value and by reference, here and there', async ({ session }) => {
  const { boxed, unboxed, fill, is } = open(session.CDLL(dll('handles')))
  for (const value of [INVALID, EXTENDED, TAGGED]) {
    const box = await boxed(value)
    assert.is(box.device?.address, value)
    assert.is(await unboxed(box, signed(value)), 1)
    assert.is(await is(box.device, signed(value)), 1)
    assert.is(await unboxed(new Box({ device: value }), signed(value)), 1)
  }
  const local = new Box()
  await fill(byref(local))
  assert.is(local.device?.address, EXTENDED)
  const there = await session.memory.alloc(Box)
  there.contents.device = local.device
  assert.is(there.contents.device?.address, EXTENDED)
  Object.assign(there.contents, { device: TAGGED })
  assert.is(there.contents.device?.address, TAGGED)
  assert.is(Buffer.from(there.read()).readUInt8(0), 0xf1)
  await there.free()
})

test('callbacks: arguments and results', async ({ session }) => {
  const lib = session.CDLL(dll('handles'))
  const tell = lib.func('tell', [CFUNCTYPE(c_int, DEVICE), DEVICE] as const, c_int)
  const ask = lib.func('ask', [CFUNCTYPE(DEVICE)] as const, DEVICE)
  const { is } = open(lib)
  for (const value of [INVALID, EXTENDED, TAGGED]) {
    let seen: bigint | undefined
    const answer = await tell(device => {
      seen = device?.address
      return is.sync(device, signed(value))
    }, value)
    assert.is(seen, value)
    assert.is(answer, 1)
    assert.is((await ask(() => session.cast(value, DEVICE)))?.address, value)
    assert.is((await ask(() => value as never))?.address, value)
  }
})

test('columns of a batch', async ({ session }) => {
  const { is, same } = open(session.CDLL(dll('handles')))
  const wanted = [signed(TAGGED), signed(EXTENDED), signed(TAGGED)]
  assert.equal([...(await same.batch([TAGGED, wanted]))], [1, 0, 1])
  assert.equal([...(await same.batch([-1, [-1n, 0n]]))], [1, 0])
  assert.equal([...(await is.batch([session.cast(EXTENDED, DEVICE) as never, wanted]))], [0, 1, 0])
})

test('a column of addresses: one for each row', async ({ session }) => {
  const { is, same } = open(session.CDLL(dll('handles')))
  const wanted = [TAGGED, EXTENDED, 0n, 16n].map(signed)
  const column = [TAGGED, session.cast(EXTENDED, DEVICE), null, { address: 16n }]
  assert.equal([...(await same.batch([column as never, wanted]))], [1, 1, 1, 1])
  assert.equal([...(await is.batch([column as never, wanted]))], [1, 1, 1, 1])
  assert.equal(
    [
      ...same.batch.sync([
        [1, -1],
        [1n, -1n],
      ]),
    ],
    [1, 1],
  )
  if (arch === 'win64') {
    const handles = BigUint64Array.of(TAGGED, EXTENDED)
    assert.equal([...(await same.batch([handles, [signed(TAGGED), 5n]]))], [1, 0])
    assert.equal([...(await is.batch([handles, [5n, signed(EXTENDED)]]))], [0, 1])
  }
  await rejects(same.batch([[1n, 'x'] as never, wanted.slice(2)]), ArgumentError, 'column 1', 'row 1')
  await rejects(same.batch([[1n, new Uint8Array(4)] as never, wanted.slice(2)]), ArgumentError, 'column 1', 'row 1')
  const device = session.memory.place(new Device())
  assert.equal([...(await same.batch([[device, 1n] as never, [addressof(device), addressof(device)]]))], [1, 0])
  await rejects(is.batch([new Device() as never, wanted]), ArgumentError, 'column 1', 'array of them')
})

test('session.cast takes whatever cast does', async ({ session }) => {
  const { is } = open(session.CDLL(dll('handles')))
  const local = new Device({ unused: 7 })
  assert.is(session.cast(local, DEVICE).contents.unused, 7)
  assert.is(session.cast(byref(local), POINTER(c_int))[0], 7)
  assert.is(session.cast(Int32Array.of(8), POINTER(c_int))[0], 8)
  assert.is(session.cast(null, DEVICE).isNull, true)
  assert.is(session.cast(0n, DEVICE).isNull, true)
  assert.is(session.cast(new c_void_p(), DEVICE).isNull, true)
  const known = session.cast(new c_void_p(TAGGED), DEVICE)
  assert.is(await is(known, signed(TAGGED)), 1)
  const memory = await session.memory.alloc(Device)
  memory.contents.unused = 9
  assert.is(session.cast(memory, POINTER(c_int))[0], 9)
  assert.is(session.cast(new c_void_p(memory.address), POINTER(c_int))[0], 9)
  assert.is(session.cast(memory.contents, POINTER(c_int))[0], 9)
  await memory.free()
})

test('function pointers that are a number', async ({ session }) => {
  const lib = session.CDLL(dll('handles'))
  const Plain = CFUNCTYPE(null)
  const isSentinel = lib.func('is_sentinel', [Plain] as const, c_int)
  assert.is(await isSentinel(-1n), 1)
  assert.is(await isSentinel(INVALID), 1)
  assert.is(await isSentinel({ address: INVALID }), 1)
  const found = await lib.func('sentinel', [], Plain)()
  assert.is((found as unknown as { address: bigint } | null)?.address, INVALID)
  assert.is(await isSentinel(found as never), 1)
  await rejects(isSentinel(2n ** 64n), ArgumentError, `${bits} bits`)
})

test('constants of a header are what routines of that header take', async ({ session }) => {
  const text = `
    typedef struct device__ { int unused; } *DEVICE;
    #define INVALID_DEVICE ((DEVICE)(intptr_t)-1)
    #define FIRST_DEVICE ((DEVICE)1)
    #define USER_DEVICE ((DEVICE)(uintptr_t)((int)0x80000001))
    int is(DEVICE device, intptr_t bits);
    int is_sentinel(void (*f)(void));
    #define SENTINEL ((void (*)(void))-1)`
  const { constants } = session.header(text)
  assert.equal({ ...constants }, {
    INVALID_DEVICE: INVALID,
    FIRST_DEVICE: 1n,
    USER_DEVICE: address(-0x7fffffffn),
    SENTINEL: INVALID,
  } as never)
  const { is, is_sentinel } = session.CDLL(dll('handles')).declare(text)
  assert.is(await is(constants.INVALID_DEVICE, -1n), 1)
  assert.is(await is(constants.FIRST_DEVICE, 1n), 1)
  assert.is(await is(constants.USER_DEVICE, -0x7fffffffn), 1)
  assert.is(await is_sentinel(constants.SENTINEL), 1)
})

test('memory at such an address is an error with that address', ({ session }) => {
  // 32 bits may all be memory
  for (const value of arch === 'win64' ? [INVALID, EXTENDED, TAGGED] : [INVALID]) {
    const { address: named } = throws(() => session.memory.read(value, 4), MemoryAccessError, value.toString(16))
    assert.is(named, value)
    throws(() => session.memory.write(value, new Uint8Array(4)), MemoryAccessError, value.toString(16))
    throws(() => session.cast(value, DEVICE).contents.unused, MemoryAccessError, value.toString(16))
    throws(() => session.string_at(value), MemoryAccessError, value.toString(16))
  }
})

test.run()
