import fc from 'fast-check'
import * as assert from 'uvu/assert'
import * as zb from 'zugbruecke'
import { ArgumentError, type CType, c_int, c_uint, c_ushort, type Library } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { arch } from '../types.js'

const test = sessionSuite('integers')
let numbers: Library
test.before(async ({ session }) => {
  numbers = await session.cdll.LoadLibrary(dll('numbers'))
})

/** Type, routine, bits, signed. */
const kinds: readonly [keyof typeof zb, string, number, boolean][] = [
  ['c_byte', 'same_int8', 8, true],
  ['c_ubyte', 'same_uint8', 8, false],
  ['c_short', 'same_int16', 16, true],
  ['c_ushort', 'same_uint16', 16, false],
  ['c_int', 'same_int32', 32, true],
  ['c_uint', 'same_uint32', 32, false],
  ['c_long', 'same_int32', 32, true],
  ['c_ulong', 'same_uint32', 32, false],
  ['c_longlong', 'same_int64', 64, true],
  ['c_ulonglong', 'same_uint64', 64, false],
  ['c_int8', 'same_int8', 8, true],
  ['c_uint8', 'same_uint8', 8, false],
  ['c_int16', 'same_int16', 16, true],
  ['c_uint16', 'same_uint16', 16, false],
  ['c_int32', 'same_int32', 32, true],
  ['c_uint32', 'same_uint32', 32, false],
  ['c_int64', 'same_int64', 64, true],
  ['c_uint64', 'same_uint64', 64, false],
  ['c_size_t', arch === 'win64' ? 'same_uint64' : 'same_uint32', arch === 'win64' ? 64 : 32, false],
  ['c_ssize_t', arch === 'win64' ? 'same_int64' : 'same_int32', arch === 'win64' ? 64 : 32, true],
]

for (const [name, routine, bits, signed] of kinds) {
  const lowest = signed ? -(1n << BigInt(bits - 1)) : 0n
  const highest = (1n << BigInt(signed ? bits - 1 : bits)) - 1n
  const same = () => numbers.func(routine, [zb[name] as CType], zb[name] as CType) as unknown as Same
  type Same = {
    (value: unknown): Promise<unknown>
    sync(value: unknown): unknown
    batch(columns: unknown): Promise<ArrayLike<unknown>>
  }
  const wanted = (value: bigint) => (bits === 64 || /size_t/.test(name) ? value : Number(value))

  test(`${name}: its edges go there and come back`, async () => {
    const routine = same()
    for (const edge of [lowest, lowest + 1n, 0n, 1n, highest - 1n, highest]) {
      assert.is(await routine(edge), wanted(edge))
      assert.is(routine.sync(edge), wanted(edge))
      if (Number.isSafeInteger(Number(edge))) assert.is(await routine(Number(edge)), wanted(edge))
    }
  })

  test(`${name}: any value in range comes back`, async () => {
    const routine = same()
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: lowest, max: highest }), async value => {
        assert.is(await routine(value), wanted(value))
      }),
      { numRuns: 25 },
    )
  })

  test(`${name}: what fits the width with the other sign is converted as C does`, async () => {
    const routine = same()
    const top = 1n << BigInt(bits - 1)
    const all = 1n << BigInt(bits)
    for (const value of [top, all - 1n, top + 5n]) {
      const [given, seen] = signed ? [value, value - all] : [value - all, value]
      assert.is(await routine(given), wanted(seen))
      assert.is(routine.sync(bits < 64 ? Number(given) : given), wanted(seen))
      assert.is(BigInt((await routine.batch([[given]]))[0] as bigint), seen)
    }
  })

  test(`${name}: what is out of range, fractional or no number is refused`, async () => {
    const checked = same()
    for (const bad of [
      -(1n << BigInt(bits - 1)) - 1n,
      1n << BigInt(bits),
      10n ** 400n,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '1',
      undefined,
      {},
      [],
    ]) {
      const error = await rejects(checked(bad), ArgumentError, routine, 'argument 1', (zb[name] as CType).name)
      assert.is(error.position, 1)
      assert.is(error.routine?.endsWith(routine), true)
      throws(() => checked.sync(bad), ArgumentError, routine)
    }
  })
}

test('flags as JS makes them', async () => {
  const [READ, RAW] = [1, 0x80000000]
  assert.is(await numbers.func('same_uint32', [c_uint], c_uint)(READ | RAW), 0x80000001)
  assert.is(await numbers.func('same_int32', [c_int], c_int)(0xffffffff), -1)
  assert.is(await numbers.func('same_uint16', [c_ushort], c_ushort)(~0), 0xffff)
  const flags = numbers.func('same_uint32', [c_uint], c_uint)
  assert.equal([...(await flags.batch([Int32Array.of(READ | RAW)]))], [0x80000001])
  assert.equal([...(await flags.batch([[READ | RAW, -1]]))], [0x80000001, 0xffffffff])
})

test('an object of the type is passed by its value', async () => {
  const same = numbers.func('same_int32', [c_int], c_int)
  assert.is(await same(new c_int(-7)), -7)
})

test('the position in the error is that of the wrong argument', async () => {
  const add = numbers.func('add', [c_int, c_int], c_int)
  const error = await rejects(add(1, 2 ** 32), ArgumentError, 'argument 2')
  assert.is(error.position, 2)
})

test('negative results keep their sign without a declaration', async () => {
  assert.is(await numbers.negative(), -5)
})

test.run()
